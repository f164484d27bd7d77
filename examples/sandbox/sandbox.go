package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"html/template"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio/appiotest"
	"github.com/flussi-go/flussi/examples/internal/cli"
	"github.com/flussi-go/flussi/pagoinrete/restgateway/restgatewaytest"
)

// sandbox serves two simulated platforms, with a page and an API to control them.
type sandbox struct {
	simulator *appiotest.Simulator       // of App IO
	payments  *restgatewaytest.Simulator // of Pago In Rete
	journal   *journal                   // on the standard output
	page      *template.Template
	services  map[string]string // IDs, by key
	names     []string          // the services' IDs, in their order
	schools   map[string]string // codici meccanografici, by key
	codes     []string          // codici meccanografici, in their order
	absent    func(flussi.FiscalCode) bool
	summary   string // of the configuration, in Italian
	address   string // where it listens, as http://host:port

	ordering sync.Mutex // held while orders are added or removed

	mu       sync.Mutex
	received map[appiotest.Operation]int // calls, whatever the answers
	answers  map[string]answer           // to the submission of a message, by its ID
	orders   []order                     // of faults, since they were last removed
}

// newSandbox returns a sandbox without services.
func newSandbox(out io.Writer, config appiotest.Config) (*sandbox, error) {
	page, err := parsePage()
	if err != nil {
		return nil, err
	}
	return &sandbox{
		simulator: appiotest.New(config),
		payments:  restgatewaytest.New(restgatewaytest.Config{}),
		journal:   &journal{out: &cli.Output{To: out}},
		page:      page,
		services:  map[string]string{},
		schools:   map[string]string{},
		absent:    func(flussi.FiscalCode) bool { return false },
		received:  map[appiotest.Operation]int{},
		answers:   map[string]answer{},
	}, nil
}

// add adds a service, before the sandbox is served.
func (s *sandbox) add(service appiotest.Service) {
	s.simulator.AddService(service)
	s.services[service.Key] = service.ID
	s.names = append(s.names, service.ID)
}

// addSchool adds a school, before the sandbox is served.
func (s *sandbox) addSchool(school restgatewaytest.School) {
	s.payments.AddSchool(school)
	s.schools[school.Key] = school.Code
	s.codes = append(s.codes, school.Code)
}

// handler returns the handler of the platforms, the page and the API.
func (s *sandbox) handler() http.Handler {
	own := http.NewServeMux()
	s.servePage(own)
	s.serveAPI(own)
	// A page of another site in the developer's browser must not control the sandbox.
	protection := http.NewCrossOriginProtection()
	protection.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "L'ordine viene da un altro sito: non è stato eseguito.", http.StatusForbidden)
	}))
	all := http.NewServeMux()
	all.HandleFunc(appiotest.BasePath+"/", s.serveAppIO)
	all.HandleFunc(restgatewaytest.BasePath+"/", s.servePagoInRete)
	all.Handle("/", protection.Handler(own))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Flussi-Simulator", "nessun messaggio raggiunge i cittadini")
		all.ServeHTTP(w, r)
	})
}

// serveAppIO lets the simulator answer a call, and logs the answer.
func (s *sandbox) serveAppIO(w http.ResponseWriter, r *http.Request) {
	began := time.Now()
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20)) // as much as the simulator reads
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	c := &call{
		began: began, operation: operationOf(r), body: body, messageID: r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:],
		service: s.services[r.Header.Get("Ocp-Apim-Subscription-Key")],
	}
	s.count(c)
	s.addAbsent(body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	answered := &answerWriter{ResponseWriter: w}
	defer func() {
		s.logCall(c, answered)
		if answered.status == 0 && !answered.broken {
			panic(http.ErrAbortHandler) // net/http would answer 200 otherwise
		}
	}()
	s.simulator.ServeHTTP(answered, r)
}

func (s *sandbox) count(c *call) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.received[c.operation]++
}

// addAbsent adds the citizen of a request to the simulator if the citizen is absent.
func (s *sandbox) addAbsent(body []byte) {
	var request struct {
		Code string `json:"fiscal_code"`
	}
	_ = json.Unmarshal(body, &request) // the simulator refuses what is not valid
	if citizen, err := flussi.ParseFiscalCode(request.Code); err == nil && s.absent(citizen) {
		s.simulator.AddCitizen(appiotest.Citizen{Code: citizen, Absent: true})
	}
}

// logCall logs a call and its answer, without fiscal codes, texts and keys.
func (s *sandbox) logCall(c *call, answered *answerWriter) {
	service := cmp.Or(c.service, "(chiave sconosciuta)")
	reply := answered.answer()
	if c.operation != appiotest.SubmitMessage {
		subject := labelOf(string(c.operation))
		if s.isDelivered(c.messageID) {
			subject += " " + c.messageID
		}
		s.journal.printf("%s %s %s: %s", clock(c.began), service, subject, reply.italian())
		return
	}
	id := s.delivered(c, answered.messageID(), reply)
	if id == "" {
		s.journal.printf("%s %s invio: NON memorizzato; risposta: %s", clock(c.began), service, reply.italian())
		return
	}
	s.journal.printf("%s %s invio: memorizzato %s; risposta: %s", clock(c.began), service, id, reply.italian())
}

func (s *sandbox) isDelivered(messageID string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, known := s.answers[messageID]
	return known
}

// delivered records the answer to a submission, and returns the ID of its message, "" if
// none was stored. If the answer has no ID, it looks for the message among those that were
// stored since the call began.
func (s *sandbox) delivered(c *call, id string, reply answer) string {
	refused := reply.Status >= 400 && reply.Status < 500
	var all []appiotest.Delivery
	if id == "" && !refused {
		all = s.simulator.Deliveries()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	since, _ := slices.BinarySearchFunc(all, c.began, func(d appiotest.Delivery, t time.Time) int { return d.At.Compare(t) })
	for _, d := range all[since:] {
		if _, known := s.answers[d.ID]; !known && d.Service == c.service && d.Request.Reveal() == string(c.body) {
			id = d.ID
			break
		}
	}
	if id != "" {
		s.answers[id] = reply
	}
	return id
}
