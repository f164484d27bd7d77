// Package openapitest checks HTTP requests and replies against an OpenAPI 3 document. It knows
// the part of OpenAPI that the documents of this module use, and refuses a document that uses
// more, so that nothing in it goes unchecked.
package openapitest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf16"

	"go.yaml.in/yaml/v3"
)

// Document is an OpenAPI document. It is safe for concurrent use.
type Document struct {
	root node
}

// node is an object of the document.
type node map[string]any

// Load reads a document. The error names what of it this package does not know.
func Load(path string) (*Document, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	d := &Document{}
	if err := yaml.Unmarshal(text, &d.root); err != nil {
		return nil, err
	}
	var faults []error
	for _, name := range d.Schemas() {
		faults = append(faults, d.known(name, d.root.at("components", "schemas", name)))
	}
	for _, op := range d.Operations() {
		for _, parameter := range d.parameters(op) {
			faults = append(faults, d.known(op.Name, parameter.at("schema")))
		}
	}
	return d, errors.Join(faults...)
}

// at returns what is inside objects; nil if it is not there, or no object.
func (n node) at(names ...string) node {
	for _, name := range names {
		inner, _ := n[name].(node)
		n = inner
	}
	return n
}

// list returns what is in a list.
func list[T any](n node, name string) []T {
	values, _ := n[name].([]any)
	var all []T
	for _, value := range values {
		if typed, ok := value.(T); ok {
			all = append(all, typed)
		}
	}
	return all
}

func (n node) text(name string) string {
	text, _ := n[name].(string)
	return text
}

// resolve follows references within the document.
func (d *Document) resolve(n node) node {
	for n.text("$ref") != "" {
		n = d.root.at(strings.Split(strings.TrimPrefix(n.text("$ref"), "#/"), "/")...)
	}
	return n
}

// keywords are those of a schema that are checked, or say nothing that could be.
var keywords = []string{
	"$ref", "type", "description", "enum", "pattern", "format", "minLength", "maxLength", "minimum", "maximum",
	"items", "minItems", "maxItems", "properties", "required", "additionalProperties",
}

// known refuses a schema with keywords or references that are not known.
func (d *Document) known(where string, schema node) error {
	for name := range schema {
		if !slices.Contains(keywords, name) {
			return fmt.Errorf("%s: keyword %s is not known", where, name)
		}
	}
	if schema == nil || d.resolve(schema) == nil {
		return fmt.Errorf("%s: no schema", where)
	}
	for name, inner := range schema.at("properties") {
		property, _ := inner.(node)
		if err := d.known(where+"."+name, property); err != nil {
			return err
		}
	}
	if schema["items"] != nil {
		return d.known(where+"[]", schema.at("items"))
	}
	return nil
}

// Operation is an operation of the document.
type Operation struct {
	Name   string // its operationId
	Method string // of HTTP, in capitals
	Path   string // with parameters in braces
}

// Operations returns all operations, sorted by their paths and methods.
func (d *Document) Operations() []Operation {
	var all []Operation
	for _, path := range slices.Sorted(maps.Keys(d.root.at("paths"))) {
		for _, method := range []string{"get", "post", "put"} {
			if op := d.root.at("paths", path, method); op != nil {
				all = append(all, Operation{op.text("operationId"), strings.ToUpper(method), path})
			}
		}
	}
	return all
}

// Schemas returns the names of all schemas, sorted.
func (d *Document) Schemas() []string {
	return slices.Sorted(maps.Keys(d.root.at("components", "schemas")))
}

// Properties returns the properties of a schema, and whether they are required.
func (d *Document) Properties(schema string) map[string]bool {
	s := d.root.at("components", "schemas", schema)
	all := map[string]bool{}
	for name := range s.at("properties") {
		all[name] = slices.Contains(list[string](s, "required"), name)
	}
	return all
}

// Enum returns the values that a property of a schema can have, sorted.
func (d *Document) Enum(schema, property string) []string {
	return slices.Sorted(slices.Values(list[string](d.root.at("components", "schemas", schema, "properties", property), "enum")))
}

