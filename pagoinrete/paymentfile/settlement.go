package paymentfile

import (
	"fmt"
	"hash/maphash"
	"iter"
	"log/slog"
	"math"
	"strconv"
	"time"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/italian"
)

// Settlement (flusso di rendicontazione, FdR) is the header of a settlement: a list of payments
// that a PSP collected for a body and transferred to it in one bank transfer. Fields that the file
// lacks are zero.
type Settlement struct {
	Version    string                  // versioneOggetto: 1.0 or 1.1; "" in JSON
	ID         string                  // identificativoFlusso; unique only within a PSP and a body
	Revision   int                     // of the same ID, from 1; 0 in XML, where the later CreatedAt is the newer one
	Status     string                  // in JSON: CREATED, INSERTED or PUBLISHED
	CreatedAt  time.Time               // dataOraFlusso, UTC
	TransferID string                  // identificativoUnivocoRegolamento: the TRN of the bank transfer
	Date       Day                     // dataRegolamento: of the bank transfer
	PSP        Party                   // istitutoMittente
	PSPID      string                  // identificativoPSP of the SOAP message, or pspId
	BankBIC    string                  // codiceBicBancaDiRiversamento
	Body       flussi.OrganizationCode // fiscal code of the receiving body; zero if it is not one of 11 digits
	BodyName   string                  // denominazioneRicevente
	Count      int64                   // numeroTotalePagamenti: the stated number of payments
	Total      flussi.Cents            // importoTotalePagamenti: the amount of the bank transfer, to compare with the journal
}

// Party is an institution. It is not personal data.
type Party struct {
	Type string // G a legal person, A an ABI code, B a BIC
	Code string // of the type
	Name string // denominazione
}

// Outcome (esito del singolo pagamento) is pagoPA's code for the outcome of a payment.
type Outcome int

// The outcomes of a payment. All except [OutcomeRevoked] and [OutcomeUnreadable] mean that it was
// paid; any other number is not a code of pagoPA.
const (
	OutcomePaid             Outcome = 0  // eseguito
	OutcomeRevoked          Outcome = 3  // revocato
	OutcomeStandIn          Outcome = 4  // eseguito, by the stand-in station
	OutcomeStandInNoRequest Outcome = 8  // eseguito in assenza di RPT, by the stand-in station
	OutcomeNoRequest        Outcome = 9  // eseguito in assenza di RPT
	OutcomeUnreadable       Outcome = -1 // not a number
)

// Known reports whether the outcome is a code of pagoPA.
func (o Outcome) Known() bool { return o.Paid() || o == OutcomeRevoked }

// Paid reports whether the outcome means that the payment was made.
func (o Outcome) Paid() bool {
	switch o {
	case OutcomePaid, OutcomeStandIn, OutcomeStandInNoRequest, OutcomeNoRequest:
		return true
	}
	return false
}

// Payment (dati singolo pagamento) is a row of a settlement: one transfer of one payment. Its
// Reference, IUR and Index together identify it within a body. The same Reference and Amount with
// another IUR is a second payment.
type Payment struct {
	Number       int          // the row, counted from 1 in the file; in JSON its index in the settlement, if it has one
	Position     Position     // where the row begins
	Reference    Reference    // IUV
	IUR          string       // identificativoUnivocoRiscossione
	Index        int          // which transfer of a payment with several beneficiaries, 1 to 5; 0 if the file does not say
	Amount       flussi.Cents // of the transfer, without a sign even if it was revoked; negative only with [FaultSign]
	SignedAmount flussi.Cents // the amount with the sign that the file has
	Outcome      Outcome      // esito
	Date         Day          // of the outcome
	Faults       []*Fault     // what is wrong with the row
}

// Usable reports whether the row has no fault that keeps it from being matched.
func (p Payment) Usable() bool { return !blocked(p.Faults) }

// Net returns what the payment adds to the total: the Amount, negative for [OutcomeRevoked]. Some
// files count a revoked amount as positive in their total, so compare [Settlement].Total with the
// treasury journal, and not a sum of Net.
func (p Payment) Net() flussi.Cents {
	if p.Outcome == OutcomeRevoked {
		return -p.Amount
	}
	return p.Amount
}

// LogValue describes the row without the reference.
func (p Payment) LogValue() slog.Value {
	return slog.GroupValue(slog.Int("number", p.Number), slog.Int64("cents", int64(p.Amount)), slog.Int("outcome", int(p.Outcome)), slog.Int("faults", len(p.Faults)))
}

