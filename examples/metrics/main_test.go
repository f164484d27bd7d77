package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/stdout/stdouttrace"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio/appiotest"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/leaktest"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/internal/pipenet"
)

const secretKey = "chiave-segretissima"

// world is an app, and the platform that it sends to.
type world struct {
	*app
	*appiotest.Simulator
	spans   *tracetest.SpanRecorder
	written *bytes.Buffer // spans as JSON
}

func newWorld(t *testing.T) *world {
	w := &world{Simulator: appiotest.New(appiotest.Config{}), spans: tracetest.NewSpanRecorder(), written: &bytes.Buffer{}}
	w.AddService(appiotest.Service{ID: "tributi", Key: secretKey})
	transport, closeAll := pipenet.Serve(w.Simulator)
	t.Cleanup(closeAll)
	exporter := must.Get(stdouttrace.New(stdouttrace.WithWriter(w.written)))(t)
	key := must.Get(flussi.ParseKey(secretKey))(t)
	w.app = must.Get(newApp("http://localhost"+appiotest.BasePath, key, transport, w.spans, sdk.NewSimpleSpanProcessor(exporter)))(t)
	t.Cleanup(func() { assert.NoError(t, w.close(context.Background())) })
	return w
}

// scraped is what Prometheus reads.
type scraped struct {
	text     string
	families map[string]*dto.MetricFamily
}

// scrape reads the metrics over HTTP.
func (w *world) scrape(t *testing.T) scraped {
	t.Helper()
	transport, closeAll := pipenet.Serve(w.metrics)
	defer closeAll()
	response := must.Get((&http.Client{Transport: transport}).Get("http://localhost/metrics"))(t)
	defer response.Body.Close()
	require.Equal(t, http.StatusOK, response.StatusCode)
	text := string(must.Get(io.ReadAll(response.Body))(t))
	parser := expfmt.NewTextParser(model.UTF8Validation)
	return scraped{text, must.Get(parser.TextToMetricFamilies(strings.NewReader(text)))(t)}
}

// sum returns the sum of a metric over the series that have some labels, such as "status", "429":
// the value of a counter or a gauge, the count of a histogram.
func (s scraped) sum(t *testing.T, name string, labels ...string) int {
	t.Helper()
	family := s.families[name]
	require.NotNil(t, family, name)
	sum := 0.0
	for _, m := range family.Metric {
		has := map[string]string{}
		for _, l := range m.Label {
			has[l.GetName()] = l.GetValue()
		}
		matches := true
		for i := 0; i < len(labels); i += 2 {
			matches = matches && has[labels[i]] == labels[i+1]
		}
		if matches {
			sum += m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())
		}
	}
	return int(sum)
}

// seconds returns the sum of all values of a histogram.
func (s scraped) seconds(name string) (sum float64) {
	for _, m := range s.families[name].GetMetric() {
		sum += m.GetHistogram().GetSampleSum()
	}
	return sum
}

