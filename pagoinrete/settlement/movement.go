package settlement

import (
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/pagoinrete/paymentfile"
)

// Movement (sospeso in entrata) is money that the treasury received without an order: all rows of
// treasury journals about one sospeso together. Its ID is derived from Body, Bank, Year, Account
// and Number. The order in which its Entries and Decisions came makes no difference.
type Movement struct {
	ID                uuid.UUID               // of the movement; see [MovementID]
	Body              flussi.OrganizationCode // whose treasury it is
	Bank              string                  // codice_ABI_BT
	Year              int                     // esercizio
	Account           string                  // conto_evidenza
	Number            string                  // of the sospeso
	Entries           []Entry                 // what journals say about it, sorted by Key, each once
	Date              time.Time               // of its first entry: the beginning of the day in Italy, UTC
	Amount            flussi.Cents            // what was executed, less what was reversed; negative if the executed entry is missing
	Regularised       flussi.Cents            // the part of it that orders (reversali) regularise: the greater of the sums in rows about it and in rows about orders
	FlowIDs           []string                // identifiers of settlements that its causale can name
	Prefix            string                  // see [paymentfile.Remittance]
	Cut               bool                    // see [paymentfile.Remittance]
	Reference         paymentfile.Reference   // of a single payment; what is left of it if it is Cut
	PreviousReference paymentfile.Reference   // the earlier Reference, until the change is reported to the [Due]
	StatedAmount      flussi.Cents            // the amount that the causale states for Reference
	Unresolved        bool                    // its causale is or may be cut, and no known settlement has one of its FlowIDs
	Decisions         []DecidedPart           // what operators decided, in their order
	Parts             []Part                  // where its Amount belongs: every cent is in one part; none if Amount is not positive
	State             MovementState           // the kind of its Parts
	Unreported        bool                    // a single payment in it has not been reported to the [Due]
	AnonymisedAt      time.Time               // when the texts of its Entries were erased, UTC; zero if they were not
	Version           int64                   // of the stored movement, from 1
	CreatedAt         time.Time               // when it was first stored, UTC
	UpdatedAt         time.Time               // when it was last changed, UTC
	UpdatedBy         string                  // the ID of the actor
}

// Entry is a row of a treasury journal about a movement.
type Entry struct {
	Key        string                // identifies the entry; the same in every journal that has it
	Operation  paymentfile.Operation // tipo_operazione
	Amount     flussi.Cents          // without a sign
	Date       time.Time             // data_movimento: the beginning of the day in Italy, UTC
	Journal    string                // the journal that had it first by its identifier; see [paymentfile.Journal.Key]
	Causale    flussi.Text           // causale
	EndToEndID flussi.Text           // end_to_end_id
	BankData   flussi.Text           // dati_a_disposizione_BT
	ByOrder    bool                  // the row is about an order (reversale) that lists the sospeso: Amount is the part that the order regularises
	Unusable   bool                  // the row has a blocking fault: it moves no money here
}

// DecidedPart is a part of a movement that an operator matched or set aside.
type DecidedPart struct {
	Settlement uuid.UUID    // the settlement to which it belongs; the zero UUID if it is set aside
	Amount     flussi.Cents // of the part
	Reason     flussi.Text  // why, in the operator's words
	By         string       // the ID of the operator
	At         time.Time    // UTC
}

// Part is a part of the amount of a movement, and where it belongs.
type Part struct {
	Kind       PartKind     // where it belongs
	Settlement uuid.UUID    // for [PartMatched]
	Amount     flussi.Cents // of the part, never zero
	ByAmount   bool         // matched by the amount and what is left of the identifier
	By         string       // the ID of the operator who decided; "" if it was matched automatically
}

// PartKind says where a part of a movement belongs.
type PartKind string

