package main

import (
	"cmp"
	"slices"
	"time"

	"github.com/flussi-go/flussi/appio/appiotest"
	"github.com/flussi-go/flussi/pagoinrete/restgateway/restgatewaytest"
)

// fault is a fault of a call on either platform.
type fault struct {
	Kind              string
	Stored            bool
	Delay, RetryAfter time.Duration
}

// String names the fault, as the simulators do.
func (f fault) String() string { return f.appIO().String() }

func (f fault) appIO() appiotest.Fault {
	return appiotest.Fault{Kind: appiotest.FaultKind(f.Kind), Stored: f.Stored, Delay: f.Delay, RetryAfter: f.RetryAfter}
}

func (f fault) pagoInRete() restgatewaytest.Fault {
	return restgatewaytest.Fault{Kind: restgatewaytest.FaultKind(f.Kind), Stored: f.Stored, Delay: f.Delay, RetryAfter: f.RetryAfter}
}

// The kinds of faults that need more than their name, on both platforms.
const (
	slow            = string(appiotest.Slow)
	tooManyRequests = string(appiotest.TooManyRequests)
)

// operation is an operation of a platform.
type operation struct {
	name, label string // in the simulator, and in Italian
	changes     bool   // something: a fault may come before or after
}

// platform has the operations and the faults of a platform.
type platform struct {
	name        string
	calls       []operation // in the order of the page
	faults      []fault     // of every kind
	done, not   string      // whether a change took effect, in Italian
	onlyChanges string      // why a reading cannot be Stored, in Italian
	onlyFor     []string    // kinds for changes alone
}

var appIO = platform{
	name: "App IO",
	calls: []operation{
		{string(appiotest.SubmitMessage), "invio", true},
		{string(appiotest.GetMessage), "lettura messaggio", false},
		{string(appiotest.GetProfile), "lettura profilo", false},
		{string(appiotest.GetFeed), "lettura iscrizioni", false},
	},
	faults: converted(appiotest.Faults(), func(f appiotest.Fault) fault { return fault{string(f.Kind), f.Stored, 0, 0} }),
	done:   "messaggio memorizzato", not: "messaggio non memorizzato",
	onlyChanges: "Solo un invio può memorizzare un messaggio: togliere l'indicazione.",
	onlyFor:     []string{string(appiotest.NoID), string(appiotest.LocationOnly)},
}

var pagoInRete = platform{
	name: "Pago In Rete",
	calls: []operation{
		{string(restgatewaytest.PutEvent), "trasmissione evento", true},
		{string(restgatewaytest.MoveEvent), "passo di un evento", true},
		{string(restgatewaytest.PutNotice), "trasmissione avviso", true},
		{string(restgatewaytest.MoveNotice), "passo di un avviso", true},
		{string(restgatewaytest.GetEvent), "lettura evento", false},
		{string(restgatewaytest.GetNotices), "lettura avvisi", false},
		{string(restgatewaytest.GetPDF), "lettura PDF", false},
		{string(restgatewaytest.GetReceipt), "lettura ricevuta", false},
	},
	faults: converted(restgatewaytest.Faults(), func(f restgatewaytest.Fault) fault { return fault{string(f.Kind), f.Stored, 0, 0} }),
	done:   "operazione fatta", not: "operazione non fatta",
	onlyChanges: "Una lettura non cambia niente: togliere l'indicazione.",
}

func converted[F any](all []F, to func(F) fault) []fault {
	faults := make([]fault, len(all))
	for i, f := range all {
		faults[i] = to(f)
	}
	return faults
}

// platformOf returns the platform of an operation; App IO for one that does not exist.
func platformOf(op string) platform {
	if slices.Contains(pagoInRete.operations(), op) {
		return pagoInRete
	}
	return appIO
}

// operations returns the names of the platform's operations, in the order of the page.
func (p platform) operations() []string {
	var names []string
	for _, o := range p.calls {
		names = append(names, o.name)
	}
	return names
}

// first returns the first operation that changes something, or the first that does not.
func (p platform) first(changes bool) string {
	return p.calls[slices.IndexFunc(p.calls, func(o operation) bool { return o.changes == changes })].name
}

