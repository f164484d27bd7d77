package paymentfile

import (
	"fmt"
	"iter"
	"log/slog"
	"time"

	"github.com/flussi-go/flussi"
)

// Journal (giornale di cassa, GdC) is what a page of a treasury journal says about itself. Fields
// that the file lacks are zero.
type Journal struct {
	ID       string                  // identificativo_flusso_BT; from version 1.5, each page has its own
	BankABI  string                  // codice_ABI_BT
	BodyName string                  // descrizione_ente
	Body     flussi.OrganizationCode // codice_fiscale_ente; zero if it is not one of 11 digits
	// BodyReference is riferimento_ente, a code that the body and the bank agreed on.
	BodyReference string
	CreatedAt     time.Time // data_ora_creazione_flusso, UTC
	Year          int       // esercizio
	From, To      Day       // the period; from version 1.5 one day, data_riferimento_GdC
	Page          Page      // pagina, pagine_totali; 1 of 1 if the file does not say
}

// Direction (tipo movimento) says whether money comes in or goes out.
type Direction string

// The directions.
const (
	Incoming Direction = "ENTRATA"
	Outgoing Direction = "USCITA"
)

// Document (tipo documento) is the kind of document that a movement refers to. A value that is not
// listed below is kept as the file has it.
type Document string

// The kinds of documents that are used for matching and totals. REVERSALE is an order to collect.
// SOSPESO is money for which there is no order yet.
const (
	DocumentIncomingOrder    Document = "REVERSALE"
	DocumentOutgoingOrder    Document = "MANDATO"
	DocumentIncomingSuspense Document = "SOSPESO ENTRATA"
	DocumentOutgoingSuspense Document = "SOSPESO USCITA"
	DocumentFund             Document = "FONDO DI CASSA"
	DocumentDeficit          Document = "DEFICIT DI CASSA"
)

// Operation (tipo operazione) is what a movement does to its document.
type Operation string

// The operations.
const (
	OperationExecuted    Operation = "ESEGUITO"      // money moved
	OperationReversed    Operation = "STORNATO"      // reverses an executed movement
	OperationRegularised Operation = "REGOLARIZZATO" // links a sospeso to an order; no money moves
	OperationRestored    Operation = "RIPRISTINATO"  // removes the link
)

// Known reports whether the operation is one of those above.
func (o Operation) Known() bool {
	switch o {
	case OperationExecuted, OperationReversed, OperationRegularised, OperationRestored:
		return true
	}
	return false
}

// Movement (movimento di conto evidenza) is a row of a treasury journal.
type Movement struct {
	Row            int          // counted from 1 in the file
	Position       Position     // where it begins
	Account        string       // conto_evidenza
	FlowID         string       // identificativo_flusso; from version 1.5
	Number         string       // numero_movimento; from version 1.5
	Direction      Direction    // tipo_movimento
	Document       Document     // tipo_documento
	Operation      Operation    // tipo_operazione
	DocumentNumber string       // numero_documento
	PayerNumber    string       // progressivo_documento: numbers the payers in one document
	SlipNumber     string       // numero_bolletta_quietanza
	ReversedSlip   string       // numero_bolletta_quietanza_storno
	Amount         flussi.Cents // without a sign, since banks write reversed amounts with different signs; negative only with [FaultSign]
	SignedAmount   flussi.Cents // the amount with the sign that the file has
	Date           Day          // data_movimento
	ValueDate      Day          // data_valuta_ente
	Payer          flussi.Text  // anagrafica_cliente
	PayerCode      flussi.Text  // codice_fiscale_cliente, or else partita_iva_cliente
	IBAN           flussi.Text  // coordinate
	Causale        flussi.Text  // causale; see [Movement.Remittance]
	EndToEndID     flussi.Text  // end_to_end_id
	BankReference  flussi.Text  // codice_riferimento_operazione, such as the TRN
	BankData       flussi.Text  // the texts of dati_a_disposizione_BT
	Suspense       []Suspense   // the sospesi that an order regularises
	Faults         []*Fault     // what is wrong with the row
}

