package paymentfile

import (
	"encoding/json"
	"io"
	"strconv"
	"strings"
)

// outcomeNames are the names that the JSON form has for the codes of outcomes.
var outcomeNames = map[string]Outcome{
	"EXECUTED": OutcomePaid, "REVOKED": OutcomeRevoked, "STAND_IN": OutcomeStandIn,
	"STAND_IN_NO_RPT": OutcomeStandInNoRequest, "NO_RPT": OutcomeNoRequest,
}

// jsonPaymentNames are the fields of a row in JSON.
var jsonPaymentNames = texts{reference: "iuv", iur: "iur", index: "idTransfer", amount: "pay", outcome: "payStatus", date: "payDate"}

// jsonSettlementNames are the fields of a settlement in JSON.
var jsonSettlementNames = headNames{
	id: "fdr", created: "fdrDate", transfer: "regulation", date: "regulationDate",
	sender: "sender.id", receiver: "receiver.organizationId", count: "totPayments", total: "sumPayments",
}

// settlementJSON reads what the organisations' API gives: the identity of a settlement, or a page
// of its payments.
type settlementJSON struct {
	*jsonScanner
	file     *SettlementFile
	values   map[string]string   // the fields of the document, besides its payments
	places   map[string]Position // where they stand
	seen     map[string]bool     // the keys of the document
	size     int                 // of the fields, in bytes
	payments bool                // the list of payments was begun
}

// openJSON reads a JSON document up to its first payment, or to its end if it has none.
func openJSON(src *source, config Config) (File, error) {
	j := &settlementJSON{jsonScanner: newJSONScanner(src, config.Limits), file: &SettlementFile{config: config, page: Page{1, 1}},
		values: map[string]string{}, places: map[string]Position{}, seen: map[string]bool{}}
	f := j.file
	f.report.Encoding = src.encoding
	f.read = j.rows
	if _, err := j.next(); err != nil { // the {
		return nil, err
	}
	if err := j.head(); err != nil {
		return nil, err
	}
	switch {
	case j.payments:
		j.format = FormatSettlementPage
	case j.values["fdr"] != "" && j.seen["regulation"]:
		j.format = FormatSettlementHeader
		j.identity()
		f.report.Complete = true
	case j.seen["errors"] || j.seen["appErrorCode"]:
		e := newError(ErrFormat, Position{Line: 1, Column: 1})
		e.Reason = "il file contiene la risposta di errore di un servizio, non un documento."
		return nil, e
	default:
		return nil, newError(ErrFormat, Position{Line: 1, Column: 1})
	}
	f.report.Format = j.format
	return f, nil
}

// head reads the fields of the document before its payments.
func (j *settlementJSON) head() error {
	for {
		key, ok, err := j.key()
		switch {
		case err != nil:
			return err
		case !ok:
			return j.end()
		}
		if err := j.checkKey(j.seen, key); err != nil {
			return err
		}
		if key == "data" {
			token, err := j.next()
			if err != nil {
				return err
			}
			if token != json.Delim('[') {
				return j.fail(ErrFormat)
			}
			j.payments = true
			return nil
		}
		if err := j.value(key, j.set); err != nil {
			return err
		}
		if j.size > j.limits.TextBytes {
			return j.fail(ErrLimit)
		}
	}
}

// set records a field of the document. All fields together may be as long as one text.
func (j *settlementJSON) set(name, text string) {
	if j.size += len(name) + len(text); j.size <= j.limits.TextBytes {
		j.values[name], j.places[name] = strings.TrimSpace(text), j.in.position
	}
}

// end reads the rest of the file after the document.
func (j *settlementJSON) end() error {
	if _, err := j.next(); err != io.EOF {
		if err == nil {
			err = j.fail(ErrMalformed)
		}
		return err
	}
	return nil
}

