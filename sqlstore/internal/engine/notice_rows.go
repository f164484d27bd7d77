package engine

import (
	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/pagoinrete"
)

// events describes how events are stored.
var events = entity[pagoinrete.Event]{
	table: "events",
	columns: []Column{
		{Name: "id", Type: "uuid"}, {Name: "school", Type: "text"}, {Name: "created_at", Type: "bigint"},
		{Name: "kind", Type: "text"}, {Name: "name", Type: "text"}, {Name: "causale", Type: "text"}, {Name: "category", Type: "text"},
		{Name: "school_year", Type: "bigint"}, {Name: "financial_year", Type: "bigint"}, {Name: "account", Type: "text"},
		{Name: "amount", Type: "bigint"}, {Name: "flexible", Type: "boolean"}, {Name: "instalments", Type: "text"},
		{Name: "binding", Type: "boolean"}, {Name: "repeatable", Type: "boolean"},
		{Name: "state", Type: "text"}, {Name: "rejection", Type: "text"}, {Name: "remote_id", Type: "text"},
		{Name: "discrepancy_kind", Type: "text"}, {Name: "discrepancy_state", Type: "text"}, {Name: "discrepancy_amount", Type: "bigint"},
		{Name: "discrepancy_at", Type: "bigint"}, {Name: "discrepancy_resolved", Type: "boolean"}, {Name: "discrepancy_source", Type: "text"},
		{Name: "updated_at", Type: "bigint"}, {Name: "updated_by", Type: "text"}, {Name: "version", Type: "bigint"},
		{Name: "search", Type: "text", WriteOnly: true},
	},
	fields: func(e *pagoinrete.Event) []any {
		return []any{
			&e.ID, stringTo(&e.School), timeField{&e.CreatedAt},
			stringTo(&e.Kind), stringTo(&e.Name), stringTo(&e.Causale), stringTo(&e.Category),
			(*int)(&e.SchoolYear), &e.FinancialYear, stringTo(&e.Account),
			(*int64)(&e.Amount), &e.Flexible, instalmentsField{&e.Instalments},
			&e.Binding, &e.Repeatable,
			stringTo(&e.State), textField{&e.Rejection}, stringTo(&e.RemoteID),
			stringTo(&e.Discrepancy.Kind), stringTo(&e.Discrepancy.State), (*int64)(&e.Discrepancy.Amount),
			timeField{&e.Discrepancy.At}, &e.Discrepancy.Resolved, stringTo(&e.Discrepancy.Source),
			timeField{&e.UpdatedAt}, stringTo(&e.UpdatedBy), &e.Version,
		}
	},
	values: func(e *pagoinrete.Event, version int64) []any {
		return []any{
			e.ID, encode(e.School), e.CreatedAt.UnixMicro(),
			encode(e.Kind), encode(e.Name), encode(e.Causale), encode(e.Category),
			int64(e.SchoolYear), int64(e.FinancialYear), encode(e.Account),
			int64(e.Amount), e.Flexible, instalmentsField{&e.Instalments}.encode(),
			e.Binding, e.Repeatable,
			encode(e.State), encode(e.Rejection.Reveal()), encode(e.RemoteID),
			encode(e.Discrepancy.Kind), encode(e.Discrepancy.State), int64(e.Discrepancy.Amount),
			micros(e.Discrepancy.At), e.Discrepancy.Resolved, encode(e.Discrepancy.Source),
			e.UpdatedAt.UnixMicro(), encode(e.UpdatedBy), version,
			searchable(e.Name) + string(rune(lowHalf)) + searchable(e.Causale), // no encoded text contains this character alone
		}
	},
	identity: func(e *pagoinrete.Event) (uuid.UUID, int64) { return e.ID, e.Version },
	counts: &counts[pagoinrete.Event]{
		table: "event_counts", columns: []string{"not_linked", "unpaid", "paid", "cancelled", "refunded", "discrepancies"},
		fields: func(e *pagoinrete.Event) []any {
			c := &e.Counts
			return []any{&c.NotLinked, &c.Unpaid, &c.Paid, &c.Cancelled, &c.Refunded, &c.Discrepancies}
		},
		copy: func(to, from *pagoinrete.Event) { to.Counts = from.Counts },
	},
}

