package appiotest

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"strings"
	"time"

	"github.com/flussi-go/flussi"
)

// ServeHTTP answers as the platform does, with the faults that were injected.
func (s *Simulator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	// Read first: a server that has not read the request does not see the client go.
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err != nil {
		return
	}
	op, args, ok := route(r)
	if !ok {
		gateway(w, http.StatusNotFound, "Resource not found")
		return
	}
	service, fault, refusal := s.admit(op, r.Header.Get("Ocp-Apim-Subscription-Key"))
	if refusal != nil {
		refusal(w)
		return
	}
	answer := func(w http.ResponseWriter) {
		switch op {
		case SubmitMessage:
			s.submit(w, service, body)
		case GetMessage:
			s.message(w, service, args[0], args[1])
		case GetProfile:
			s.profile(w, service, body)
		case GetFeed:
			s.feed(w, service, args[0])
		}
	}
	if fault == nil {
		answer(w)
		return
	}
	fault.inject(w, r, answer)
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

// admit does what the gateway does before the service sees a call: it checks the key
// and the limit. It also picks the fault for the call.
func (s *Simulator) admit(op Operation, key string) (Service, *Fault, func(http.ResponseWriter)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.received[op]++
	service, known := s.services[key]
	if !known {
		return service, nil, func(w http.ResponseWriter) {
			gateway(w, http.StatusUnauthorized, "Access denied due to invalid subscription key. Make sure to provide a valid key for an active subscription.")
		}
	}
	if wait := s.count(service.Body); wait > 0 {
		s.limited++
		return service, nil, func(w http.ResponseWriter) { tooMany(w, wait) }
	}
	if service.Forbidden {
		return service, nil, func(w http.ResponseWriter) {
			problem(w, http.StatusForbidden, "You are not allowed here", "You do not have enough permissions to complete the operation you requested")
		}
	}
	return service, s.pick(op), nil
}

// count counts a call of a body, or says how long until it may make another.
func (s *Simulator) count(body string) time.Duration {
	if s.config.Unlimited {
		return 0
	}
	now := time.Now()
	window := s.calls[body]
	for len(window) > 0 && now.Sub(window[0]) >= s.config.Window {
		window = window[1:]
	}
	if len(window) >= s.config.Calls {
		s.calls[body] = window
		return s.config.Window - now.Sub(window[0])
	}
	s.calls[body] = append(window, now)
	return 0
}

func (s *Simulator) submit(w http.ResponseWriter, service Service, body []byte) {
	request, fault := checkMessage(body)
	switch {
	case fault != "":
		problem(w, http.StatusBadRequest, "Invalid NewMessage", fault)
		return
	case request.payee != "" && request.payee != service.Body && !service.NamesPayee:
		problem(w, http.StatusForbidden, "You are not allowed here", "The service cannot name the payee "+request.payee)
		return
	}
	id := s.store(service, request, body)
	w.Header().Set("Location", fmt.Sprintf("%s/messages/%s/%s", BasePath, request.code.Reveal(), id))
	reply(w, http.StatusCreated, map[string]string{"id": id})
}

// store keeps a message and returns its ID.
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

func (s *Simulator) message(w http.ResponseWriter, service Service, code, id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.byID[id]
	if m == nil || m.Service != service.ID || m.Recipient.Reveal() != code {
		problem(w, http.StatusNotFound, "Message not found", "The message that you requested was not found in the system.")
		return
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
	reply(w, http.StatusOK, answer)
}

func (s *Simulator) profile(w http.ResponseWriter, service Service, body []byte) {
	code, fault := checkCitizen(body)
	if fault != "" {
		problem(w, http.StatusBadRequest, "Invalid FiscalCodePayload", fault)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.present(code) {
		problem(w, http.StatusNotFound, "Profile not found", "The profile you requested was not found in the system.")
		return
	}
	languages := s.citizens[code].Languages
	if len(languages) == 0 {
		languages = []string{"it_IT"}
	}
	reply(w, http.StatusOK, map[string]any{"sender_allowed": s.takes(code, service.ID), "preferred_languages": languages})
}

func (s *Simulator) feed(w http.ResponseWriter, service Service, date string) {
	day, err := time.Parse(time.DateOnly, date)
	switch {
	case err != nil:
		problem(w, http.StatusBadRequest, "Invalid date", fmt.Sprintf("value [%q] is not a valid [date]", date))
		return
	case !service.ReadsFeed:
		problem(w, http.StatusForbidden, "You are not allowed here", "The service cannot read the subscriptions feed")
		return
	case time.Now().Before(day.AddDate(0, 0, 1)):
		problem(w, http.StatusNotFound, "Subscriptions feed not available yet", "The day is not over")
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	feed := s.feeds[service.ID][date]
	reply(w, http.StatusOK, map[string]any{
		"dateUTC": date, "subscriptions": append([]string{}, feed[0]...), "unsubscriptions": append([]string{}, feed[1]...),
	})
}

// reply writes a JSON body.
func reply(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

// problem answers as the service behind the gateway does.
func problem(w http.ResponseWriter, status int, title, detail string) {
	w.Header().Set("Content-Type", "application/problem+json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"type": "about:blank", "status": status, "title": title, "detail": detail})
}

// gateway answers as the gateway itself does.
func gateway(w http.ResponseWriter, status int, message string) {
	reply(w, status, map[string]any{"statusCode": status, "message": message})
}

// tooMany answers as the gateway does to a call too many.
func tooMany(w http.ResponseWriter, wait time.Duration) {
	seconds := fmt.Sprint(int(math.Ceil(wait.Seconds())))
	w.Header().Set("Retry-After", seconds)
	w.Header().Set("X-Rate-Limit-Retry-After", seconds)
	w.Header().Set("X-Rate-Limit-Remaining", "0")
	gateway(w, http.StatusTooManyRequests, "Rate limit is exceeded. Try again in "+seconds+" seconds.")
}

// ulid makes an ID: the milliseconds and 80 random bits, in Crockford's base 32.
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
