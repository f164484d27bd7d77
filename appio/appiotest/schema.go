package appiotest

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf16"

	"github.com/flussi-go/flussi"
)

// What the platform's schema says of its strings.
var (
	citizenCode = regexp.MustCompile(`^[A-Z]{6}[0-9LMNPQRSTUV]{2}[ABCDEHLMPRST][0-9LMNPQRSTUV]{2}[A-Z][0-9LMNPQRSTUV]{3}[A-Z]$`)
	bodyCode    = regexp.MustCompile(`^[0-9]{11}$`)
	notice      = regexp.MustCompile(`^[0123][0-9]{17}$`)
	utcDate     = regexp.MustCompile(`^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,3})?Z$`)
	ulidForm    = regexp.MustCompile(`^[0-7][0-9A-HJKMNP-TV-Z]{25}$`)
	email       = regexp.MustCompile(`^[^@\s]+@[^@\s]+$`)
)

// checked is what the simulator needs of a request that is valid.
type checked struct {
	code           flussi.FiscalCode
	subject        string
	level          string
	payee          string
	isPayment      bool
	amount         int64
	isRemote       bool   // there is third-party data
	configuration  string // of the remote content; "" for none
	hasAttachments bool
	content        json.RawMessage // without what the platform removes
}

// checkMessage checks the request of a submission. The fault quotes the request, as
// the platform's do.
func checkMessage(body []byte) (checked, string) {
	root, fault := parse(body)
	if fault != "" {
		return checked{}, fault
	}
	c := &checker{}
	code := c.text(root, "fiscal_code", required, citizenCode, 16, 16)
	c.number(root, "time_to_live", 3600, 604800)
	level := c.one(root, "feature_level_type", "STANDARD", "ADVANCED")
	if addresses := c.object(root, "default_addresses", false); addresses != nil {
		c.text(addresses, "email", optional, email, 1, 0)
	}
	content := c.object(root, "content", true)
	subject := c.text(content, "subject", required, nil, 10, 120)
	c.text(content, "markdown", required, nil, 80, 10000)
	c.flag(content, "require_secure_channels")
	c.text(content, "due_date", optional, utcDate, 20, 24)
	var request checked
	if payment := c.object(content, "payment_data", false); payment != nil {
		request.isPayment = true
		c.required(payment, "amount")
		request.amount = c.number(payment, "amount", 1, 9999999999)
		c.text(payment, "notice_number", required, notice, 18, 18)
		c.flag(payment, "invalid_after_due_date")
		if p := c.object(payment, "payee", false); p != nil {
			request.payee = c.text(p, "fiscal_code", required, bodyCode, 11, 11)
		}
	}
	if p := c.object(content, "eu_covid_cert", false); p != nil {
		c.text(p, "auth_code", required, nil, 0, 0)
	}
	if p := c.object(content, "third_party_data", false); p != nil {
		request.isRemote = true
		c.text(p, "id", required, nil, 1, 0)
		request.configuration = c.text(p, "configuration_id", optional, ulidForm, 26, 26)
		c.text(p, "original_sender", optional, nil, 1, 0)
		c.text(p, "original_receipt_date", optional, utcDate, 20, 24)
		request.hasAttachments = c.flag(p, "has_attachments")
		c.flag(p, "has_remote_content")
		c.one(p, "has_precondition", "ALWAYS", "ONCE", "NEVER")
		c.text(p, "summary", optional, nil, 1, 0)
	}
	if len(c.faults) > 0 {
		return checked{}, strings.Join(c.faults, "\n")
	}
	if level == "" {
		level = "STANDARD"
	}
	recipient, err := flussi.ParseFiscalCode(code)
	if err != nil {
		return checked{}, fmt.Sprintf("value [%q] at [root.fiscal_code] is not a valid [FiscalCode]", code)
	}
	request.code, request.subject, request.level, request.content = recipient, subject, level, known(content)
	return request, ""
}

