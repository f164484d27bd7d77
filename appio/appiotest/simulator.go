package appiotest

import (
	"encoding/json"
	"slices"
	"sync"
	"time"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/faults"
)

// BasePath is the path of the platform's API.
const BasePath = "/api/v1"

// Config configures a simulator. The zero value behaves like the real platform.
type Config struct {
	Calls        int           // that a body may make in a window. Defaults to 150
	Window       time.Duration // Defaults to 5 s
	Unlimited    bool          // no limit of calls; the Pace of a client still applies
	ProcessAfter time.Duration // how long a message stays ACCEPTED. Defaults to 0: it is processed once it is stored
	Hold         bool          // messages stay ACCEPTED until Process is called
	ListedOnly   bool          // only citizens who were added are on App IO. Defaults to everybody
}

// Service is a service of a body on the platform.
type Service struct {
	ID           string // in deliveries; required
	Key          string // of its calls; required
	Body         string // whose limit it shares. Defaults to the ID
	Forbidden    bool   // every call is answered with 403
	NamesPayee   bool   // may name another payee of a payment
	ReadsFeed    bool   // may ask for feeds
	ReadsDetails bool   // has a premium contract: gets the read and payment status of ADVANCED messages
	StandardOnly bool   // may not send ADVANCED messages: they are answered with 403

	Recipients     []flussi.FiscalCode // whom the service may write to while it is tested; others are answered with 403. nil: everybody
	Configurations []string            // IDs of the body's configurations of remote content: a foreign one is answered with 403, an unknown one with 404
	MaxAmount      flussi.Cents        // of a payment: more is answered with 400. 0: no limit
	MinAge, MaxAge int                 // of recipients, in years: others are answered with 422. Both 0: no check; a MaxAge of 0: no limit
}

// Citizen is a citizen whom the platform knows.
type Citizen struct {
	Code      flussi.FiscalCode // required
	Absent    bool              // is not on App IO, or turned the inbox off
	Blocks    []string          // the IDs of services that may not send
	Languages []string          // Defaults to it_IT
}

// Operation is one of the platform's operations.
type Operation string

// The operations.
const (
	SubmitMessage Operation = "submit message"
	GetMessage    Operation = "get message"
	GetProfile    Operation = "get profile"
	GetFeed       Operation = "get feed"
)

// State is the state of a message. Replies leave out the fields that are "".
type State struct {
	Status  string // ACCEPTED, THROTTLED, PROCESSED, FAILED, REJECTED, or any other to test
	Email   string // SENT, THROTTLED, EXPIRED, FAILED
	Push    string // the same
	Read    string // UNAVAILABLE, UNREAD, READ; for ADVANCED messages
	Payment string // PAID, NOT_PAID; for ADVANCED payment messages
}

// Delivery is a message that the platform stored, whatever it answered.
type Delivery struct {
	ID        string            // a ULID
	Service   string            // the ID of the service that sent it
	Recipient flussi.FiscalCode // of the message
	Subject   flussi.Text       // of the message
	Request   flussi.Text       // the whole request, as JSON
	At        time.Time         // when it was stored
	State     State             // now
}

// Simulator simulates the platform, as an [http.Handler] for the paths below [BasePath]. It
// is safe for concurrent use, and starts no goroutines.
type Simulator struct {
	config Config
	front  *faults.Front[Operation, Fault]

	mu       sync.Mutex
	services map[string]Service                // by key
	citizens map[flussi.FiscalCode]Citizen     // who were added
	messages []*stored                         // in the order in which they were stored
	byID     map[string]*stored                // the same
	feeds    map[string]map[string][2][]string // by service and day: subscribed, unsubscribed
}

// stored is a stored message.
type stored struct {
	Delivery
	content   json.RawMessage
	level     string
	isPayment bool
	processed bool
	set       bool // by SetState
}