// find returns the operation of a request, whose path is that below the server's.
func (d *Document) find(method, path string) (op Operation, arguments map[string]string, err error) {
	parts := strings.Split(path, "/")
	for _, candidate := range d.Operations() {
		template := strings.Split(candidate.Path, "/")
		if candidate.Method != method || len(template) != len(parts) {
			continue
		}
		found := map[string]string{}
		for i, part := range template {
			if strings.HasPrefix(part, "{") {
				found[strings.Trim(part, "{}")] = parts[i]
			} else if part != parts[i] {
				found = nil
				break
			}
		}
		if found != nil {
			return candidate, found, nil
		}
	}
	return op, nil, fmt.Errorf("no operation %s %s", method, path)
}

func (d *Document) of(op Operation) node {
	return d.root.at("paths", op.Path, strings.ToLower(op.Method))
}

// parameters returns those of the path and of the operation.
func (d *Document) parameters(op Operation) []node {
	var all []node
	for _, n := range append(list[node](d.root.at("paths", op.Path), "parameters"), list[node](d.of(op), "parameters")...) {
		all = append(all, d.resolve(n))
	}
	return all
}

// CheckRequest checks a request with its body; its path is that below the server's.
func (d *Document) CheckRequest(r *http.Request, path string, body []byte) error {
	op, arguments, err := d.find(r.Method, path)
	if err != nil {
		return err
	}
	for _, parameter := range d.parameters(op) {
		name := parameter.text("name")
		value, given := arguments[name]
		if parameter.text("in") == "header" {
			given = len(r.Header.Values(name)) == 1
			value = r.Header.Get(name)
		}
		if !given {
			return fmt.Errorf("%s: no parameter %s", op.Name, name)
		}
		if err := d.check(name, parameter.at("schema"), value); err != nil {
			return fmt.Errorf("%s: %w", op.Name, err)
		}
	}
	if key, found := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); !found || key == "" {
		return fmt.Errorf("%s: no key", op.Name)
	}
	wanted := d.resolve(d.of(op).at("requestBody"))
	if wanted == nil {
		if len(body) > 0 {
			return fmt.Errorf("%s: a body that is not expected", op.Name)
		}
		return nil
	}
	return d.body(op.Name+": request", wanted.at("content"), r.Header, body)
}

// CheckReply checks the reply to a request. One of an error that is not of the declared type is
// that of another service, such as a gateway's, and is not checked.
func (d *Document) CheckReply(method, path string, status int, header http.Header, body []byte) error {
	op, _, err := d.find(method, path)
	if err != nil {
		return err
	}
	responses := d.of(op).at("responses")
	wanted := d.resolve(responses.at(fmt.Sprint(status)))
	if wanted == nil && status >= 400 {
		if kind(header) != "application/problem+json" {
			return nil
		}
		wanted = d.resolve(responses.at("default"))
	}
	if wanted == nil {
		return fmt.Errorf("%s: status %d", op.Name, status)
	}
	return d.body(fmt.Sprintf("%s: reply %d", op.Name, status), wanted.at("content"), header, body)
}

func kind(header http.Header) string {
	kind, _, _ := mime.ParseMediaType(header.Get("Content-Type"))
	return kind
}

