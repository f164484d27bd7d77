package restgatewaytest

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/faults"
)

// ServeHTTP answers as the platform does, with the faults that were injected.
func (s *Simulator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.front.Serve(w, r, func(body []byte) (faults.Call[Operation], bool) {
		c, found := route(r)
		key, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		school, known := s.school(key)
		c.body, c.school = body, school
		c.user, _ = url.PathUnescape(r.Header.Get("Sidi-User"))
		c.roles = strings.Split(r.Header.Get("Sidi-Roles"), ",")
		call := faults.Call[Operation]{
			Operation: c.op, KnownKey: known && key != "", Account: school.Code, Answer: func() *faults.Reply { return s.answer(c) },
		}
		if school.Forbidden || school.Code != c.code {
			call.Refusal = forbidden("The credentials are not those of the school " + c.code)
		}
		return call, found
	})
}

// school returns the school with the key.
func (s *Simulator) school(key string) (School, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	school, known := s.schools[key]
	return school, known
}

// call is a call to the platform.
type call struct {
	op     Operation
	code   string // of the school in the path
	id     uuid.UUID
	action string // of a step
	body   []byte
	school School // of the key
	user   string // who acts
	roles  []string
}

// route finds the operation and the arguments in the path.
func route(r *http.Request) (c call, known bool) {
	path, found := strings.CutPrefix(r.URL.Path, BasePath+"/schools/")
	parts := strings.Split(path, "/")
	if !found || len(parts) < 3 || len(parts) > 4 {
		return c, false
	}
	c.code = parts[0]
	shape := r.Method + " " + parts[1]
	if shape == "POST notices" && len(parts) == 3 && parts[2] == "query" {
		c.op = GetNotices
		return c, true
	}
	id, err := uuid.Parse(parts[2])
	if err != nil || len(parts[2]) != 36 {
		return c, false
	}
	if c.id = id; len(parts) == 4 {
		shape, c.action = shape+" …", parts[3]
	}
	switch shape {
	case "PUT events":
		c.op = PutEvent
	case "GET events":
		c.op = GetEvent
	case "POST events …":
		c.op = MoveEvent
		return c, slices.Contains([]string{"submit", "approve", "reject", "notify", "delete"}, c.action)
	case "PUT notices":
		c.op = PutNotice
	case "POST notices …":
		c.op = MoveNotice
		return c, slices.Contains([]string{"cancel", "pay-manually", "refund"}, c.action)
	case "GET notices …":
		c.op = map[string]Operation{"pdf": GetPDF, "receipt": GetReceipt}[c.action]
	}
	return c, c.op != ""
}

// answer does what a call asks for.
func (s *Simulator) answer(c call) *faults.Reply {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch c.op {
	case PutEvent:
		return s.putEvent(c)
	case GetEvent:
		return s.getEvent(c)
	case MoveEvent:
		return s.moveEvent(c)
	case PutNotice:
		return s.putNotice(c)
	case GetNotices:
		return s.getNotices(c)
	case MoveNotice:
		return s.moveNotice(c)
	case GetPDF:
		return s.getPDF(c)
	}
	return s.getReceipt(c)
}

// permitted refuses a call whose user does not have the roles.
func (c call) permitted(who func([]string) bool) *faults.Reply {
	if c.user == "" || !who(c.roles) {
		return forbidden(fmt.Sprintf("The user %q may not do this as %v", c.user, c.roles))
	}
	return nil
}

func (s *Simulator) putEvent(c call) *faults.Reply {
	if refusal := c.permitted(office); refusal != nil {
		return refusal
	}
	checked, fault := checkEvent(c.body)
	if fault != "" {
		return faults.Problem(http.StatusBadRequest, "Event not valid", fault)
	}
	e, status := s.events[c.id], http.StatusOK
	switch {
	case e == nil && s.notices[c.id] != nil:
		return faults.Problem(http.StatusConflict, "ID in use", "A notice has this ID")
	case e == nil:
		status = http.StatusCreated
		e = &event{StoredEvent: StoredEvent{ID: c.id, School: c.code, RemoteID: s.remoteID("EV"), State: EventSimulated, Donation: checked.donation}}
		s.events[c.id] = e
	case e.School != c.code || e.Donation != checked.donation:
		return faults.Problem(http.StatusConflict, "ID in use", "There is another event with this ID")
	case !e.State.open():
		return conflict("The event is " + string(e.State))
	}
	s.count(c.id, status == http.StatusCreated)
	e.name, e.instalments, e.Request = checked.name, checked.instalments, flussi.NewText(string(c.body))
	return e.reply(status)
}

