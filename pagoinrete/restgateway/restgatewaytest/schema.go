package restgatewaytest

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
)

// What the platform's schema says of its strings.
var (
	citizenCode = regexp.MustCompile(`^[A-Z]{6}[0-9LMNPQRSTUV]{2}[ABCDEHLMPRST][0-9LMNPQRSTUV]{2}[A-Z][0-9LMNPQRSTUV]{3}[A-Z]$`)
	bodyCode    = regexp.MustCompile(`^[0-9]{11}$`)
	ibanForm    = regexp.MustCompile(`^IT[0-9]{2}[0-9A-Z]{23}$`)
	plain       = regexp.MustCompile(`^[^\x00-\x1F\x7F]*[^\x00-\x20\x7F][^\x00-\x1F\x7F]*$`)
	maybePlain  = regexp.MustCompile(`^[^\x00-\x1F\x7F]*$`)
	anyText     = regexp.MustCompile(``)
)

const (
	leastAmount = 1
	mostAmount  = 9_999_999_999
)

// checkedEvent is what the simulator needs of an event that is valid.
type checkedEvent struct {
	donation    bool
	name        string
	instalments int
}

// checkEvent checks the transmission of an event.
func checkEvent(body []byte) (checkedEvent, string) {
	c := &checker{}
	root := c.parse(body)
	kind := c.one(root, "kind", "TASSA", "EROGAZIONE_LIBERALE")
	name := c.text(root, "name", plain, 100)
	c.text(root, "causale", plain, 140)
	if root.has("category") {
		c.text(root, "category", plain, 100)
	}
	c.number(root, "school_year", 2000, 2999)
	c.number(root, "financial_year", 2000, 2999)
	if account := c.text(root, "account", ibanForm, 27); account != "" && !validIBAN(account) {
		c.fail(root, "account", "IBAN")
	}
	amount := c.number(root, "amount", 0, mostAmount)
	flexible := c.flag(root, "flexible")
	c.flag(root, "binding")
	repeatable := c.flag(root, "repeatable")
	instalments := c.list(root, "instalments")
	var sum, last int64
	for _, part := range instalments {
		sum += c.number(part, "amount", 0, mostAmount)
		if kind == "TASSA" || part.has("due_date") {
			due := c.date(part, "due_date").UnixMicro()
			if due < last {
				c.fail(part, "due_date", "date in order")
			}
			last = due
		}
		c.only(part, "amount", "due_date")
	}
	c.only(root, "kind", "name", "causale", "category", "school_year", "financial_year", "account", "amount", "flexible", "instalments", "binding", "repeatable")
	switch {
	case flexible && amount != 0, !flexible && amount < leastAmount:
		c.fail(root, "amount", "amount, or 0 if it is flexible")
	case flexible && sum != 0:
		c.fail(root, "instalments", "list without amounts")
	}
	if kind == "TASSA" {
		if repeatable {
			c.fail(root, "repeatable", "false")
		}
		if len(instalments) < 1 || len(instalments) > 24 || sum != amount {
			c.fail(root, "instalments", "list of 1 to 24 that add up to the amount")
		}
	} else if len(instalments) > 1 || sum != 0 && sum != amount {
		c.fail(root, "instalments", "list of none or one of the amount")
	}
	return checkedEvent{kind == "EROGAZIONE_LIBERALE", name, len(instalments)}, c.said()
}

// checkedNotice is what the simulator needs of a notice that is valid.
type checkedNotice struct {
	event      uuid.UUID
	instalment int
	debtor     flussi.FiscalCode
	payer      flussi.FiscalCode
	due        flussi.Cents
	dueDate    time.Time
}

// checkNotice checks the transmission of a notice.
func checkNotice(body []byte) (n checkedNotice, fault string) {
	c := &checker{}
	root := c.parse(body)
	n.event = c.id(root, "event")
	n.instalment = int(c.number(root, "instalment", 1, 24))
	debtor := c.object(root, "debtor")
	n.debtor = c.citizen(debtor, "fiscal_code")
	kind := c.one(debtor, "kind", "ALUNNO", "PERSONALE")
	if debtor.has("name") {
		c.text(debtor, "name", maybePlain, 100)
	}
	c.only(debtor, "fiscal_code", "kind", "name")
	switch {
	case root.has("payer"):
		n.payer = c.citizen(root, "payer")
	case kind == "PERSONALE":
		n.payer = n.debtor
	}
	amount := c.number(root, "amount", leastAmount, mostAmount)
	discount := c.number(root, "discount", 0, max(amount-1, 0))
	n.due, n.dueDate = flussi.Cents(amount-discount), c.date(root, "due_date")
	if root.has("transfers") {
		c.transfers(root, amount-discount)
	}
	c.only(root, "event", "instalment", "debtor", "payer", "amount", "discount", "due_date", "transfers")
	return n, c.said()
}

// transfers checks how an amount is divided.
func (c *checker) transfers(root *object, due int64) {
	all := c.list(root, "transfers")
	var sum int64
	for _, one := range all {
		sum += c.number(one, "amount", leastAmount, mostAmount)
		if one.has("beneficiary") {
			c.text(one, "beneficiary", bodyCode, 11)
		}
		c.only(one, "beneficiary", "amount")
	}
	if len(all) < 1 || len(all) > 5 || sum != due {
		c.fail(root, "transfers", "list of 1 to 5 that add up to the amount less the discount")
	}
}

