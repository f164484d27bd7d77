package memstore_test

import (
	"context"
	"fmt"
	"iter"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/flow/memstore"
	"github.com/flussi-go/flussi/internal/must"
)

var system = flussi.Actor{ID: "dispatcher", Roles: []flussi.Role{flussi.System}}

var notices atomic.Int64

// newChange returns a notification to be stored as new; it belongs to a flow, if any.
func newChange(t testing.TB, of uuid.UUID) flow.NotificationChange {
	n, err := flow.NewNotification("servizio-tributi", flussi.TestRecipient(), system)
	require.NoError(t, err)
	n.FlowID = of
	n.Subject, n.Content = flussi.NewText("Oggetto della notifica"), flussi.NewText("Contenuto della notifica")
	n.NoticeNumber, err = flussi.ParseNoticeNumber(fmt.Sprintf("0%017d", notices.Add(1))) // so that no two are the same
	require.NoError(t, err)
	return flow.NotificationChange{Notification: n, Record: flow.NotificationRecord{
		At: n.CreatedAt, By: system.ID, Action: flow.NotificationCreate, To: n.State,
	}}
}

// filled returns a store with a flow that is being sent, and its notifications.
func filled(t testing.TB, count int) (*memstore.Store, flow.Flow) {
	f := must.Get(flow.NewFlow("servizio-tributi", system))(t)
	f.State = flow.FlowSending
	store := memstore.New()
	var notifications iter.Seq2[flow.NotificationChange, error] = func(yield func(flow.NotificationChange, error) bool) {
		for i := 0; i < count && yield(newChange(t, f.ID), nil); i++ {
		}
	}
	require.NoError(t, store.SaveFlow(context.Background(), flow.FlowChange{Flow: f}, notifications))
	return store, f
}

// One operation is one notification, from Registrato over In invio to Inviato, in a
// flow of 100,000.
func BenchmarkClaimAndSave(b *testing.B) {
	const count = 100_000
	ctx := context.Background()
	var store *memstore.Store
	var f flow.Flow
	b.ReportAllocs()
	for done := 0; done < b.N; {
		if done%count == 0 {
			b.StopTimer()
			store, f = filled(b, count)
			b.StartTimer()
		}
		_, claimed, err := store.Claim(ctx, flow.Claim{Flow: f.ID, Limit: min(100, b.N-done), Lease: time.Minute, At: time.Now()})
		if err != nil {
			b.Fatal(err)
		}
		for _, n := range claimed {
			n.State = flow.NotificationSent
			if err := store.SaveNotifications(ctx, flow.NotificationChange{Notification: n}); err != nil {
				b.Fatal(err)
			}
		}
		done += len(claimed)
	}
}

// One operation is one notification of an import.
func BenchmarkImport(b *testing.B) {
	f := must.Get(flow.NewFlow("servizio-tributi", system))(b)
	changes := make([]flow.NotificationChange, b.N)
	for i := range changes {
		changes[i] = newChange(b, f.ID)
	}
	store := memstore.New()
	runtime.GC()
	b.ReportAllocs()
	b.ResetTimer()
	if err := store.SaveFlow(context.Background(), flow.FlowChange{Flow: f}, func(yield func(flow.NotificationChange, error) bool) {
		for _, change := range changes {
			if !yield(change, nil) {
				return
			}
		}
	}); err != nil {
		b.Fatal(err)
	}
}

// One operation is the first page of a list of a million, or however much of it there
// is to be found.
func BenchmarkList(b *testing.B) {
	const count = 1_000_000
	ctx := context.Background()
	store, f := filled(b, count)
	other, _ := flow.NewFlow("servizio-scuola", system)
	other.State = flow.FlowSending
	few := make([]flow.NotificationChange, 1000)
	for i := range few {
		few[i] = newChange(b, other.ID)
	}
	require.NoError(b, store.SaveFlow(ctx, flow.FlowChange{Flow: other}, nil))
	require.NoError(b, store.SaveNotifications(ctx, few...))
	someone := few[500].Notification
	for _, list := range []struct {
		name   string
		filter flow.NotificationFilter
	}{
		{"all", flow.NotificationFilter{}},
		{"of a large flow", flow.NotificationFilter{Flow: f.ID}},
		{"of a small flow", flow.NotificationFilter{Flow: other.ID}},
		{"by ID", flow.NotificationFilter{IDs: []uuid.UUID{someone.ID}}},
		{"by digest", flow.NotificationFilter{Digests: []flow.Digest{someone.Digest()}}},
		{"by day", flow.NotificationFilter{From: someone.CreatedAt, To: someone.CreatedAt.Add(time.Millisecond)}},
		{"by state, none", flow.NotificationFilter{States: []flow.NotificationState{flow.NotificationFailed}}},
		{"by text, none", flow.NotificationFilter{Text: "raccomandata"}},
	} {
		b.Run(list.name, func(b *testing.B) {
			for b.Loop() {
				if _, err := store.Notifications(ctx, list.filter, flow.Page{Limit: 50}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// The memory that a notification with three records takes, besides its texts.
func BenchmarkMemory(b *testing.B) {
	const count = 200_000
	if b.N > 1 {
		b.SkipNow() // once is enough
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	ctx := context.Background()
	store, f := filled(b, count)
	for claimed := []flow.Notification{{}}; len(claimed) > 0; {
		var err error
		_, claimed, err = store.Claim(ctx, flow.Claim{Flow: f.ID, Limit: 1000, Lease: time.Minute})
		require.NoError(b, err)
		for _, n := range claimed {
			n.State = flow.NotificationSent
			require.NoError(b, store.SaveNotifications(ctx, flow.NotificationChange{Notification: n}))
		}
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/count, "bytes/notification")
	runtime.KeepAlive(store)
}