// event returns an event of the school.
func (s *Simulator) event(c call, id uuid.UUID) (*event, *faults.Reply) {
	e := s.events[id]
	if e == nil || e.School != c.code {
		return nil, faults.Problem(http.StatusNotFound, "Event not found", "There is no event "+id.String())
	}
	return e, nil
}

func (s *Simulator) getEvent(c call) *faults.Reply {
	e, missing := s.event(c, c.id)
	if missing != nil {
		return missing
	}
	return e.reply(http.StatusOK)
}

func (s *Simulator) moveEvent(c call) *faults.Reply {
	e, missing := s.event(c, c.id)
	if missing != nil {
		return missing
	}
	to, permitted, who := e.State.move(c.action)
	if refusal := c.permitted(who); refusal != nil {
		return refusal
	}
	reason, fault := checkReason(c.body, c.action)
	switch {
	case fault != "":
		return faults.Problem(http.StatusBadRequest, "Request not valid", fault)
	case !permitted:
		return conflict("The event is " + string(e.State))
	}
	switch c.action {
	case "reject":
		e.Rejection = flussi.NewText(reason)
	case "delete":
		for _, n := range e.notices {
			if n.State != NoticeCancelled {
				n.State = NoticeCancelled
				n.Steps = append(n.Steps, c.step("cancel"))
			}
		}
	}
	e.State = to
	e.Steps = append(e.Steps, c.step(c.action))
	return e.reply(http.StatusOK)
}

func (c call) step(action string) Step { return Step{action, c.user, now()} }

func (s *Simulator) putNotice(c call) *faults.Reply {
	if refusal := c.permitted(office); refusal != nil {
		return refusal
	}
	checked, fault := checkNotice(c.body)
	if fault != "" {
		return faults.Problem(http.StatusBadRequest, "Notice not valid", fault)
	}
	e, missing := s.event(c, checked.event)
	n, status := s.notices[c.id], http.StatusOK
	switch {
	case missing != nil:
		return missing
	case e.Donation:
		return faults.Problem(http.StatusUnprocessableEntity, "Notice not valid", "A donation has no notices")
	case checked.instalment > e.instalments:
		return faults.Problem(http.StatusUnprocessableEntity, "Notice not valid", fmt.Sprintf("The event has %d instalments", e.instalments))
	case !e.State.open():
		return conflict("The event is " + string(e.State))
	case n == nil && s.events[c.id] != nil, n != nil && n.event != e:
		return faults.Problem(http.StatusConflict, "ID in use", "Something else has this ID")
	case n != nil && n.State != NoticeNotNotified:
		return conflict("The notice is " + string(n.State))
	case n == nil:
		status = http.StatusCreated
		n = &notice{event: e, proofs: map[ProofKind]Proof{}, StoredNotice: StoredNotice{
			ID: c.id, Event: e.ID, School: c.code, RemoteID: s.remoteID("AV"), Number: s.number(c.school), State: NoticeNotNotified,
		}}
		s.notices[c.id] = n
		e.notices = append(e.notices, n)
	}
	s.count(c.id, status == http.StatusCreated)
	n.instalment, n.Debtor, n.Payer, n.Due, n.DueDate = checked.instalment, checked.debtor, checked.payer, checked.due, checked.dueDate
	n.Request = flussi.NewText(string(c.body))
	return faults.JSON(status, s.wireNotice(n))
}

