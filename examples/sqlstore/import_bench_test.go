package sqlstore_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi/flow"
)

// BenchmarkImport measures how quick an import by the service is, with its checks and the
// history, in turns with a bare loop that inserts the same rows into the same table of another
// file in one transaction, ten at a time. How many FLUSSI_ROWS says.
func BenchmarkImport(b *testing.B) {
	n := rowsAsked(b, 200)
	var ratios []float64
	for b.Loop() {
		bare, ours := bareImport(b, n), ourImport(b, n)
		ratios = append(ratios, bare.Seconds()/ours.Seconds())
		b.Logf("ours %v, bare %v", ours, bare)
	}
	slices.Sort(ratios)
	b.ReportMetric(ratios[len(ratios)/2], "of-bare")
}

func ourImport(b *testing.B, n int) time.Duration {
	s := open(b, newSQLite(b))
	messengers := func(context.Context, string) (flow.Messenger, error) { return nil, nil }
	service, err := flow.NewService(s, flow.Operators{clerk.ID: {taxes}}, messengers, flow.ServiceConfig{})
	require.NoError(b, err)
	f, err := service.CreateFlow(b.Context(), clerk, taxes, flow.Details{})
	require.NoError(b, err)
	start := time.Now()
	_, err = service.AddNotifications(b.Context(), clerk, f.ID, drafts(n), flow.AddConfig{})
	require.NoError(b, err)
	return time.Since(start)
}

func bareImport(b *testing.B, n int) time.Duration {
	s := open(b, newSQLite(b))
	start := time.Now()
	require.NoError(b, s.Bare(b.Context(), func(yield func(flow.Notification) bool) {
		f := uuid.Must(uuid.NewV7())
		for row := range drafts(n) {
			if !yield(flow.Notification{
				ID: uuid.Must(uuid.NewV7()), FlowID: f, Service: taxes, State: flow.NotificationRegistered, Draft: row.Draft,
				CreatedAt: start, UpdatedAt: start, UpdatedBy: clerk.ID,
			}) {
				return
			}
		}
	}, 10))
	return time.Since(start)
}
