package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/flussi-go/flussi/internal/italian"
)

// order injects a fault into calls: the next ones, or a share of them.
type order struct {
	Operation  string    `json:"operation"` // of App IO or Pago In Rete
	Kind       string    `json:"kind"`
	Stored     bool      `json:"stored,omitempty"`              // after the platform did what the call asks for
	Count      int       `json:"count,omitempty"`               // of the next calls
	Share      float64   `json:"share,omitempty"`               // of all calls, up to 1
	Seed       uint64    `json:"seed,omitempty"`                // picks the calls of a share
	Delay      float64   `json:"delay_seconds,omitempty"`       // before the answer
	RetryAfter float64   `json:"retry_after_seconds,omitempty"` // that a 429 asks for
	At         time.Time `json:"at"`
}

// The limits of an order.
const (
	maxCount      = 1000
	maxDelay      = 600.0  // seconds
	maxRetryAfter = 3600.0 // seconds
)

// fault returns the fault.
func (o order) fault() fault {
	seconds := func(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
	return fault{Kind: o.Kind, Stored: o.Stored, Delay: seconds(o.Delay), RetryAfter: seconds(o.RetryAfter)}
}

// check returns what is wrong with an order, by the names of its fields in JSON.
func (o order) check() map[string]string {
	wrong := map[string]string{}
	if all := append(appIO.operations(), pagoInRete.operations()...); !slices.Contains(all, o.Operation) {
		wrong["operation"] = "L'operazione non esiste: deve essere una fra " + list(all) + "."
	}
	is := func(stored bool) func(fault) bool {
		return func(f fault) bool { return f.Kind == o.Kind && f.Stored == stored }
	}
	of := platformOf(o.Operation)
	switch {
	case !slices.ContainsFunc(of.faults, is(false)):
		wrong["kind"] = "Il guasto non esiste: deve essere uno fra " + list(of.kinds()) + "."
	case o.Stored && !slices.ContainsFunc(of.faults, is(true)):
		wrong["stored"] = "Questo guasto stabilisce già se la richiesta viene eseguita: togliere l'indicazione."
	case o.Stored && !of.changes(o.Operation):
		wrong["stored"] = of.onlyChanges
	case !of.changes(o.Operation) && slices.Contains(of.onlyFor, o.Kind):
		wrong["kind"] = "Questo guasto riguarda l'ID di un nuovo messaggio: scegliere l'operazione di invio."
	}
	switch {
	case o.Count != 0 && o.Share != 0:
		wrong["count"] = "Indicare il numero delle chiamate oppure la loro quota, non entrambi."
	case o.Share != 0 && !(o.Share > 0 && o.Share <= 1):
		wrong["share"] = "La quota deve essere maggiore di 0 e al massimo 1, cioè il 100%."
	case o.Share == 0 && (o.Count < 1 || o.Count > maxCount):
		wrong["count"] = "Il numero delle chiamate deve essere fra 1 e " + italian.Number(maxCount) + "."
	}
	if !(o.Delay >= 0 && o.Delay <= maxDelay) {
		wrong["delay_seconds"] = fmt.Sprintf("L'attesa deve essere fra 0 e %.0f secondi.", maxDelay)
	} else if o.Kind == slow && o.Delay == 0 {
		wrong["delay_seconds"] = "Per una risposta lenta serve l'attesa, in secondi."
	}
	switch {
	case !(o.RetryAfter >= 0 && o.RetryAfter <= maxRetryAfter):
		wrong["retry_after_seconds"] = fmt.Sprintf("La pausa chiesta deve essere fra 0 e %.0f secondi.", maxRetryAfter)
	case o.RetryAfter != 0 && o.Kind != tooManyRequests:
		wrong["retry_after_seconds"] = "Solo il guasto 429 chiede una pausa: togliere la pausa."
	}
	return wrong
}

// addOrder adds an order, or returns what is wrong with it, by field.
func (s *sandbox) addOrder(o order) (order, map[string]string) {
	if wrong := o.check(); len(wrong) > 0 {
		return o, wrong
	}
	s.ordering.Lock()
	defer s.ordering.Unlock()
	o.At = time.Now()
	s.mu.Lock()
	if o.Share > 0 { // replaces the share of before
		s.orders = slices.DeleteFunc(s.orders, func(old order) bool { return old.Operation == o.Operation && old.Share > 0 })
	}
	s.orders = append(s.orders, o)
	s.mu.Unlock()
	if o.Share > 0 {
		s.failAtRandom(o)
	} else {
		s.fail(o)
	}
	s.journal.printf("%s guasto ordinato: %s: %s, %s", clock(o.At), labelOf(o.Operation), describe(o.Operation, o.fault()), o.extent())
	return o, nil
}

// removeOrders removes all orders.
func (s *sandbox) removeOrders() {
	s.ordering.Lock()
	defer s.ordering.Unlock()
	s.mu.Lock()
	s.orders = nil
	s.mu.Unlock()
	s.simulator.StopFailing()
	s.payments.StopFailing()
	s.journal.printf("%s guasti dimenticati", clock(time.Now()))
}

// extent returns in Italian which calls an order is for.
func (o order) extent() string {
	switch {
	case o.Share > 0:
		return fmt.Sprintf("il %s%% delle chiamate, a caso", percent(o.Share))
	case o.Count == 1:
		return "la prossima chiamata"
	}
	return "le prossime " + italian.Number(o.Count) + " chiamate"
}

// percent formats a share in Italian notation.
func percent(share float64) string {
	return strings.Replace(strconv.FormatFloat(share*100, 'f', -1, 32), ".", ",", 1)
}

// list formats alternatives.
func list[T ~string](values []T) string {
	quoted := make([]string, len(values))
	for i, v := range values {
		quoted[i] = "«" + string(v) + "»"
	}
	return strings.Join(quoted, ", ")
}
