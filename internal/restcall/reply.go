package restcall

import (
	"bytes"
	"encoding/json"
	"math"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/flussi-go/flussi"
)

// DeclaredProblem returns the problem in the body if its type is application/problem+json, which
// only the service behind the gateway sends. Otherwise it returns nil.
func (r *Reply) DeclaredProblem() *flussi.Problem {
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if kind != "application/problem+json" || r.BodyErr != nil {
		return nil
	}
	return Object[flussi.Problem](r.Body)
}

// Problem returns what the reply says about a refusal: the problem of the service, declared as such
// or not, or the statusCode and message of a gateway. It returns nil if the reply says nothing.
func (r *Reply) Problem() *flussi.Problem {
	if p := r.fromService(); p != nil {
		return p
	}
	gateway := Object[struct {
		StatusCode int         `json:"statusCode"`
		Message    flussi.Text `json:"message"`
	}](r.Body)
	if gateway == nil || gateway.Message.IsZero() && gateway.StatusCode == 0 {
		return nil
	}
	return &flussi.Problem{Status: gateway.StatusCode, Detail: gateway.Message}
}

// FromService reports whether the service behind the gateway answered: with a problem, declared
// as such or not. A gateway that has no such address answers in another form.
func (r *Reply) FromService() bool { return r.fromService() != nil }

func (r *Reply) fromService() *flussi.Problem {
	p := Object[flussi.Problem](r.Body) // encoding/json matches its fields in lower case
	if p == nil || p.Title.IsZero() && p.Detail.IsZero() && p.Status == 0 {
		return nil
	}
	return p
}

// Object decodes a JSON object, without the fields whose type is not the expected one. It returns
// nil if the body is no object.
func Object[T any](body []byte) *T {
	into := new(T)
	if trimmed := bytes.TrimLeft(body, " \t\r\n"); len(trimmed) == 0 || trimmed[0] != '{' {
		return nil
	}
	if json.Unmarshal(body, into) == nil {
		return into
	}
	// A field has another type: decode the fields one by one.
	into = new(T)
	var fields map[string]json.RawMessage
	if json.Unmarshal(body, &fields) != nil {
		return nil
	}
	for name, value := range fields {
		one, err := json.Marshal(map[string]json.RawMessage{name: value})
		if err == nil {
			_ = json.Unmarshal(one, into)
		}
	}
	return into
}

// RetryAfter reads how long the server asks to wait: the longer of X-Rate-Limit-Retry-After
// (seconds) and Retry-After (seconds or a date), at most a day; 0 if neither is valid. A date counts
// from the Date of the reply, since the clock of this machine may be wrong.
func RetryAfter(h http.Header, now time.Time) time.Duration {
	if date, err := http.ParseTime(h.Get("Date")); err == nil {
		now = date
	}
	var longest time.Duration
	for _, name := range []string{"X-Rate-Limit-Retry-After", "Retry-After"} {
		longest = max(longest, delay(strings.TrimSpace(h.Get(name)), now))
	}
	return longest
}

func delay(value string, now time.Time) time.Duration {
	if value == "" {
		return 0
	}
	if seconds, err := strconv.ParseFloat(value, 64); err == nil {
		if seconds >= 0 && !math.IsInf(seconds, 0) {
			return time.Duration(min(seconds, 24*60*60) * float64(time.Second))
		}
		return 0
	}
	if at, err := http.ParseTime(value); err == nil {
		return min(max(at.Sub(now), 0), 24*time.Hour)
	}
	return 0
}
