package sqlstore

import "github.com/google/uuid"

// table is a table that is written, and perhaps listed.
type table struct {
	name    string
	columns columns // that are written; if it is listed, the first is the ID
	fixed   int     // of them, the first so many never change
	search  int     // which of them is the text that is looked for; 0 if there is none
	hard    string  // what of a row in a list is hard to look for
}

var (
	flowTable         = table{"flows", storedFlowColumns, 3, 12, "created_at, id, search, updated_at, updated_by, app_context, app_key"}
	notificationTable = table{"notifications", storedNotificationColumns, 4, 31,
		"created_at, id, search, updated_at, updated_by, recipient, notice_number, reference, message_id, digest"}

	flowRecordTable         = table{name: "flow_records", columns: recordColumns}
	notificationRecordTable = table{name: "notification_records", columns: recordColumns}
)

// old is what of a notification has to be known to write the next version.
type old struct {
	id       uuid.UUID
	key      any
	version  int64
	flowID   uuid.UUID
	state    string
	disabled bool
	search   string
}

// fields returns where the columns of old are read to.
func (o *old) fields() []any {
	return []any{&o.id, &o.key, &o.version, &o.flowID, wordTo(&o.state), &o.disabled, &o.search}
}

// retext is a row whose text changes.
type retext struct {
	key      any
	old, new string
}
