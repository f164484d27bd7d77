package pagoinretetest

import (
	"fmt"
	"math"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/storetest"
	"github.com/flussi-go/flussi/pagoinrete"
)

// texts are what fields hold that mask themselves, and what others hold.
var texts = [][2]string{
	{storetest.TooLong(), storetest.TooLong()}, {storetest.Awkward, storetest.Awkward}, {"   ", "   "}, {"0", "0"}, {"è", "è"},
}

var valueRules = append(
	shared.Values(texts,
		rule{Words: "each flag is kept for itself", Test: flagsAreKept},
		rule{Words: "amounts are kept to the cent, however large", Test: amountsAreKept},
	),
	rule{Words: "states, kinds and actions that are unknown are kept", Test: unknownWordsAreKept},
)

func flagsAreKept(p *probe) {
	e := p.saveEvent(p.fullEvent())
	eachFlag(&e, func(what string) {
		e = p.saveEvent(e)
		p.ReadsParent(what, e)
	})
	n := p.save(p.fullNotice(e))
	eachFlag(&n, func(what string) {
		n = p.save(n)
		p.ReadsChild(what, n)
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

func amountsAreKept(p *probe) {
	e := p.fullEvent()
	n := p.fullNotice(e)
	for _, amount := range []flussi.Cents{flussi.MaxPayable, math.MaxInt64, 1<<53 + 1, -1, math.MinInt64, flussi.MinPayable} {
		for _, pointer := range []any{&e, &n} {
			for _, f := range storetest.Fields(pointer) {
				if field, ok := f.Pointer.(*flussi.Cents); ok {
					*field = amount
				}
			}
		}
		e = p.saveEvent(e, n)
		n.Version++
		want := e
		want.Counts = counted(n)
		p.ReadsParent("with the amount "+amount.String(), want)
		p.ReadsChild("with the amount "+amount.String(), n)
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
		if got := p.notices(pagoinrete.NoticeFilter{States: []pagoinrete.NoticeState{state}}, pagoinrete.Page{Limit: 2}); len(got) != want {
			p.Fail("Notices in the state %q: want %d, got %d", state, want, len(got))
		}
	}
	for kind, want := range map[pagoinrete.EventKind]int{e.Kind: 1, "altro": 0} {
		if got := p.events(pagoinrete.EventFilter{Kind: kind}, pagoinrete.Page{Limit: 2}); len(got) != want {
			p.Fail("Events of the kind %q: want %d, got %d", kind, want, len(got))
		}
	}
}
