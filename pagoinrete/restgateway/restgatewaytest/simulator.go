package restgatewaytest

import (
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/faults"
)

// BasePath is where the platform's interface begins.
const BasePath = "/pagoinrete/v1"

// Config says how a simulator behaves. The zero value is a platform that everything is sent to
// as fast as it comes.
type Config struct {
	Calls  int           // that a school may make in a window. Defaults to no limit
	Window time.Duration // Defaults to 1 s
}

// School is a school on the platform.
type School struct {
	Code        string // codice meccanografico; required
	Key         string // that its calls carry; required
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

// Step is something that was done to an event or a notice, besides transmitting it.
type Step struct {
	Action string    // such as approve
	By     string    // the user who is said to have done it
	At     time.Time // when
}

// StoredEvent is an event that the platform keeps.
type StoredEvent struct {
	ID          uuid.UUID   // as those who transmitted it know it
	School      string      // codice meccanografico
	RemoteID    string      // that the platform gave it
	State       EventState  // stato
	Donation    bool        // erogazione liberale
	Rejection   flussi.Text // why the principal rejected it
	Request     flussi.Text // the last transmission, as JSON
	Created     int         // how often it was created: 1, or more if it was forgotten in between
	Transmitted int         // how often a transmission was stored, the first one included
	Steps       []Step      // what was done to it since it was created
}

// StoredNotice is a notice that the platform keeps.
type StoredNotice struct {
	ID          uuid.UUID           // as those who transmitted it know it
	Event       uuid.UUID           // that of its event
	School      string              // codice meccanografico
	RemoteID    string              // that the platform gave it
	Number      flussi.NoticeNumber // codice avviso, that the platform gave it
	State       NoticeState         // stato
	Debtor      flussi.FiscalCode   // who owes
	Payer       flussi.FiscalCode   // who pays; the debtor if that is staff; zero if nobody
	Due         flussi.Cents        // the amount without the discount
	DueDate     time.Time           // scadenza
	Request     flussi.Text         // the last transmission, as JSON
	Created     int                 // how often it was created: 1, or more if it was forgotten in between
	Transmitted int                 // how often a transmission was stored, the first one included
	Steps       []Step              // what was done to it since it was created
}

// Simulator is the platform, as an [http.Handler] for the paths below [BasePath]. It is safe
// for concurrent use, and has no goroutines.
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

// counts outlive what they count.
type counts struct{ created, transmitted int }

// payer is what the platform knows of somebody.
type payer struct{ registered, loggedIn bool }

// event is an event that the platform keeps.
type event struct {
	StoredEvent
	name        string
	instalments int
	notices     []*notice
}

// notice is a notice that the platform keeps.
type notice struct {
	StoredNotice
	event      *event
	instalment int
	pinned     bool // its state was set from outside, and does not follow the world
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

// Server is a simulator that listens on this machine.
type Server struct {
	*Simulator
	URL string // the BaseURL for clients
	end func()
}

// NewServer starts a server. Close it.
func NewServer(c Config) *Server {
	simulator := New(c)
	url, end := faults.Listen(simulator)
	return &Server{Simulator: simulator, URL: url + BasePath, end: end}
}

// Close ends the server, and all connections to it.
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

// Received returns how many calls of an operation arrived, whatever became of them.
func (s *Simulator) Received(op Operation) int { return s.front.Received(op) }

// Limited returns how many calls were refused as one too many for their school.
func (s *Simulator) Limited() int { return s.front.Limited() }

// Events returns all events that the platform keeps, in the order in which they were first
// created.
func (s *Simulator) Events() []StoredEvent {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []StoredEvent
	for _, id := range s.order {
		if e := s.events[id]; e != nil {
			all = append(all, s.shownEvent(e))
		}
	}
	return all
}

// Event returns an event. It reports whether the platform keeps it.
func (s *Simulator) Event(id uuid.UUID) (StoredEvent, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.events[id]; e != nil {
		return s.shownEvent(e), true
	}
	return StoredEvent{}, false
}

// Notices returns all notices that the platform keeps, in the order in which they were first
// created.
func (s *Simulator) Notices() []StoredNotice {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []StoredNotice
	for _, id := range s.order {
		if n := s.notices[id]; n != nil {
			all = append(all, s.shownNotice(n))
		}
	}
	return all
}

// Notice returns a notice. It reports whether the platform keeps it.
func (s *Simulator) Notice(id uuid.UUID) (StoredNotice, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := s.notices[id]; n != nil {
		return s.shownNotice(n), true
	}
	return StoredNotice{}, false
}

// Created returns how often an event or a notice was created, also one that was forgotten.
// More than once without having been forgotten would be a double.
func (s *Simulator) Created(id uuid.UUID) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.counts[id]; c != nil {
		return c.created
	}
	return 0
}

func (s *Simulator) shownEvent(e *event) StoredEvent {
	shown := e.StoredEvent
	shown.Created, shown.Transmitted = s.counts[e.ID].created, s.counts[e.ID].transmitted
	shown.Steps = append([]Step(nil), e.Steps...)
	return shown
}

func (s *Simulator) shownNotice(n *notice) StoredNotice {
	s.advance(n)
	shown := n.StoredNotice
	shown.Created, shown.Transmitted = s.counts[n.ID].created, s.counts[n.ID].transmitted
	shown.Steps = append([]Step(nil), n.Steps...)
	return shown
}

// count counts a transmission that is stored.
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
