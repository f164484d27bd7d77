package main

import (
	"cmp"
	"net/http"
	"strings"
	"time"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/pagoinrete/restgateway/restgatewaytest"
)

// servePagoInRete lets the simulator answer a call, and logs the answer, without fiscal codes,
// notice numbers and keys.
func (s *sandbox) servePagoInRete(w http.ResponseWriter, r *http.Request) {
	began := time.Now()
	key, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	answered := &answerWriter{ResponseWriter: w}
	defer func() {
		reply := answered.answer()
		reply.HasID = true // it needs none
		s.journal.printf("%s %s %s: %s", clock(began), cmp.Or(s.schools[key], "(credenziale sconosciuta)"), labelOf(string(paymentOf(r))), reply.italian())
		if answered.status == 0 && !answered.broken {
			panic(http.ErrAbortHandler) // net/http would answer 200 otherwise
		}
	}()
	s.payments.ServeHTTP(answered, r)
}

// paymentOf returns the operation of a request to Pago In Rete, "" for a path that it does not
// have.
func paymentOf(r *http.Request) restgatewaytest.Operation {
	parts := strings.Split(strings.TrimPrefix(r.URL.Path, restgatewaytest.BasePath+"/schools/"), "/")
	if len(parts) < 3 || len(parts) > 4 {
		return ""
	}
	last := ""
	if len(parts) == 4 {
		last = parts[3]
	}
	switch shape := r.Method + " " + parts[1]; {
	case shape == "PUT events" && last == "":
		return restgatewaytest.PutEvent
	case shape == "GET events" && last == "":
		return restgatewaytest.GetEvent
	case shape == "POST events" && last != "":
		return restgatewaytest.MoveEvent
	case shape == "PUT notices" && last == "":
		return restgatewaytest.PutNotice
	case shape == "POST notices" && parts[2] == "query":
		return restgatewaytest.GetNotices
	case shape == "POST notices" && last != "":
		return restgatewaytest.MoveNotice
	case shape == "GET notices" && last == "pdf":
		return restgatewaytest.GetPDF
	case shape == "GET notices" && last == "receipt":
		return restgatewaytest.GetReceipt
	}
	return ""
}

// logIn lets the payers of all notices log in, and returns their number.
func (s *sandbox) logIn() int {
	payers := map[flussi.FiscalCode]bool{}
	for _, n := range s.payments.Notices() {
		if !n.Payer.IsZero() {
			payers[n.Payer] = true
			s.payments.LogIn(n.Payer)
		}
	}
	s.journal.printf("%s famiglie che hanno fatto l'accesso a Pago In Rete: %d", clock(time.Now()), len(payers))
	return len(payers)
}

// payAll pays all notices that can be paid, and returns their number.
func (s *sandbox) payAll() int {
	paid := 0
	for _, n := range s.payments.Notices() {
		if s.payments.Pay(n.ID, n.Due) {
			paid++
		}
	}
	s.journal.printf("%s avvisi pagati su Pago In Rete: %d", clock(time.Now()), paid)
	return paid
}

// paymentsJSON is the state of the simulator of Pago In Rete.
type paymentsJSON struct {
	BaseURL  string                              `json:"base_url"`
	Schools  []string                            `json:"schools"`
	Received map[restgatewaytest.Operation]int   `json:"received"`
	Events   map[restgatewaytest.EventState]int  `json:"events"` // by state
	Notices  map[restgatewaytest.NoticeState]int `json:"notices"`
}

func (s *sandbox) paymentsState() paymentsJSON {
	state := paymentsJSON{
		BaseURL: s.address + restgatewaytest.BasePath, Schools: s.codes,
		Received: map[restgatewaytest.Operation]int{}, Events: map[restgatewaytest.EventState]int{}, Notices: map[restgatewaytest.NoticeState]int{},
	}
	for _, op := range restgatewaytest.Operations() {
		state.Received[op] = s.payments.Received(op)
	}
	for _, e := range s.payments.Events() {
		state.Events[e.State]++
	}
	for _, n := range s.payments.Notices() {
		state.Notices[n.State]++
	}
	return state
}

// paymentRow is an event in the table of the page.
type paymentRow struct {
	ID, School, State string
	Notices, Unpaid   int
}

// paymentRows returns the latest events, the latest first.
func (s *sandbox) paymentRows() []paymentRow {
	events := s.payments.Events()
	events = events[max(0, len(events)-shownDeliveries):]
	at := map[string]int{}
	rows := make([]paymentRow, len(events))
	for i, e := range events {
		place := len(events) - 1 - i
		rows[place] = paymentRow{ID: e.ID.String(), School: e.School, State: string(e.State)}
		at[e.ID.String()] = place
	}
	for _, n := range s.payments.Notices() {
		place, shown := at[n.Event.String()]
		if !shown {
			continue
		}
		rows[place].Notices++
		switch n.State {
		case restgatewaytest.NoticeNotNotified, restgatewaytest.NoticeNotified, restgatewaytest.NoticeAwaitingReceipt:
			rows[place].Unpaid++
		}
	}
	return rows
}
