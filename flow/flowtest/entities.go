package flowtest

import (
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio"
	"github.com/flussi-go/flussi/flow"
)

// now is the time of the next entity or change: a second later each time.
func (p *probe) now() time.Time {
	p.made++
	return time.Date(2026, time.March, 28, 23, 0, 0, 123_456_000, time.UTC).Add(time.Duration(p.made) * time.Second)
}

// id returns an ID that sorts anywhere.
func (p *probe) id() uuid.UUID {
	var id uuid.UUID
	for i := range id {
		id[i] = byte(p.random.UintN(256))
	}
	id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80 // version 4
	return id
}

// newFlow returns a flow with what every flow has.
func (p *probe) newFlow() flow.Flow {
	now := p.now()
	return flow.Flow{ID: p.id(), Service: "tributi", State: flow.FlowInactive, CreatedAt: now, UpdatedAt: now, UpdatedBy: "m.neri"}
}

// sendingFlow returns a flow from which may be claimed.
func (p *probe) sendingFlow() flow.Flow {
	f := p.newFlow()
	f.State = flow.FlowSending
	return f
}

// newNotification returns a notification with what every one has. The zero UUID makes it
// stand alone.
func (p *probe) newNotification(of uuid.UUID) flow.Notification {
	now := p.now()
	return flow.Notification{
		ID: p.id(), FlowID: of, Service: "tributi", State: flow.NotificationRegistered,
		Draft: flow.Draft{
			Recipient: p.fiscalCode(),
			Subject:   flussi.NewText("Avviso di pagamento"),
			Content:   flussi.NewText(fmt.Sprintf("Contenuto %d", p.made)),
		},
		CreatedAt: now, UpdatedAt: now, UpdatedBy: "m.neri",
	}
}

// newNotifications returns some, each younger than the one before.
func (p *probe) newNotifications(of uuid.UUID, count int) []flow.Notification {
	all := make([]flow.Notification, count)
	for i := range all {
		all[i] = p.newNotification(of)
	}
	return all
}

// fullFlow returns a flow that is new, and of which no other field is zero.
func (p *probe) fullFlow() flow.Flow {
	var f flow.Flow
	p.fill(&f, true)
	f.State, f.Version, f.Counts = flow.FlowIncomplete, 0, flow.Counts{}
	return f
}

// fullNotification returns a notification that is new, and of which no other field is
// zero.
func (p *probe) fullNotification(of uuid.UUID) flow.Notification {
	var n flow.Notification
	p.fill(&n, true)
	n.FlowID, n.State, n.Transmission.ErrorCode, n.Version = of, flow.NotificationFailed, flow.ErrorRefused, 0
	n.Delivery = knownDelivery(n.Delivery.CheckedAt)
	return n
}

// knownDelivery is a delivery of which no field is zero.
func knownDelivery(checked time.Time) flow.Delivery {
	return flow.Delivery{
		Status: appio.StatusProcessed, Email: appio.ChannelSent, Push: appio.ChannelExpired,
		Read: appio.Unread, Payment: appio.NotPaid, CheckedAt: checked,
	}
}

// fill gives every field of a struct a value that is not zero, and its flags the one
// that is given.
func (p *probe) fill(pointer any, flags bool) {
	for _, f := range fields(pointer) {
		switch field := f.pointer.(type) {
		case *time.Time:
			*field = p.someTime()
		case *uuid.UUID:
			*field = p.id()
		case *flussi.Text:
			*field = flussi.NewText(p.word())
		case *flussi.FiscalCode:
			*field = p.fiscalCode()
		case *flussi.NoticeNumber:
			*field = p.noticeNumber()
		case *flussi.OrganizationCode:
			*field = p.organizationCode()
		default:
			switch v := reflect.ValueOf(field).Elem(); v.Kind() {
			case reflect.String:
				v.SetString(p.word())
			case reflect.Bool:
				v.SetBool(flags)
			case reflect.Int, reflect.Int64:
				v.SetInt(1 + p.random.Int64N(1000))
			default:
				panic(fmt.Sprintf("flowtest cannot make up a %s", v.Type()))
			}
		}
	}
}

// someTime returns a time in these years, to the microsecond.
func (p *probe) someTime() time.Time {
	return time.Date(2021, time.January, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(p.random.Int64N(10*365*24*3600*1e6)) * time.Microsecond)
}

// word returns a text of letters, as no other field has it.
func (p *probe) word() string {
	var word strings.Builder
	for range 12 {
		word.WriteByte(byte('a' + p.random.IntN(26)))
	}
	return word.String()
}

func (p *probe) fiscalCode() flussi.FiscalCode {
	return parsed(flussi.ParseFiscalCode(fmt.Sprintf("RSSMRA%02dA%02dH%03dU", p.random.IntN(100), 1+p.random.IntN(28), p.random.IntN(1000))))
}

func (p *probe) noticeNumber() flussi.NoticeNumber {
	return parsed(flussi.ParseNoticeNumber(fmt.Sprintf("0%017d", p.random.Int64N(1e17))))
}

func (p *probe) organizationCode() flussi.OrganizationCode {
	return parsed(flussi.ParseOrganizationCode(fmt.Sprintf("0%010d", 1+p.random.Int64N(1e10-1))))
}

// parsed returns a code that is in order by its making.
func parsed[T any](code T, err error) T {
	if err != nil {
		panic(err)
	}
	return code
}

// flowChange is the storing of a flow, with a record.
func flowChange(f flow.Flow) flow.FlowChange {
	record := flow.FlowRecord{At: f.UpdatedAt, By: f.UpdatedBy, Action: flow.FlowEdit, From: f.State, To: f.State}
	if f.Version == 0 {
		record.Action, record.From = flow.FlowCreate, ""
	}
	return flow.FlowChange{Flow: f, Record: record}
}

// notificationChange is the storing of a notification, with a record and a long lease.
func notificationChange(n flow.Notification) flow.NotificationChange {
	record := flow.NotificationRecord{At: n.UpdatedAt, By: n.UpdatedBy, Action: flow.NotificationEdit, From: n.State, To: n.State}
	if n.Version == 0 {
		record.Action, record.From = flow.NotificationCreate, ""
	}
	return flow.NotificationChange{Notification: n, Record: record, Lease: long}
}

func notificationChanges(all ...flow.Notification) []flow.NotificationChange {
	changes := make([]flow.NotificationChange, len(all))
	for i, n := range all {
		changes[i] = notificationChange(n)
	}
	return changes
}

func ids(notifications []flow.Notification) []uuid.UUID {
	ids := make([]uuid.UUID, len(notifications))
	for i, n := range notifications {
		ids[i] = n.ID
	}
	return ids
}