// operation returns the operation with a name; the zero one if there is none.
func (p platform) operation(name string) operation {
	for _, o := range p.calls {
		if o.name == name {
			return o
		}
	}
	return operation{}
}

func (p platform) changes(op string) bool { return p.operation(op).changes }

// kinds returns the kinds of faults, in the simulator's order.
func (p platform) kinds() []string {
	var all []string
	for _, f := range p.faults {
		if !slices.Contains(all, f.Kind) {
			all = append(all, f.Kind)
		}
	}
	return all
}

// labelOf returns the name of an operation in Italian.
func labelOf(op string) string {
	return cmp.Or(platformOf(op).operation(op).label, "percorso che non esiste")
}

// texts describe the kinds of faults in Italian.
var texts = map[string]string{
	string(appiotest.BadRequest):      "400, richiesta non valida",
	string(appiotest.Unauthorized):    "401, chiave non valida",
	string(appiotest.Forbidden):       "403, non permesso",
	string(appiotest.NotFound):        "404, non trovato",
	string(appiotest.TooManyRequests): "429, troppe chiamate, con la pausa da fare",
	string(appiotest.TooManyBare):     "429, troppe chiamate, senza la pausa da fare",
	string(appiotest.ServerProblem):   "500, con la spiegazione",
	string(appiotest.ServerError):     "500, senza spiegazione",
	string(appiotest.BadGateway):      "502, pagina HTML",
	string(appiotest.Unavailable):     "503, non disponibile",
	string(appiotest.GatewayTimeout):  "504, tempo scaduto",
	string(appiotest.Slow):            "risposta giusta, ma lenta",
	string(appiotest.Silent):          "nessuna risposta",
	string(appiotest.Reset):           "connessione interrotta",
	string(appiotest.Truncated):       "risposta interrotta fra le intestazioni",
	string(appiotest.CutBody):         "risposta interrotta nel corpo",
	string(appiotest.NoID):            "201 senza ID",
	string(appiotest.LocationOnly):    "201 con l'ID solo in Location",

	string(restgatewaytest.NoSuchAddress):    "404, indirizzo sbagliato",
	string(restgatewaytest.Conflict):         "409, stato che non lo permette",
	string(restgatewaytest.Unprocessable):    "422, dati non validi",
	string(restgatewaytest.Redirected):       "307, altrove",
	string(restgatewaytest.CutWithoutLength): "risposta interrotta nel corpo, senza dire quanto è lunga",
	string(restgatewaytest.Garbled):          "risposta illeggibile",
	string(restgatewaytest.OtherID):          "risposta su un altro oggetto",
	string(restgatewaytest.Huge):             "risposta troppo lunga",
}

// describe returns in Italian what a fault does to an operation.
func describe(op string, f fault) string {
	of, text := platformOf(op), texts[f.Kind]
	switch {
	case !of.changes(op), f.Kind == slow:
		return text
	case f.Stored || f.pagoInRete().ExecutesCall() || slices.Contains(of.onlyFor, f.Kind):
		return text + " (" + of.done + ")"
	}
	return text + " (" + of.not + ")"
}

// fail injects the fault of an order into the next calls.
func (s *sandbox) fail(o order) {
	if platformOf(o.Operation).name == pagoInRete.name {
		s.payments.Fail(restgatewaytest.Operation(o.Operation), slices.Repeat([]restgatewaytest.Fault{o.fault().pagoInRete()}, o.Count)...)
		return
	}
	s.simulator.Fail(appiotest.Operation(o.Operation), slices.Repeat([]appiotest.Fault{o.fault().appIO()}, o.Count)...)
}

// failAtRandom injects the fault of an order into a share of the calls.
func (s *sandbox) failAtRandom(o order) {
	if platformOf(o.Operation).name == pagoInRete.name {
		s.payments.FailAtRandom(restgatewaytest.Operation(o.Operation), o.Share, o.Seed, o.fault().pagoInRete())
		return
	}
	s.simulator.FailAtRandom(appiotest.Operation(o.Operation), o.Share, o.Seed, o.fault().appIO())
}
