package restgateway_test

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/pagoinrete"
	"github.com/flussi-go/flussi/pagoinrete/restgateway"
	"github.com/flussi-go/flussi/pagoinrete/restgateway/restgatewaytest"
)

func TestEveryAttemptIsReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got []flussi.Attempt
		p := newFaulty(t, func(c *restgateway.Config) {
			c.Attempted = func(_ context.Context, a flussi.Attempt) { got = append(got, a) }
		})
		_, n := p.ready(t, pagoinrete.EventNotified)
		got = nil
		p.Fail(restgatewaytest.GetEvent, restgatewaytest.Fault{Kind: restgatewaytest.TooManyRequests, RetryAfter: 5 * time.Second})
		must.Get(p.client.Event(t.Context(), n.EventID))(t)
		pdf := must.Get(p.client.NoticePDF(t.Context(), n.ID))(t)
		require.NoError(t, pdf.Close())
		require.Len(t, got, 3)
		first, second, third := got[0], got[1], got[2]
		assert.Equal(t, []int{1, 2, 1}, []int{first.Number, second.Number, third.Number})
		assert.Equal(t, []int{http.StatusTooManyRequests, http.StatusOK, http.StatusOK}, []int{first.Status, second.Status, third.Status})
		assert.Equal(t, 5*time.Second, first.Pause)
		assert.Equal(t, first.Operation, second.Operation)
		assert.NotEqual(t, first.Operation, third.Operation)
		assert.Positive(t, third.Took, "to the headers of the PDF")
	})
}
