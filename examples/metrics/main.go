// Command metrics shows the sending of a flow in metrics and traces of OpenTelemetry. It sends some
// messages to a simulator of App IO that fails now and then. It serves the metrics for Prometheus
// until Ctrl-C, and writes a span for each message to the standard output.
//
//	go run ./examples/metrics > spans.json
//	curl http://localhost:9464/metrics
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"time"

	"go.opentelemetry.io/otel/exporters/stdout/stdouttrace"
	"go.opentelemetry.io/otel/sdk/trace"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio/appiotest"
	"github.com/flussi-go/flussi/flow"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	log.SetOutput(flussi.MaskWriter(os.Stderr)) // net/http prints what it receives
	if err := run(ctx, "localhost:9464", 200, os.Stdout, os.Stderr); err != nil {
		log.Fatal(flussi.Explain(err), " (", err, ")")
	}
}

// run sends some messages, and serves the metrics at an address until the context ends.
func run(ctx context.Context, address string, messages int, spans, out io.Writer) error {
	platform := appiotest.NewServer(appiotest.Config{}) // instead of the real App IO
	defer platform.Close()
	platform.AddService(appiotest.Service{ID: "tributi", Key: "a-key"})
	platform.FailAtRandom(appiotest.SubmitMessage, 0.05, 1,
		appiotest.Fault{Kind: appiotest.TooManyRequests}, appiotest.Fault{Kind: appiotest.Unprocessable}, appiotest.Fault{Kind: appiotest.ServerError})
	exporter, err := stdouttrace.New(stdouttrace.WithWriter(spans)) // or otlptracehttp, to a collector
	if err != nil {
		return err
	}
	key, err := flussi.ParseKey("a-key")
	if err != nil {
		return err
	}
	a, err := newApp(platform.URL, key, nil, trace.NewBatchSpanProcessor(exporter))
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return errors.Join(err, a.close(ctx))
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", a.metrics)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second, ErrorLog: log.New(flussi.MaskWriter(os.Stderr), "", log.LstdFlags)}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	fmt.Fprintf(out, "Metriche: http://%s/metrics\n", listener.Addr())

	f, err := a.order(ctx, messages)
	if err == nil {
		f, err = a.dispatcher.Run(ctx, f.ID)
	}
	switch {
	case err == nil:
		fmt.Fprintf(out, "%s: %d di %d. Per terminare: Ctrl-C.\n", f.State.Label(), f.Counts.Sent, f.Counts.Total())
		<-ctx.Done()
	case ctx.Err() != nil:
		err = nil // Ctrl-C
	}
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	err = errors.Join(err, server.Shutdown(ending), a.close(ending))
	if ended := <-served; !errors.Is(ended, http.ErrServerClosed) {
		err = errors.Join(err, ended)
	}
	return err
}

// order composes a flow of messages, and orders its sending.
func (a *app) order(ctx context.Context, messages int) (flow.Flow, error) {
	drafts := make([]flow.Draft, messages)
	for i := range drafts {
		drafts[i] = flow.Draft{
			Recipient: appiotest.SampleCitizen(i), Subject: flussi.NewText("Scadenza della TARI"),
			Content: flussi.NewText(strings.Repeat("La prima rata della TARI scade il 16 giugno. ", 3)),
		}
	}
	f, _, err := a.service.ImportFlow(ctx, a.operator, "tributi", flow.Details{}, flow.DraftRows(drafts...), flow.AddConfig{})
	if err == nil {
		f, err = a.service.ActivateFlow(ctx, a.operator, f.ID)
	}
	if err == nil {
		f, err = a.service.SendFlow(ctx, a.operator, f.ID)
	}
	return f, err
}
