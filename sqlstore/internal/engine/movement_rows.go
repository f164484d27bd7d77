package engine

import (
	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/pagoinrete/paymentfile"
	"github.com/flussi-go/flussi/pagoinrete/settlement"
)

// movements describes how movements are stored.
var movements = entity[settlement.Movement]{
	table: "movements",
	columns: []Column{
		{Name: "id", Type: "uuid"}, {Name: "body", Type: "text"}, {Name: "created_at", Type: "bigint"},
		{Name: "bank", Type: "text"}, {Name: "year", Type: "bigint"}, {Name: "account", Type: "text"}, {Name: "number", Type: "text"},
		{Name: "entries", Type: "text"}, {Name: "date", Type: "bigint"}, {Name: "amount", Type: "bigint"}, {Name: "regularised", Type: "bigint"},
		{Name: "names", Type: "text"}, {Name: "prefix", Type: "text"}, {Name: "cut", Type: "boolean"},
		{Name: "reference", Type: "text"}, {Name: "reference_before", Type: "text"}, {Name: "stated", Type: "bigint"}, {Name: "loose", Type: "boolean"},
		{Name: "hand", Type: "text"}, {Name: "parts", Type: "text"}, {Name: "state", Type: "text"}, {Name: "untold", Type: "boolean"}, {Name: "anonymised_at", Type: "bigint"},
		{Name: "updated_at", Type: "bigint"}, {Name: "updated_by", Type: "text"}, {Name: "version", Type: "bigint"},
	},
	fields: func(m *settlement.Movement) []any {
		return []any{
			&m.ID, &m.Body, timeField{&m.CreatedAt},
			stringTo(&m.Bank), &m.Year, stringTo(&m.Account), stringTo(&m.Number),
			listField[settlement.Entry, entry]{&m.Entries, entryOf, entry.value}, timeField{&m.Date}, (*int64)(&m.Amount), (*int64)(&m.Regularised),
			listField[string, string]{&m.FlowIDs, encode[string], decode}, stringTo(&m.Prefix), &m.Cut,
			referenceField{&m.Reference}, referenceField{&m.PreviousReference}, (*int64)(&m.StatedAmount), &m.Unresolved,
			listField[settlement.DecidedPart, decidedPart]{&m.Decisions, decidedPartOf, decidedPart.value}, listField[settlement.Part, part]{&m.Parts, partOf, part.value},
			stringTo(&m.State), &m.Unreported, timeField{&m.AnonymisedAt},
			timeField{&m.UpdatedAt}, stringTo(&m.UpdatedBy), &m.Version,
		}
	},
	values: func(m *settlement.Movement, version int64) []any {
		return []any{
			m.ID, m.Body.String(), m.CreatedAt.UnixMicro(),
			encode(m.Bank), int64(m.Year), encode(m.Account), encode(m.Number),
			listToJSON(m.Entries, entryOf), micros(m.Date), int64(m.Amount), int64(m.Regularised),
			listToJSON(m.FlowIDs, encode[string]), encode(m.Prefix), m.Cut,
			encode(m.Reference.Reveal()), encode(m.PreviousReference.Reveal()), int64(m.StatedAmount), m.Unresolved,
			listToJSON(m.Decisions, decidedPartOf), listToJSON(m.Parts, partOf),
			encode(m.State), m.Unreported, micros(m.AnonymisedAt),
			m.UpdatedAt.UnixMicro(), encode(m.UpdatedBy), version,
		}
	},
	identity: func(m *settlement.Movement) (uuid.UUID, int64) { return m.ID, m.Version },
}

// listField is a list that is stored as JSON; "" if it is empty.
type listField[V, J any] struct {
	to    *[]V
	json  func(V) J
	value func(J) V
}

// Scan implements sql.Scanner.
func (f listField[V, J]) Scan(src any) error {
	var stored []J
	if err := fromJSON(src, &stored); err != nil {
		return err
	}
	*f.to = nil
	for _, one := range stored {
		*f.to = append(*f.to, f.value(one))
	}
	return nil
}

// listToJSON returns a list as it is stored.
func listToJSON[V, J any](list []V, convert func(V) J) string {
	if len(list) == 0 {
		return ""
	}
	stored := make([]J, len(list))
	for i, v := range list {
		stored[i] = convert(v)
	}
	return toJSON(stored)
}

// entry is a row of a journal in JSON.
type entry struct {
	Key        string `json:"key"`
	Operation  string `json:"operation"`
	Amount     int64  `json:"amount"`
	Date       *int64 `json:"date"`
	Journal    string `json:"journal,omitempty"`
	Causale    string `json:"causale,omitempty"`
	EndToEndID string `json:"end_to_end_id,omitempty"`
	BankData   string `json:"bank_data,omitempty"`
	ByOrder    bool   `json:"by_order,omitempty"`
	Unusable   bool   `json:"unusable,omitempty"`
}

func entryOf(e settlement.Entry) entry {
	return entry{encode(e.Key), encode(e.Operation), int64(e.Amount), jsonTime(e.Date), encode(e.Journal),
		encode(e.Causale.Reveal()), encode(e.EndToEndID.Reveal()), encode(e.BankData.Reveal()), e.ByOrder, e.Unusable}
}

func (e entry) value() settlement.Entry {
	return settlement.Entry{
		Key: decode(e.Key), Operation: paymentfile.Operation(decode(e.Operation)), Amount: flussi.Cents(e.Amount), Date: timeOfJSON(e.Date), Journal: decode(e.Journal),
		Causale: flussi.NewText(decode(e.Causale)), EndToEndID: flussi.NewText(decode(e.EndToEndID)), BankData: flussi.NewText(decode(e.BankData)), ByOrder: e.ByOrder, Unusable: e.Unusable,
	}
}

// decidedPart is a part that an operator decided, in JSON.
type decidedPart struct {
	Settlement uuid.UUID `json:"settlement"`
	Amount     int64     `json:"amount"`
	Reason     string    `json:"reason"`
	By         string    `json:"by"`
	At         *int64    `json:"at"`
}

func decidedPartOf(h settlement.DecidedPart) decidedPart {
	return decidedPart{h.Settlement, int64(h.Amount), encode(h.Reason.Reveal()), encode(h.By), jsonTime(h.At)}
}

func (h decidedPart) value() settlement.DecidedPart {
	return settlement.DecidedPart{Settlement: h.Settlement, Amount: flussi.Cents(h.Amount), Reason: flussi.NewText(decode(h.Reason)), By: decode(h.By), At: timeOfJSON(h.At)}
}

// part is a part of the amount of a movement, in JSON.
type part struct {
	Kind       string    `json:"kind"`
	Settlement uuid.UUID `json:"settlement"`
	Amount     int64     `json:"amount"`
	ByAmount   bool      `json:"by_amount,omitempty"`
	By         string    `json:"by,omitempty"`
}

func partOf(p settlement.Part) part {
	return part{encode(p.Kind), p.Settlement, int64(p.Amount), p.ByAmount, encode(p.By)}
}

func (p part) value() settlement.Part {
	return settlement.Part{Kind: settlement.PartKind(decode(p.Kind)), Settlement: p.Settlement, Amount: flussi.Cents(p.Amount), ByAmount: p.ByAmount, By: decode(p.By)}
}
