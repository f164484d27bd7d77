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
)

// Problem is what a server says about a request that it refused, from a
// problem+json body or a gateway's own. Its texts may quote the request.
type Problem struct {
	Type     string `json:"type"`     // a URI that identifies the kind of problem
	Title    string `json:"title"`    // a summary
	Status   int    `json:"status"`   // of HTTP
	Detail   string `json:"detail"`   // about this occurrence
	Instance string `json:"instance"` // a URI that identifies the occurrence
}

// Problem returns the body as a problem if the server itself made it: declared as
// application/problem+json, and a JSON object. Otherwise it returns nil.
func (r *Reply) Problem() *Problem {
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if kind != "application/problem+json" || r.BodyErr != nil {
		return nil
	}
	return Object[Problem](r.Body)
}

// Said returns what the reply says about a refusal, whoever said it: a problem, or
// the statusCode and message of a gateway. It returns nil if it says nothing.
func (r *Reply) Said() *Problem {
	if p := Object[Problem](r.Body); p != nil && (p.Title != "" || p.Detail != "" || p.Status != 0) {
		return p
	}
	gateway := Object[struct {
		StatusCode int    `json:"statusCode"`
		Message    string `json:"message"`
	}](r.Body)
	if gateway == nil || gateway.Message == "" && gateway.StatusCode == 0 {
		return nil
	}
	return &Problem{Status: gateway.StatusCode, Detail: gateway.Message}
}

// FromService reports whether the service behind the gateway answered: with a problem,
// declared as such or not. A gateway that knows no such address answers in its own way.
func (r *Reply) FromService() bool {
	p := Object[Problem](r.Body)
	return p != nil && (p.Title != "" || p.Detail != "" || p.Status != 0)
}

// Object decodes a JSON object. Fields that have another type than expected are left
// out; it returns nil for anything but an object.
func Object[T any](body []byte) *T {
	into := new(T)
	if trimmed := bytes.TrimLeft(body, " \t\r\n"); len(trimmed) == 0 || trimmed[0] != '{' {
		return nil
	}
	if json.Unmarshal(body, into) == nil {
		return into
	}
	// Something is not of its type: decode what is.
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

// RetryAfter returns how long the server asks to be left alone: the longer of
// x-rate-limit-retry-after (seconds) and Retry-After (seconds or a date), 0 if
// neither says anything sensible.
func RetryAfter(h http.Header, now time.Time) time.Duration {
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
		// Not a number, infinite or negative is not sensible; beyond a day is a day.
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