// The kinds of parts.
const (
	PartMatched       PartKind = "matched"   // to a settlement
	PartSinglePayment PartKind = "single"    // to a single payment without a settlement
	PartWaiting       PartKind = "waiting"   // to a settlement that is not known yet; or an operator's decision left it over
	PartAmbiguous     PartKind = "ambiguous" // to one of several settlements, or the amounts contradict each other
	PartUnrelated     PartKind = "unrelated" // to nothing of pagoPA
	PartSetAside      PartKind = "aside"     // set aside by an operator
)

// PartKinds returns all kinds, in the order of the constants.
func PartKinds() []PartKind {
	return []PartKind{PartMatched, PartSinglePayment, PartWaiting, PartAmbiguous, PartUnrelated, PartSetAside}
}

// Label names the kind for the operator; another value is returned as it is.
func (k PartKind) Label() string {
	switch k {
	case PartMatched:
		return "Abbinato a un flusso"
	case PartWaiting:
		return "Tesoreria senza flusso"
	}
	return MovementState(k).Label() // the others have the names of the states
}

// MovementState is the kind that all parts of a movement have, or [MovementSplit] or
// [MovementReversed].
type MovementState string

// The states of a movement.
const (
	MovementMatched       MovementState = "matched"   // to settlements
	MovementSinglePayment MovementState = "single"    // a single payment
	MovementWaiting       MovementState = "waiting"   // for its settlement
	MovementAmbiguous     MovementState = "ambiguous" // several settlements could be meant
	MovementUnrelated     MovementState = "unrelated" // nothing of pagoPA
	MovementSetAside      MovementState = "aside"     // set aside
	MovementSplit         MovementState = "split"     // parts of different kinds
	MovementReversed      MovementState = "reversed"  // no money is left, or the executed entry is missing
)

// MovementStates returns all states, in the order of the constants.
func MovementStates() []MovementState {
	return []MovementState{MovementMatched, MovementSinglePayment, MovementWaiting, MovementAmbiguous,
		MovementUnrelated, MovementSetAside, MovementSplit, MovementReversed}
}

// Label names the state for the operator; another value is returned as it is.
func (s MovementState) Label() string {
	switch s {
	case MovementMatched:
		return "Abbinato"
	case MovementSinglePayment:
		return "Pagamento singolo"
	case MovementWaiting:
		return "In attesa del flusso"
	case MovementAmbiguous:
		return "Più abbinamenti possibili"
	case MovementUnrelated:
		return "Estraneo a pagoPA"
	case MovementSetAside:
		return "Accantonato"
	case MovementSplit:
		return "Suddiviso"
	case MovementReversed:
		return "Stornato o senza importo"
	}
	return string(s)
}

// state returns the state that the parts give.
func (m *Movement) state() MovementState {
	if len(m.Parts) == 0 {
		return MovementReversed
	}
	for _, part := range m.Parts[1:] {
		if part.Kind != m.Parts[0].Kind {
			return MovementSplit
		}
	}
	return MovementState(m.Parts[0].Kind)
}

// Causale returns the causale of the movement: that of the entry that was executed, or else of the
// first one. It is empty once the movement was anonymised.
func (m Movement) Causale() flussi.Text {
	if e := m.speaks(); e != nil {
		return e.Causale
	}
	return flussi.Text{}
}

// speaks returns the entry that gives the movement its causale; nil if there are no entries.
func (m *Movement) speaks() *Entry {
	var found *Entry
	for i := range m.Entries {
		e := &m.Entries[i]
		switch executed := e.Operation == paymentfile.OperationExecuted && !e.ByOrder; {
		case found == nil, found.ByOrder && !e.ByOrder, executed && found.Operation != paymentfile.OperationExecuted:
			found = e
		}
	}
	return found
}

// concerns reports whether a part of the movement belongs to a settlement, or an operator decided
// so.
func (m *Movement) concerns(id uuid.UUID) bool {
	for _, part := range m.Parts {
		if part.Settlement == id {
			return true
		}
	}
	for _, part := range m.Decisions {
		if part.Settlement == id {
			return true
		}
	}
	return false
}
