package memstore_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/pagoinrete"
)

// One operation is the first page of a list of 100,000, or however much of it there is to
// be found.
func BenchmarkList(b *testing.B) {
	ctx := context.Background()
	store, large, all := filled(b, 100_000)
	small := newEvent(b)
	few := make([]pagoinrete.NoticeChange, 1000)
	for i := range few {
		few[i] = newChange(b, small, len(all)+i)
	}
	require.NoError(b, store.SaveEvent(ctx, pagoinrete.EventChange{Event: small}, nil))
	require.NoError(b, store.SaveNotices(ctx, few...))
	someone := few[500].Notice
	var settlement []flussi.IUV // one in 200 of the large event
	for i := 0; i < len(all); i += 200 {
		settlement = append(settlement, all[i].IUV())
	}
	for _, list := range []struct {
		name   string
		filter pagoinrete.NoticeFilter
	}{
		{"all", pagoinrete.NoticeFilter{}},
		{"of a large event", pagoinrete.NoticeFilter{Event: large.ID}},
		{"of a small event", pagoinrete.NoticeFilter{Event: small.ID}},
		{"of a small event, none", pagoinrete.NoticeFilter{Event: small.ID, Visible: true}},
		{"by ID", pagoinrete.NoticeFilter{IDs: []uuid.UUID{someone.ID}}},
		{"by 500 IUVs", pagoinrete.NoticeFilter{IUVs: settlement}},
		{"by day", pagoinrete.NoticeFilter{From: someone.CreatedAt, To: someone.CreatedAt.Add(time.Millisecond)}},
		{"by state, none", pagoinrete.NoticeFilter{States: []pagoinrete.NoticeState{pagoinrete.NoticeRefunded}}},
	} {
		b.Run(list.name, func(b *testing.B) {
			for b.Loop() {
				if _, err := store.Notices(ctx, list.filter, pagoinrete.Page{Limit: 500}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// One operation is one notice of an event of 100,000, changed by itself.
func BenchmarkSave(b *testing.B) {
	ctx := context.Background()
	store, _, all := filled(b, 100_000)
	for i := 0; b.Loop(); i++ {
		n := &all[i%len(all)]
		n.State = pagoinrete.NoticeNotNotified
		if err := store.SaveNotices(ctx, pagoinrete.NoticeChange{Notice: *n}); err != nil {
			b.Fatal(err)
		}
		n.Version++
	}
}
