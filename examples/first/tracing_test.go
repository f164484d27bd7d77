package main

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio"
	"github.com/flussi-go/flussi/appio/appiotest"
)

// traced sends a message, reads it back and reads a profile, by
// an http.Client. It returns all texts of the spans.
func traced(t *testing.T, client func(trace *trace.TracerProvider) *http.Client, unreachable bool) []string {
	platform := appiotest.NewServer(appiotest.Config{})
	defer platform.Close()
	platform.AddService(appiotest.Service{ID: "tributi", Key: "a-key"})
	spans := tracetest.NewSpanRecorder()
	provider := trace.NewTracerProvider(trace.WithSpanProcessor(spans))
	defer func() { assert.NoError(t, provider.Shutdown(t.Context())) }()
	key, err := flussi.ParseKey("a-key")
	require.NoError(t, err)
	c, err := appio.New(key, appio.Config{BaseURL: platform.URL, HTTPClient: client(provider), MaxAttempts: 1})
	require.NoError(t, err)

	citizen := appiotest.SampleCitizen(7)
	id := appio.MessageID("01JN6Q5CZ3VGTA4X4QJEFR95C1")
	if unreachable {
		platform.Close()
	} else {
		receipt, err := c.Submit(t.Context(), appio.Message{
			To: citizen, Subject: flussi.NewText("Scadenza della TARI"), Content: flussi.NewText(strings.Repeat("La rata scade il 16 giugno. ", 4)),
		})
		require.NoError(t, err)
		id = receipt.ID
	}
	state, err := c.Message(t.Context(), citizen, id)
	assert.Equal(t, unreachable, err != nil)
	assert.Equal(t, !unreachable, state.Status == appio.StatusProcessed)
	_, err = c.Profile(t.Context(), citizen)
	assert.Equal(t, unreachable, err != nil)

	var texts []string
	add := func(name string, attributes []attribute.KeyValue) {
		texts = append(texts, name)
		for _, a := range attributes {
			texts = append(texts, string(a.Key)+"="+a.Value.Emit())
		}
	}
	for _, span := range spans.Ended() {
		add(span.Name(), span.Attributes())
		texts = append(texts, span.Status().Description)
		for _, event := range span.Events() {
			add(event.Name, event.Attributes)
		}
	}
	return texts
}

// Reading a message has the recipient's fiscal code in its path. The real otelhttp records it, unless
// it is within MaskedTransport.
func TestTracesShowNoFiscalCode(t *testing.T) {
	citizen := appiotest.SampleCitizen(7).Reveal()
	base := &http.Transport{}
	defer base.CloseIdleConnections()
	instrument := func(provider *trace.TracerProvider) func(http.RoundTripper) http.RoundTripper {
		return func(next http.RoundTripper) http.RoundTripper {
			return otelhttp.NewTransport(next, otelhttp.WithTracerProvider(provider),
				otelhttp.WithSpanNameFormatter(func(_ string, r *http.Request) string { return r.Method + " " + r.URL.Path }))
		}
	}
	bare := func(p *trace.TracerProvider) *http.Client { return &http.Client{Transport: instrument(p)(base)} }
	masked := func(p *trace.TracerProvider) *http.Client {
		return &http.Client{Transport: appio.MaskedTransport(base, instrument(p))}
	}
	assert.Contains(t, strings.Join(traced(t, bare, false), "\n"), citizen, "or the test proves nothing")
	for _, unreachable := range []bool{false, true} {
		texts := strings.Join(traced(t, masked, unreachable), "\n")
		assert.NotContains(t, texts, citizen)
		assert.Contains(t, texts, "GET /api/v1/messages/:fiscal_code/:id\n")
		assert.Regexp(t, `url\.full=http://127\.0\.0\.1:[0-9]+/api/v1/messages/:fiscal_code/:id\n`, texts)
	}
}