// notices describes how notices are stored.
var notices = entity[pagoinrete.Notice]{
	table: "notices",
	columns: []Column{
		{Name: "id", Type: "uuid"}, {Name: "event_id", Type: "uuid"}, {Name: "school", Type: "text"}, {Name: "created_at", Type: "bigint"},
		{Name: "instalment", Type: "bigint"}, {Name: "debtor", Type: "text"}, {Name: "debtor_kind", Type: "text"},
		{Name: "debtor_name", Type: "text"}, {Name: "payer", Type: "text"},
		{Name: "amount", Type: "bigint"}, {Name: "discount", Type: "bigint"}, {Name: "due_date", Type: "bigint"}, {Name: "transfers", Type: "text"},
		{Name: "reference", Type: "text"}, {Name: "number", Type: "text"},
		{Name: "state", Type: "text"}, {Name: "base_state", Type: "text"}, {Name: "remote_id", Type: "text"}, {Name: "payer_registered", Type: "boolean"},
		{Name: "payer_logged_in", Type: "boolean"}, {Name: "visible", Type: "boolean"}, {Name: "evidence", Type: "text"},
		{Name: "discrepancy_kind", Type: "text"}, {Name: "discrepancy_state", Type: "text"}, {Name: "discrepancy_amount", Type: "bigint"},
		{Name: "discrepancy_at", Type: "bigint"}, {Name: "discrepancy_resolved", Type: "boolean"}, {Name: "discrepancy_source", Type: "text"},
		{Name: "error", Type: "text"}, {Name: "updated_at", Type: "bigint"}, {Name: "updated_by", Type: "text"}, {Name: "version", Type: "bigint"},
		{Name: "iuv", Type: "text", WriteOnly: true}, {Name: "write_id", Type: "bigint", WriteOnly: true},
	},
	fields: func(n *pagoinrete.Notice) []any {
		return []any{
			&n.ID, &n.EventID, stringTo(&n.School), timeField{&n.CreatedAt},
			&n.Instalment, &n.Debtor, stringTo(&n.DebtorKind),
			textField{&n.DebtorName}, &n.Payer,
			(*int64)(&n.Amount), (*int64)(&n.Discount), timeField{&n.DueDate}, transfersField{&n.Transfers},
			stringTo(&n.Reference), &n.Number,
			stringTo(&n.State), stringTo(&n.BaseState), stringTo(&n.RemoteID), &n.PayerRegistered,
			&n.PayerLoggedIn, &n.Visible, evidenceField{&n.Evidence},
			stringTo(&n.Discrepancy.Kind), stringTo(&n.Discrepancy.State), (*int64)(&n.Discrepancy.Amount),
			timeField{&n.Discrepancy.At}, &n.Discrepancy.Resolved, stringTo(&n.Discrepancy.Source),
			stringTo(&n.Error), timeField{&n.UpdatedAt}, stringTo(&n.UpdatedBy), &n.Version,
		}
	},
	values: func(n *pagoinrete.Notice, version int64) []any {
		return []any{
			n.ID, n.EventID, encode(n.School), n.CreatedAt.UnixMicro(),
			int64(n.Instalment), n.Debtor.Reveal(), encode(n.DebtorKind),
			encode(n.DebtorName.Reveal()), n.Payer.Reveal(),
			int64(n.Amount), int64(n.Discount), micros(n.DueDate), transfersField{&n.Transfers}.encode(),
			encode(n.Reference), n.Number.Reveal(),
			encode(n.State), encode(n.BaseState), encode(n.RemoteID), n.PayerRegistered,
			n.PayerLoggedIn, n.Visible, evidenceField{&n.Evidence}.encode(),
			encode(n.Discrepancy.Kind), encode(n.Discrepancy.State), int64(n.Discrepancy.Amount),
			micros(n.Discrepancy.At), n.Discrepancy.Resolved, encode(n.Discrepancy.Source),
			encode(n.Error), n.UpdatedAt.UnixMicro(), encode(n.UpdatedBy), version,
			n.IUV().Reveal(), int64(0),
		}
	},
	identity: func(n *pagoinrete.Notice) (uuid.UUID, int64) { return n.ID, n.Version },
}

// instalmentsField is the instalments of an event, which are stored as JSON.
type instalmentsField struct{ of *[]pagoinrete.Instalment }

