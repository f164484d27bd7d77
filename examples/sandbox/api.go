package main

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/flussi-go/flussi/appio/appiotest"
	"github.com/flussi-go/flussi/internal/italian"
)

// stateJSON is the state of the sandbox.
type stateJSON struct {
	Warning    string                      `json:"warning"`
	BaseURL    string                      `json:"base_url"`
	Services   []string                    `json:"services"`
	Received   map[appiotest.Operation]int `json:"received"`
	Deliveries int                         `json:"deliveries"`
	Accepted   int                         `json:"accepted"` // deliveries that wait to be processed
	Limited    int                         `json:"limited"`  // calls that were refused as too many
	Faults     []order                     `json:"faults"`   // on both platforms, since they were last removed
	PagoInRete paymentsJSON                `json:"pago_in_rete"`
}

// deliveryJSON is a stored message, without personal data.
type deliveryJSON struct {
	Number     int       `json:"number"` // from 1
	ID         string    `json:"id"`
	Service    string    `json:"service"`
	At         time.Time `json:"at"`
	Status     string    `json:"status"`
	HTTPStatus int       `json:"http_status"` // 0 without a complete answer
	Told       bool      `json:"told"`        // the client got the ID
}

// The limits of the API.
const (
	defaultDeliveries = 100
	maxDeliveries     = 1000
	maxBody           = 64 << 10 // bytes
)

func (s *sandbox) serveAPI(mux *http.ServeMux) {
	mux.HandleFunc("GET /sandbox/state", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, s.state())
	})
	mux.HandleFunc("GET /sandbox/deliveries", s.serveDeliveries)
	mux.HandleFunc("POST /sandbox/faults", s.serveOrder)
	mux.HandleFunc("DELETE /sandbox/faults", func(w http.ResponseWriter, _ *http.Request) {
		s.removeOrders()
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("POST /sandbox/process", func(w http.ResponseWriter, _ *http.Request) {
		s.process()
		w.WriteHeader(http.StatusNoContent)
	})
	for path, act := range map[string]func() int{"POST /sandbox/families/login": s.logIn, "POST /sandbox/families/pay": s.payAll} {
		mux.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) {
			writeJSON(w, http.StatusOK, map[string]int{"count": act()})
		})
	}
	mux.HandleFunc("/sandbox/", func(w http.ResponseWriter, _ *http.Request) {
		refuse(w, http.StatusNotFound, "Questa operazione non esiste: le operazioni sono elencate da go doc ./examples/sandbox.", nil)
	})
}

// state returns the state of the sandbox.
func (s *sandbox) state() stateJSON {
	all := s.simulator.Deliveries()
	state := stateJSON{
		Warning: warning, BaseURL: s.address + appiotest.BasePath, Services: s.names,
		Received: map[appiotest.Operation]int{}, Deliveries: len(all), Limited: s.simulator.Limited(), Faults: []order{},
		PagoInRete: s.paymentsState(),
	}
	for _, d := range all {
		if d.State.Status == "ACCEPTED" {
			state.Accepted++
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, name := range appIO.operations() {
		op := appiotest.Operation(name)
		state.Received[op] = s.received[op]
	}
	state.Faults = append(state.Faults, s.orders...)
	return state
}

// process processes the messages that are still ACCEPTED.
func (s *sandbox) process() {
	s.simulator.Process()
	s.journal.printf("%s messaggi in attesa elaborati", clock(time.Now()))
}

func (s *sandbox) serveDeliveries(w http.ResponseWriter, r *http.Request) {
	since, limit := 0, defaultDeliveries
	wrong := map[string]string{}
	for name, into := range map[string]*int{"since": &since, "limit": &limit} {
		text := r.FormValue(name)
		if text == "" {
			continue
		}
		number, err := strconv.Atoi(text)
		if err != nil || number < 0 {
			wrong[name] = "Deve essere un numero intero, da 0 in su."
		}
		*into = number
	}
	if wrong["limit"] == "" && (limit < 1 || limit > maxDeliveries) {
		wrong["limit"] = "Deve essere fra 1 e " + italian.Number(maxDeliveries) + "."
	}
	if len(wrong) > 0 {
		refuse(w, http.StatusUnprocessableEntity, "La richiesta non è valida.", wrong)
		return
	}
	all := s.deliveries()
	from := min(since, len(all))
	page := all[from:min(from+limit, len(all))]
	writeJSON(w, http.StatusOK, map[string]any{"deliveries": page, "next": from + len(page)})
}

// deliveries returns all deliveries, in their order, without personal data.
func (s *sandbox) deliveries() []deliveryJSON {
	stored := s.simulator.Deliveries()
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]deliveryJSON, len(stored))
	for i, d := range stored {
		reply := s.answers[d.ID]
		all[i] = deliveryJSON{Number: i + 1, ID: d.ID, Service: d.Service, At: d.At.UTC(), Status: d.State.Status, HTTPStatus: reply.Status, Told: reply.HasID}
	}
	return all
}

func (s *sandbox) serveOrder(w http.ResponseWriter, r *http.Request) {
	var o order
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
	decoder.DisallowUnknownFields()
	err := decoder.Decode(&o)
	if err == nil {
		if _, more := decoder.Token(); more != io.EOF {
			err = errors.New("more than one value")
		}
	}
	if err != nil {
		refuse(w, http.StatusBadRequest, "L'ordine non è valido: "+badJSON(err), nil)
		return
	}
	o, wrong := s.addOrder(o)
	if len(wrong) > 0 {
		refuse(w, http.StatusUnprocessableEntity, "L'ordine non è valido.", wrong)
		return
	}
	writeJSON(w, http.StatusCreated, o)
}

// badJSON returns in Italian why a text could not be decoded.
func badJSON(err error) string {
	var kind *json.UnmarshalTypeError
	name, unknown := strings.CutPrefix(err.Error(), "json: unknown field ")
	switch {
	case errors.As(err, &kind) && kind.Field != "":
		return "il campo «" + kind.Field + "» non è del tipo giusto."
	case unknown:
		return "il campo «" + strings.Trim(name, `"`) + "» non esiste."
	}
	return "serve un solo oggetto JSON."
}

// refuse answers with a reason, and with what is wrong with which fields.
func refuse(w http.ResponseWriter, status int, reason string, fields map[string]string) {
	body := map[string]any{"error": reason}
	if len(fields) > 0 {
		body["fields"] = fields
	}
	writeJSON(w, status, body)
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(body) // the client may be gone
}
