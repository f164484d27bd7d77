package pagoinrete_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/pagoinrete"
	"github.com/flussi-go/flussi/pagoinrete/memstore"
	"github.com/flussi-go/flussi/pagoinrete/restgateway/restgatewaytest"
)

// slowStore holds up what is stored until it is released.
type slowStore struct {
	pagoinrete.Store
	once            sync.Once
	began, released chan struct{}
}

func (s *slowStore) SaveNotices(ctx context.Context, changes ...pagoinrete.NoticeChange) error {
	s.once.Do(func() { close(s.began) })
	select {
	case <-s.released:
		return s.Store.SaveNotices(ctx, changes...)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// While some are being stored, others are transmitted: a slow database and a slow platform do
// not wait for each other.
func TestNoticesAreTransmittedWhileOthersAreBeingStored(t *testing.T) {
	synctest.Test(t, noticesAreTransmittedWhileOthersAreBeingStored)
}

func noticesAreTransmittedWhileOthersAreBeingStored(t *testing.T) {
	store := &slowStore{Store: memstore.New(), began: make(chan struct{}), released: make(chan struct{})}
	w := newWorldOn(t, store)
	e := w.simulated(t, pagoinrete.Fee)
	const pupils = 200 // with two instalments each
	w.add(t, e.ID, drafts(pupils)...)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		report, err := w.TransmitNotices(t.Context(), assistant, e.ID)
		assert.NoError(t, err)
		assert.Equal(t, pagoinrete.TransmitReport{Transmitted: 2 * pupils}, report)
	}()
	<-store.began
	time.Sleep(time.Minute) // whatever goes on without the store is over by then
	assert.Equal(t, 2*pupils, w.platform.Received(restgatewaytest.PutNotice))
	close(store.released)
	<-ended
}

// Why a notice is refused says what Pago In Rete said; its history has that in the Answer.
func TestRefusedNoticesQuoteThePlatform(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorldOn(t, memstore.New())
		e := w.simulated(t, pagoinrete.Fee)
		w.add(t, e.ID, drafts(1)...)
		w.platform.Fail(restgatewaytest.PutNotice, restgatewaytest.Fault{Kind: restgatewaytest.Unprocessable})
		report := must.Get(w.TransmitNotices(t.Context(), assistant, e.ID))(t)
		require.Equal(t, 1, report.Refused)
		n := must.Get(w.Notice(t.Context(), assistant, report.Errors[0].NoticeID))(t)
		records := must.Get(w.NoticeHistory(t.Context(), assistant, n.ID))(t)
		last := records[len(records)-1]
		require.Equal(t, pagoinrete.NoticeRefuse, last.Action)
		assert.Contains(t, last.Answer.Reveal(), "(HTTP 422)")
		assert.Contains(t, n.Error, " Risposta della piattaforma: «"+last.Answer.Reveal()+"».")
		assert.NotContains(t, last.Reason.Reveal(), "Risposta")
		assert.Equal(t, n.Error, last.Explanation().Reveal())
	})
}
