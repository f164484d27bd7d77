package engine

import (
	"fmt"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/pagoinrete/paymentfile"
	"github.com/flussi-go/flussi/pagoinrete/settlement"
)

// settlements describes how settlements are stored.
var settlements = entity[settlement.Settlement]{
	table: "settlements",
	columns: []Column{
		{Name: "id", Type: "uuid"}, {Name: "body", Type: "text"}, {Name: "created_at", Type: "bigint"},
		{Name: "psp", Type: "text"}, {Name: "psp_name", Type: "text"}, {Name: "flow_id", Type: "text"}, {Name: "revision", Type: "bigint"},
		{Name: "file_at", Type: "bigint"}, {Name: "digest", Type: "text"}, {Name: "transfer_id", Type: "text"}, {Name: "date", Type: "bigint"},
		{Name: "total", Type: "bigint"}, {Name: "unsure", Type: "boolean"}, {Name: "covered", Type: "bigint"},
		{Name: "state", Type: "text"}, {Name: "untold", Type: "boolean"},
		{Name: "updated_at", Type: "bigint"}, {Name: "updated_by", Type: "text"}, {Name: "version", Type: "bigint"},
	},
	fields: func(s *settlement.Settlement) []any {
		return []any{
			&s.ID, &s.Body, timeField{&s.CreatedAt},
			stringTo(&s.PSP), stringTo(&s.PSPName), stringTo(&s.FlowID), &s.Revision,
			timeField{&s.FileAt}, stringTo(&s.Digest), stringTo(&s.TransferID), timeField{&s.Date},
			(*int64)(&s.Total), &s.Inconsistent, (*int64)(&s.Covered),
			stringTo(&s.State), &s.Unreported,
			timeField{&s.UpdatedAt}, stringTo(&s.UpdatedBy), &s.Version,
		}
	},
	values: func(s *settlement.Settlement, version int64) []any {
		return []any{
			s.ID, s.Body.String(), s.CreatedAt.UnixMicro(),
			encode(s.PSP), encode(s.PSPName), encode(s.FlowID), int64(s.Revision),
			micros(s.FileAt), encode(s.Digest), encode(s.TransferID), micros(s.Date),
			int64(s.Total), s.Inconsistent, int64(s.Covered),
			encode(s.State), s.Unreported,
			s.UpdatedAt.UnixMicro(), encode(s.UpdatedBy), version,
		}
	},
	identity: func(s *settlement.Settlement) (uuid.UUID, int64) { return s.ID, s.Version },
	counts: &counts[settlement.Settlement]{
		table: "settlement_counts",
		columns: []string{
			"expected_number", "expected_high", "expected_low", "differs_number", "differs_high", "differs_low",
			"doubled_number", "doubled_high", "doubled_low", "unknown_number", "unknown_high", "unknown_low",
			"foreign_number", "foreign_high", "foreign_low", "revoked_number", "revoked_high", "revoked_low",
			"aside_number", "aside_high", "aside_low", "unusable_number", "unusable_high", "unusable_low",
			"dropped_number", "dropped_high", "dropped_low",
		},
		fields: func(s *settlement.Settlement) (fields []any) {
			for _, tally := range tallies(&s.Counts) {
				fields = append(fields, &tally.Number, highField{&tally.Amount}, lowField{&tally.Amount})
			}
			return fields
		},
		copy: func(to, from *settlement.Settlement) { to.Counts = from.Counts },
	},
}

// tallies returns what is counted of the payments of a settlement, in the order of the columns.
func tallies(c *settlement.PaymentCounts) []*settlement.Tally {
	return []*settlement.Tally{&c.Expected, &c.AmountDiffers, &c.Duplicate, &c.Unknown, &c.Foreign, &c.Revoked, &c.SetAside, &c.Unusable, &c.Dropped}
}

// highUnit is how many cents a unit of a column …_high is. Amounts have two columns there, since a sum
// of a file's amounts may be too large for one: SQLite would make it a float.
const highUnit = 1_000_000_000

// highField scans the higher part of an amount. Its lowField has to follow.
type highField struct{ to *flussi.Cents }