func (s *Simulator) getNotices(c call) *faults.Reply {
	ids, fault := checkQuery(c.body)
	if fault != "" {
		return faults.Problem(http.StatusBadRequest, "Query not valid", fault)
	}
	found, seen := []map[string]any{}, map[uuid.UUID]bool{}
	for _, id := range ids {
		if n := s.notices[id]; n != nil && n.School == c.code && !seen[id] {
			found = append(found, s.wireNotice(n))
			seen[id] = true
		}
	}
	return faults.JSON(http.StatusOK, map[string]any{"notices": found})
}

// notice returns the notice of a call.
func (s *Simulator) notice(c call) (*notice, *faults.Reply) {
	n := s.notices[c.id]
	if n == nil || n.School != c.code {
		return nil, faults.Problem(http.StatusNotFound, "Notice not found", "There is no notice "+c.id.String())
	}
	s.advance(n)
	return n, nil
}

func (s *Simulator) moveNotice(c call) *faults.Reply {
	n, missing := s.notice(c)
	if missing != nil {
		return missing
	}
	if refusal := c.permitted(office); refusal != nil {
		return refusal
	}
	to, permitted, needs := n.State.move(c.action, n.event.State)
	proof, fault := checkProof(c.body, needs != "")
	switch {
	case fault != "":
		return faults.Problem(http.StatusBadRequest, "Request not valid", fault)
	case !permitted:
		return conflict("The notice is " + string(n.State) + ", its event " + string(n.event.State))
	case needs != "" && proof.Amount != n.Due:
		return faults.Problem(http.StatusUnprocessableEntity, "Proof not valid", "The amount is not what is due")
	}
	if needs != "" {
		n.proofs[needs] = proof
	}
	n.State = to
	n.Steps = append(n.Steps, c.step(c.action))
	return faults.JSON(http.StatusOK, s.wireNotice(n))
}

func (s *Simulator) getPDF(c call) *faults.Reply {
	n, missing := s.notice(c)
	if missing != nil {
		return missing
	}
	return faults.Body(http.StatusOK, "application/pdf", makePDF(c.school.Name, n))
}

func (s *Simulator) getReceipt(c call) *faults.Reply {
	n, missing := s.notice(c)
	switch {
	case missing != nil:
		return missing
	case n.receipt == nil:
		return faults.Problem(http.StatusNotFound, "Receipt not found", "There is no receipt of the notice "+c.id.String())
	}
	r := n.receipt
	return faults.JSON(http.StatusOK, map[string]any{
		"notice": n.ID, "reference": r.reference, "outcome": r.outcome, "amount": r.amount, "date": r.date.Format(time.RFC3339), "psp": "Banca di Prova",
	})
}

// reply returns an event as a reply.
func (e *event) reply(status int) *faults.Reply {
	wire := map[string]any{"id": e.ID, "remote_id": e.RemoteID, "state": e.State}
	if !e.Rejection.IsZero() {
		wire["rejection"] = e.Rejection.Reveal()
	}
	return faults.JSON(status, wire)
}

// wireNotice returns the JSON of a notice.
func (s *Simulator) wireNotice(n *notice) map[string]any {
	s.advance(n)
	evidence := map[string]any{}
	for kind, p := range n.proofs {
		proof := map[string]any{"reference": p.Reference, "amount": p.Amount, "date": p.Date.UTC().Format(time.RFC3339Nano)}
		if p.By != "" {
			proof["by"] = p.By
		}
		evidence[string(kind)] = proof
	}
	payer := s.payers[n.Payer]
	return map[string]any{
		"id": n.ID, "remote_id": n.RemoteID, "number": n.Number, "state": n.State,
		"payer_registered": payer.registered, "payer_logged_in": payer.loggedIn, "evidence": evidence,
	}
}

// forbidden refuses a school or a user.
func forbidden(detail string) *faults.Reply {
	return faults.Problem(http.StatusForbidden, "Not permitted", detail)
}

// conflict refuses a call that the state of an event or a notice does not permit.
func conflict(detail string) *faults.Reply {
	return faults.Problem(http.StatusConflict, "State does not permit it", detail)
}