// New returns a simulator without services. Serve it, and give clients the server's URL
// with [BasePath] as their BaseURL; [NewServer] does both.
func New(c Config) *Simulator {
	if c.Calls == 0 {
		c.Calls = 150
	}
	if c.Window == 0 {
		c.Window = 5 * time.Second
	}
	limit := faults.Config{
		Calls: c.Calls, Window: c.Window, RateLimitHeaders: true,
		WrongKey: "Access denied due to invalid subscription key. Make sure to provide a valid key for an active subscription.",
	}
	if c.Unlimited {
		limit.Calls = 0
	}
	return &Simulator{
		config:   c,
		front:    faults.New[Operation](limit, kinds, Fault.generic),
		services: map[string]Service{},
		citizens: map[flussi.FiscalCode]Citizen{},
		byID:     map[string]*stored{},
		feeds:    map[string]map[string][2][]string{},
	}
}

// Server is a [Simulator] that listens on this machine.
type Server struct {
	*Simulator
	URL string // the BaseURL for clients
	end func()
}

// NewServer starts a server. The caller must Close it.
func NewServer(c Config) *Server {
	simulator := New(c)
	url, end := faults.Listen(simulator)
	return &Server{Simulator: simulator, URL: url + BasePath, end: end}
}

// Close stops the server and closes all connections to it.
func (s *Server) Close() { s.end() }

// AddService adds a service, or replaces the one with the same key.
func (s *Simulator) AddService(service Service) {
	if service.Body == "" {
		service.Body = service.ID
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.services[service.Key] = service
}

// AddCitizen adds a citizen, or replaces the one with the same code.
func (s *Simulator) AddCitizen(citizen Citizen) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.citizens[citizen.Code] = citizen
}

// AddFeed adds citizens to the feed of a service for the day of a time, in UTC.
func (s *Simulator) AddFeed(service string, day time.Time, subscribed, unsubscribed []flussi.FiscalCode) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.feeds[service] == nil {
		s.feeds[service] = map[string][2][]string{}
	}
	date := day.UTC().Format(time.DateOnly)
	feed := s.feeds[service][date]
	feed[0] = append(feed[0], hashes(subscribed)...)
	feed[1] = append(feed[1], hashes(unsubscribed)...)
	s.feeds[service][date] = feed
}

// Deliveries returns all stored messages, in the order in which they were stored.
func (s *Simulator) Deliveries() []Delivery {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]Delivery, len(s.messages))
	for i, m := range s.messages {
		s.advance(m)
		all[i] = m.Delivery
	}
	return all
}

// Received returns how many calls of an operation arrived, whatever the answers.
func (s *Simulator) Received(op Operation) int { return s.front.Received(op) }

// Limited returns how many calls were refused as one too many for their body.
func (s *Simulator) Limited() int { return s.front.Limited() }

// Process processes all messages that are still ACCEPTED.
func (s *Simulator) Process() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range s.messages {
		s.process(m)
	}
}

// SetState replaces the state of a message. It reports whether there is a message with the ID.
func (s *Simulator) SetState(id string, state State) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.byID[id]
	if m == nil {
		return false
	}
	m.State, m.set = state, true
	return true
}

// advance processes a message once its time has come.
func (s *Simulator) advance(m *stored) {
	if !s.config.Hold && time.Since(m.At) >= s.config.ProcessAfter {
		s.process(m)
	}
}

func (s *Simulator) process(m *stored) {
	if m.processed || m.set {
		return
	}
	m.processed = true
	if !s.accepts(m.Recipient, m.Service) {
		m.State = State{Status: "REJECTED"}
		return
	}
	m.State = State{Status: "PROCESSED", Read: "UNREAD"}
	if m.isPayment {
		m.State.Payment = "NOT_PAID"
	}
}

// present reports whether a citizen is on the platform.
func (s *Simulator) present(code flussi.FiscalCode) bool {
	citizen, added := s.citizens[code]
	return added && !citizen.Absent || !added && !s.config.ListedOnly
}

// accepts reports whether a citizen accepts messages of a service.
func (s *Simulator) accepts(code flussi.FiscalCode, service string) bool {
	return s.present(code) && !slices.Contains(s.citizens[code].Blocks, service)
}