// Suspense (sospeso, provvisorio) is a part of a sospeso that an order regularises.
type Suspense struct {
	Number string       // numero_provvisorio, or numero_sospeso
	Amount flussi.Cents // importo_provvisorio; 0 if the file does not say
}

// Usable reports whether the row has no fault that keeps it from being matched.
func (m Movement) Usable() bool { return !blocked(m.Faults) }

// IsIncomingSuspense reports whether the movement refers to a sospeso in entrata: money that
// arrived without an order, such as the transfers of PSPs. A bank may write its reversal as
// outgoing.
func (m Movement) IsIncomingSuspense() bool {
	return m.Document == DocumentIncomingSuspense && (m.Direction == Incoming || m.Operation == OperationReversed)
}

// SuspenseNumber returns the number of the sospeso: numero_documento, or numero_bolletta_quietanza
// where a bank has only that, and of a reversal numero_bolletta_quietanza_storno; "" for other
// documents.
func (m Movement) SuspenseNumber() string {
	given := func(number string) bool { return number != "" && number != "0" }
	switch {
	case m.Document != DocumentIncomingSuspense && m.Document != DocumentOutgoingSuspense:
		return ""
	case given(m.DocumentNumber):
		return m.DocumentNumber
	case m.Operation == OperationReversed && given(m.ReversedSlip):
		return m.ReversedSlip
	case given(m.SlipNumber):
		return m.SlipNumber
	}
	return ""
}

// Net returns what the movement adds to the total of its direction: the Amount for ESEGUITO, the
// negative Amount for STORNATO, and 0 for any other operation, which moves no money.
func (m Movement) Net() flussi.Cents {
	switch m.Operation {
	case OperationExecuted:
		return m.Amount
	case OperationReversed:
		return -m.Amount
	}
	return 0
}

// Remittance parses the causale, and EndToEndID and BankData, in which banks repeat parts of it.
func (m Movement) Remittance() Remittance {
	return readRemittance(m.Causale.Reveal(), m.EndToEndID.Reveal(), m.BankData.Reveal())
}

// LogValue describes the movement without payer, IBAN and causale.
func (m Movement) LogValue() slog.Value {
	return slog.GroupValue(slog.Int("row", m.Row), slog.String("operation", string(m.Operation)), slog.Int64("cents", int64(m.Amount)), slog.Int("faults", len(m.Faults)))
}

// StatedAmount is an amount that a file may leave out.
type StatedAmount struct {
	Amount   flussi.Cents // 0 if it is not stated
	IsStated bool         // the file states it
}

// Totals are the totals of one account or of all accounts: as the journal states them, and as its
// movements add up.
type Totals struct {
	Opening, In, Out, Closing StatedAmount // saldo precedente, totale entrate, totale uscite, saldo finale
	MovedIn, MovedOut         flussi.Cents // what the movements add up to, by [Movement.Net]
	fundIn, fundOut           flussi.Cents // the part of them that is fondo di cassa and deficit
	at                        Position
}

// Account (conto evidenza) is an account within a journal, with its totals.
type Account struct {
	Number      string // conto_evidenza
	Description string // descrizione_conto_evidenza
	Movements   int    // in the file
	Totals      Totals // of the account
}

// JournalFile is a page of a treasury journal. It is not safe for concurrent use.
type JournalFile struct {
	head     Journal
	report   Report
	config   Config
	begun    bool
	read     func(func(Movement) bool) error
	accounts []*Account
	totals   Totals
}

func (*JournalFile) sealed() {}

// Format returns [FormatJournal].
func (f *JournalFile) Format() Format { return f.report.Format }

// Report returns what was read so far, and what is wrong in it.
func (f *JournalFile) Report() Report { return f.report }

// Journal returns what the page says about the journal.
func (f *JournalFile) Journal() Journal { return f.head }

