package main

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/attribute"
	exporter "go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	"go.opentelemetry.io/otel/sdk/trace"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/flow/memstore"
)

// app is a program that sends messages, with its telemetry. Close it.
type app struct {
	service    *flow.Service
	dispatcher *flow.Dispatcher
	operator   flussi.Actor
	metrics    http.Handler // for Prometheus
	meters     *metric.MeterProvider
	tracers    *trace.TracerProvider
}

// newApp returns an app for the platform at an address, which the transport reaches; nil: the
// default one. The processors receive its spans.
func newApp(address string, key flussi.Key, base http.RoundTripper, spans ...trace.SpanProcessor) (*app, error) {
	registry := prometheus.NewRegistry()
	reader, err := exporter.New(exporter.WithRegisterer(registry), exporter.WithoutScopeInfo())
	if err != nil {
		return nil, err
	}
	program := resource.NewSchemaless(attribute.String("service.name", "flussi-metrics"))
	a := &app{
		operator: flussi.Actor{ID: "m.neri", Roles: []flussi.Role{flussi.Operator}},
		metrics:  promhttp.HandlerFor(registry, promhttp.HandlerOpts{}),
		meters:   metric.NewMeterProvider(metric.WithReader(reader), metric.WithResource(program)),
	}
	options := []trace.TracerProviderOption{trace.WithResource(program)}
	for _, processor := range spans {
		options = append(options, trace.WithSpanProcessor(processor))
	}
	a.tracers = trace.NewTracerProvider(options...)
	t, err := newTelemetry(a.meters, a.tracers)
	if err != nil {
		return nil, err
	}
	// The spans of requests are children of the spans of messages. The URL that reads the state of a
	// message has the fiscal code of its citizen, which MaskedTransport hides from otelhttp.
	transport := appio.MaskedTransport(base, func(base http.RoundTripper) http.RoundTripper {
		return otelhttp.NewTransport(base, otelhttp.WithTracerProvider(a.tracers), otelhttp.WithMeterProvider(a.meters))
	})
	client, err := appio.New(key, appio.Config{
		BaseURL: address, HTTPClient: &http.Client{Transport: transport, Timeout: 30 * time.Second}, Attempted: t.attempted,
	})
	if err != nil {
		return nil, err
	}
	senders := func(context.Context, string) (flow.Sender, error) { return client, nil }
	store := memstore.New()
	operators := flow.Permissions{a.operator.ID: {"tributi"}}
	a.service, err = flow.NewService(store, operators, senders, flow.ServiceConfig{Observer: t.observer()})
	if err != nil {
		return nil, err
	}
	a.dispatcher, err = flow.NewDispatcher(store, senders, flow.DispatcherConfig{Observer: t.observer()})
	return a, err
}

// close exports the spans and metrics that were not exported yet.
func (a *app) close(ctx context.Context) error {
	return errors.Join(a.tracers.Shutdown(ctx), a.meters.Shutdown(ctx))
}
