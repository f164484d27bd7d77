package sqlstore

import (
	"github.com/flussi-go/flussi/flow"
)

// table is a table that is written, and perhaps listed.
type table struct {
	name     string
	columns  columns
	fixed    int    // how many of them, the first ones, never change
	parent   string // the column of what its rows belong to, if they do
	realm    string // the column of what else they are listed in
	searched bool   // whether it has an index for texts
	bulk     bool   // whether it is written in long sequences, in which a row might be twice
	hard     string // what of a row in a list is hard to look for
	flying   bool   // whether it has rows that are in flight, see [kind]
}

var (
	flowTable = table{
		name: "flows", columns: flowColumns, fixed: 3, realm: "service", searched: true,
		hard: "created_at, id, search, updated_at, updated_by, app_context, app_key",
	}
	notificationTable = table{
		name: "notifications", columns: notificationColumns, fixed: 4, parent: "flow_id", realm: "service", searched: true, bulk: true,
		hard: "created_at, id, search, updated_at, updated_by, recipient, notice_number, reference, message_id, message_digest", flying: true,
	}

	flowRecordTable         = table{name: "flow_records", columns: recordColumns}
	notificationRecordTable = table{name: "notification_records", columns: recordColumns}
)

// old is what of a notification has to be known to write the next version.
type old struct {
	flow.Notification // the ID, the FlowID, and what may change but for texts
	key               any
	kind, search      string
	recipient, notice string
	subject, content  string
	fresh             bool // written in the same transaction
}

// oldColumns are the columns of old.
const oldColumns = "id, flow_id, version, state, disabled, kind, search, recipient, notice_number, subject, content, due_date, amount, is_payment, payable_after_due, payee, reference, occasion"

// fields returns where oldColumns are read to.
func (o *old) fields() []any {
	return []any{
		&o.ID, &o.FlowID, &o.Version, wordTo(&o.State), &o.Disabled, &o.kind, &o.search, &o.recipient, &o.notice, &o.subject, &o.content,
		moment{&o.DueDate}, (*int64)(&o.Amount), &o.IsPayment, &o.PayableAfterDue, &o.Payee, wordTo(&o.Reference), wordTo(&o.Occasion),
	}
}

// says reports whether a notification says what it said.
func (o *old) says(n *flow.Notification) bool {
	return n.Recipient.Reveal() == o.recipient && n.NoticeNumber.Reveal() == o.notice &&
		held(n.Subject.Reveal()) == o.subject && held(n.Content.Reveal()) == o.content &&
		micros(n.DueDate) == micros(o.DueDate) && n.Amount == o.Amount && n.IsPayment == o.IsPayment &&
		n.PayableAfterDue == o.PayableAfterDue && n.Payee == o.Payee && n.Reference == o.Reference && n.Occasion == o.Occasion
}

// retext is a row whose text changes.
type retext struct {
	key      any
	old, new string
}
