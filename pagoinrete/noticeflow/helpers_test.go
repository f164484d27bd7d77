package noticeflow_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/flow"
	flowstore "github.com/flussi-go/flussi/flow/memstore"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/internal/sampletest"
	"github.com/flussi-go/flussi/pagoinrete"
	"github.com/flussi-go/flussi/pagoinrete/memstore"
	"github.com/flussi-go/flussi/pagoinrete/noticeflow"
)

const (
	school         = "RMIC8GA002"
	messageService = "scuola"
	another        = "mensa"
)

// assistant works in the school's office and sends its messages.
var assistant = flussi.Actor{ID: "l.bianchi", Roles: []flussi.Role{flussi.AdminAssistant, flussi.Operator}}

// world is a service of each kind, each on a store in memory.
type world struct {
	*pagoinrete.Service
	flows   *flow.Service
	notices pagoinrete.Store
	store   flow.Store
	event   pagoinrete.Event // Notificato, of three instalments
}

func newWorld(t testing.TB, change func(*pagoinrete.Event)) *world {
	t.Helper()
	w := &world{notices: memstore.New(), store: flowstore.New()}
	w.Service = must.Get(pagoinrete.NewService(w.notices, pagoinrete.Permissions{assistant.ID: {school}}, func(context.Context, string) (pagoinrete.Gateway, error) {
		return nil, errors.New("nothing is transmitted here")
	}, pagoinrete.ServiceConfig{}))(t)
	w.flows = must.Get(flow.NewService(w.store, flow.Permissions{assistant.ID: {messageService, another}}, func(context.Context, string) (flow.Sender, error) {
		return nil, errors.New("nothing is sent here")
	}, flow.ServiceConfig{}))(t)

	e := must.Get(pagoinrete.NewEvent(pagoinrete.Fee, school, assistant))(t)
	e.State, e.EventData = pagoinrete.EventNotified, sampletest.Fee()
	if change != nil {
		change(&e)
	}
	require.NoError(t, w.notices.SaveEvent(t.Context(), pagoinrete.EventChange{Event: e, Record: pagoinrete.EventRecord{
		At: e.CreatedAt, By: assistant.ID, Action: pagoinrete.EventSave, To: e.State}}, nil))
	w.event = must.Get(w.notices.Event(t.Context(), e.ID))(t)
	return w
}

// seed stores a notice of the event, the nth, whose second instalment its debtor owes.
func (w *world) seed(t testing.TB, n int, change func(*pagoinrete.Notice)) pagoinrete.Notice {
	t.Helper()
	made := must.Get(pagoinrete.NewNotice(w.event, 2, pagoinrete.NoticeData{
		Debtor: person(1000 + n), DebtorKind: pagoinrete.DebtorPupil, DebtorName: flussi.NewText("Segreti Sara"), Payer: person(n),
		Amount: 3_000, Discount: 500, DueDate: w.event.Instalments[1].DueDate,
	}, assistant))(t)
	made.State, made.Number = pagoinrete.NoticeNotified, notice(n)
	made.CreatedAt = made.CreatedAt.Truncate(time.Second).Add(time.Duration(n) * time.Millisecond) // in their order
	if change != nil {
		change(&made)
	}
	require.NoError(t, w.notices.SaveNotices(t.Context(), pagoinrete.NoticeChange{Notice: made, Record: pagoinrete.NoticeRecord{
		At: made.CreatedAt, By: assistant.ID, Action: pagoinrete.NoticeCreate, To: made.State}}))
	return made
}

func in(state pagoinrete.NoticeState) func(*pagoinrete.Notice) {
	return func(n *pagoinrete.Notice) { n.State = state }
}

func (w *world) messages(t testing.TB, c noticeflow.Config) *noticeflow.Messages {
	t.Helper()
	return must.Get(noticeflow.New(w.Service, w.flows, c))(t)
}

// rows returns the messages, and what is wrong with the other rows by their numbers.
func (w *world) rows(t testing.TB, c noticeflow.Config) ([]flow.Row, map[int]error, noticeflow.Report) {
	t.Helper()
	var report noticeflow.Report
	rows := must.Get(w.messages(t, c).Rows(t.Context(), assistant, w.event.ID, messageService, &report))(t)
	var good []flow.Row
	wrong := map[int]error{}
	for row, err := range rows {
		if err != nil {
			wrong[row.Number] = err
		} else {
			good = append(good, row)
		}
	}
	return good, wrong, report
}

// draft returns the only message.
func (w *world) draft(t testing.TB, c noticeflow.Config) flow.Draft {
	t.Helper()
	rows, wrong, _ := w.rows(t, c)
	require.Empty(t, wrong)
	require.Len(t, rows, 1)
	return rows[0].Draft
}

func (w *world) importAll(t testing.TB, m *noticeflow.Messages, c flow.AddConfig) (flow.Flow, noticeflow.Report, error) {
	t.Helper()
	return m.Import(t.Context(), assistant, w.event.ID, messageService, flow.Details{}, c)
}

func (w *world) notifications(t testing.TB, flowID uuid.UUID) []flow.Notification {
	t.Helper()
	var all []flow.Notification
	for n, err := range w.flows.AllNotifications(t.Context(), assistant, flow.NotificationFilter{Flow: flowID}) {
		require.NoError(t, err)
		all = append(all, n)
	}
	return all
}

func person(n int) flussi.FiscalCode   { return sampletest.FiscalCode(n) }
func notice(n int) flussi.NoticeNumber { return sampletest.NoticeNumber(n) }