// known returns the content without the fields that the platform removes in silence, among them
// legal_data and prescription_data of its older documents.
func known(content *object) json.RawMessage {
	fields := map[string]json.RawMessage{}
	for _, name := range []string{
		"due_date", "eu_covid_cert", "markdown", "payment_data", "require_secure_channels", "subject", "third_party_data",
	} {
		if value, ok := content.fields[name]; ok {
			fields[name] = value
		}
	}
	body, _ := json.Marshal(fields) // what was read as JSON can be written
	return body
}

// checkCitizen checks the request for a profile.
func checkCitizen(body []byte) (flussi.FiscalCode, string) {
	root, fault := parse(body)
	if fault != "" {
		return flussi.FiscalCode{}, fault
	}
	c := &checker{}
	code := c.text(root, "fiscal_code", required, citizenCode, 16, 16)
	if len(c.faults) > 0 {
		return flussi.FiscalCode{}, c.faults[0]
	}
	citizen, err := flussi.ParseFiscalCode(code)
	if err != nil {
		return flussi.FiscalCode{}, err.Error()
	}
	return citizen, ""
}

// hashes returns what stands for citizens in a feed.
func hashes(citizens []flussi.FiscalCode) []string {
	all := make([]string, len(citizens))
	for i, c := range citizens {
		sum := sha256.Sum256([]byte(strings.ToUpper(c.Reveal())))
		all[i] = hex.EncodeToString(sum[:])
	}
	return all
}

// object is a JSON object and where it stands.
type object struct {
	path   string
	fields map[string]json.RawMessage
}

func parse(body []byte) (*object, string) {
	root := &object{path: "root"}
	if err := json.Unmarshal(body, &root.fields); err != nil || root.fields == nil {
		return nil, fmt.Sprintf("value [%q] at [root] is not a valid [object]", body)
	}
	return root, ""
}

// checker collects what is wrong with a request.
type checker struct {
	faults []string
}

const (
	required = true
	optional = false
)

func (c *checker) fail(o *object, name, want string) {
	c.faults = append(c.faults, fmt.Sprintf("value [%s] at [%s.%s] is not a valid [%s]", o.fields[name], o.path, name, want))
}

// value decodes a field; it reports whether the field is there and of the type.
func value[T any](c *checker, o *object, name, want string, into *T) bool {
	if o == nil || o.fields[name] == nil {
		return false
	}
	if string(o.fields[name]) == "null" || json.Unmarshal(o.fields[name], into) != nil {
		c.fail(o, name, want)
		return false
	}
	return true
}

func (c *checker) required(o *object, name string) {
	if o != nil && o.fields[name] == nil {
		c.fail(o, name, "required")
	}
}

func (c *checker) object(o *object, name string, needed bool) *object {
	if needed {
		c.required(o, name)
	}
	inner := &object{path: "root." + name}
	if o != nil {
		inner.path = o.path + "." + name
	}
	if !value(c, o, name, "object", &inner.fields) {
		return nil
	}
	return inner
}

// text checks a string: its form, and its length in UTF-16 units; most 0 is unbounded.
func (c *checker) text(o *object, name string, needed bool, form *regexp.Regexp, least, most int) string {
	if needed {
		c.required(o, name)
	}
	var s string
	if !value(c, o, name, "string", &s) {
		return ""
	}
	units := len(utf16.Encode([]rune(s)))
	if units < least || most > 0 && units > most {
		c.fail(o, name, fmt.Sprintf("string of length %d to %d", least, most))
	} else if form != nil && !form.MatchString(s) {
		c.fail(o, name, form.String())
	}
	return s
}

func (c *checker) number(o *object, name string, least, most int64) int64 {
	var n int64
	if value(c, o, name, "integer", &n) && (n < least || n > most) {
		c.fail(o, name, fmt.Sprintf("integer from %d to %d", least, most))
	}
	return n
}

func (c *checker) flag(o *object, name string) bool {
	var b bool
	return value(c, o, name, "boolean", &b) && b
}

func (c *checker) one(o *object, name string, of ...string) string {
	var s string
	if !value(c, o, name, "string", &s) {
		return ""
	}
	for _, allowed := range of {
		if s == allowed {
			return s
		}
	}
	c.fail(o, name, strings.Join(of, "|"))
	return s
}
