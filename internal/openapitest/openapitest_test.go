package openapitest_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/internal/openapitest"
)

const document = `
paths:
  /things/{id}:
    parameters: [{name: id, in: path, schema: {type: string, format: uuid}}]
    put:
      operationId: put thing
      parameters: [{name: User, in: header, schema: {type: string, pattern: "^[a-z]+$"}}]
      requestBody: {content: {application/json: {schema: {$ref: "#/components/schemas/Thing"}}}}
      responses:
        "200": {content: {application/json: {schema: {$ref: "#/components/schemas/Thing"}}}}
        default: {content: {application/problem+json: {schema: {type: object, required: [title], properties: {title: {type: string}}}}}}
  /things/query:
    get:
      operationId: query things
      responses:
        "200": {content: {application/pdf: {schema: {type: string, format: binary}}}}
components:
  schemas:
    Thing:
      type: object
      additionalProperties: false
      required: [name]
      properties:
        name: {type: string, minLength: 1, maxLength: 3}
        kind: {type: string, enum: [A, B]}
        at: {type: string, format: date-time}
        sum: {type: integer, minimum: 1, maximum: 5}
        good: {type: boolean}
        parts: {type: array, maxItems: 2, items: {$ref: "#/components/schemas/Thing"}}
`

const id = "0194fdc2-fa2f-4cc0-81d3-ff12045b73c8"

func load(t *testing.T, text string) (*openapitest.Document, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "openapi.yaml")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return openapitest.Load(path)
}

func TestRequestsAreChecked(t *testing.T) {
	d := must.Get(load(t, document))(t)
	for body, fault := range map[string]string{
		`{"name":"abc"}`: "",
		`{"name":"abc","kind":"A","at":"2026-01-02T03:04:05.6Z","sum":5,"good":true,"parts":[{"name":"x"}]}`: "",
		``:                           "EOF",
		`{"name":"abc"}{}`:           "more than one",
		`[]`:                         "not an object",
		`{}`:                         "no name",
		`{"name":7}`:                 "not a string",
		`{"name":""}`:                "too short",
		`{"name":"ab😀"}`:             "too long",
		`{"name":"a","kind":"C"}`:    "none of the values",
		`{"name":"a","at":"2026"}`:   "no date-time",
		`{"name":"a","sum":6}`:       "not an integer",
		`{"name":"a","sum":1.5}`:     "not an integer",
		`{"name":"a","sum":"1"}`:     "not an integer",
		`{"name":"a","good":"true"}`: "not a boolean",
		`{"name":"a","parts":[{"name":"x"},{"name":"x"},{"name":"x"}]}`: "not a list",
		`{"name":"a","parts":[{}]}`:                                     "parts[0]: no name",
		`{"name":"a","other":1}`:                                        "other is not known",
	} {
		r := &http.Request{Method: http.MethodPut, Header: http.Header{"Authorization": {"Bearer x"}, "Content-Type": {"application/json"}, "User": {"me"}}}
		err := d.CheckRequest(r, "/things/"+id, []byte(body))
		if fault == "" {
			assert.NoError(t, err, body)
		} else {
			assert.ErrorContains(t, err, fault, body)
		}
	}
	good := http.Header{"Authorization": {"Bearer x"}, "Content-Type": {"application/json"}, "User": {"me"}}
	for fault, change := range map[string]func(r *http.Request, path *string){
		"no key":            func(r *http.Request, _ *string) { r.Header.Del("Authorization") },
		"content type":      func(r *http.Request, _ *string) { r.Header.Set("Content-Type", "text/plain") },
		"no parameter User": func(r *http.Request, _ *string) { r.Header.Del("User") },
		"of the pattern":    func(r *http.Request, _ *string) { r.Header.Set("User", "ME") },
		"no uuid":           func(_ *http.Request, path *string) { *path = "/things/7" },
		"no operation":      func(r *http.Request, _ *string) { r.Method = http.MethodPost },
	} {
		r, path := &http.Request{Method: http.MethodPut, Header: good.Clone()}, "/things/"+id
		change(r, &path)
		assert.ErrorContains(t, d.CheckRequest(r, path, []byte(`{"name":"a"}`)), fault)
	}
	r := &http.Request{Method: http.MethodGet, Header: good}
	assert.NoError(t, d.CheckRequest(r, "/things/query", nil))
	assert.ErrorContains(t, d.CheckRequest(r, "/things/query", []byte("{}")), "not expected")
}

