package engine

import (
	"github.com/google/uuid"

	"github.com/flussi-go/flussi/flow"
)

// flows describes how flows are stored.
var flows = entity[flow.Flow]{
	table: "flows",
	columns: []Column{
		{Name: "id", Type: "uuid"}, {Name: "service", Type: "text"}, {Name: "created_at", Type: "bigint"},
		{Name: "note", Type: "text"}, {Name: "app_context", Type: "text"}, {Name: "app_key", Type: "text"}, {Name: "options", Type: "text"},
		{Name: "state", Type: "text"}, {Name: "error", Type: "text"}, {Name: "answer", Type: "text"}, {Name: "disabled", Type: "boolean"},
		{Name: "not_before", Type: "bigint"}, {Name: "scheduled_by", Type: "text"},
		{Name: "updated_at", Type: "bigint"}, {Name: "updated_by", Type: "text"}, {Name: "version", Type: "bigint"},
		{Name: "search", Type: "text", WriteOnly: true},
	},
	fields: func(f *flow.Flow) []any {
		return []any{
			&f.ID, stringTo(&f.Service), timeField{&f.CreatedAt},
			textField{&f.Note}, stringTo(&f.AppContext), stringTo(&f.AppKey), optionsField{&f.Options},
			stringTo(&f.State), stringTo(&f.Error), textField{&f.Answer}, &f.Disabled,
			timeField{&f.NotBefore}, stringTo(&f.ScheduledBy),
			timeField{&f.UpdatedAt}, stringTo(&f.UpdatedBy), &f.Version,
		}
	},
	values: func(f *flow.Flow, version int64) []any {
		return []any{
			f.ID, encode(f.Service), f.CreatedAt.UnixMicro(),
			encode(f.Note.Reveal()), encode(f.AppContext), encode(f.AppKey), optionsField{&f.Options}.encode(),
			encode(f.State), encode(f.Error), encode(f.Answer.Reveal()), f.Disabled,
			micros(f.NotBefore), encode(f.ScheduledBy),
			f.UpdatedAt.UnixMicro(), encode(f.UpdatedBy), version,
			searchable(f.Note.Reveal()),
		}
	},
	identity:  func(f *flow.Flow) (uuid.UUID, int64) { return f.ID, f.Version },
	anonymise: string(flow.FlowAnonymise),
	counts: &counts[flow.Flow]{
		table: "flow_counts", columns: []string{"registered", "sending", "sent", "failed", "disabled"},
		fields: func(f *flow.Flow) []any {
			c := &f.Counts
			return []any{&c.Registered, &c.Sending, &c.Sent, &c.Failed, &c.Disabled}
		},
		copy: func(to, from *flow.Flow) { to.Counts = from.Counts },
	},
}

