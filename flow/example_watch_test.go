package flow_test

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/flow"
)

// A web page follows a flow by server-sent events. Its script closes the EventSource at the event
// "fine"; otherwise the browser would connect again. The stream lasts as long as the sending, so the
// server must have no WriteTimeout, and its Shutdown waits for the stream: before it, end the context
// of the requests, which is that of BaseContext.
func ExampleService_Watch() {
	o := newOffice()
	defer o.server.Close()
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id, err := uuid.Parse(strings.TrimPrefix(r.URL.Path, "/flows/"))
		if err != nil {
			http.NotFound(w, r)
			return
		}
		events := http.NewResponseController(w)
		send := func(event, text string) error {
			fmt.Fprintf(w, "event: %s\ndata: %s\n\n", event, strings.ReplaceAll(text, "\n", " "))
			return events.Flush()
		}
		var text string
		for now, err := range o.Watch(r.Context(), o.operator, id) { // the operator who is logged in
			event := "stato"
			text = fmt.Sprintf("%s: %d di %d", now.Flow.State.Label(), now.Flow.Counts.Sent, now.Flow.Counts.Total())
			if now.TimeLeft > 0 {
				text += fmt.Sprintf(", ancora %.0f s", now.TimeLeft.Seconds())
			}
			switch {
			case err != nil && w.Header().Get("Content-Type") == "": // such as a flow that the operator may not read
				http.Error(w, flussi.Explain(err), flussi.HTTPStatus(err))
				return
			case err != nil: // after an error of the store, the loop goes on
				event, text = "errore", flussi.Explain(err)
			}
			w.Header().Set("Content-Type", "text/event-stream")
			if send(event, text) != nil {
				return
			}
		}
		if r.Context().Err() == nil { // otherwise the browser connects again, such as after a restart of the server
			_ = send("fine", text)
		}
	}))
	defer page.Close()

	ctx := context.Background()
	rows := flow.DraftRows(letter("AAAAAA00A00A000A"), letter("MSCMHL68P18H211K"))
	f, _, _ := o.ImportFlow(ctx, o.operator, "tributi", flow.Details{}, rows, flow.AddConfig{})
	response, err := http.Get(page.URL + "/flows/" + f.ID.String())
	if err != nil {
		fmt.Println(err)
		return
	}
	defer response.Body.Close()
	lines := bufio.NewScanner(response.Body)
	for first, over := true, false; lines.Scan(); first = false {
		if over = over || lines.Text() == "event: fine"; over {
			fmt.Println(lines.Text())
		}
		if first { // the page is connected
			o.sends(f)
		}
	}
	// Output:
	// event: fine
	// data: Inviato: 2 di 2
}