// checkReason checks the body of a step with an event.
func checkReason(body []byte, action string) (reason, fault string) {
	c := &checker{}
	root := c.parse(body)
	if action == "reject" {
		if root.has("reason") {
			reason = c.text(root, "reason", anyText, 4000)
		}
		c.only(root, "reason")
	} else {
		c.only(root)
	}
	return reason, c.said()
}

// checkProof checks the body of a step with a notice.
func checkProof(body []byte, needed bool) (Proof, string) {
	c := &checker{}
	root := c.parse(body)
	if !needed {
		c.only(root)
		return Proof{}, c.said()
	}
	p := Proof{
		Reference: c.text(root, "reference", plain, 255),
		Amount:    flussi.Cents(c.number(root, "amount", leastAmount, mostAmount)),
		Date:      c.date(root, "date"),
	}
	if root.has("by") {
		p.By = c.text(root, "by", plain, 255)
	}
	c.only(root, "reference", "amount", "date", "by")
	return p, c.said()
}

// maxQuery is how many notices can be asked for at once.
const maxQuery = 500

// checkQuery checks a query for notices.
func checkQuery(body []byte) ([]uuid.UUID, string) {
	c := &checker{}
	root := c.parse(body)
	var texts []string
	var ids []uuid.UUID
	if value(c, root, "ids", "list of strings", &texts) {
		for _, text := range texts {
			id, err := uuid.Parse(text)
			if err != nil || len(text) != 36 {
				c.fail(root, "ids", "list of UUIDs")
			}
			ids = append(ids, id)
		}
		if len(ids) < 1 || len(ids) > maxQuery {
			c.fail(root, "ids", fmt.Sprintf("list of 1 to %d", maxQuery))
		}
	}
	c.only(root, "ids")
	return ids, c.said()
}

// validIBAN checks the check digits of an IBAN, digit by digit.
func validIBAN(iban string) bool {
	rest := 0
	for _, r := range iban[4:] + iban[:4] {
		part := string(r)
		if r >= 'A' {
			part = strconv.Itoa(int(r-'A') + 10)
		}
		for _, d := range part {
			rest = (rest*10 + int(d-'0')) % 97
		}
	}
	return rest == 1
}

// object is a JSON object and where it stands.
type object struct {
	path   string
	fields map[string]json.RawMessage
}

func (o *object) has(name string) bool { return o.fields[name] != nil }

// checker collects what is wrong with a request. Its faults quote the request, as platforms do.
type checker struct {
	faults []string
}

func (c *checker) said() string { return strings.Join(c.faults, "\n") }

func (c *checker) fail(o *object, name, want string) {
	c.faults = append(c.faults, fmt.Sprintf("value [%s] at [%s.%s] is not a valid [%s]", o.fields[name], o.path, name, want))
}

func (c *checker) parse(body []byte) *object {
	root := &object{path: "root"}
	if err := json.Unmarshal(body, &root.fields); err != nil || root.fields == nil {
		c.faults = append(c.faults, fmt.Sprintf("value [%q] at [root] is not a valid [object]", body))
	}
	return root
}

// value decodes a field; it reports whether the field is there and of the type.
func value[T any](c *checker, o *object, name, want string, into *T) bool {
	if !o.has(name) || string(o.fields[name]) == "null" || json.Unmarshal(o.fields[name], into) != nil {
		c.fail(o, name, want)
		return false
	}
	return true
}

// only refuses fields that the schema does not know.
func (c *checker) only(o *object, names ...string) {
	for _, name := range slices.Sorted(maps.Keys(o.fields)) {
		if !slices.Contains(names, name) {
			c.fail(o, name, "field")
		}
	}
}

func (c *checker) object(o *object, name string) *object {
	inner := &object{path: o.path + "." + name}
	value(c, o, name, "object", &inner.fields)
	return inner
}

func (c *checker) list(o *object, name string) []*object {
	var items []map[string]json.RawMessage
	if !value(c, o, name, "list of objects", &items) {
		return nil
	}
	all := make([]*object, len(items))
	for i, fields := range items {
		all[i] = &object{fmt.Sprintf("%s.%s[%d]", o.path, name, i), fields}
	}
	return all
}

// text checks a string: its form, and its length in UTF-16 units.
func (c *checker) text(o *object, name string, form *regexp.Regexp, most int) string {
	var s string
	if value(c, o, name, "string", &s) && (!form.MatchString(s) || len(utf16.Encode([]rune(s))) > most) {
		c.fail(o, name, fmt.Sprintf("string of at most %d", most))
		return ""
	}
	return s
}

func (c *checker) citizen(o *object, name string) flussi.FiscalCode {
	text := c.text(o, name, citizenCode, 16)
	if text == "" {
		return flussi.FiscalCode{}
	}
	code, err := flussi.ParseFiscalCode(text)
	if err != nil {
		c.fail(o, name, "fiscal code")
	}
	return code
}

func (c *checker) id(o *object, name string) uuid.UUID {
	var s string
	value(c, o, name, "string", &s)
	id, err := uuid.Parse(s)
	if err != nil || len(s) != 36 {
		c.fail(o, name, "UUID")
	}
	return id
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
	value(c, o, name, "boolean", &b)
	return b
}

// date checks a time in UTC.
func (c *checker) date(o *object, name string) time.Time {
	var s string
	if !value(c, o, name, "string", &s) {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil || !strings.HasSuffix(s, "Z") || t.Year() < 2000 || t.Year() > 2999 {
		c.fail(o, name, "time in UTC")
	}
	return t
}

func (c *checker) one(o *object, name string, of ...string) string {
	var s string
	if value(c, o, name, "string", &s) && !slices.Contains(of, s) {
		c.fail(o, name, strings.Join(of, "|"))
	}
	return s
}
