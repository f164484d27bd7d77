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
	"github.com/flussi-go/flussi/pagoinrete/restgateway/restgatewaytest"
)

// sandbox is two simulated platforms, with what a person needs to work with it.
type sandbox struct {
	simulator *appiotest.Simulator       // of App IO
	payments  *restgatewaytest.Simulator // of Pago In Rete
	journal   *journal
	page      *template.Template
	services  map[string]string // IDs, by key
	names     []string          // the services' IDs, in their order
	schools   map[string]string // codici meccanografici, by key
	codes     []string          // the same, in their order
	absent    func(flussi.FiscalCode) bool
	manner    string // how it behaves, for the page
	address   string // where it listens, as http://host:port

	ordering sync.Mutex // held while faults are ordered or forgotten

	mu       sync.Mutex
	received map[appiotest.Operation]int // calls, whatever became of them
	answers  map[string]answer           // what the client was told of a message, by its ID
	orders   []order                     // of faults, since they were forgotten
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
		journal:   &journal{out: out},
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

// handler returns everything that the sandbox serves.
func (s *sandbox) handler() http.Handler {
	own := http.NewServeMux()
	s.servePage(own)
	s.serveAPI(own)
	// A page from elsewhere that is open in the developer's browser must not give orders here.
	protection := http.NewCrossOriginProtection()
	protection.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "L'ordine viene da un altro sito: non è stato eseguito.", http.StatusForbidden)
	}))
	all := http.NewServeMux()
	all.HandleFunc(appiotest.BasePath+"/", s.call)
	all.HandleFunc(restgatewaytest.BasePath+"/", s.pay)
	all.Handle("/", protection.Handler(own))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Flussi-Simulator", "nessun messaggio raggiunge i cittadini")
		all.ServeHTTP(w, r)
	})
}

// call lets the simulator answer a call, and tells what came of it.
func (s *sandbox) call(w http.ResponseWriter, r *http.Request) {
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
	s.meet(body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	told := &answerWriter{ResponseWriter: w}
	defer func() {
		s.note(c, told)
		if told.status == 0 && !told.broken {
			panic(http.ErrAbortHandler) // net/http would answer 200 otherwise
		}
	}()
	s.simulator.ServeHTTP(told, r)
}

func (s *sandbox) count(c *call) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.received[c.operation]++
}

// meet tells the simulator that a citizen is absent, when the first call about them comes.
func (s *sandbox) meet(body []byte) {
	var about struct {
		Code string `json:"fiscal_code"`
	}
	_ = json.Unmarshal(body, &about) // what is not valid is for the simulator to refuse
	if citizen, err := flussi.ParseFiscalCode(about.Code); err == nil && s.absent(citizen) {
		s.simulator.AddCitizen(appiotest.Citizen{Code: citizen, Absent: true})
	}
}

// note remembers and logs what came of a call. The line holds no fiscal code, no text and
// no key.
func (s *sandbox) note(c *call, told *answerWriter) {
	service := cmp.Or(c.service, "(chiave sconosciuta)")
	reply := told.answer()
	if c.operation != appiotest.SubmitMessage {
		subject := labelOf(string(c.operation))
		if s.knows(c.messageID) {
			subject += " " + c.messageID
		}
		s.journal.sayf("%s %s %s: %s", clock(c.began), service, subject, reply.italian())
		return
	}
	id := s.delivered(c, told.messageID(), reply)
	if id == "" {
		s.journal.sayf("%s %s invio: NON memorizzato; risposta: %s", clock(c.began), service, reply.italian())
		return
	}
	s.journal.sayf("%s %s invio: memorizzato %s; risposta: %s", clock(c.began), service, id, reply.italian())
}

func (s *sandbox) knows(messageID string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, known := s.answers[messageID]
	return known
}

// delivered remembers what was answered to a submission, and returns the ID of its
// message, "" if none was stored. Where a fault kept the ID from the client, it looks for
// the message among those that came since.
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
