package faults

import (
	"bytes"
	"fmt"
	"iter"
	"maps"
	"net"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi/internal/pace"
)

// Fault is something that goes wrong with a call. The zero Fault lets the call pass.
type Fault struct {
	Kind       string        // one of the table of effects
	Stored     bool          // after the platform did what was asked; for kinds that leave it open
	Delay      time.Duration // before the answer
	RetryAfter time.Duration // that a 429 asks for, in whole seconds; at least 1 s
}

// String names the fault, such as "reset (stored)".
func (f Fault) String() string {
	if f.Stored {
		return f.Kind + " (stored)"
	}
	return f.Kind
}

// ExecutesCall reports whether the platform does what a call with the fault asks for, whatever it
// answers.
func (f Fault) ExecutesCall() bool {
	e := effects[f.Kind]
	return e.stored == always || e.stored == either && f.Stored
}

// Each yields the kinds, with Stored false and true where that is open: those where it is open
// first.
func Each[K ~string](kinds []K) iter.Seq2[K, bool] {
	return func(yield func(K, bool) bool) {
		for _, kind := range kinds {
			if effects[string(kind)].stored == either && (!yield(kind, false) || !yield(kind, true)) {
				return
			}
		}
		for _, kind := range kinds {
			if effects[string(kind)].stored != either && !yield(kind, false) {
				return
			}
		}
	}
}

// stored says whether the platform does what is asked.
type stored uint8

const (
	never  stored = iota
	always        // and the answer is lost or spoiled
	either        // as Fault.Stored says
)

// effect is what a kind of fault does to a call.
type effect struct {
	stored stored
	reply  func(incident) *Reply // nil if there is none
}

// incident is a call that goes wrong.
type incident struct {
	w        http.ResponseWriter
	request  *http.Request
	good     *Reply // what the platform answered; an empty reply if it did not do what was asked
	wrongKey func() *Reply
	tooMany  func() *Reply
}

// effects has every kind of fault.
var effects = map[string]effect{
	"":               {always, func(i incident) *Reply { return i.good }},
	"slow":           {always, func(i incident) *Reply { return i.good }},
	"307":            {never, redirect},
	"400":            {never, problem(http.StatusBadRequest)},
	"401":            {never, func(i incident) *Reply { return i.wrongKey() }},
	"403":            {never, problem(http.StatusForbidden)},
	"404":            {never, problem(http.StatusNotFound)},
	"404 gateway":    {never, func(incident) *Reply { return noSuchAddress() }},
	"409":            {never, problem(http.StatusConflict)},
	"422":            {never, problem(http.StatusUnprocessableEntity)},
	"429":            {never, func(i incident) *Reply { return i.tooMany() }},
	"429 bare":       {never, bare(http.StatusTooManyRequests)},
	"500":            {either, bare(http.StatusInternalServerError)},
	"500 problem":    {either, problem(http.StatusInternalServerError)},
	"502":            {either, badGateway},
	"503":            {either, unavailable},
	"504":            {either, bare(http.StatusGatewayTimeout)},
	"silent":         {either, silence},
	"reset":          {either, func(i incident) *Reply { return hangUp(i.w, "") }},
	"truncated":      {always, truncate},
	"cut body":       {always, cutBody},
	"cut unseen":     {always, cutWithoutLength},
	"garbled":        {always, garble},
	"huge":           {always, enlarge},
	"other ID":       {always, changeID},
	"no ID":          {always, func(i incident) *Reply { return &Reply{Status: i.good.Status} }},
	"ID in Location": {always, onlyLocation},
}

// inject makes a call go wrong. The function does what the call asks for.
func (f *Front[O, F]) inject(w http.ResponseWriter, r *http.Request, fault Fault, answer func() *Reply) {
	if fault.Delay > 0 && pace.Wait(r.Context(), fault.Delay) != nil {
		return
	}
	if !f.kinds[fault.Kind] {
		Problem(http.StatusNotImplemented, "Unknown fault", fault.Kind).write(w)
		return
	}
	good := &Reply{Status: http.StatusOK}
	if fault.ExecutesCall() {
		good = answer()
	}
	tooMany := func() *Reply { return f.tooMany(max(fault.RetryAfter, time.Second)) }
	if reply := effects[fault.Kind].reply(incident{w, r, good, f.wrongKey, tooMany}); reply != nil {
		reply.write(w)
	}
}

// problem is the same whether the platform did what was asked or not: clients must not be able to
// distinguish them.
func problem(status int) func(incident) *Reply {
	return func(incident) *Reply {
		return Problem(status, "Injected fault", "Nothing is wrong with the request")
	}
}

func bare(status int) func(incident) *Reply {
	return func(incident) *Reply { return &Reply{Status: status} }
}

func redirect(i incident) *Reply {
	return &Reply{http.StatusTemporaryRedirect, http.Header{"Location": {i.request.URL.Path + "/elsewhere"}}, nil}
}

func badGateway(incident) *Reply {
	return Body(http.StatusBadGateway, "text/html", []byte("<html><body><h1>502 Bad Gateway</h1></body></html>"))
}

func unavailable(incident) *Reply {
	return Gateway(http.StatusServiceUnavailable, "The service is unavailable.")
}

func silence(i incident) *Reply {
	<-i.request.Context().Done()
	return nil
}

func truncate(i incident) *Reply {
	return hangUp(i.w, statusLine(i.good)+"Content-Type: application/json\r\nContent-Le")
}

func cutBody(i incident) *Reply {
	return cut(i, "Content-Length", strconv.Itoa(len(i.good.Body)))
}

func cutWithoutLength(i incident) *Reply { return cut(i, "Connection", "close") }

// cut sends the good reply with one more header and half of its body, and breaks the connection.
func cut(i incident, name, value string) *Reply {
	header := http.Header{}
	maps.Copy(header, i.good.Header)
	header.Set(name, value)
	var sent strings.Builder
	sent.WriteString(statusLine(i.good))
	_ = header.Write(&sent) // a strings.Builder has no errors
	sent.WriteString("\r\n")
	sent.Write(i.good.half())
	return hangUp(i.w, sent.String())
}

func statusLine(r *Reply) string {
	return fmt.Sprintf("HTTP/1.1 %d %s\r\n", r.Status, http.StatusText(r.Status))
}

func garble(i incident) *Reply {
	i.good.Body = append([]byte("?"), i.good.half()...)
	return i.good
}

func enlarge(i incident) *Reply {
	i.good.Body = append(i.good.Body, bytes.Repeat([]byte(" "), 16<<20)...)
	return i.good
}

// anyID matches the IDs that a reply is about.
var anyID = regexp.MustCompile(`"(id|notice)":"[^"]*"`)

func changeID(i incident) *Reply {
	i.good.Body = anyID.ReplaceAll(i.good.Body, []byte(`"$1":"`+uuid.NewString()+`"`))
	return i.good
}

func onlyLocation(i incident) *Reply {
	return &Reply{i.good.Status, http.Header{"Location": i.good.Header["Location"]}, nil}
}

// hangUp breaks the connection after it sent the text; without a text, by a reset. It returns no
// reply.
func hangUp(w http.ResponseWriter, text string) *Reply {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler) // net/http's own way to break off
	}
	if text != "" {
		_, _ = conn.Write([]byte(text))
	} else if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // a reset, not an orderly end
	}
	_ = conn.Close()
	return nil
}
