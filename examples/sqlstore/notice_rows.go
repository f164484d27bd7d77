package sqlstore

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/pagoinrete"
)

var (
	eventTable = table{
		name: "events", columns: eventColumns, fixed: 3, realm: "school",
		hard: "created_at, id, search",
	}
	noticeTable = table{
		name: "notices", columns: noticeColumns, fixed: 4, parent: "event_id", realm: "school", bulk: true,
		hard: "created_at, id, debtor, payer, reference, due_date",
	}

	eventRecordTable  = table{name: "event_records", columns: recordColumns}
	noticeRecordTable = table{name: "notice_records", columns: recordColumns}
)

// eventColumns are the columns of an event; those in front never change.
var eventColumns = columns{
	{"id", "uuid"}, {"school", "text"}, {"created_at", "bigint"},
	{"event_kind", "text"}, {"name", "text"}, {"causale", "text"}, {"category", "text"},
	{"school_year", "bigint"}, {"financial_year", "bigint"}, {"account", "text"},
	{"amount", "bigint"}, {"flexible", "boolean"}, {"instalments", "text"}, {"binding", "boolean"}, {"repeatable", "boolean"},
	{"search", "text"}, {"kind", "text"},
	{"state", "text"}, {"rejection", "text"}, {"remote_id", "text"},
	{"discrepancy_kind", "text"}, {"discrepancy_state", "text"}, {"discrepancy_amount", "bigint"},
	{"discrepancy_at", "bigint"}, {"discrepancy_settled", "boolean"},
	{"updated_at", "bigint"}, {"updated_by", "text"}, {"version", "bigint"},
}

// eventFields returns where the columns of an event, but for what is only looked for, and its
// counts behind them are read to.
func eventFields(e *pagoinrete.Event) []any {
	return []any{
		&e.ID, wordTo(&e.School), moment{&e.CreatedAt},
		wordTo(&e.Kind), wordTo(&e.Name), wordTo(&e.Causale), wordTo(&e.Category),
		(*int)(&e.SchoolYear), &e.FinancialYear, wordTo(&e.Account),
		(*int64)(&e.Amount), &e.Flexible, instalments{&e.Instalments}, &e.Binding, &e.Repeatable,
		wordTo(&e.State), text{&e.Rejection}, wordTo(&e.RemoteID),
		wordTo(&e.Discrepancy.Kind), wordTo(&e.Discrepancy.State), (*int64)(&e.Discrepancy.Amount),
		moment{&e.Discrepancy.At}, &e.Discrepancy.Resolved,
		moment{&e.UpdatedAt}, wordTo(&e.UpdatedBy), &e.Version,
		&e.Counts.NotLinked, &e.Counts.Unpaid, &e.Counts.Paid, &e.Counts.Cancelled, &e.Counts.Refunded, &e.Counts.Discrepancies,
	}
}

// eventValues returns the values of eventColumns.
func (d *database) eventValues(e *pagoinrete.Event, version int64) []any {
	return []any{
		d.id(e.ID), held(e.School), e.CreatedAt.UnixMicro(),
		held(string(e.Kind)), held(e.Name), held(e.Causale), held(e.Category),
		int64(e.SchoolYear), e.FinancialYear, held(e.Account),
		int64(e.Amount), e.Flexible, instalments{&e.Instalments}.held(), e.Binding, e.Repeatable,
		searched(e.Name) + string(rune(lowHalf)) + searched(e.Causale), // no text that is held has this half alone
		eventKind(e).String(),
		held(string(e.State)), held(e.Rejection.Reveal()), held(e.RemoteID),
		held(string(e.Discrepancy.Kind)), held(e.Discrepancy.State), int64(e.Discrepancy.Amount),
		micros(e.Discrepancy.At), e.Discrepancy.Resolved,
		e.UpdatedAt.UnixMicro(), held(e.UpdatedBy), version,
	}
}