func TestMetricsAgreeWithThePlatform(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		refused := appiotest.Fault{Kind: appiotest.Unprocessable}
		throttled, unknown := appiotest.Fault{Kind: appiotest.TooManyRequests}, appiotest.Fault{Kind: appiotest.ServerError}
		w.FailAtRandom(appiotest.SubmitMessage, 1, 1, appiotest.Fault{Kind: appiotest.Slow, Delay: 50 * time.Millisecond})
		w.Fail(appiotest.SubmitMessage, throttled, appiotest.Fault{}, refused, throttled, unknown, refused)
		f := must.Get(w.order(t.Context(), 300))(t)
		start := time.Now()
		ended := make(chan error, 1)
		go func() {
			_, err := w.dispatcher.Run(t.Context(), f.ID)
			ended <- err
		}()
		time.Sleep(3 * time.Second)
		during := w.scrape(t)
		assert.Equal(t, 1, during.sum(t, "flussi_sending_flows", "state", "running"))
		assert.LessOrEqual(t, during.sum(t, "flussi_submission_active"), 16)
		require.NoError(t, <-ended)
		took := time.Since(start)
		// A notification of its own, to a citizen who is not in the flow.
		n, err := w.service.SendNewNotification(t.Context(), w.operator, "tributi", flow.Draft{
			Recipient: appiotest.SampleCitizen(1000), Subject: flussi.NewText("Scadenza della TARI"), Content: flussi.NewText(strings.Repeat("La rata scade il 16 giugno. ", 5)),
		}, flow.SendNewConfig{})
		require.NoError(t, err)
		report := must.Get(w.service.VerifyFlow(t.Context(), w.operator, f.ID))(t)
		f = must.Get(w.service.Flow(t.Context(), w.operator, f.ID))(t)

		got := w.scrape(t)
		assert.Equal(t, flow.Counts{Sent: 297, Failed: 3}, f.Counts)
		assert.Equal(t, flow.NotificationSent, n.State)
		for outcome, want := range map[flow.SubmissionOutcome]int{
			flow.SubmissionAccepted: len(w.Deliveries()), flow.SubmissionRefused: 2, flow.SubmissionUnknown: 1, flow.SubmissionThrottled: 0,
		} {
			assert.Equal(t, want, got.sum(t, "flussi_submissions_total", "outcome", string(outcome), "service", "tributi"), outcome)
		}
		assert.Equal(t, 301, got.sum(t, "flussi_submissions_total"))
		assert.Equal(t, 301, got.sum(t, "flussi_submission_duration_seconds"))
		assert.Zero(t, got.sum(t, "flussi_submission_active"))
		submitted, read := w.Received(appiotest.SubmitMessage), w.Received(appiotest.GetMessage)
		assert.Equal(t, 303, submitted)
		assert.Equal(t, report.Asked, read)
		assert.Equal(t, submitted, got.sum(t, "flussi_attempts_total", "operation", "submit message"))
		assert.Equal(t, read, got.sum(t, "flussi_attempts_total", "operation", "get message"))
		assert.Equal(t, 2+w.Limited(), got.sum(t, "flussi_attempts_total", "status", "429"))
		assert.Equal(t, submitted+read, got.sum(t, "flussi_attempt_duration_seconds"))
		assert.Equal(t, submitted+read, got.sum(t, "http_client_request_duration_seconds"), "otelhttp counts the same requests")
		assert.Equal(t, submitted+read, got.sum(t, "flussi_pace_wait_seconds"))
		assert.InDelta(t, 0.05*300, got.seconds("flussi_attempt_duration_seconds"), 3)
		assert.Greater(t, got.seconds("flussi_pace_wait_seconds"), 0.5*took.Seconds(), "the pace is what limits the sending")
		assert.Equal(t, 300, got.sum(t, "flussi_claim_claimed_total"))
		assert.GreaterOrEqual(t, got.sum(t, "flussi_claim_requested_total"), 300)
		assert.Zero(t, got.sum(t, "flussi_claim_already_sent_total"))
		assert.Positive(t, got.sum(t, "flussi_store_call_duration_seconds", "method", "SaveAndClaim", "result", "ok"))
		assert.Equal(t, 1, got.sum(t, "flussi_store_call_duration_seconds", "method", "SaveImport"))
		assert.Zero(t, got.sum(t, "flussi_sending_flows"))
		assert.Equal(t, 1, got.sum(t, "flussi_sending_changes_total", "state", "ended", "reason", "incomplete"))
	})
}

// Names have the units and suffixes that Prometheus expects.
func TestMetricsKeepTheConventions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		f := must.Get(w.order(t.Context(), 10))(t)
		must.Get(w.dispatcher.Run(t.Context(), f.ID))(t)
		got := w.scrape(t)
		problems := must.Get(promlint.New(strings.NewReader(got.text)).Lint())(t)
		assert.Empty(t, problems)
		ours := 0
		for name, family := range got.families {
			if !strings.HasPrefix(name, "flussi_") {
				continue
			}
			ours++
			assert.NotEmpty(t, family.GetHelp(), name)
			assert.Equal(t, family.GetType() == dto.MetricType_COUNTER, strings.HasSuffix(name, "_total"), name)
			assert.Equal(t, family.GetType() == dto.MetricType_HISTOGRAM, strings.HasSuffix(name, "_seconds"), name)
		}
		assert.Equal(t, 13, ours)
		documented := regexp.MustCompile(`flussi_\w+`).FindAllString(string(must.Get(os.ReadFile("../../docs/operations.md"))(t)), -1)
		require.NotEmpty(t, documented)
		for _, name := range documented {
			if name != "flussi_leases_rescued_total" { // nothing was rescued
				assert.Contains(t, got.families, name)
			}
		}
	})
}

// Prometheus keeps each series, so their number depends on services and outcomes, not on messages.
func TestMessagesAddNoSeries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		f := must.Get(w.order(t.Context(), 5))(t)
		must.Get(w.dispatcher.Run(t.Context(), f.ID))(t)
		series := func() (n int) {
			for _, family := range w.scrape(t).families {
				n += len(family.Metric)
			}
			return n
		}
		send := func(from, to int) {
			for i := from; i < to; i++ {
				must.Get(w.service.SendNewNotification(t.Context(), w.operator, "tributi", flow.Draft{
					Recipient: appiotest.SampleCitizen(i), Subject: flussi.NewText("Scadenza della TARI"), Content: flussi.NewText(strings.Repeat("La rata scade il 16 giugno. ", 5)),
				}, flow.SendNewConfig{}))(t)
			}
		}
		send(1000, 1001)
		before := series()
		send(1001, 1100)
		assert.Equal(t, before, series())
	})
}

func TestEachMessageHasASpanWithItsRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.Fail(appiotest.SubmitMessage, appiotest.Fault{Kind: appiotest.TooManyRequests}, appiotest.Fault{Kind: appiotest.ServerError})
		f := must.Get(w.order(t.Context(), 20))(t)
		must.Get(w.dispatcher.Run(t.Context(), f.ID))(t)
		messages, requests := map[string]sdk.ReadOnlySpan{}, map[string]int{}
		for _, span := range w.spans.Ended() {
			if span.Name() == "submit notification" {
				messages[span.SpanContext().SpanID().String()] = span
			} else {
				requests[span.Parent().SpanID().String()]++
			}
		}
		seen := map[string]bool{}
		failed, attempts := 0, 0
		for id, span := range messages {
			has := map[attribute.Key]string{}
			for _, a := range span.Attributes() {
				has[a.Key] = a.Value.Emit()
			}
			notification := must.Get(uuid.Parse(has["flussi.notification.id"]))(t)
			n := must.Get(w.service.Notification(t.Context(), w.operator, notification))(t)
			assert.Equal(t, f.ID.String(), has["flussi.flow.id"])
			assert.Equal(t, "tributi", has["flussi.service"])
			assert.Equal(t, fmt.Sprint(n.Transmission.Attempts), has["flussi.attempts"])
			assert.Equal(t, n.Transmission.Attempts, requests[id], "the spans of its requests are its children")
			assert.Len(t, span.Events(), n.Transmission.Attempts)
			assert.Equal(t, n.State == flow.NotificationFailed, span.Status().Code == codes.Error)
			if n.State == flow.NotificationFailed {
				failed++
				assert.Equal(t, string(flow.SubmissionUnknown), span.Status().Description)
			}
			attempts += requests[id]
			seen[has["flussi.notification.id"]] = true
		}
		assert.Len(t, seen, 20)
		assert.Equal(t, 1, failed)
		assert.Equal(t, 21, attempts)
		assert.Equal(t, attempts, w.Received(appiotest.SubmitMessage))
	})
}

// The test makes every fault of the platform, and checks all parts of spans: attributes, events and
// status descriptions, also of the HTTP client's spans.
func TestTelemetryShowsNothingPersonal(t *testing.T) {
	shown := leaktest.New()
	secrets := []string{secretKey, "Scadenza della TARI", "La prima rata", "Notasegretissima"}
	for i := range 5 {
		secrets = append(secrets, appiotest.SampleCitizen(i).Reveal())
	}
	synctest.Test(t, func(t *testing.T) {
		for _, fault := range append(appiotest.Faults(), appiotest.Fault{}) {
			w := newWorld(t)
			f := must.Get(w.order(t.Context(), 5))(t)
			if fault.Kind != "" {
				w.FailAtRandom(appiotest.SubmitMessage, 0.5, 1, fault)
				w.FailAtRandom(appiotest.GetMessage, 0.5, 1, fault)
				w.FailAtRandom(appiotest.GetProfile, 0.5, 1, fault)
			}
			_, err := w.dispatcher.Run(t.Context(), f.ID)
			_ = shown.PrintError(err)
			f = must.Get(w.service.EditFlow(t.Context(), w.operator, f.ID, must.Get(w.service.Flow(t.Context(), w.operator, f.ID))(t).Version,
				flow.Details{Note: flussi.NewText("Notasegretissima")}))(t)
			for _, err := range w.service.CheckRecipients(t.Context(), w.operator, f.ID, flow.Cursor{}) {
				_ = shown.PrintError(err)
			}
			_, err = w.service.VerifyFlow(t.Context(), w.operator, f.ID)
			_ = shown.PrintError(err)
			fmt.Fprintln(shown, w.scrape(t).text, w.written.String())
			for _, span := range w.spans.Ended() {
				shown.Print(span.Name(), span.Attributes(), span.Events(), span.Status(), span.Resource().String())
			}
		}
	})
	shown.Check(t, secrets...)
}

func TestTheProgramServesItsMetrics(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	reader, writer := io.Pipe()
	ended := make(chan error, 1)
	var spans bytes.Buffer
	go func() {
		ended <- run(ctx, "localhost:0", 3, &spans, writer)
		writer.Close()
	}()
	var address string
	must.Get(fmt.Fscanf(reader, "Metriche: %s\n", &address))(t)
	said := make([]byte, 100)
	n := must.Get(reader.Read(said))(t)
	assert.Contains(t, string(said[:n]), " di 3. Per terminare: Ctrl-C.")
	response := must.Get(http.Get(address))(t)
	text := string(must.Get(io.ReadAll(response.Body))(t))
	require.NoError(t, response.Body.Close())
	assert.Contains(t, text, `flussi_claim_claimed_total{service="tributi"} 3`)
	cancel()
	require.NoError(t, <-ended)
	assert.Contains(t, spans.String(), `"Name":"submit notification"`)
}

func TestTheProgramEndsWhileItSends(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	reader, writer := io.Pipe()
	ended := make(chan error, 1)
	go func() { ended <- run(ctx, "localhost:0", 10_000, io.Discard, writer) }()
	var address string
	must.Get(fmt.Fscanf(reader, "Metriche: %s\n", &address))(t)
	cancel()
	assert.NoError(t, <-ended)
}
