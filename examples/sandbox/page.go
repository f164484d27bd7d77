package main

import (
	"cmp"
	_ "embed"
	"html/template"
	"maps"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/flussi-go/flussi/appio/appiotest"
	"github.com/flussi-go/flussi/pagoinrete/restgateway/restgatewaytest"
)

//go:embed page.html
var pageText string

func parsePage() (*template.Template, error) { return template.New("page").Parse(pageText) }

// shownDeliveries is how many deliveries the page shows.
const shownDeliveries = 50

// pageData is what the page shows.
type pageData struct {
	stateJSON
	Page     string // its URL
	Summary  string // of the configuration
	Counters []counter
	Rows     []row
	Orders   []ordered
	Auto     bool   // it reloads itself
	Done     string // what was just done
	Form     form
	Wrong    map[string]string // what is wrong with the form, by field
	Forms    []faultForm       // one for each platform
	Payments []paymentRow
}

// faultForm is the form for the faults of a platform.
type faultForm struct {
	Platform string
	Prefix   string // of the IDs on the page
	Form     form
	Wrong    map[string]string
	Options  []option
	Calls    []option
	MaxCount int
}

// counter is a number and its label.
type counter struct {
	Label string
	Value int
}

// row is a delivery in the table.
type row struct {
	Number                    int
	Time, Service, ID, Answer string
	Status, StatusLabel       string
	Doubtful                  bool // stored, and the answer has no ID
}

// ordered is an order of faults in the list.
type ordered struct{ Time, Operation, Fault, Extent string }

// option is one of a list to choose from.
type option struct{ Value, Label string }

// form is the content of the form for faults.
type form struct {
	Operation, Fault, Extent, Count, Percent, Delay, RetryAfter string
}

func (s *sandbox) servePage(mux *http.ServeMux) {
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		s.show(w, http.StatusOK, pageData{
			Auto: r.FormValue("auto") != "", Done: done(r.FormValue("fatto")),
		})
	})
	mux.HandleFunc("POST /faults", s.submitFault)
	for action, act := range map[string]func(){
		"/forget": s.removeOrders, "/process": s.process, "/families/login": func() { s.logIn() }, "/families/pay": func() { s.payAll() },
	} {
		mux.HandleFunc("POST "+action, func(w http.ResponseWriter, r *http.Request) {
			act()
			http.Redirect(w, r, "/?fatto="+path.Base(action), http.StatusSeeOther)
		})
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "Pagina inesistente. Le API simulate cominciano da "+s.address+appiotest.BasePath+" e da "+s.address+restgatewaytest.BasePath+"; la pagina è "+s.address+"/", http.StatusNotFound)
	})
}

// done returns the text for an action that was done.
func done(what string) string {
	switch what {
	case "faults":
		return "Guasto ordinato."
	case "forget":
		return "Tutti i guasti sono stati dimenticati."
	case "process":
		return "I messaggi in attesa sono stati elaborati."
	case "login":
		return "Le famiglie degli avvisi hanno fatto l'accesso a Pago In Rete."
	case "pay":
		return "Gli avvisi che si potevano pagare sono stati pagati."
	}
	return ""
}

// submitFault adds the order of a form.
func (s *sandbox) submitFault(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	f := form{
		Operation: r.PostFormValue("operation"), Fault: r.PostFormValue("fault"), Extent: r.PostFormValue("extent"),
		Count: r.PostFormValue("count"), Percent: r.PostFormValue("percent"),
		Delay: r.PostFormValue("delay"), RetryAfter: r.PostFormValue("retry_after"),
	}
	o, unread := f.order()
	wrong := o.check()
	maps.Copy(wrong, unread)
	if len(wrong) == 0 {
		_, wrong = s.addOrder(o)
	}
	if len(wrong) > 0 {
		s.show(w, http.StatusUnprocessableEntity, pageData{Form: f, Wrong: wrong})
		return
	}
	http.Redirect(w, r, "/?fatto=faults", http.StatusSeeOther)
}

