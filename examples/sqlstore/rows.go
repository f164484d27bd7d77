package sqlstore

import (
	"strings"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi/flow"
)

// notificationColumns are the columns of a notification. Those in front never change, then comes
// what it says, which seldom does; the kind; and the rest.
var notificationColumns = columns{
	{"id", "uuid"}, {"flow_id", "uuid"}, {"service", "text"}, {"created_at", "bigint"},
	{"recipient", "text"}, {"subject", "text"}, {"content", "text"}, {"due_date", "bigint"},
	{"amount", "bigint"}, {"is_payment", "boolean"}, {"payable_after_due", "boolean"},
	{"notice_number", "text"}, {"payee", "text"}, {"reference", "text"}, {"occasion", "text"}, {"search", "text"}, {"message_digest", "bytea"},
	{"kind", "text"},
	{"state", "text"}, {"message_id", "text"}, {"attempts", "bigint"}, {"sent_at", "bigint"}, {"error_code", "text"}, {"error", "text"}, {"earlier", "uuid"},
	{"delivery_status", "text"}, {"delivery_email", "text"}, {"delivery_push", "text"},
	{"delivery_read", "text"}, {"delivery_payment", "text"}, {"checked_at", "bigint"},
	{"disabled", "boolean"}, {"allow_repeat", "boolean"}, {"unsettled", "boolean"}, {"anonymised_at", "bigint"}, {"lease_end", "bigint"}, {"claimed_version", "bigint"},
	{"updated_at", "bigint"}, {"updated_by", "text"}, {"version", "bigint"},
}

// notificationFields returns where the columns of a notification, but for what is only looked for,
// are read to.
func notificationFields(n *flow.Notification) []any {
	return []any{
		&n.ID, &n.FlowID, wordTo(&n.Service), moment{&n.CreatedAt},
		&n.Recipient, text{&n.Subject}, text{&n.Content}, moment{&n.DueDate},
		(*int64)(&n.Amount), &n.IsPayment, &n.PayableAfterDue,
		&n.NoticeNumber, &n.Payee, wordTo(&n.Reference), wordTo(&n.Occasion),
		wordTo(&n.State), wordTo(&n.Transmission.MessageID), &n.Transmission.Attempts, moment{&n.Transmission.SentAt},
		wordTo(&n.Transmission.ErrorCode), wordTo(&n.Transmission.Error), &n.Transmission.EarlierID,
		wordTo(&n.Delivery.Status), wordTo(&n.Delivery.Email), wordTo(&n.Delivery.Push),
		wordTo(&n.Delivery.Read), wordTo(&n.Delivery.Payment), moment{&n.Delivery.CheckedAt},
		&n.Disabled, &n.AllowDuplicate, moment{&n.AnonymisedAt},
		moment{&n.UpdatedAt}, wordTo(&n.UpdatedBy), &n.Version,
	}
}

// digestColumn is where the digest is among notificationColumns.
var digestColumn = notificationColumns.at("message_digest")

// notificationValues returns the values of notificationColumns, but for the digest, which is set
// where it is written. The end of the lease is nil if there is none.
func (d *database) notificationValues(n *flow.Notification, version int64, leaseEnd any) []any {
	claimed := int64(0)
	if n.State == flow.NotificationSending {
		claimed = version
	}
	return []any{
		d.id(n.ID), d.id(n.FlowID), held(n.Service), n.CreatedAt.UnixMicro(),
		n.Recipient.Reveal(), held(n.Subject.Reveal()), held(n.Content.Reveal()), micros(n.DueDate),
		int64(n.Amount), n.IsPayment, n.PayableAfterDue,
		n.NoticeNumber.Reveal(), n.Payee.String(), held(n.Reference), held(n.Occasion), searched(n.Subject.Reveal()), nil,
		notificationKind(n).String(),
		held(string(n.State)), held(string(n.Transmission.MessageID)), n.Transmission.Attempts, micros(n.Transmission.SentAt),
		held(string(n.Transmission.ErrorCode)), held(n.Transmission.Error), d.id(n.Transmission.EarlierID),
		held(string(n.Delivery.Status)), held(string(n.Delivery.Email)), held(string(n.Delivery.Push)),
		held(string(n.Delivery.Read)), held(string(n.Delivery.Payment)), micros(n.Delivery.CheckedAt),
		n.Disabled, n.AllowDuplicate, n.DeliveryOpen(), micros(n.AnonymisedAt), leaseEnd, claimed,
		n.UpdatedAt.UnixMicro(), held(n.UpdatedBy), version,
	}
}

// flowColumns are the columns of a flow; those in front never change.
var flowColumns = columns{
	{"id", "uuid"}, {"service", "text"}, {"created_at", "bigint"},
	{"note", "text"}, {"app_context", "text"}, {"app_key", "text"}, {"search", "text"}, {"kind", "text"},
	{"state", "text"}, {"error", "text"}, {"disabled", "boolean"},
	{"updated_at", "bigint"}, {"updated_by", "text"}, {"version", "bigint"},
}

// flowFields returns where the columns of a flow, but for what is only looked for, and its counts
// behind them are read to.
func flowFields(f *flow.Flow) []any {
	return []any{
		&f.ID, wordTo(&f.Service), moment{&f.CreatedAt},
		text{&f.Note}, wordTo(&f.AppContext), wordTo(&f.AppKey),
		wordTo(&f.State), wordTo(&f.Error), &f.Disabled,
		moment{&f.UpdatedAt}, wordTo(&f.UpdatedBy), &f.Version,
		&f.Counts.Registered, &f.Counts.Sending, &f.Counts.Sent, &f.Counts.Failed, &f.Counts.Disabled,
	}
}

// flowValues returns the values of flowColumns.
func (d *database) flowValues(f *flow.Flow, version int64) []any {
	return []any{
		d.id(f.ID), held(f.Service), f.CreatedAt.UnixMicro(),
		held(f.Note.Reveal()), held(f.AppContext), held(f.AppKey), searched(f.Note.Reveal()), flowKind(f).String(),
		held(string(f.State)), held(f.Error), f.Disabled,
		f.UpdatedAt.UnixMicro(), held(f.UpdatedBy), version,
	}
}

// searched returns what of a text is looked for, whatever its case.
func searched(text string) string { return held(strings.ToLower(text)) }

// recordColumns are the columns of both histories.
var recordColumns = columns{
	{"owner", "uuid"}, {"version", "bigint"}, {"at", "bigint"}, {"actor", "text"},
	{"action", "text"}, {"from_state", "text"}, {"to_state", "text"}, {"reason", "text"},
}

// recordFields returns where the columns of a record, but for the owner, are read to.
func recordFields[S, A ~string](r *flow.Record[S, A]) []any {
	return []any{
		&r.Version, moment{&r.At}, wordTo(&r.By),
		wordTo(&r.Action), wordTo(&r.From), wordTo(&r.To), text{&r.Reason},
	}
}

// recordValues returns the values of recordColumns.
func recordValues[S, A ~string](d *database, owner uuid.UUID, version int64, r flow.Record[S, A]) []any {
	return []any{
		d.id(owner), version, r.At.UnixMicro(), held(r.By),
		held(string(r.Action)), held(string(r.From)), held(string(r.To)), held(r.Reason.Reveal()),
	}
}