// SettlementFile is a settlement in XML, or a part of a settlement in JSON: its identity, or one
// page of its payments. It is not safe for concurrent use.
type SettlementFile struct {
	head     Settlement
	page     Page
	report   Report
	config   Config
	read     func(func(Payment) bool) error // calls the function for each row until it returns false
	begun    bool
	seen     duplicates
	written  flussi.Cents // sum of the rows with the signs of the file
	expected int64        // stated number of rows
	counted  bool         // expected is stated for this file
	totalled bool         // a total is stated for this file
	at       Position     // of the stated count and total
}

func (*SettlementFile) sealed() {}

// Format returns [FormatSettlement], [FormatSettlementHeader] or [FormatSettlementPage].
func (f *SettlementFile) Format() Format { return f.report.Format }

// Report returns what was read so far, and what is wrong in it.
func (f *SettlementFile) Report() Report { return f.report }

// Settlement returns what the file says about the settlement; it is zero for a
// [FormatSettlementPage], which does not name its settlement.
func (f *SettlementFile) Settlement() Settlement { return f.head }

// Page returns the page number of a [FormatSettlementPage], once its sequence has ended. Other
// files are page 1 of 1.
func (f *SettlementFile) Page() Page { return f.page }

// Payments returns the rows, which it reads from the file one by one. It can be ranged over once.
// An error ends the sequence: a [*FileError], or an error of the reader. Do not act on rows before
// the sequence has ended without one, since only the end of a file shows that it is whole. Rows
// with faults are in the sequence; see [Payment.Usable].
func (f *SettlementFile) Payments() iter.Seq2[Payment, error] {
	return func(yield func(Payment, error) bool) {
		if f.begun {
			yield(Payment{}, errReadTwice)
			return
		}
		f.begun = true
		stopped := false
		err := f.read(func(p Payment) bool {
			stopped = !yield(p, nil)
			return !stopped
		})
		if stopped {
			return
		}
		if err != nil {
			yield(Payment{}, err)
			return
		}
		f.finish()
	}
}

func (f *SettlementFile) checks() checks { return checks{&f.report, f.config.Limits.Faults} }

// headNames are the fields of a settlement.
type headNames struct{ id, created, transfer, date, sender, receiver, count, total string }

// checkHead checks the header of a settlement. places has the positions of the fields that are not
// empty.
func (f *SettlementFile) checkHead(names headNames, places map[string]Position, code string, at Position) {
	r := row{checks: f.checks(), at: at}
	for _, field := range []string{names.id, names.created, names.transfer, names.date, names.sender} {
		if _, given := places[field]; !given {
			r.missing(field, field == names.id)
		}
	}
	if f.head.ID != "" && !isSettlementID(f.head.ID) {
		(&row{checks: f.checks(), at: places[names.id]}).value(names.id, false)
	}
	f.head.Body = r.receiver(names.receiver, code, f.config.Body)
}

// receiver returns the receiving body of a file, and checks that it is the caller's own.
func (r *row) receiver(field, code string, own flussi.OrganizationCode) flussi.OrganizationCode {
	body, err := flussi.ParseOrganizationCode(code)
	switch {
	case code == "":
		r.missing(field, !own.IsZero())
	case err != nil:
		r.add(FaultValue, field, !own.IsZero(), "Il codice fiscale dell'ente, nel campo "+italian.Quote(field)+", non è corretto.")
	case !own.IsZero() && body != own:
		r.add(FaultReceiver, field, true, "Il file è destinato a un altro ente.")
	}
	return body
}

// isSettlementID reports whether s is an identifier of a settlement, by its characters.
func isSettlementID(s string) bool {
	for i := range len(s) {
		if !isIDCharacter(s[i]) {
			return false
		}
	}
	return len(s) >= 1 && len(s) <= MaxReference
}

func isIDCharacter(c byte) bool {
	return isDigit(c) || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '-' || c == '_'
}

// texts are the fields of a row as the file has them.
type texts struct {
	reference, iur, index, amount, outcome, date string
}

// field returns the field with a name, or nil.
func (t *texts) field(names texts, name string) *string {
	switch name {
	case names.reference:
		return &t.reference
	case names.iur:
		return &t.iur
	case names.index:
		return &t.index
	case names.amount:
		return &t.amount
	case names.outcome:
		return &t.outcome
	case names.date:
		return &t.date
	}
	return nil
}

