package main

import (
	"context"
	"errors"
	"strconv"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/flow"
)

// telemetry makes metrics and spans from the reports of clients, services and dispatchers. The names
// follow the conventions of OpenTelemetry: in Prometheus, flussi.submissions is
// flussi_submissions_total.
type telemetry struct {
	tracer trace.Tracer

	submissions        metric.Int64Counter       // by service and outcome
	active             metric.Int64UpDownCounter // submissions under way, by service
	submissionDuration metric.Float64Histogram   // by service and outcome, with the wait for the pace
	attempts           metric.Int64Counter       // by operation and status
	attemptDuration    metric.Float64Histogram   // by operation and status
	paceWait           metric.Float64Histogram   // by operation
	requested, claimed metric.Int64Counter       // notifications of claims, by service
	alreadySent        metric.Int64Counter       // notifications of claims that were not sent, by service
	claimWait          metric.Float64Histogram   // the wait for one of the MaxStoreCalls
	rescued            metric.Int64Counter       // by service
	storeDuration      metric.Float64Histogram   // by method and result
	flows              metric.Int64UpDownCounter // running or waiting, by service, state and reason
	changes            metric.Int64Counter       // changes of the sending of flows, by service, state and reason
}

// newTelemetry makes the instruments.
func newTelemetry(meters metric.MeterProvider, tracers trace.TracerProvider) (*telemetry, error) {
	const name = "github.com/flussi-go/flussi/examples/metrics"
	m := meters.Meter(name)
	var faults []error
	counter := func(name, unit, description string) metric.Int64Counter {
		c, err := m.Int64Counter(name, metric.WithUnit(unit), metric.WithDescription(description))
		faults = append(faults, err)
		return c
	}
	gauge := func(name, unit, description string) metric.Int64UpDownCounter {
		g, err := m.Int64UpDownCounter(name, metric.WithUnit(unit), metric.WithDescription(description))
		faults = append(faults, err)
		return g
	}
	seconds := func(name, description string) metric.Float64Histogram {
		h, err := m.Float64Histogram(name, metric.WithUnit("s"), metric.WithDescription(description),
			metric.WithExplicitBucketBoundaries(0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60))
		faults = append(faults, err)
		return h
	}
	t := &telemetry{
		tracer:             tracers.Tracer(name),
		submissions:        counter("flussi.submissions", "{submission}", "Submissions of messages that ended."),
		active:             gauge("flussi.submission.active", "{submission}", "Submissions under way."),
		submissionDuration: seconds("flussi.submission.duration", "Duration of submissions, with all waits."),
		attempts:           counter("flussi.attempts", "{attempt}", "Attempts of calls to the platform."),
		attemptDuration:    seconds("flussi.attempt.duration", "Duration of requests to the platform."),
		paceWait:           seconds("flussi.pace.wait", "Time that attempts waited for the pace of the body."),
		requested:          counter("flussi.claim.requested", "{notification}", "Notifications that claims asked for."),
		claimed:            counter("flussi.claim.claimed", "{notification}", "Notifications that were claimed to be sent."),
		alreadySent:        counter("flussi.claim.already_sent", "{notification}", "Notifications not sent, since the citizen may have the message."),
		claimWait:          seconds("flussi.claim.wait", "Time that claims waited for their turn at the store."),
		rescued:            counter("flussi.leases.rescued", "{notification}", "Notifications whose sender did not report an outcome."),
		storeDuration:      seconds("flussi.store.call.duration", "Duration of calls of the store."),
		flows:              gauge("flussi.sending.flows", "{flow}", "Flows that are being sent, or wait."),
		changes:            counter("flussi.sending.changes", "{change}", "Changes of how flows are sent."),
	}
	return t, errors.Join(faults...)
}

