package paymentfile

import (
	"fmt"
	"strings"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/italian"
)

// FaultKind is the kind of a mistake in a file that can be read.
type FaultKind string

// The kinds of faults. See [Fault].Blocking for those that are blocking.
const (
	FaultMissing     FaultKind = "missing"      // a field that the format requires is absent or empty; blocking for identifiers and amounts
	FaultValue       FaultKind = "value"        // a field has a value that the format does not define, such as another version; blocking for the operation of a movement
	FaultRepeated    FaultKind = "repeated"     // a field comes twice, so it is not clear which one counts; blocking
	FaultAmount      FaultKind = "amount"       // an amount is zero, too large, or not a number of euro and cents; blocking
	FaultSign        FaultKind = "sign"         // an amount is negative, but nothing was revoked or reversed; blocking
	FaultDate        FaultKind = "date"         // a date cannot be read, or does not exist
	FaultOutcome     FaultKind = "outcome"      // the outcome of a payment is not a code of pagoPA; blocking
	FaultIndex       FaultKind = "index"        // the index of a transfer is not 1 to 5; blocking
	FaultLength      FaultKind = "length"       // an identifier has more than 35 characters
	FaultCheckDigits FaultKind = "check_digits" // the check digits of an RF reference are wrong; a warning
	FaultDuplicate   FaultKind = "duplicate"    // the same IUV, IUR and index as an earlier row, or without an index the same amount; blocking
	FaultReceiver    FaultKind = "receiver"     // the file is for another body than [Config.Body]; blocking
	FaultCount       FaultKind = "count"        // the number of rows differs from the stated one; blocking
	FaultTotal       FaultKind = "total"        // the sum of the amounts differs from the stated total; blocking, except in a journal, since its totals are not used for matching
	FaultBalance     FaultKind = "balance"      // the closing balance differs from opening balance plus incoming less outgoing
	FaultPages       FaultKind = "pages"        // the page numbers contradict each other; blocking
	FaultUnknown     FaultKind = "unknown"      // elements that the format does not have, such as a misspelled one; once for a file, at the first of them
)

// Fault is a mistake in a file that can be read. It holds no text of the file, but may hold numbers
// and dates of it.
type Fault struct {
	Kind     FaultKind // what is wrong
	Format   Format    // what the file is
	Row      int       // which row, counted from 1; 0 for the file
	Other    int       // for [FaultDuplicate]: the earlier row
	Field    string    // the field, as the format names it; "" for none in particular
	Position Position  // where the row begins, or where the file says it; the zero Position for [JournalPages] and [SettlementPages]
	Stated   int64     // what the file states: rows for [FaultCount], cents for [FaultTotal] and [FaultBalance]
	Found    int64     // what the rows add up to, in the same unit
	Blocking bool      // do not match the row; for a fault of the file: match nothing by the file's total
	Reason   string    // what is wrong, in Italian, in whole sentences, without the row
}

// Error describes the fault for programs and logs.
func (f *Fault) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "paymentfile: fault %s", f.Kind)
	if f.Field != "" {
		fmt.Fprintf(&b, " of %s", f.Field)
	}
	if f.Row > 0 {
		fmt.Fprintf(&b, ", row %d", f.Row)
	}
	if f.Position != (Position{}) {
		fmt.Fprintf(&b, ", %v", f.Position)
	}
	if f.Stated != f.Found {
		fmt.Fprintf(&b, ": stated %d, found %d", f.Stated, f.Found)
	}
	return b.String()
}

// Is reports whether target is [flussi.ErrInvalid], for [errors.Is].
func (f *Fault) Is(target error) bool { return target == flussi.ErrInvalid }

// Italian describes the fault for the operator, with its row and its line in the file. The text has
// no line if the whole file is at fault, such as for a wrong total, nor for a receipt, since the
// Reason names the field.
func (f *Fault) Italian() string {
	switch f.Kind {
	case FaultMissing, FaultReceiver, FaultCount, FaultTotal, FaultBalance, FaultPages:
		if f.Row == 0 {
			return f.Reason
		}
	}
	if f.Format.isReceipt() || f.Position == (Position{}) {
		return f.Reason
	}
	return f.Position.in(f.Format, f.Row) + ": " + f.Reason
}

// Report says what was read, and what is wrong in it. It is complete once the sequence of rows has
// ended without an error.
type Report struct {
	Format    Format       // what the file is
	Encoding  string       // of the characters, such as "UTF-8"
	Embedded  bool         // the document was in base64 within another one
	Signed    bool         // there is a signature in the file; signatures are skipped, never checked
	Rows      int          // that were read
	Amount    flussi.Cents // the sum of the rows: for a settlement, paid less revoked; for a journal, incoming less reversed
	NumFaults int          // faults in all
	Faults    []*Fault     // the first of them, at most [Limits.Faults], in the order in which they were found
	Complete  bool         // the file was read to its end
	Blocking  bool         // a fault of the file is blocking: match nothing by its total
}

// Italian sums up the report for the operator, without the single faults.
func (r Report) Italian() string {
	text := "È " + r.Format.Italian() + ": "
	if !r.Format.isReceipt() && r.Complete {
		text += r.Format.row().Count(r.Rows) + ", "
	}
	switch {
	case !r.Complete:
		text += "la lettura non è arrivata alla fine del file."
	case r.NumFaults == 0:
		text += "nessuna anomalia."
	default:
		text += italian.Count(r.NumFaults, "anomalia", "anomalie") + "."
	}
	if r.Signed {
		text += " La firma digitale non è stata verificata."
	}
	return text
}

// checks collects the faults of a file.
type checks struct {
	report *Report
	limit  int
}

// add adds a fault of the file.
func (c checks) add(f *Fault) {
	f.Format = c.report.Format
	c.report.NumFaults++
	c.report.Blocking = c.report.Blocking || f.Blocking && f.Row == 0
	if len(c.report.Faults) < c.limit {
		c.report.Faults = append(c.report.Faults, f)
	}
}

// maxRowFaults limits the faults of a row: a malicious file may repeat an element very often.
const maxRowFaults = 100

// row collects the faults of a row.
type row struct {
	checks
	number int
	at     Position
	faults []*Fault
}

// add adds a fault of the row.
func (r *row) add(kind FaultKind, field string, blocking bool, reason string) *Fault {
	f := &Fault{Kind: kind, Row: r.number, Field: field, Position: r.at, Blocking: blocking, Reason: reason}
	if len(r.faults) < maxRowFaults || blocking && !blocked(r.faults) {
		r.faults = append(r.faults, f)
	}
	r.checks.add(f)
	return f
}

// missing adds the fault that a field is absent.
func (r *row) missing(field string, blocking bool) {
	r.add(FaultMissing, field, blocking, "Manca il campo "+italian.Quote(field)+".")
}

// value adds the fault that a field has a value that the format does not define.
func (r *row) value(field string, blocking bool) {
	r.add(FaultValue, field, blocking, "Il campo "+italian.Quote(field)+" ha un valore non previsto.")
}

// repeated adds the fault that a field comes twice, if its earlier text is not empty.
func (r *row) repeated(field, earlier string) {
	if earlier != "" {
		r.add(FaultRepeated, field, true, "Il campo "+italian.Quote(field)+" è ripetuto.")
	}
}

// blocked reports whether one of the faults is blocking.
func blocked(faults []*Fault) bool {
	for _, f := range faults {
		if f.Blocking {
			return true
		}
	}
	return false
}
