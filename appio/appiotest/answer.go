package appiotest

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/faults"
)

// ServeHTTP answers as the platform does, with the faults that were injected.
func (s *Simulator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.front.Serve(w, r, func(body []byte) (faults.Call[Operation], bool) {
		op, args, found := route(r)
		service, known := s.service(r.Header.Get("Ocp-Apim-Subscription-Key"))
		call := faults.Call[Operation]{Operation: op, KnownKey: known, Account: service.Body}
		if service.Forbidden {
			call.Refusal = forbidden(notEnough)
		}
		switch op {
		case SubmitMessage:
			call.Answer = func() *faults.Reply { return s.submit(service, body) }
		case GetMessage:
			call.Answer = func() *faults.Reply { return s.message(service, args[0], args[1]) }
		case GetProfile:
			call.Answer = func() *faults.Reply { return s.profile(service, body) }
		case GetFeed:
			call.Answer = func() *faults.Reply { return s.feed(service, args[0]) }
		}
		return call, found
	})
}

// service returns the service with the key.
func (s *Simulator) service(key string) (Service, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	service, known := s.services[key]
	return service, known
}

// route finds the operation and the arguments in the path.
func route(r *http.Request) (op Operation, args []string, ok bool) {
	path, found := strings.CutPrefix(r.URL.Path, BasePath+"/")
	parts := strings.Split(path, "/")
	switch {
	case !found:
	case r.Method == http.MethodPost && path == "messages":
		return SubmitMessage, nil, true
	case r.Method == http.MethodGet && len(parts) == 3 && parts[0] == "messages":
		return GetMessage, parts[1:], true
	case r.Method == http.MethodPost && path == "profiles":
		return GetProfile, nil, true
	case r.Method == http.MethodGet && len(parts) == 2 && parts[0] == "subscriptions-feed":
		return GetFeed, parts[1:], true
	}
	return "", nil, false
}

func (s *Simulator) submit(service Service, body []byte) *faults.Reply {
	request, fault := checkMessage(body)
	if fault != "" {
		return faults.Problem(http.StatusBadRequest, "Invalid NewMessage", fault)
	}
	if refusal := s.refusal(service, request); refusal != nil {
		return refusal
	}
	id := s.store(service, request, body)
	reply := faults.JSON(http.StatusCreated, map[string]string{"id": id})
	reply.Header.Set("Location", fmt.Sprintf("%s/messages/%s/%s", BasePath, request.code.Reveal(), id))
	return reply
}

// store stores a message and returns its ID.
func (s *Simulator) store(service Service, request checked, body []byte) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := &stored{
		Delivery: Delivery{
			ID: ulid(time.Now()), Service: service.ID, Recipient: request.code, Subject: flussi.NewText(request.subject),
			Request: flussi.NewText(string(body)), At: time.Now(), State: State{Status: "ACCEPTED"},
		},
		content:   request.content,
		level:     request.level,
		isPayment: request.isPayment,
	}
	s.messages = append(s.messages, m)
	s.byID[m.ID] = m
	s.advance(m)
	return m.ID
}

func (s *Simulator) message(service Service, code, id string) *faults.Reply {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.byID[id]
	switch {
	case m == nil || m.Recipient.Reveal() != code:
		return faults.Problem(http.StatusNotFound, "Message not found", "The message that you requested was not found in the system.")
	case m.Service != service.ID:
		return forbidden(notEnough)
	}
	s.advance(m)
	answer := map[string]any{
		"message": map[string]any{
			"id": m.ID, "fiscal_code": code, "sender_service_id": m.Service, "time_to_live": 3600,
			"created_at": m.At.UTC().Format("2006-01-02T15:04:05.000Z"), "content": m.content, "feature_level_type": m.level,
		},
	}
	put := func(into map[string]any, name, value string) {
		if value != "" {
			into[name] = value
		}
	}
	put(answer, "status", m.State.Status)
	channels := map[string]any{}
	put(channels, "email", m.State.Email)
	put(channels, "webhook", m.State.Push)
	if len(channels) > 0 {
		answer["notification"] = channels
	}
	if m.level == "ADVANCED" && service.ReadsDetails {
		put(answer, "read_status", m.State.Read)
		put(answer, "payment_status", m.State.Payment)
	}
	return faults.JSON(http.StatusOK, answer)
}

func (s *Simulator) profile(service Service, body []byte) *faults.Reply {
	code, fault := checkCitizen(body)
	if fault != "" {
		return faults.Problem(http.StatusBadRequest, "Invalid FiscalCodePayload", fault)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.present(code) {
		return faults.Problem(http.StatusNotFound, "Profile not found", "The profile you requested was not found in the system.")
	}
	languages := s.citizens[code].Languages
	if len(languages) == 0 {
		languages = []string{"it_IT"}
	}
	return faults.JSON(http.StatusOK, map[string]any{"sender_allowed": s.accepts(code, service.ID), "preferred_languages": languages})
}

func (s *Simulator) feed(service Service, date string) *faults.Reply {
	day, err := time.Parse(time.DateOnly, date)
	switch {
	case err != nil:
		return faults.Problem(http.StatusBadRequest, "Invalid date", fmt.Sprintf("value [%q] is not a valid [date]", date))
	case !service.ReadsFeed:
		return forbidden("The service cannot read the subscriptions feed")
	case time.Now().Before(day.AddDate(0, 0, 1)):
		return faults.Problem(http.StatusNotFound, "Subscriptions feed not available yet", "The day is not over")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	feed := s.feeds[service.ID][date]
	return faults.JSON(http.StatusOK, map[string]any{
		"dateUTC": date, "subscriptions": append([]string{}, feed[0]...), "unsubscriptions": append([]string{}, feed[1]...),
	})
}

// notEnough is what the platform says to a service that lacks a permission.
const notEnough = "You do not have enough permissions to complete the operation you requested"

// forbidden refuses a service that may not do what it asks for.
func forbidden(detail string) *faults.Reply {
	return faults.Problem(http.StatusForbidden, "You are not allowed here", detail)
}

// ulid returns a new ID: the milliseconds and 80 random bits, in Crockford's base 32.
func ulid(now time.Time) string {
	const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
	var random [16]byte
	_, _ = rand.Read(random[:]) // never fails
	id := make([]byte, 26)
	milliseconds := uint64(now.UnixMilli())
	for i := 9; i >= 0; i-- {
		id[i] = alphabet[milliseconds&31]
		milliseconds >>= 5
	}
	high, low := binary.BigEndian.Uint64(random[:8]), binary.BigEndian.Uint64(random[8:])
	for i := range 8 {
		id[10+i] = alphabet[high>>(5*i)&31]
		id[18+i] = alphabet[low>>(5*i)&31]
	}
	return string(id)
}
