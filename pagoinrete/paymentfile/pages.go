package paymentfile

import (
	"slices"
	"strconv"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/italian"
)

// Page says which page of a document a file is.
type Page struct {
	Number int // counted from 1
	Total  int // how many there are
}

// page reads the number of a page and of pages; a page without numbers is 1 of 1.
func (r *row) page(field, number, of string) Page {
	if number == "" && of == "" {
		return Page{1, 1}
	}
	p, err := strconv.Atoi(number)
	n, err2 := strconv.Atoi(of)
	if err != nil || err2 != nil || p < 1 || p > n {
		r.add(FaultPages, field, true, "Il numero della pagina e il numero delle pagine non concordano.")
		return Page{}
	}
	return Page{p, n}
}

// pageSet records which pages of a document were read.
type pageSet struct {
	of   int
	read map[int]bool
}

// add records a page. It reports whether the page is new, and whether it belongs with the others.
func (s *pageSet) add(p Page) (isNew, fits bool) {
	if p.Total == 0 || s.of != 0 && p.Total != s.of {
		return false, false
	}
	if s.of == 0 {
		s.of, s.read = p.Total, map[int]bool{}
	}
	isNew = !s.read[p.Number]
	s.read[p.Number] = true
	return isNew, true
}

func (s *pageSet) complete() bool { return s.of > 0 && len(s.read) == s.of }

// missing returns at most 1,000 pages that were not read.
func (s *pageSet) missing() []int {
	var numbers []int
	for n := 1; n <= s.of && len(numbers) < 1000; n++ {
		if !s.read[n] {
			numbers = append(numbers, n)
		}
	}
	return numbers
}

// pagesFault says that a page does not belong with the others.
func pagesFault() *Fault {
	return &Fault{Kind: FaultPages, Blocking: true,
		Reason: "Le pagine non concordano fra loro: una ripete un'altra, o appartiene a un altro documento."}
}

// missingReason says which pages are missing.
func missingReason(numbers []int) string {
	texts := make([]string, 0, 10)
	for _, n := range numbers[:min(len(numbers), 10)] {
		texts = append(texts, italian.Number(n))
	}
	if len(numbers) > 10 {
		texts = append(texts, "altre")
	}
	return italian.Choose(len(numbers), "Manca la pagina ", "Mancano le pagine ") + italian.And(texts...) + "."
}

// SettlementPages joins the files of a settlement in JSON: its identity, and the pages of its
// payments in any order. It holds no rows. The zero SettlementPages is empty. Pages do not name
// their settlement, so the caller must know which pages belong together.
type SettlementPages struct {
	head    *Settlement
	pages   pageSet
	sum     Report
	written flussi.Cents // with the signs that the files have
	faults  []*Fault
}

// Add adds a [FormatSettlementHeader] or a [FormatSettlementPage] whose payments were read to their
// end. [SettlementPages.Faults] then has a [FaultPages] if they were not, if the file has another
// format, or if it was added before.
func (p *SettlementPages) Add(f *SettlementFile) {
	report := f.Report()
	switch {
	case !report.Complete:
		p.faults = append(p.faults, pagesFault())
		return
	case report.Format == FormatSettlementHeader && p.head == nil:
		head := f.Settlement()
		p.head = &head
		return
	case report.Format == FormatSettlementPage:
		if isNew, fits := p.pages.add(f.page); isNew && fits {
			p.sum.Rows += report.Rows
			p.sum.Amount = plus(p.sum.Amount, report.Amount)
			p.written = plus(p.written, f.written)
			return
		}
	}
	p.faults = append(p.faults, pagesFault())
}

// Complete reports whether the identity and all pages were added.
func (p *SettlementPages) Complete() bool { return p.head != nil && p.pages.complete() }

// Missing returns the numbers of the pages that were not added yet, at most 1,000 of them. It
// returns none before the first page.
func (p *SettlementPages) Missing() []int { return p.pages.missing() }

// Faults returns the faults of the pages together. Once all pages were added, it also compares the
// number of payments and the total with the identity. Faults within a file are in its report.
func (p *SettlementPages) Faults() []*Fault {
	faults := slices.Clone(p.faults)
	if !p.Complete() {
		return faults
	}
	if p.head.Count != int64(p.sum.Rows) {
		faults = append(faults, &Fault{Kind: FaultCount, Field: "totPayments", Stated: p.head.Count, Found: int64(p.sum.Rows), Blocking: true,
			Reason: countReason(p.head.Count, p.sum.Rows)})
	}
	if p.head.Total != p.sum.Amount && p.head.Total != p.written {
		faults = append(faults, totalFault("sumPayments", Position{}, p.head.Total, p.sum.Amount))
	}
	return faults
}

// Italian lists the missing pages and the faults for the operator; "" if there are none.
func (p *SettlementPages) Italian() string {
	return joined(p.pages.missing(), p.Faults())
}

// joined returns the text about missing pages and faults.
func joined(missing []int, faults []*Fault) string {
	var text string
	if len(missing) > 0 {
		text = missingReason(missing)
	}
	for _, f := range faults {
		if text != "" {
			text += " "
		}
		text += f.Italian()
	}
	return text
}