func TestRepliesAreChecked(t *testing.T) {
	d := must.Get(load(t, document))(t)
	reply := func(status int, kind, body string) error {
		return d.CheckReply(http.MethodPut, "/things/"+id, status, http.Header{"Content-Type": {kind}}, []byte(body))
	}
	assert.NoError(t, reply(200, "application/json; charset=utf-8", `{"name":"a"}`))
	assert.ErrorContains(t, reply(200, "application/json", `{}`), "no name")
	assert.ErrorContains(t, reply(200, "text/html", `{}`), "content type")
	assert.ErrorContains(t, reply(202, "application/json", `{"name":"a"}`), "status 202")
	assert.NoError(t, reply(404, "application/problem+json", `{"title":"x"}`))
	assert.ErrorContains(t, reply(404, "application/problem+json", `{}`), "no title")
	assert.NoError(t, reply(502, "text/html", `<html>`), "a gateway's")
	assert.NoError(t, d.CheckReply(http.MethodGet, "/things/query", 200, http.Header{"Content-Type": {"application/pdf"}}, []byte("%PDF")))
	assert.Error(t, d.CheckReply(http.MethodGet, "/elsewhere", 200, nil, nil))
}

func TestWhatIsNotKnownOfADocumentIsRefused(t *testing.T) {
	for from, to := range map[string]string{
		"maxItems: 2":                   "uniqueItems: true",
		"minimum: 1":                    "exclusiveMinimum: true",
		"items: {$ref: \"#/components/": "items: {$ref: \"#/nowhere/",
	} {
		_, err := load(t, strings.Replace(document, from, to, 1))
		assert.Error(t, err, to)
	}
	_, err := load(t, "\t")
	assert.Error(t, err)
	_, err = openapitest.Load("nowhere.yaml")
	assert.Error(t, err)
}

func TestADocumentTellsWhatItHas(t *testing.T) {
	d := must.Get(load(t, document))(t)
	assert.Equal(t, []openapitest.Operation{{"query things", "GET", "/things/query"}, {"put thing", "PUT", "/things/{id}"}}, d.Operations())
	assert.Equal(t, []string{"Thing"}, d.Schemas())
	assert.Equal(t, map[string]bool{"name": true, "kind": false, "at": false, "sum": false, "good": false, "parts": false}, d.Properties("Thing"))
	assert.Equal(t, []string{"A", "B"}, d.Enum("Thing", "kind"))
}

func TestAHandlerIsWatched(t *testing.T) {
	d := must.Get(load(t, document))(t)
	for reply, fault := range map[string]string{`{"name":"a"}`: "", `{}`: "a reply: put thing: reply 200: no name"} {
		var faults []string
		handler := d.Handler("/v1", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			assert.NoError(t, err)
			assert.Equal(t, `{"name":"abcd"}`, string(body), "passed on")
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, reply)
		}), func(err error) { faults = append(faults, "a request: "+err.Error()) }, func(err error) { faults = append(faults, "a reply: "+err.Error()) })
		r := httptest.NewRequest(http.MethodPut, "/v1/things/"+id, strings.NewReader(`{"name":"abcd"}`))
		r.Header = http.Header{"Authorization": {"Bearer x"}, "Content-Type": {"application/json"}, "User": {"me"}}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		assert.Equal(t, reply, w.Body.String(), "passed on")
		require.NotEmpty(t, faults)
		assert.Contains(t, faults[0], "a request: put thing: request.name")
		if fault == "" {
			assert.Len(t, faults, 1)
		} else {
			assert.Contains(t, faults[1], fault)
		}
	}
}