// identity fills in the header of the settlement.
func (j *settlementJSON) identity() {
	f, v := j.file, j.values
	h := &f.head
	at := func(name string) *row {
		place, ok := j.places[name]
		if !ok {
			place = Position{Line: 1, Column: 1}
		}
		return &row{checks: f.checks(), at: place}
	}
	h.ID, h.Status, h.TransferID, h.BankBIC = v["fdr"], v["status"], v["regulation"], v["bicCodePouringBank"]
	h.PSP, h.PSPID = Party{senderType(v["sender.type"]), v["sender.id"], v["sender.pspName"]}, v["sender.pspId"]
	h.BodyName = v["receiver.organizationName"]
	h.Date = at("regulationDate").optionalDay("regulationDate", v["regulationDate"])
	if text := v["fdrDate"]; text != "" {
		h.CreatedAt = at("fdrDate").time("fdrDate", text)
	}
	var err error
	if h.Revision, err = strconv.Atoi(v["revision"]); v["revision"] == "" {
		at("revision").missing("revision", false)
	} else if err != nil || h.Revision < 1 {
		h.Revision = 0
		at("revision").value("revision", false)
	}
	h.Count = f.count(at("totPayments"), "totPayments", v["totPayments"])
	f.total(at("sumPayments"), "sumPayments", v["sumPayments"])
	if text := v["computedSumPayments"]; text != "" && f.totalled {
		r := at("computedSumPayments")
		if computed, ok := r.amount("computedSumPayments", text); ok && computed != h.Total {
			f.checks().add(totalFault("sumPayments", r.at, h.Total, computed))
		}
	}
	if text := v["computedTotPayments"]; text != "" && f.counted {
		if computed, err := strconv.Atoi(text); err != nil || int64(computed) != h.Count {
			f.checks().add(&Fault{Kind: FaultCount, Field: "totPayments", Position: f.at, Stated: h.Count, Found: int64(computed), Blocking: true,
				Reason: countReason(h.Count, computed)})
		}
	}
	code := v["receiver.organizationId"]
	if code == "" {
		code = v["receiver.id"]
	}
	f.checkHead(jsonSettlementNames, j.given(), code, Position{Line: 1, Column: 1})
	f.counted, f.totalled = false, false // the payments are in other files
}

// given returns the places of the fields that are not empty.
func (j *settlementJSON) given() map[string]Position {
	places := map[string]Position{}
	for name, text := range j.values {
		if text != "" {
			places[name] = j.places[name]
		}
	}
	return places
}

func senderType(s string) string {
	switch s {
	case "LEGAL_PERSON":
		return "G"
	case "ABI_CODE":
		return "A"
	case "BIC_CODE":
		return "B"
	}
	return s
}

// rows reads the payments of a page, until yield returns false, and the rest of the document.
func (j *settlementJSON) rows(yield func(Payment) bool) error {
	for j.payments {
		token, err := j.next()
		switch {
		case err != nil:
			return err
		case token == json.Delim(']'):
			j.payments = false
			if err := j.tail(); err != nil {
				return err
			}
			continue
		case token != json.Delim('{'):
			return j.fail(ErrMalformed)
		}
		if j.row++; j.row > j.limits.Rows {
			return j.fail(ErrLimit)
		}
		p, err := j.payment()
		if err != nil {
			return err
		}
		if !yield(p) {
			return nil
		}
	}
	return nil
}

// payment reads a payment whose { was read.
func (j *settlementJSON) payment() (Payment, error) {
	at := j.in.position
	at.Column-- // of the {
	var t texts
	number, flow := j.row, false
	err := j.object("", func(name, text string) {
		text = strings.TrimSpace(text)
		if name == jsonPaymentNames.outcome {
			if outcome, ok := outcomeNames[text]; ok {
				text = strconv.Itoa(int(outcome))
			}
		}
		if field := t.field(jsonPaymentNames, name); field != nil {
			*field = text
			return
		}
		switch name {
		case "index":
			if index, err := strconv.Atoi(text); err == nil && index > 0 {
				number = index
			}
		case "fdr":
			flow = true
		}
	})
	if err == nil && flow {
		e := newError(ErrFormat, at)
		e.Reason = "il file è un elenco di flussi di rendicontazione. Scaricare i singoli flussi e caricare quelli."
		err = e
	}
	if err != nil {
		return Payment{}, err
	}
	return j.file.payment(t, jsonPaymentNames, "", number, at), nil
}

// tail reads the fields of a page after its payments, and takes the page number from them.
func (j *settlementJSON) tail() error {
	if err := j.head(); err != nil {
		return err
	}
	if j.payments { // a second list
		return j.fail(ErrMalformed)
	}
	f := j.file
	if text := j.values["count"]; text != "" {
		f.count(&row{checks: f.checks(), at: j.places["count"]}, "count", text)
	}
	number, total := j.values["metadata.pageNumber"], j.values["metadata.totPage"]
	if number != "" || total != "" {
		f.page = (&row{checks: f.checks(), at: j.places["metadata.pageNumber"]}).page("metadata", number, total)
	}
	return nil
}
