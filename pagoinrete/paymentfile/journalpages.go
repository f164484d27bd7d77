package paymentfile

import (
	"slices"
	"strings"

	"github.com/flussi-go/flussi"
)

// JournalPages joins the pages of one treasury journal, in any order, and says when the journal is
// complete. It holds totals, but no movements. The zero JournalPages is empty.
type JournalPages struct {
	key      string
	head     Journal
	pages    pageSet
	accounts []*pagedTotals
	all      pagedTotals
	faults   []*Fault
}

// Key identifies a journal among others: pages with equal keys belong together. From version 1.5
// the page's own number at the end of the identifier, such as #001#003, is left out.
func (j Journal) Key() string {
	id := j.ID
	if parts := strings.Split(id, "#"); len(parts) > 2 {
		last := len(parts) - 2
		own := (&row{checks: checks{report: &Report{}}}).page("", parts[last], parts[last+1])
		if own == j.Page && j.Page.Total > 0 {
			id = strings.Join(parts[:last], "#")
		}
	}
	return strings.Join([]string{j.Body.String(), j.BankABI, id, j.From.String(), j.To.String()}, "|")
}

// Add adds a page whose movements were read to their end. [JournalPages.Faults] then has a
// [FaultPages] if they were not, if the page belongs to another journal, or if it was added before.
func (p *JournalPages) Add(f *JournalFile) {
	key := f.head.Key()
	if !f.report.Complete || p.key != "" && key != p.key {
		p.faults = append(p.faults, pagesFault())
		return
	}
	if isNew, fits := p.pages.add(f.head.Page); !isNew || !fits {
		p.faults = append(p.faults, pagesFault())
		return
	}
	if p.key == "" {
		p.key, p.head = key, f.head
	}
	for _, a := range f.accounts {
		p.account(a).add(a.Totals)
	}
	p.all.add(f.totals)
}

// account finds an account.
func (p *JournalPages) account(a *Account) *pagedTotals {
	for _, known := range p.accounts {
		if known.account.Number == a.Number {
			return known
		}
	}
	known := &pagedTotals{account: Account{Number: a.Number, Description: a.Description}}
	p.accounts = append(p.accounts, known)
	return known
}

// Journal returns what the first page that was added says about the journal.
func (p *JournalPages) Journal() Journal { return p.head }

// Complete reports whether all pages were added.
func (p *JournalPages) Complete() bool { return p.pages.complete() }

// Missing returns the numbers of the pages that were not added yet, at most 1,000 of them. It
// returns none before the first page.
func (p *JournalPages) Missing() []int { return p.pages.missing() }

// Faults returns the faults of the pages together. Once all pages were added, it also compares the
// totals of the accounts and of the journal with the movements. Faults within a file are in its
// report.
func (p *JournalPages) Faults() []*Fault {
	faults := slices.Clone(p.faults)
	if !p.Complete() {
		return faults
	}
	var accounts []*Account
	for _, a := range p.accounts {
		account := a.account
		account.Totals = a.joined()
		accounts = append(accounts, &account)
	}
	return append(faults, checkTotals(accounts, p.all.joined())...)
}

// Italian lists the missing pages and the faults for the operator; "" if there are none.
func (p *JournalPages) Italian() string { return joined(p.pages.missing(), p.Faults()) }

// pagedTotals are the totals of an account on several pages.
type pagedTotals struct {
	account Account
	pages   []Totals
}

func (p *pagedTotals) add(t Totals) { p.pages = append(p.pages, t) }

// joined returns the totals of all pages. Some banks state on each page the totals of that page,
// and others state the totals of the whole account, on each page or on the last one. If the totals
// of every page match its own movements, joined adds them up. Otherwise it takes those stated last.
func (p *pagedTotals) joined() Totals {
	var t Totals
	own := true
	var in, out flussi.Cents
	for _, page := range p.pages {
		t.MovedIn, t.MovedOut = plus(t.MovedIn, page.MovedIn), plus(t.MovedOut, page.MovedOut)
		t.fundIn, t.fundOut = plus(t.fundIn, page.fundIn), plus(t.fundOut, page.fundOut)
		own = own && page.In.IsStated && page.Out.IsStated && len(page.check("", "", "", "")) == 0
		in, out = in+page.In.Amount, out+page.Out.Amount
		for _, field := range []struct{ to, from *StatedAmount }{{&t.Opening, &page.Opening}, {&t.In, &page.In}, {&t.Out, &page.Out}, {&t.Closing, &page.Closing}} {
			if field.from.IsStated {
				*field.to = *field.from
			}
		}
	}
	if own && len(p.pages) > 1 {
		// check has compared the balance of each page.
		t.Opening, t.Closing = StatedAmount{}, StatedAmount{}
		t.In, t.Out = StatedAmount{in, true}, StatedAmount{out, true}
	}
	return t
}