// payment converts the texts of a row, adds its faults, and counts it. repeated is a field that
// comes twice in the row; "" for none.
func (f *SettlementFile) payment(t texts, names texts, repeated string, number int, at Position) Payment {
	f.report.Rows++
	p := Payment{Number: number, Position: at, Reference: NewReference(t.reference), IUR: t.iur}
	r := row{checks: f.checks(), number: number, at: at}
	r.repeated(repeated, repeated)
	r.reference(names.reference, p.Reference)
	if p.IUR == "" {
		r.missing(names.iur, true)
	} else if len(p.IUR) > MaxReference {
		r.add(FaultLength, names.iur, false, "Il codice della riscossione (IUR) ha più di 35 caratteri.")
	}
	if t.index != "" {
		index, err := strconv.Atoi(t.index)
		if err != nil || index < 1 || index > 5 {
			r.add(FaultIndex, names.index, true, "L'indice del versamento non è un numero da 1 a 5.")
		} else {
			p.Index = index
		}
	}
	p.Outcome = r.outcome(names.outcome, t.outcome)
	p.Date = r.day(names.date, t.date)
	p.Amount, p.SignedAmount = r.paid(names.amount, t.amount, p.Outcome)
	if earlier := f.seen.add(p, number); earlier > 0 {
		r.add(FaultDuplicate, "", true, fmt.Sprintf("Ripete il pagamento %s, con lo stesso IUV, lo stesso IUR e lo stesso indice.", italian.Number(earlier))).Other = earlier
	}
	p.Faults = r.faults
	f.written = plus(f.written, p.SignedAmount)
	f.report.Amount = plus(f.report.Amount, p.Net())
	return p
}

// reference checks a reference.
func (r *row) reference(field string, reference Reference) {
	if reference.IsZero() {
		r.missing(field, true)
		return
	}
	if err := reference.Check(); err != nil {
		kind := FaultCheckDigits
		if reference.Class() != ReferenceCreditor {
			kind = FaultLength
		}
		r.add(kind, field, false, flussi.Explain(err))
	}
}

// finish checks the totals after the last row.
func (f *SettlementFile) finish() {
	f.report.Complete = true
	c := f.checks()
	if f.counted && f.expected != int64(f.report.Rows) {
		c.add(&Fault{Kind: FaultCount, Field: "numeroTotalePagamenti", Position: f.at, Stated: f.expected, Found: int64(f.report.Rows), Blocking: true,
			Reason: countReason(f.expected, f.report.Rows)})
	}
	if f.totalled && !f.adds(f.head.Total) {
		c.add(totalFault("importoTotalePagamenti", f.at, f.head.Total, f.report.Amount))
	}
}

// adds reports whether the rows add up to a total. Revoked amounts count as negative, or with the
// sign of the file: programs write totals in either way.
func (f *SettlementFile) adds(total flussi.Cents) bool {
	return total == f.report.Amount || total == f.written
}

func totalFault(field string, at Position, stated, found flussi.Cents) *Fault {
	return &Fault{Kind: FaultTotal, Field: field, Position: at, Stated: int64(stated), Found: int64(found), Blocking: true,
		Reason: "Il totale dichiarato è " + stated.Euro() + ", la somma dei pagamenti è " + found.Euro() + "."}
}

// duplicates finds rows that repeat an earlier one of the file. It holds 96 bits of hash for each,
// and the number of the row.
type duplicates struct {
	seeds [2]maphash.Seed
	rows  map[uint64]seenRow
	key   []byte
}

type seenRow struct {
	check  uint32 // of the second hash
	number int32
}

// add records a row. It returns the number of an equal earlier row, or 0.
func (d *duplicates) add(p Payment, number int) int {
	if d.rows == nil {
		d.rows, d.seeds = map[uint64]seenRow{}, [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}
	}
	d.key = append(d.key[:0], p.Reference.Reveal()...)
	d.key = append(append(append(d.key, 0), p.IUR...), 0, byte(p.Index))
	if p.Outcome == OutcomeRevoked { // of the earlier row
		d.key = append(d.key, 0)
	}
	if p.Index == 0 { // transfers of one payment differ in their amounts
		d.key = strconv.AppendInt(d.key, int64(p.Amount), 10)
	}
	hash, check := maphash.Bytes(d.seeds[0], d.key), uint32(maphash.Bytes(d.seeds[1], d.key))
	if earlier, ok := d.rows[hash]; ok {
		if earlier.check != check {
			return 0
		}
		return int(earlier.number)
	}
	d.rows[hash] = seenRow{check, int32(min(number, math.MaxInt32))}
	return 0
}
