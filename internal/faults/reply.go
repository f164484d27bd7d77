package faults

import (
	"encoding/json"
	"maps"
	"math"
	"net/http"
	"strconv"
	"time"
)

// Reply is what a platform or its gateway answers.
type Reply struct {
	Status int         // of HTTP
	Header http.Header // may be nil
	Body   []byte      // whole
}

// Body returns a reply of a content type.
func Body(status int, contentType string, body []byte) *Reply {
	return &Reply{status, http.Header{"Content-Type": {contentType}}, body}
}

// JSON returns a reply with a JSON body. It panics if the body cannot be marshalled.
func JSON(status int, body any) *Reply { return marshalled(status, "application/json", body) }

// Problem returns a refusal of the service behind the gateway, as problem+json (RFC 9457).
func Problem(status int, title, detail string) *Reply {
	return marshalled(status, "application/problem+json", map[string]any{
		"type": "about:blank", "status": status, "title": title, "detail": detail,
	})
}

// Gateway returns a refusal of the gateway, in the form of Azure API Management.
func Gateway(status int, message string) *Reply {
	return JSON(status, map[string]any{"statusCode": status, "message": message})
}

func marshalled(status int, contentType string, body any) *Reply {
	text, err := json.Marshal(body)
	if err != nil {
		panic("faults: " + err.Error())
	}
	return Body(status, contentType+"; charset=utf-8", text)
}

func noSuchAddress() *Reply { return Gateway(http.StatusNotFound, "Resource not found") }

func (f *Front[O, F]) wrongKey() *Reply {
	return Gateway(http.StatusUnauthorized, f.config.WrongKey)
}

// tooMany refuses a call as one too many, and asks to wait.
func (f *Front[O, F]) tooMany(wait time.Duration) *Reply {
	seconds := strconv.Itoa(int(math.Ceil(wait.Seconds())))
	r := Gateway(http.StatusTooManyRequests, "Rate limit is exceeded. Try again in "+seconds+" seconds.")
	r.Header.Set("Retry-After", seconds)
	if f.config.RateLimitHeaders {
		r.Header.Set("X-Rate-Limit-Retry-After", seconds)
		r.Header.Set("X-Rate-Limit-Remaining", "0")
	}
	return r
}

func (r *Reply) write(w http.ResponseWriter) {
	maps.Copy(w.Header(), r.Header)
	w.Header().Set("Content-Length", strconv.Itoa(len(r.Body)))
	w.WriteHeader(r.Status)
	_, _ = w.Write(r.Body)
}

// half returns the first half of the body.
func (r *Reply) half() []byte { return r.Body[:len(r.Body)/2] }
