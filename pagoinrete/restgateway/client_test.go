package restgateway_test

import (
	"io"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/pagoinrete"
	"github.com/flussi-go/flussi/pagoinrete/restgateway/restgatewaytest"
)

func TestAnEventAndItsNoticeGoTheirWholeWay(t *testing.T) {
	p := newPlatform(t, nil)
	ctx, client := t.Context(), p.client
	e := clientEvent(t)

	there := must.Get(client.PutEvent(ctx, clientOffice(), e))(t)
	assert.Equal(t, pagoinrete.RemoteEvent{ID: e.ID, RemoteID: there.RemoteID, State: pagoinrete.EventSimulated}, there)
	assert.NotEmpty(t, there.RemoteID)

	n := clientNotice(t, e)
	notice := must.Get(client.PutNotice(ctx, clientOffice(), n))(t)
	assert.Equal(t, pagoinrete.NoticeNotNotified, notice.State)
	assert.NoError(t, notice.Number.Check())
	assert.Equal(t, 3, notice.Number.AuxDigit())
	assert.Equal(t, "01", notice.Number.SegregationCode())

	move := func(by flussi.Actor, action pagoinrete.EventAction, reason string) pagoinrete.RemoteEvent {
		moved := must.Get(client.MoveEvent(ctx, by, e.ID, action, flussi.NewText(reason)))(t)
		assert.Equal(t, moved, must.Get(client.Event(ctx, e.ID))(t))
		return moved
	}
	assert.Equal(t, pagoinrete.EventToApprove, move(clientOffice(), pagoinrete.EventSubmit, "").State)
	rejected := move(clientPrincipal(), pagoinrete.EventReject, "Manca\nla quota")
	assert.Equal(t, pagoinrete.EventRejected, rejected.State)
	assert.Equal(t, "Manca\nla quota", rejected.Rejection.Reveal())
	assert.Equal(t, pagoinrete.EventToApprove, move(clientOffice(), pagoinrete.EventSubmit, "").State)
	assert.Equal(t, pagoinrete.EventToNotify, move(clientPrincipal(), pagoinrete.EventApprove, "").State)
	assert.Equal(t, pagoinrete.EventNotified, move(clientOffice(), pagoinrete.EventNotify, "").State)

	p.RegisterPayer(n.Payer)
	assert.Equal(t, pagoinrete.NoticeNotNotified, p.one(t, n.ID).State)
	assert.True(t, p.one(t, n.ID).PayerRegistered)
	p.LogIn(n.Payer)
	assert.Equal(t, pagoinrete.NoticeNotified, p.one(t, n.ID).State)
	assert.True(t, p.one(t, n.ID).PayerLoggedIn)

	_, err := client.Receipt(ctx, n.ID)
	assert.ErrorIs(t, err, flussi.ErrRemoteNotFound)
	require.True(t, p.StartPayment(n.ID))
	assert.Equal(t, pagoinrete.NoticeAwaitingReceipt, p.one(t, n.ID).State)
	require.True(t, p.FailPayment(n.ID))
	receipt := must.Get(client.Receipt(ctx, n.ID))(t)
	assert.Equal(t, pagoinrete.ReceiptNotPaid, receipt.Outcome)
	require.True(t, p.StartPayment(n.ID))
	require.True(t, p.Pay(n.ID, n.Due()))
	receipt = must.Get(client.Receipt(ctx, n.ID))(t)
	assert.Equal(t, pagoinrete.ReceiptPaid, receipt.Outcome)
	assert.Equal(t, n.Due(), receipt.Amount)
	paid := p.one(t, n.ID)
	assert.Equal(t, pagoinrete.NoticePaidOnline, paid.State)
	assert.Equal(t, pagoinrete.Proof{Reference: receipt.Reference, Amount: n.Due(), Date: receipt.Date}, paid.Evidence.Receipt)
	require.True(t, p.Settle(n.ID, n.Due()))
	assert.Equal(t, pagoinrete.NoticeConfirmed, p.one(t, n.ID).State)
	require.True(t, p.Reconcile(n.ID, n.Due()))
	assert.Equal(t, pagoinrete.NoticeReconciled, p.one(t, n.ID).State)

	proof := pagoinrete.Proof{Reference: "mandato 12", Amount: n.Due(), Date: time.Date(2027, 1, 7, 0, 0, 0, 123_000, time.UTC), By: "dsga"}
	refunded := must.Get(client.MoveNotice(ctx, clientOffice(), n.ID, pagoinrete.NoticeRefund, proof))(t)
	assert.Equal(t, pagoinrete.NoticeRefunded, refunded.State)
	assert.Equal(t, proof, refunded.Evidence.Refund)
	assert.Equal(t, refunded, p.one(t, n.ID))

	pdf := must.Get(client.NoticePDF(ctx, n.ID))(t)
	text := must.Get(io.ReadAll(pdf))(t)
	require.NoError(t, pdf.Close())
	must.Contain(t, string(text), "90,00", "01/12/2026")

	stored, kept := p.Event(e.ID)
	require.True(t, kept)
	assert.Len(t, stored.Steps, 5)
	assert.Equal(t, "Preside Però", stored.Steps[1].By)
}

func TestWhatIsPutAgainIsRecognised(t *testing.T) {
	p := newPlatform(t, nil)
	e, n := p.ready(t, pagoinrete.EventSimulated)
	n.Amount, n.Payer = 9000, flussi.FiscalCode{}
	again := must.Get(p.client.PutNotice(t.Context(), clientOffice(), n))(t)
	assert.Equal(t, n.Number, again.Number)
	assert.Equal(t, n.RemoteID, again.RemoteID)
	e.Name = "Gita a Firenze"
	require.NoError(t, put(t, p.client, e))
	stored, _ := p.Notice(n.ID)
	assert.Equal(t, flussi.Cents(8000), stored.Due)
	assert.Equal(t, 1, stored.Created)
	assert.Equal(t, 2, stored.Transmitted)
	assert.Len(t, p.Events(), 1)
	assert.Len(t, p.Notices(), 1)
}

func TestNoticesThatAreNotThereAreLeftOut(t *testing.T) {
	p := newPlatform(t, nil)
	_, n := p.ready(t, pagoinrete.EventSimulated)
	all := must.Get(p.client.Notices(t.Context(), []uuid.UUID{uuid.New(), n.ID, uuid.New()}))(t)
	require.Len(t, all, 1)
	assert.Equal(t, n.ID, all[0].ID)
	all, err := p.client.Notices(t.Context(), nil)
	assert.NoError(t, err)
	assert.Empty(t, all)
	assert.Equal(t, 1, p.Received(restgatewaytest.GetNotices), "nothing is asked about nothing")
}

func TestAnEventThatIsDeletedCancelsItsNotices(t *testing.T) {
	p := newPlatform(t, nil)
	e, n := p.ready(t, pagoinrete.EventSimulated)
	assert.Equal(t, pagoinrete.EventDeleted, must.Get(p.client.MoveEvent(t.Context(), clientOffice(), e.ID, pagoinrete.EventDelete, flussi.Text{}))(t).State)
	assert.Equal(t, pagoinrete.NoticeCancelled, p.one(t, n.ID).State)
}
