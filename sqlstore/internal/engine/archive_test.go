package engine_test

import (
	"context"
	"fmt"
	"iter"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio"
	"github.com/flussi-go/flussi/appio/appiotest"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/pagoinrete"
)

// archive is a database with many notifications and as many notices. Notifications are in flows of
// 20, and one flow has a tenth of all. Notices are in 50 events of a school, and one event has half
// of all.
type archive struct {
	database
	big     flow.Flow         // in which most is sent, and the last tenth is to be sent
	like    flow.Notification // one of ten with a rare subject
	event   uuid.UUID         // the largest
	notice1 pagoinrete.Notice
}

const (
	flowSize    = 20
	rareText    = "introvabile"
	school      = "MIIC8AA00A"
	bigFlow     = 3  // the number of the flow that is big
	ofServices  = 4  // how many services there are
	failedEvery = 50 // of notifications
	openEvery   = 10 // of notifications: the delivery is open
	expired     = 40 // notifications whose lease is over
	rare        = 10 // notifications with a rare subject
)

var begin = time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC)

// orderedID returns IDs of version 7 in their order.
func orderedID(i int) uuid.UUID {
	id := uuid.UUID{6: 0x70, 8: 0x80}
	id[0], id[1], id[2], id[3], id[15] = byte(i>>24), byte(i>>16), byte(i>>8), byte(i), byte(i*31)
	return id
}

func serviceName(i int) string { return fmt.Sprintf("servizio-%02d", i%ofServices) }

// fill stores n notifications and n notices.
func (a *archive) fill(t testing.TB, n int) {
	for number, next := 0, 0; next < n; number++ {
		size := flowSize
		if number == bigFlow {
			size = n / 10
		}
		size = min(size, n-next)
		a.saveFlow(t, n, number, next, size)
		next += size
	}
	for number, next := 0, 0; next < n; number++ {
		size := n / 98
		if number == 0 {
			size = n / 2
		}
		size = min(max(size, 1), n-next)
		a.saveEvent(t, number, next, size)
		next += size
	}
}

func (a *archive) saveFlow(t testing.TB, n, number, first, size int) {
	at := begin.Add(time.Duration(number) * time.Minute)
	f := flow.Flow{
		ID: orderedID(number), Service: serviceName(number), State: flow.FlowSent,
		Details:   flow.Details{Note: flussi.NewText(fmt.Sprintf("Flusso n. %d della TARI", number)), AppContext: "comune", AppKey: fmt.Sprint(number)},
		CreatedAt: at, UpdatedAt: at.Add(time.Hour), UpdatedBy: "dispatcher",
	}
	switch {
	case number == bigFlow:
		f.State = flow.FlowSending
		a.big = f
	case number%100 == 7:
		f.State = flow.FlowIncomplete
	}
	if number%3 == 1 && number != bigFlow { // of many flows that are ready
		f.State = flow.FlowActive
	}
	if number%30 == 4 {
		f.NotBefore, f.ScheduledBy = at.AddDate(0, 6, 0), "m.neri"
	}
	if number == 10 {
		f.Note = flussi.NewText("Nota " + rareText)
	}
	rows := func(yield func(flow.NotificationChange, error) bool) {
		for i := first; i < first+size; i++ {
			c := flow.NotificationChange{Notification: a.notification(f, n, i)}
			if number == bigFlow && i-first >= size-size/10 {
				c.Notification.State, c.Notification.Transmission, c.Notification.Delivery = flow.NotificationRegistered, flow.Transmission{}, flow.Delivery{}
			}
			c.Record = flow.NotificationRecord{At: at, By: "m.neri", Action: flow.NotificationCreate, To: c.Notification.State}
			if !yield(c, nil) {
				return
			}
		}
	}
	require.NoError(t, a.SaveFlow(context.Background(), flow.FlowChange{
		Flow: f, Record: flow.FlowRecord{At: at, By: "m.neri", Action: flow.FlowCreate, To: f.State},
	}, rows))
}