// Accounts returns the accounts of the page, once the sequence of movements has ended.
func (f *JournalFile) Accounts() []Account {
	all := make([]Account, len(f.accounts))
	for i, a := range f.accounts {
		all[i] = *a
	}
	return all
}

// Totals returns the totals of all accounts together, once the sequence of movements has ended.
func (f *JournalFile) Totals() Totals { return f.totals }

// Movements returns the rows, which it reads from the file one by one. It can be ranged over once.
// An error ends the sequence: a [*FileError], or an error of the reader. Do not act on rows before
// the sequence has ended without one, since only the end of a file shows that it is whole. Rows
// with faults are in the sequence; see [Movement.Usable].
//
// The totals of a journal of one page are checked at its end; those of several pages by
// [JournalPages].
func (f *JournalFile) Movements() iter.Seq2[Movement, error] {
	return func(yield func(Movement, error) bool) {
		if f.begun {
			yield(Movement{}, errReadTwice)
			return
		}
		f.begun = true
		stopped := false
		err := f.read(func(m Movement) bool {
			stopped = !yield(m, nil)
			return !stopped
		})
		if stopped {
			return
		}
		if err != nil {
			yield(Movement{}, err)
			return
		}
		f.report.Complete = true
		if f.head.Page == (Page{1, 1}) {
			for _, fault := range checkTotals(f.accounts, f.totals) {
				checks{&f.report, f.config.Limits.Faults}.add(fault)
			}
		}
	}
}

// count adds a movement to the totals.
func (t *Totals) count(m Movement) {
	fund := m.Document == DocumentFund || m.Document == DocumentDeficit
	switch m.Direction {
	case Incoming:
		t.MovedIn = plus(t.MovedIn, m.Net())
		if fund {
			t.fundIn = plus(t.fundIn, m.Net())
		}
	case Outgoing:
		t.MovedOut = plus(t.MovedOut, m.Net())
		if fund {
			t.fundOut = plus(t.fundOut, m.Net())
		}
	}
}

// checkTotals compares the totals of a journal with its movements.
func checkTotals(accounts []*Account, all Totals) []*Fault {
	var faults []*Fault
	for i, a := range accounts {
		faults = append(faults, a.Totals.check("totale_entrate_conto_evidenza", "totale_uscite_conto_evidenza", "saldo_finale_conto_evidenza",
			fmt.Sprintf("Conto evidenza n. %d. ", i+1))...)
	}
	return append(faults, all.check("totale_complessivo_entrate", "totale_complessivo_uscite", "saldo_complessivo_finale", "Totali complessivi. ")...)
}

// check compares the stated totals with the movements. Some banks count the initial fund as
// incoming and others do not, so check accepts both.
func (t Totals) check(in, out, closing, of string) []*Fault {
	var faults []*Fault
	compare := func(field string, stated StatedAmount, moved, fund flussi.Cents) {
		if stated.IsStated && stated.Amount != moved && stated.Amount != moved-fund {
			f := totalFault(field, t.at, stated.Amount, moved)
			f.Reason = of + "Il totale dichiarato è " + stated.Amount.Euro() + ", la somma dei movimenti è " + moved.Euro() + "."
			f.Blocking = false // totals of a journal are not used for matching
			faults = append(faults, f)
		}
	}
	compare(in, t.In, t.MovedIn, t.fundIn)
	compare(out, t.Out, t.MovedOut, t.fundOut)
	if t.Opening.IsStated && t.In.IsStated && t.Out.IsStated && t.Closing.IsStated {
		if found := t.Opening.Amount + t.In.Amount - t.Out.Amount; found != t.Closing.Amount {
			faults = append(faults, &Fault{Kind: FaultBalance, Field: closing, Position: t.at, Stated: int64(t.Closing.Amount), Found: int64(found),
				Reason: of + "Il saldo finale dichiarato è " + t.Closing.Amount.Euro() + ", quello che risulta da saldo precedente, entrate e uscite è " + found.Euro() + "."})
		}
	}
	return faults
}