// eventKind returns the kind of an event.
func eventKind(e *pagoinrete.Event) kind {
	k := kind{state: string(e.State)}
	k.flag(isDiscrepant, e.Discrepancy.Open())
	return k
}

// noticeColumns are the columns of a notice. Those in front never change, then comes what it asks
// for, which seldom does; the kind; and the rest.
var noticeColumns = columns{
	{"id", "uuid"}, {"event_id", "uuid"}, {"school", "text"}, {"created_at", "bigint"},
	{"instalment", "bigint"}, {"debtor", "text"}, {"debtor_kind", "text"}, {"debtor_name", "text"}, {"payer", "text"},
	{"amount", "bigint"}, {"discount", "bigint"}, {"due_date", "bigint"}, {"reference", "text"}, {"number", "text"}, {"iuv", "text"},
	{"kind", "text"},
	{"state", "text"}, {"remote_id", "text"}, {"payer_registered", "boolean"}, {"payer_logged_in", "boolean"}, {"visible", "boolean"},
	{"evidence", "text"},
	{"discrepancy_kind", "text"}, {"discrepancy_state", "text"}, {"discrepancy_amount", "bigint"},
	{"discrepancy_at", "bigint"}, {"discrepancy_settled", "boolean"},
	{"error", "text"}, {"updated_at", "bigint"}, {"updated_by", "text"}, {"version", "bigint"},
}

// noticeFields returns where the columns of a notice, but for what is only looked for, are read to.
func noticeFields(n *pagoinrete.Notice) []any {
	return []any{
		&n.ID, &n.EventID, wordTo(&n.School), moment{&n.CreatedAt},
		&n.Instalment, &n.Debtor, wordTo(&n.DebtorKind), text{&n.DebtorName}, &n.Payer,
		(*int64)(&n.Amount), (*int64)(&n.Discount), moment{&n.DueDate}, wordTo(&n.Reference), &n.Number,
		wordTo(&n.State), wordTo(&n.RemoteID), &n.PayerRegistered, &n.PayerLoggedIn, &n.Visible,
		evidence{&n.Evidence},
		wordTo(&n.Discrepancy.Kind), wordTo(&n.Discrepancy.State), (*int64)(&n.Discrepancy.Amount),
		moment{&n.Discrepancy.At}, &n.Discrepancy.Resolved,
		wordTo(&n.Error), moment{&n.UpdatedAt}, wordTo(&n.UpdatedBy), &n.Version,
	}
}

// noticeValues returns the values of noticeColumns.
func (d *database) noticeValues(n *pagoinrete.Notice, version int64) []any {
	return []any{
		d.id(n.ID), d.id(n.EventID), held(n.School), n.CreatedAt.UnixMicro(),
		n.Instalment, n.Debtor.Reveal(), held(string(n.DebtorKind)), held(n.DebtorName.Reveal()), n.Payer.Reveal(),
		int64(n.Amount), int64(n.Discount), micros(n.DueDate), held(n.Reference), n.Number.Reveal(), n.IUV().Reveal(),
		noticeKind(n).String(),
		held(string(n.State)), held(n.RemoteID), n.PayerRegistered, n.PayerLoggedIn, n.Visible,
		evidence{&n.Evidence}.held(),
		held(string(n.Discrepancy.Kind)), held(n.Discrepancy.State), int64(n.Discrepancy.Amount),
		micros(n.Discrepancy.At), n.Discrepancy.Resolved,
		held(n.Error), n.UpdatedAt.UnixMicro(), held(n.UpdatedBy), version,
	}
}

// noticeKind returns the kind of a notice.
func noticeKind(n *pagoinrete.Notice) kind {
	k := kind{state: string(n.State)}
	k.flag(isDiscrepant, n.Discrepancy.Open())
	k.flag(isVisible, n.Visible)
	return k
}