// order returns the order of a form, and what is wrong with it, by the order's fields.
func (f form) order() (order, map[string]string) {
	wrong := map[string]string{}
	number := func(field, text string) float64 {
		text = strings.TrimSpace(text)
		if text == "" {
			return 0
		}
		n, err := strconv.ParseFloat(strings.Replace(text, ",", ".", 1), 64)
		if err != nil {
			wrong[field] = "Serve un numero."
		}
		return n
	}
	o := order{
		Operation: f.Operation, Kind: f.Fault, Seed: 1,
		Delay: number("delay_seconds", f.Delay), RetryAfter: number("retry_after_seconds", f.RetryAfter),
	}
	for _, fault := range platformOf(f.Operation).faults {
		if fault.String() == f.Fault {
			o.Kind, o.Stored = fault.Kind, fault.Stored
		}
	}
	switch f.Extent {
	case "count":
		n, err := strconv.Atoi(strings.TrimSpace(f.Count))
		if err != nil {
			wrong["count"] = "Serve un numero intero."
		}
		o.Count = n
	case "share":
		if o.Share = number("share", f.Percent) / 100; o.Share == 0 && wrong["share"] == "" {
			wrong["share"] = "Serve una percentuale, maggiore di 0 e al massimo 100."
		}
	default:
		wrong["count"] = "Indicare il numero delle chiamate."
	}
	return o, wrong
}

// show renders the page.
func (s *sandbox) show(w http.ResponseWriter, status int, data pageData) {
	data.stateJSON = s.state()
	data.Page, data.Summary = s.address+"/", s.summary
	data.Counters = []counter{
		{"Invii ricevuti", data.Received[appiotest.SubmitMessage]},
		{"Messaggi memorizzati", data.Deliveries},
		{"In attesa di elaborazione", data.Accepted},
		{"Chiamate rifiutate per il limite", data.Limited},
		{"Letture di messaggi", data.Received[appiotest.GetMessage]},
		{"Letture di profili", data.Received[appiotest.GetProfile]},
	}
	data.Rows = s.rows()
	for _, o := range slices.Backward(data.Faults) {
		data.Orders = append(data.Orders, ordered{clock(o.At)[:8], platformOf(o.Operation).name + ", " + labelOf(o.Operation), describe(o.Operation, o.fault()), o.extent()})
	}
	data.Payments = s.paymentRows()
	data.Forms = []faultForm{data.formOf(appIO, ""), data.formOf(pagoInRete, "pir-")}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	w.WriteHeader(status)
	_ = s.page.Execute(w, data) // the browser may be gone
}

// formOf returns the form for a platform, with the submitted values if they are for it.
func (d pageData) formOf(of platform, prefix string) faultForm {
	f := faultForm{Platform: of.name, Prefix: prefix, Form: form{Extent: "count", Count: "1"}, MaxCount: maxCount}
	if d.Form.Operation != "" && platformOf(d.Form.Operation).name == of.name {
		f.Form, f.Wrong = d.Form, d.Wrong
	}
	for _, op := range of.operations() {
		f.Calls = append(f.Calls, option{op, labelOf(op)})
	}
	for _, fault := range of.faults {
		f.Options = append(f.Options, option{fault.String(), describe(of.first(true), fault)})
	}
	slices.SortStableFunc(f.Options, func(a, b option) int { return cmp.Compare(rank(a), rank(b)) })
	return f
}

// rank orders faults: those with an HTTP status by the status, then the others.
func rank(o option) string {
	if o.Value[0] >= '0' && o.Value[0] <= '9' {
		return o.Label[:3]
	}
	return "999"
}

// rows returns the latest deliveries, the latest first.
func (s *sandbox) rows() []row {
	stored := s.simulator.Deliveries()
	first := max(0, len(stored)-shownDeliveries)
	s.mu.Lock()
	defer s.mu.Unlock()
	var rows []row
	for i := len(stored) - 1; i >= first; i-- {
		d := stored[i]
		reply, answered := s.answers[d.ID]
		r := row{Number: i + 1, Time: clock(d.At), Service: d.Service, ID: d.ID, Answer: "in corso", Status: d.State.Status, StatusLabel: statusLabel(d.State.Status)}
		if answered {
			r.Answer, r.Doubtful = reply.italian(), !reply.HasID
		}
		rows = append(rows, r)
	}
	return rows
}

// statusLabel returns the status of a message in Italian.
func statusLabel(status string) string {
	switch status {
	case "ACCEPTED":
		return "da elaborare"
	case "PROCESSED":
		return "elaborato"
	case "REJECTED":
		return "cittadino assente"
	}
	return ""
}