// notifications describes how notifications are stored. All columns that the digest
// depends on come before state: see messageChanged.
var notifications = entity[flow.Notification]{
	table: "notifications",
	columns: []Column{
		{Name: "id", Type: "uuid"}, {Name: "flow_id", Type: "uuid"}, {Name: "service", Type: "text"}, {Name: "created_at", Type: "bigint"},
		{Name: "recipient", Type: "text"}, {Name: "subject", Type: "text"}, {Name: "content", Type: "text"}, {Name: "due_date", Type: "bigint"},
		{Name: "amount", Type: "bigint"}, {Name: "is_payment", Type: "boolean"}, {Name: "payable_after_due", Type: "boolean"},
		{Name: "notice_number", Type: "text"}, {Name: "payee", Type: "text"}, {Name: "reference", Type: "text"}, {Name: "occasion", Type: "text"}, {Name: "options", Type: "text"},
		{Name: "state", Type: "text"}, {Name: "message_id", Type: "text"}, {Name: "attempts", Type: "bigint"}, {Name: "sent_at", Type: "bigint"},
		{Name: "error_code", Type: "text"}, {Name: "error", Type: "text"}, {Name: "earlier_id", Type: "uuid"},
		{Name: "answer", Type: "text"}, {Name: "stopped_flow", Type: "boolean"},
		{Name: "delivery_status", Type: "text"}, {Name: "delivery_email", Type: "text"}, {Name: "delivery_push", Type: "text"},
		{Name: "delivery_read", Type: "text"}, {Name: "delivery_payment", Type: "text"}, {Name: "checked_at", Type: "bigint"},
		{Name: "disabled", Type: "boolean"}, {Name: "allow_duplicate", Type: "boolean"}, {Name: "anonymised_at", Type: "bigint"},
		{Name: "updated_at", Type: "bigint"}, {Name: "updated_by", Type: "text"}, {Name: "version", Type: "bigint"},
		{Name: "delivery_open", Type: "boolean", WriteOnly: true}, {Name: "search", Type: "text", WriteOnly: true},
		{Name: "lease_start", Type: "bigint", WriteOnly: true}, {Name: "lease_end", Type: "bigint", WriteOnly: true},
		{Name: "digest", Type: "bytea", WriteOnly: true}, {Name: "digest_version", Type: "bigint", WriteOnly: true},
		{Name: "write_id", Type: "bigint", WriteOnly: true},
	},
	fields: func(n *flow.Notification) []any {
		return []any{
			&n.ID, &n.FlowID, stringTo(&n.Service), timeField{&n.CreatedAt},
			&n.Recipient, textField{&n.Subject}, textField{&n.Content}, timeField{&n.DueDate},
			(*int64)(&n.Amount), &n.IsPayment, &n.PayableAfterDue,
			&n.NoticeNumber, &n.Payee, stringTo(&n.Reference), stringTo(&n.Occasion), optionsField{&n.Options},
			stringTo(&n.State), stringTo(&n.Transmission.MessageID), &n.Transmission.Attempts, timeField{&n.Transmission.SentAt},
			stringTo(&n.Transmission.ErrorCode), stringTo(&n.Transmission.Error), &n.Transmission.EarlierID,
			textField{&n.Transmission.Answer}, &n.Transmission.StoppedFlow,
			stringTo(&n.Delivery.Status), stringTo(&n.Delivery.Email), stringTo(&n.Delivery.Push),
			stringTo(&n.Delivery.Read), stringTo(&n.Delivery.Payment), timeField{&n.Delivery.CheckedAt},
			&n.Disabled, &n.AllowDuplicate, timeField{&n.AnonymisedAt},
			timeField{&n.UpdatedAt}, stringTo(&n.UpdatedBy), &n.Version,
		}
	},
	// The last columns are set later: the lease and the digest by [notificationWriter], the write's
	// ID by [writer].
	values: func(n *flow.Notification, version int64) []any {
		return []any{
			n.ID, n.FlowID, encode(n.Service), n.CreatedAt.UnixMicro(),
			n.Recipient.Reveal(), encode(n.Subject.Reveal()), encode(n.Content.Reveal()), micros(n.DueDate),
			int64(n.Amount), n.IsPayment, n.PayableAfterDue,
			n.NoticeNumber.Reveal(), n.Payee.String(), encode(n.Reference), encode(n.Occasion), optionsField{&n.Options}.encode(),
			encode(n.State), encode(n.Transmission.MessageID), int64(n.Transmission.Attempts), micros(n.Transmission.SentAt),
			encode(n.Transmission.ErrorCode), encode(n.Transmission.Error), n.Transmission.EarlierID,
			encode(n.Transmission.Answer.Reveal()), n.Transmission.StoppedFlow,
			encode(n.Delivery.Status), encode(n.Delivery.Email), encode(n.Delivery.Push),
			encode(n.Delivery.Read), encode(n.Delivery.Payment), micros(n.Delivery.CheckedAt),
			n.Disabled, n.AllowDuplicate, micros(n.AnonymisedAt),
			n.UpdatedAt.UnixMicro(), encode(n.UpdatedBy), version,
			n.DeliveryOpen(), searchable(n.Subject.Reveal()),
			nil, nil, nil, int64(0), int64(0),
		}
	},
	identity:  func(n *flow.Notification) (uuid.UUID, int64) { return n.ID, n.Version },
	anonymise: string(flow.NotificationAnonymise),
}

// Indexes of columns of a notification.
var (
	stateAt      = indexOf(notifications.columns, "state")
	leaseStartAt = indexOf(notifications.columns, "lease_start")
	digestAt     = indexOf(notifications.columns, "digest")
)