// content is what messages say, so that rows are as long as they usually are.
var content = flussi.NewText(strings.Repeat("La prima rata della TARI scade il 16 giugno. ", 5))

func (a *archive) notification(f flow.Flow, n, i int) flow.Notification {
	one := flow.Notification{
		ID: orderedID(1<<28 + i), FlowID: f.ID, Service: f.Service, State: flow.NotificationSent,
		Draft: flow.Draft{
			Recipient: appiotest.SampleCitizen(i / 4), Subject: flussi.NewText(fmt.Sprintf("Avviso di pagamento n. %d del servizio", i)),
			Content: content, Reference: fmt.Sprint("pratica ", i/10), NoticeNumber: appiotest.SampleNotice(i),
		},
		Transmission: flow.Transmission{MessageID: appio.MessageID(fmt.Sprintf("01JN6Q5CZ3VGTA4X%010d", i)), Attempts: 1, SentAt: f.CreatedAt.Add(time.Hour)},
		Delivery:     flow.Delivery{Status: appio.StatusProcessed},
		CreatedAt:    f.CreatedAt, UpdatedAt: f.CreatedAt.Add(time.Hour), UpdatedBy: "dispatcher",
	}
	switch {
	case i%failedEvery == 7:
		one.State, one.Transmission, one.Delivery = flow.NotificationFailed, flow.Transmission{ErrorCode: flow.CodeUnreachable, Attempts: 1}, flow.Delivery{}
	case i%openEvery == 1:
		one.Delivery = flow.Delivery{}
	case i%(n/expired) == n/expired/2:
		one.State, one.Transmission, one.Delivery = flow.NotificationSending, flow.Transmission{}, flow.Delivery{}
	}
	if i%(n/rare) == n/rare/3 {
		one.Subject = flussi.NewText("Avviso " + rareText)
		a.like = one
	}
	return one
}

func (a *archive) saveEvent(t testing.TB, number, first, size int) {
	at := begin.Add(time.Duration(number) * time.Hour)
	e := pagoinrete.Event{
		ID: orderedID(number), Kind: pagoinrete.Fee, School: school, State: pagoinrete.EventNotified,
		EventData: pagoinrete.EventData{Name: "Gita", Causale: "Gita a Roma", SchoolYear: 2026}, CreatedAt: at, UpdatedAt: at, UpdatedBy: "m.neri",
	}
	if number == 0 {
		a.event = e.ID
	}
	var rows iter.Seq2[pagoinrete.NoticeChange, error] = func(yield func(pagoinrete.NoticeChange, error) bool) {
		for i := first; i < first+size; i++ {
			if !yield(pagoinrete.NoticeChange{Notice: a.notice(e, i)}, nil) {
				return
			}
		}
	}
	require.NoError(t, a.SaveEvent(context.Background(), pagoinrete.EventChange{Event: e}, rows))
}

func (a *archive) notice(e pagoinrete.Event, i int) pagoinrete.Notice {
	at := e.CreatedAt.Add(time.Duration(i) * time.Millisecond)
	n := pagoinrete.Notice{
		ID: orderedID(1<<28 + i), EventID: e.ID, School: e.School, State: pagoinrete.NoticeReconciled, Instalment: 1 + i%2,
		NoticeData: pagoinrete.NoticeData{
			Debtor: appiotest.SampleCitizen(i / 4), DebtorKind: pagoinrete.DebtorPupil, DebtorName: flussi.NewText("Rossi Maria"),
			Payer: appiotest.SampleCitizen(1_000_000 + i/8), Amount: 5000, DueDate: begin.AddDate(0, i%12, 0), Reference: "gita",
		},
		Number: appiotest.SampleNotice(i), RemoteID: "A", PayerRegistered: true, PayerLoggedIn: true, CreatedAt: at, UpdatedAt: at, UpdatedBy: "m.neri",
	}
	if i%3 == 0 {
		n.State = pagoinrete.NoticeNotified
	}
	a.notice1 = n
	return n
}