// instalment is an instalment in JSON.
type instalment struct {
	Due    *int64 `json:"due"`
	Amount int64  `json:"amount"`
}

func (f instalmentsField) encode() string {
	var stored []instalment
	if *f.of != nil {
		stored = make([]instalment, len(*f.of))
	}
	for i, part := range *f.of {
		stored[i] = instalment{jsonTime(part.DueDate), int64(part.Amount)}
	}
	return toJSON(stored)
}

// Scan implements sql.Scanner.
func (f instalmentsField) Scan(src any) error {
	var stored []instalment
	if err := fromJSON(src, &stored); err != nil {
		return err
	}
	*f.of = nil
	if stored != nil {
		*f.of = make([]pagoinrete.Instalment, len(stored))
	}
	for i, part := range stored {
		(*f.of)[i] = pagoinrete.Instalment{DueDate: timeOfJSON(part.Due), Amount: flussi.Cents(part.Amount)}
	}
	return nil
}

// transfersField is the transfers of a notice, which are stored as JSON; "" if there are none.
type transfersField struct{ of *pagoinrete.Transfers }

// transfer is a transfer in JSON.
type transfer struct {
	Beneficiary flussi.OrganizationCode `json:"beneficiary,omitzero"`
	Amount      int64                   `json:"amount"`
}

func (f transfersField) encode() string {
	if *f.of == (pagoinrete.Transfers{}) {
		return ""
	}
	stored := make([]transfer, len(f.of))
	for i, t := range f.of {
		stored[i] = transfer{t.Beneficiary, int64(t.Amount)}
	}
	return toJSON(stored)
}

// Scan implements sql.Scanner.
func (f transfersField) Scan(src any) error {
	*f.of = pagoinrete.Transfers{}
	var stored []transfer
	if err := fromJSON(src, &stored); err != nil {
		return err
	}
	for i, t := range stored[:min(len(stored), len(f.of))] {
		f.of[i] = pagoinrete.Transfer{Beneficiary: t.Beneficiary, Amount: flussi.Cents(t.Amount)}
	}
	return nil
}

// evidenceField is the evidence of a notice, which is stored as JSON; "" if there is none.
type evidenceField struct{ of *pagoinrete.Evidence }

// proof is a piece of evidence in JSON.
type proof struct {
	Reference string `json:"reference"`
	Amount    int64  `json:"amount"`
	Date      *int64 `json:"date"`
	By        string `json:"by,omitempty"`
	ID        string `json:"id,omitempty"`
	IUR       string `json:"iur,omitempty"`
	Index     int    `json:"index,omitempty"`
}

// proofs returns the pieces of evidence by their names in JSON.
func (f evidenceField) proofs() map[string]*pagoinrete.Proof {
	return map[string]*pagoinrete.Proof{
		"receipt": &f.of.Receipt, "settlement": &f.of.Settlement, "movement": &f.of.Movement,
		"manual": &f.of.Manual, "refund": &f.of.Refund,
	}
}

func (f evidenceField) encode() string {
	if *f.of == (pagoinrete.Evidence{}) {
		return ""
	}
	stored := map[string]proof{}
	for name, p := range f.proofs() {
		if !p.IsZero() {
			one := proof{Reference: encode(p.Reference), Amount: int64(p.Amount), Date: jsonTime(p.Date), By: encode(p.By), IUR: encode(p.IUR), Index: p.Index}
			if p.ID != uuid.Nil {
				one.ID = p.ID.String()
			}
			stored[name] = one
		}
	}
	return toJSON(stored)
}

// Scan implements sql.Scanner.
func (f evidenceField) Scan(src any) error {
	*f.of = pagoinrete.Evidence{}
	var stored map[string]proof
	if err := fromJSON(src, &stored); err != nil {
		return err
	}
	for name, to := range f.proofs() {
		p, there := stored[name]
		if !there {
			continue
		}
		*to = pagoinrete.Proof{
			Reference: decode(p.Reference), Amount: flussi.Cents(p.Amount), Date: timeOfJSON(p.Date), By: decode(p.By), IUR: decode(p.IUR), Index: p.Index,
		}
		if p.ID != "" {
			id, err := uuid.Parse(p.ID)
			if err != nil {
				return err
			}
			to.ID = id
		}
	}
	return nil
}
