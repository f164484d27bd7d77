package appio_test

import (
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/go-retryablehttp"
	"github.com/stretchr/testify/assert"

	"github.com/flussi-go/flussi/appio/appiotest"
	"github.com/flussi-go/flussi/internal/must"
)

// Why the repetitions are under a policy of our own: what the library's defaults do to
// a citizen when replies get lost on their way.
func TestTheDefaultsOfTheRetryLibraryDeliverFiveTimes(t *testing.T) {
	for _, kind := range []appiotest.FaultKind{appiotest.Reset, appiotest.ServerError, appiotest.GatewayTimeout, appiotest.Silent} {
		server := appiotest.NewServer(appiotest.Config{})
		server.AddService(appiotest.Service{ID: "tributi", Key: secretKey})
		lost := appiotest.Fault{Kind: kind, Stored: true}
		server.Fail(appiotest.SubmitMessage, lost, lost, lost, lost, lost, lost, lost)
		body := must.Get(message(t, 1).Encode())(t)
		request := must.Get(retryablehttp.NewRequest(http.MethodPost, server.URL+"/messages", body))(t)
		request.Header.Set("Ocp-Apim-Subscription-Key", secretKey)
		var log strings.Builder
		client := retryablehttp.NewClient()
		if kind == appiotest.Silent {
			client.HTTPClient.Timeout = 300 * time.Millisecond
		}
		client.RetryWaitMin, client.RetryWaitMax = time.Millisecond, time.Millisecond
		client.Logger = printf{&log}
		resp, err := client.Do(request)
		if err == nil {
			_ = resp.Body.Close()
		}
		assert.Error(t, err)
		for deadline := time.Now().Add(10 * time.Second); len(server.Deliveries()) < 5 && time.Now().Before(deadline); {
			runtime.Gosched() // the server may be behind a client that gave up on it
		}
		assert.Len(t, server.Deliveries(), 5, kind)
		assert.Contains(t, log.String(), server.URL+"/messages")
		server.Close()
	}
}

// printf is the kind of logger that the library takes.
type printf struct{ to io.Writer }

func (p printf) Printf(format string, args ...any) {
	for _, arg := range append(args, format) {
		if s, ok := arg.(string); ok {
			_, _ = io.WriteString(p.to, s+" ")
		}
	}
}