func (d *Document) body(where string, content node, header http.Header, body []byte) error {
	wanted := content.at(kind(header), "schema")
	switch {
	case wanted == nil:
		return fmt.Errorf("%s: content type %q", where, kind(header))
	case d.resolve(wanted).text("format") == "binary":
		return nil
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return fmt.Errorf("%s: %w", where, err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("%s: more than one value", where)
	}
	return d.check(where, wanted, value)
}

// check checks a value against a schema.
func (d *Document) check(where string, schema node, value any) error {
	schema = d.resolve(schema)
	fail := func(format string, args ...any) error {
		return fmt.Errorf("%s: %s", where, fmt.Sprintf(format, args...))
	}
	limit := func(name string) (int, bool) {
		n, there := schema[name].(int)
		return n, there
	}
	within := func(n int, least, most string) bool {
		low, bounded := limit(least)
		high, capped := limit(most)
		return (!bounded || n >= low) && (!capped || n <= high)
	}
	switch wanted := schema.text("type"); wanted {
	case "string":
		text, ok := value.(string)
		switch {
		case !ok:
			return fail("%T is not a string", value)
		case !within(len(utf16.Encode([]rune(text))), "minLength", "maxLength"):
			return fail("%q is too short or too long", text)
		case schema["pattern"] != nil && !regexp.MustCompile(schema.text("pattern")).MatchString(text):
			return fail("%q is not of the pattern", text)
		case schema["enum"] != nil && !slices.Contains(list[string](schema, "enum"), text):
			return fail("%q is none of the values", text)
		}
		return d.format(where, schema.text("format"), text)
	case "integer":
		number, ok := value.(json.Number)
		n, err := number.Int64()
		if !ok || err != nil || !within(int(n), "minimum", "maximum") {
			return fail("%v is not an integer in the range", value)
		}
	case "boolean":
		if _, ok := value.(bool); !ok {
			return fail("%v is not a boolean", value)
		}
	case "array":
		values, ok := value.([]any)
		if !ok || !within(len(values), "minItems", "maxItems") {
			return fail("not a list in the range")
		}
		for i, item := range values {
			if err := d.check(fmt.Sprintf("%s[%d]", where, i), schema.at("items"), item); err != nil {
				return err
			}
		}
	case "object":
		return d.object(where, schema, value)
	default:
		return fail("type %q is not known", wanted)
	}
	return nil
}

func (d *Document) object(where string, schema node, value any) error {
	fields, ok := value.(map[string]any)
	if !ok {
		return fmt.Errorf("%s: %T is not an object", where, value)
	}
	for _, name := range list[string](schema, "required") {
		if _, there := fields[name]; !there {
			return fmt.Errorf("%s: no %s", where, name)
		}
	}
	for name, field := range fields {
		property := schema.at("properties", name)
		switch {
		case property != nil:
			if err := d.check(where+"."+name, property, field); err != nil {
				return err
			}
		case schema["additionalProperties"] == false:
			return fmt.Errorf("%s: %s is not known", where, name)
		}
	}
	return nil
}

var uuidForm = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

func (d *Document) format(where, format, text string) error {
	good := true
	switch format {
	case "", "binary":
	case "uuid":
		good = uuidForm.MatchString(text)
	case "date-time":
		_, err := time.Parse(time.RFC3339Nano, text)
		good = err == nil && strings.HasSuffix(text, "Z")
	default:
		return fmt.Errorf("%s: format %q is not known", where, format)
	}
	if !good {
		return fmt.Errorf("%s: %q is no %s", where, text, format)
	}
	return nil
}

// Handler checks what passes through a handler below the base path, and reports what is wrong
// with a request, and with a reply. Replies that take over the connection are not checked.
func (d *Document) Handler(base string, next http.Handler, request, reply func(error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		path := strings.TrimPrefix(r.URL.Path, base)
		if err := d.CheckRequest(r, path, body); err != nil {
			request(err)
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		watched := &watch{ResponseWriter: w}
		next.ServeHTTP(watched, r)
		if watched.status == 0 {
			return
		}
		if err := d.CheckReply(r.Method, path, watched.status, w.Header(), watched.body.Bytes()); err != nil {
			reply(err)
		}
	})
}

// watch remembers what is written.
type watch struct {
	http.ResponseWriter
	status int // 0 if nothing was written
	body   bytes.Buffer
}

// WriteHeader remembers the status.
func (w *watch) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// Write remembers the body.
func (w *watch) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	w.body.Write(p)
	return w.ResponseWriter.Write(p)
}

// Unwrap is how net/http finds what else the writer can do.
func (w *watch) Unwrap() http.ResponseWriter { return w.ResponseWriter }