// observer returns the observer of services and dispatchers.
func (t *telemetry) observer() flow.Observer {
	return flow.Observer{
		SubmissionStarted: t.submissionStarted,
		SubmissionEnded:   t.submissionEnded,
		Claimed: func(ctx context.Context, c flow.ClaimResult) {
			service := metric.WithAttributes(attribute.String("service", c.Service))
			t.requested.Add(ctx, int64(c.Requested), service)
			t.claimed.Add(ctx, int64(c.Claimed), service)
			t.alreadySent.Add(ctx, int64(c.AlreadySent), service)
			t.claimWait.Record(ctx, c.Waited.Seconds())
		},
		LeaseRescued: func(ctx context.Context, l flow.RescuedLease) {
			t.rescued.Add(ctx, 1, metric.WithAttributes(attribute.String("service", l.Service)))
		},
		StoreCalled: func(ctx context.Context, c flow.StoreCall) {
			t.storeDuration.Record(ctx, c.Took.Seconds(), metric.WithAttributes(
				attribute.String("method", c.Method), attribute.String("result", string(c.Result))))
		},
		SendingChanged: func(ctx context.Context, c flow.SendingChange) {
			t.addFlow(ctx, -1, c.Service, c.From, c.FromReason)
			t.addFlow(ctx, 1, c.Service, c.To, c.Reason)
			t.changes.Add(ctx, 1, sending(c.Service, c.To, c.Reason))
		},
	}
}

// addFlow adds to the number of flows that are running or waiting; n is 1 or -1.
func (t *telemetry) addFlow(ctx context.Context, n int64, service string, state flow.SendingState, reason flow.SendingReason) {
	if state == flow.SendingRunning || state == flow.SendingWaiting {
		t.flows.Add(ctx, n, sending(service, state, reason))
	}
}

func sending(service string, state flow.SendingState, reason flow.SendingReason) metric.MeasurementOption {
	return metric.WithAttributes(attribute.String("service", service),
		attribute.String("state", string(state)), attribute.String("reason", string(reason)))
}

// submissionStarted begins the span of a message. The spans of its requests are its children.
func (t *telemetry) submissionStarted(ctx context.Context, s flow.Submission) context.Context {
	t.active.Add(ctx, 1, metric.WithAttributes(attribute.String("service", s.Service)))
	ctx, _ = t.tracer.Start(ctx, "submit notification", trace.WithAttributes(
		attribute.Stringer("flussi.notification.id", s.NotificationID),
		attribute.Stringer("flussi.flow.id", s.FlowID),
		attribute.String("flussi.service", s.Service),
	))
	return ctx
}

// submissionEnded ends the span of a message.
func (t *telemetry) submissionEnded(ctx context.Context, s flow.Submission, r flow.SubmissionResult) {
	service, outcome := attribute.String("service", s.Service), string(r.Outcome)
	t.active.Add(ctx, -1, metric.WithAttributes(service))
	kind := metric.WithAttributes(service, attribute.String("outcome", outcome))
	t.submissions.Add(ctx, 1, kind)
	t.submissionDuration.Record(ctx, r.Took.Seconds(), kind)
	span := trace.SpanFromContext(ctx)
	span.SetAttributes(attribute.String("flussi.outcome", outcome), attribute.Int("flussi.attempts", r.Attempts))
	if r.Outcome != flow.SubmissionAccepted {
		span.SetStatus(codes.Error, outcome)
	}
	span.End()
}

// attempted counts an attempt of a call, and adds it to the span of the message.
func (t *telemetry) attempted(ctx context.Context, a flussi.Attempt) {
	operation, status := attribute.String("operation", a.Operation), strconv.Itoa(a.Status)
	switch {
	case a.Took == 0:
		status = "not made"
	case a.Status == 0:
		status = "no reply"
	}
	kind := metric.WithAttributes(operation, attribute.String("status", status))
	t.attempts.Add(ctx, 1, kind)
	t.paceWait.Record(ctx, a.Waited.Seconds(), metric.WithAttributes(operation))
	if a.Took > 0 {
		t.attemptDuration.Record(ctx, a.Took.Seconds(), kind)
	}
	trace.SpanFromContext(ctx).AddEvent("attempt", trace.WithAttributes(
		operation, attribute.Int("number", a.Number), attribute.String("status", status),
		attribute.Float64("waited_seconds", a.Waited.Seconds()), attribute.Float64("took_seconds", a.Took.Seconds()),
	))
}