// Scan implements sql.Scanner.
func (f highField) Scan(src any) error {
	high, is := src.(int64)
	if !is {
		return fmt.Errorf("a sum is stored as %T", src)
	}
	*f.to = flussi.Cents(high * highUnit)
	return nil
}

// lowField scans the rest of an amount.
type lowField struct{ to *flussi.Cents }

// Scan implements sql.Scanner.
func (f lowField) Scan(src any) error {
	low, is := src.(int64)
	if !is {
		return fmt.Errorf("a sum is stored as %T", src)
	}
	*f.to += flussi.Cents(low)
	return nil
}

// payments describes how payments are stored.
var payments = entity[settlement.Payment]{
	table: "payments",
	columns: []Column{
		{Name: "id", Type: "uuid"}, {Name: "settlement_id", Type: "uuid"}, {Name: "body", Type: "text"}, {Name: "created_at", Type: "bigint"},
		{Name: "reference", Type: "text"}, {Name: "target", Type: "text"}, {Name: "reference_before", Type: "text"}, {Name: "iur", Type: "text"},
		{Name: "transfer_index", Type: "bigint"}, {Name: "repetition", Type: "bigint"}, {Name: "file_row", Type: "bigint"},
		{Name: "amount", Type: "bigint"}, {Name: "outcome", Type: "bigint"}, {Name: "date", Type: "bigint"},
		{Name: "unusable", Type: "boolean"}, {Name: "dropped", Type: "boolean"}, {Name: "expected", Type: "bigint"}, {Name: "reference_owner", Type: "text"},
		{Name: "hand_kind", Type: "text"}, {Name: "hand_reason", Type: "text"}, {Name: "hand_by", Type: "text"}, {Name: "hand_at", Type: "bigint"},
		{Name: "state", Type: "text"}, {Name: "updated_at", Type: "bigint"}, {Name: "updated_by", Type: "text"}, {Name: "version", Type: "bigint"},
		{Name: "write_id", Type: "bigint", WriteOnly: true},
	},
	fields: func(p *settlement.Payment) []any {
		return []any{
			&p.ID, &p.Settlement, &p.Body, timeField{&p.CreatedAt},
			referenceField{&p.Reference}, referenceField{&p.Target}, referenceField{&p.PreviousTarget}, stringTo(&p.IUR),
			&p.Index, &p.Repetition, &p.Row,
			(*int64)(&p.Amount), (*int)(&p.Outcome), timeField{&p.Date},
			&p.Unusable, &p.Dropped, (*int64)(&p.Expected), stringTo(&p.Owner),
			stringTo(&p.Decision.Kind), textField{&p.Decision.Reason}, stringTo(&p.Decision.By), timeField{&p.Decision.At},
			stringTo(&p.State), timeField{&p.UpdatedAt}, stringTo(&p.UpdatedBy), &p.Version,
		}
	},
	values: func(p *settlement.Payment, version int64) []any {
		return []any{
			p.ID, p.Settlement, p.Body.String(), p.CreatedAt.UnixMicro(),
			encode(p.Reference.Reveal()), encode(p.Target.Reveal()), encode(p.PreviousTarget.Reveal()), encode(p.IUR),
			int64(p.Index), int64(p.Repetition), int64(p.Row),
			int64(p.Amount), int64(p.Outcome), micros(p.Date),
			p.Unusable, p.Dropped, int64(p.Expected), encode(p.Owner),
			encode(p.Decision.Kind), encode(p.Decision.Reason.Reveal()), encode(p.Decision.By), micros(p.Decision.At),
			encode(p.State), p.UpdatedAt.UnixMicro(), encode(p.UpdatedBy), version,
			int64(0),
		}
	},
	identity: func(p *settlement.Payment) (uuid.UUID, int64) { return p.ID, p.Version },
}

// referenceField scans an encoded text into a reference.
type referenceField struct{ to *paymentfile.Reference }

// Scan implements sql.Scanner.
func (f referenceField) Scan(src any) error {
	text, err := textOf(src)
	*f.to = paymentfile.NewReference(decode(text))
	return err
}
