package restgatewaytest

import (
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/faults"
)

// BasePath is the path of the platform's API.
const BasePath = "/pagoinrete/v1"

// Config configures a simulator. The zero value has no limit of calls.
type Config struct {
	Calls  int           // that a school may make in a window. Defaults to no limit
	Window time.Duration // Defaults to 1 s
}

// School is a school on the platform.
type School struct {
	Code        string // codice meccanografico; required
	Key         string // of its calls; required
	Name        string // on its notices. Defaults to the code
	Segregation string // two digits, of its notice numbers. Defaults to 01
	Forbidden   bool   // every call is answered with 403
}

// Operation is one of the platform's operations.
type Operation string

// The operations.
const (
	PutEvent   Operation = "put event"
	GetEvent   Operation = "get event"
	MoveEvent  Operation = "move event"
	PutNotice  Operation = "put notice"
	GetNotices Operation = "get notices"
	MoveNotice Operation = "move notice"
	GetPDF     Operation = "get PDF"
	GetReceipt Operation = "get receipt"
)

// Operations returns all operations.
func Operations() []Operation {
	return []Operation{PutEvent, GetEvent, MoveEvent, PutNotice, GetNotices, MoveNotice, GetPDF, GetReceipt}
}

// Step is a step of an event or a notice, other than a transmission.
type Step struct {
	Action string    // such as approve
	By     string    // the user, as the call says
	At     time.Time // when it was taken
}

// StoredEvent is an event on the platform.
type StoredEvent struct {
	ID          uuid.UUID   // as transmitted
	School      string      // codice meccanografico
	RemoteID    string      // assigned by the platform
	State       EventState  // stato
	Donation    bool        // erogazione liberale
	Rejection   flussi.Text // why the principal rejected it
	Request     flussi.Text // the last transmission, as JSON
	Created     int         // how often it was created: more than once if it was forgotten in between
	Transmitted int         // how often a transmission was stored, including the first
	Steps       []Step      // since it was created
}

// StoredNotice is a notice on the platform.
type StoredNotice struct {
	ID          uuid.UUID           // as transmitted
	Event       uuid.UUID           // that of its event
	School      string              // codice meccanografico
	RemoteID    string              // assigned by the platform
	Number      flussi.NoticeNumber // codice avviso, assigned by the platform
	State       NoticeState         // stato
	Debtor      flussi.FiscalCode   // codice fiscale
	Payer       flussi.FiscalCode   // the debtor if that is staff; zero if none
	Due         flussi.Cents        // the amount without the discount
	DueDate     time.Time           // scadenza
	Request     flussi.Text         // the last transmission, as JSON
	Created     int                 // how often it was created: more than once if it was forgotten in between
	Transmitted int                 // how often a transmission was stored, including the first
	Steps       []Step              // since it was created
}

// Simulator simulates the platform, as an [http.Handler] for the paths below [BasePath]. It is safe
// for concurrent use, and starts no goroutines.
type Simulator struct {
	front *faults.Front[Operation, Fault]

	mu      sync.Mutex
	schools map[string]School // by key
	events  map[uuid.UUID]*event
	notices map[uuid.UUID]*notice
	order   []uuid.UUID // of events and notices, as they were first created
	counts  map[uuid.UUID]*counts
	payers  map[flussi.FiscalCode]payer
	serial  int64 // of the last RemoteID and number
}

// counts counts the transmissions of an ID. It survives Forget.
type counts struct{ created, transmitted int }

// payer is what the platform knows about a payer.
type payer struct{ registered, loggedIn bool }

// event is a stored event.
type event struct {
	StoredEvent
	name        string
	instalments int
	notices     []*notice
}

// notice is a stored notice.
type notice struct {
	StoredNotice
	event      *event
	instalment int
	pinned     bool // SetNoticeState set its state, which no longer follows its event and its payer
	proofs     map[ProofKind]Proof
	receipt    *receipt
}

// New returns a simulator without schools. Serve it, and give clients the server's URL with
// [BasePath] as their BaseURL; [NewServer] does both.
func New(c Config) *Simulator {
	if c.Window == 0 {
		c.Window = time.Second
	}
	return &Simulator{
		front: faults.New[Operation](faults.Config{
			Calls: c.Calls, Window: c.Window, WrongKey: "Access denied due to invalid credentials.",
		}, kinds, Fault.generic),
		schools: map[string]School{},
		events:  map[uuid.UUID]*event{},
		notices: map[uuid.UUID]*notice{},
		counts:  map[uuid.UUID]*counts{},
		payers:  map[flussi.FiscalCode]payer{},
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

// AddSchool adds a school, or replaces the one with the same key.
func (s *Simulator) AddSchool(school School) {
	if school.Name == "" {
		school.Name = school.Code
	}
	if school.Segregation == "" {
		school.Segregation = "01"
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.schools[school.Key] = school
}

// Received returns how many calls of an operation arrived, whatever the answers.
func (s *Simulator) Received(op Operation) int { return s.front.Received(op) }

// Limited returns how many calls were refused as one too many for their school.
func (s *Simulator) Limited() int { return s.front.Limited() }

// Events returns all stored events, in the order in which they were first created.
func (s *Simulator) Events() []StoredEvent {
	return storedIn(s, s.events, s.storedEvent)
}

// Event returns an event. It reports whether it is stored.
func (s *Simulator) Event(id uuid.UUID) (StoredEvent, bool) {
	return storedWith(s, id, s.events, s.storedEvent)
}

// Notices returns all stored notices, in the order in which they were first created.
func (s *Simulator) Notices() []StoredNotice {
	return storedIn(s, s.notices, s.storedNotice)
}

// Notice returns a notice. It reports whether it is stored.
func (s *Simulator) Notice(id uuid.UUID) (StoredNotice, bool) {
	return storedWith(s, id, s.notices, s.storedNotice)
}

// storedIn returns copies of all that is stored, in the order in which it was first created.
func storedIn[E, S any](s *Simulator, in map[uuid.UUID]*E, copied func(*E) S) []S {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []S
	for _, id := range s.order {
		if e := in[id]; e != nil {
			all = append(all, copied(e))
		}
	}
	return all
}

// storedWith returns a copy of what is stored with an ID.
func storedWith[E, S any](s *Simulator, id uuid.UUID, in map[uuid.UUID]*E, copied func(*E) S) (found S, stored bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := in[id]; e != nil {
		return copied(e), true
	}
	return found, false
}

// Created returns how often an event or a notice was created, even if it was forgotten. More than
// once, without Forget, would be a duplicate.
func (s *Simulator) Created(id uuid.UUID) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.counts[id]; c != nil {
		return c.created
	}
	return 0
}

func (s *Simulator) storedEvent(e *event) StoredEvent {
	copied := e.StoredEvent
	copied.Created, copied.Transmitted = s.counts[e.ID].created, s.counts[e.ID].transmitted
	copied.Steps = append([]Step(nil), e.Steps...)
	return copied
}

func (s *Simulator) storedNotice(n *notice) StoredNotice {
	s.advance(n)
	copied := n.StoredNotice
	copied.Created, copied.Transmitted = s.counts[n.ID].created, s.counts[n.ID].transmitted
	copied.Steps = append([]Step(nil), n.Steps...)
	return copied
}

// count counts a stored transmission.
func (s *Simulator) count(id uuid.UUID, created bool) {
	c := s.counts[id]
	if c == nil {
		c = &counts{}
		s.counts[id] = c
		s.order = append(s.order, id)
	}
	c.transmitted++
	if created {
		c.created++
	}
}