// asksTheSame reports whether a notice still asks for what it asked for: whether no column before
// the kind has changed.
func asksTheSame(a, b *pagoinrete.Notice) bool {
	own, other := a.NoticeData, b.NoticeData
	same := own.DueDate.UnixMicro() == other.DueDate.UnixMicro()
	own.DueDate, other.DueDate = time.Time{}, time.Time{}
	return same && own == other && a.Instalment == b.Instalment && a.Number == b.Number
}

// instalments are those of an event, which are kept as JSON.
type instalments struct{ of *[]pagoinrete.Instalment }

// instalment is one of them.
type instalment struct {
	Due    *int64 `json:"due"`
	Amount int64  `json:"amount"`
}

// held returns them as they are kept.
func (i instalments) held() string {
	var kept []instalment
	if *i.of != nil {
		kept = make([]instalment, len(*i.of))
	}
	for at, part := range *i.of {
		kept[at] = instalment{instant(part.DueDate), int64(part.Amount)}
	}
	return encode(kept)
}

// Scan takes what the database keeps.
func (i instalments) Scan(src any) error {
	var kept []instalment
	if err := decode(src, &kept); err != nil {
		return err
	}
	*i.of = nil
	if kept != nil {
		*i.of = make([]pagoinrete.Instalment, len(kept))
	}
	for at, part := range kept {
		(*i.of)[at] = pagoinrete.Instalment{DueDate: timeOf(part.Due), Amount: flussi.Cents(part.Amount)}
	}
	return nil
}

// evidence is that of a notice, which is kept as JSON.
type evidence struct{ of *pagoinrete.Evidence }

// proof is a piece of evidence.
type proof struct {
	Reference string `json:"reference"`
	Amount    int64  `json:"amount"`
	Date      *int64 `json:"date"`
	By        string `json:"by,omitempty"`
}

// proofs returns where the proofs are, by what they are called.
func (e evidence) proofs() map[string]*pagoinrete.Proof {
	return map[string]*pagoinrete.Proof{
		"receipt": &e.of.Receipt, "settlement": &e.of.Settlement, "movement": &e.of.Movement,
		"manual": &e.of.Manual, "refund": &e.of.Refund,
	}
}

// held returns it as it is kept.
func (e evidence) held() string {
	if *e.of == (pagoinrete.Evidence{}) {
		return ""
	}
	kept := map[string]proof{}
	for name, p := range e.proofs() {
		if !p.IsZero() {
			kept[name] = proof{held(p.Reference), int64(p.Amount), instant(p.Date), held(p.By)}
		}
	}
	return encode(kept)
}

// Scan takes what the database keeps.
func (e evidence) Scan(src any) error {
	*e.of = pagoinrete.Evidence{}
	var kept map[string]proof
	if err := decode(src, &kept); err != nil {
		return err
	}
	for name, p := range e.proofs() {
		if k, there := kept[name]; there {
			*p = pagoinrete.Proof{Reference: given(k.Reference), Amount: flussi.Cents(k.Amount), Date: timeOf(k.Date), By: given(k.By)}
		}
	}
	return nil
}

// encode returns JSON of what has nothing that JSON has not.
func encode(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// decode reads JSON that a database keeps, if there is any. Its texts are as they are held.
func decode(src, to any) error {
	var kept []byte
	switch v := src.(type) {
	case string:
		kept = []byte(v)
	case []byte:
		kept = v
	default:
		return fmt.Errorf("JSON is kept as %T", src)
	}
	if len(kept) == 0 {
		return nil
	}
	return json.Unmarshal(kept, to)
}

// instant returns a time as it is kept in JSON.
func instant(t time.Time) *int64 {
	if t.IsZero() {
		return nil
	}
	at := t.UnixMicro()
	return &at
}

// timeOf returns a time that is kept in JSON.
func timeOf(at *int64) time.Time {
	if at == nil {
		return time.Time{}
	}
	return time.UnixMicro(*at).UTC()
}
