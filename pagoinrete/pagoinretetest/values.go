package pagoinretetest

import (
	"fmt"
	"reflect"
	"slices"

	"github.com/flussi-go/flussi/internal/storetest"
	"github.com/flussi-go/flussi/pagoinrete"
)

// texts are what fields hold that mask themselves, and what others hold.
var texts = [][2]string{
	{storetest.TooLong(), storetest.TooLong()}, {storetest.Awkward, storetest.Awkward}, {"   ", "   "}, {"0", "0"}, {"è", "è"},
}

var valueRules = []rule{
	{"an event has its instalments, in their order", instalmentsAreKept},
	{"each proof of a payment is kept for itself", proofsAreKept},
	{"each flag is kept for itself", flagsAreKept},
	{"states, kinds and actions that are unknown are kept", unknownWordsAreKept},
}

func flagsAreKept(p *probe) {
	e := p.saveEvent(p.fullEvent())
	eachFlag(&e, func(what string) {
		e = p.saveEvent(e)
		p.events.IsRead(what, e)
	})
	n := p.save(p.fullNotice(e))
	eachFlag(&n, func(what string) {
		n = p.save(n)
		p.notices.IsRead(what, n)
	})
}

// eachFlag sets each flag of a struct without the others, and all others without it.
func eachFlag(pointer any, check func(what string)) {
	fields := storetest.Fields(pointer)
	for _, to := range []bool{true, false} {
		for i, one := range fields {
			if _, ok := one.Pointer.(*bool); !ok {
				continue
			}
			for j, f := range fields {
				if flag, ok := f.Pointer.(*bool); ok {
					*flag = to == (i == j)
				}
			}
			check(fmt.Sprintf("whose %s is %t, and each other flag is not", one.Name, to))
		}
	}
}

func unknownWordsAreKept(p *probe) {
	e := p.fullEvent()
	e.Kind, e.State = "contributo", "archiviato"
	e.Discrepancy.Kind, e.Discrepancy.State = "colour", "sospesa"
	n := p.fullNotice(e)
	n.State, n.DebtorKind, n.Discrepancy.Kind, n.Discrepancy.State = "sospeso", "genitore", "colour", "archiviato"
	n.Discrepancy.Resolved = false
	p.KeepsWords(e, n)
	p.HasCounts("with unknown words", e.ID, pagoinrete.NoticeCounts{Unpaid: 1, Discrepancies: 1})
	for state, want := range map[pagoinrete.NoticeState]int{n.State: 1, "altro": 0} {
		if got := p.notices.Page(pagoinrete.NoticeFilter{States: []pagoinrete.NoticeState{state}}, pagoinrete.Page{Limit: 2}); len(got) != want {
			p.Fail("Notices in the state %q: want %d, got %d", state, want, len(got))
		}
	}
	for kind, want := range map[pagoinrete.EventKind]int{e.Kind: 1, "altro": 0} {
		if got := p.events.Page(pagoinrete.EventFilter{Kind: kind}, pagoinrete.Page{Limit: 2}); len(got) != want {
			p.Fail("Events of the kind %q: want %d, got %d", kind, want, len(got))
		}
	}
}

func instalmentsAreKept(p *probe) {
	e, other := p.saveEvent(p.newEvent()), p.saveEvent(p.newEvent())
	all := make([]pagoinrete.Instalment, pagoinrete.MaxInstalments)
	p.Fill(&all, true)
	all[3] = all[2]   // the same twice
	all[5].Amount = 0 // each part may be missing
	all[7] = all[0]   // and one that is not next to it
	reversed := slices.Clone(all)
	slices.Reverse(reversed)
	for _, parts := range [][]pagoinrete.Instalment{all[:1], all, reversed, all[:3], nil, all[1:2], {}} {
		e.Instalments = parts
		e = p.saveEvent(e)
		p.events.IsRead("with other instalments", e)
	}
	p.events.IsRead("whose instalments nobody changed", other)
}

// proofsAreKept stores each proof without the others, and takes each away again.
func proofsAreKept(p *probe) {
	e := p.saveEvent(p.newEvent())
	n := p.save(p.newNotice(e))
	var full pagoinrete.Evidence
	p.Fill(&full, true)
	kinds := reflect.TypeFor[pagoinrete.Evidence]()
	for i := range kinds.NumField() {
		n.Evidence = pagoinrete.Evidence{}
		reflect.ValueOf(&n.Evidence).Elem().Field(i).Set(reflect.ValueOf(full).Field(i))
		n = p.save(n)
		p.notices.IsRead("with no proof but "+kinds.Field(i).Name, n)

		n.Evidence = full
		reflect.ValueOf(&n.Evidence).Elem().Field(i).SetZero()
		n = p.save(n)
		p.notices.IsRead("with all proofs but "+kinds.Field(i).Name, n)
	}
}
