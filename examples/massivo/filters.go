package main

import (
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/pflag"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio"
	"github.com/flussi-go/flussi/examples/internal/cli"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/fsm"
	"github.com/flussi-go/flussi/internal/italian"
)

// common are the filters that flows and notifications share, and the page.
type common struct {
	states, ids            []string
	text, user, disabled   string
	from, to               day
	changedFrom, changedTo day
	limit                  int
	after                  string
	oldest                 bool
}

func (f *common) flags(set *pflag.FlagSet) {
	set.StringSliceVar(&f.ids, "id", nil, "`UUID`, anche più d'uno separati da virgole")
	set.StringSliceVar(&f.states, "state", nil, "`stato`, anche più d'uno separati da virgole")
	set.StringVar(&f.user, "user", "", "`utente` dell'ultima modifica")
	set.Var(&f.from, "from", "dal `giorno`, come 31/01/2026")
	set.Var(&f.to, "to", "fino al `giorno` compreso")
	set.Var(&f.changedFrom, "changed-from", "con modifiche dal `giorno`")
	set.Var(&f.changedTo, "changed-to", "con modifiche fino al `giorno` compreso")
	set.StringVar(&f.disabled, "disabled", "", "`quali` elencare: «si», solo se disabilitati; «no», solo se non disabilitati")
}

// pages are the flags of commands that show a page.
func (f *common) pages(set *pflag.FlagSet) {
	set.IntVar(&f.limit, "limit", 50, "quante `righe`, al massimo 1.000")
	set.StringVar(&f.after, "after", "", "continua dal `segno` indicato alla fine dell'elenco precedente")
	set.BoolVar(&f.oldest, "oldest", false, "in ordine di tempo, invece che dai più recenti")
}

// day is a flag that takes a day in Italy.
type day struct{ time.Time }

// Set reads a day.
func (d *day) Set(text string) error {
	for _, layout := range []string{"2/1/2006", time.DateOnly} {
		if t, err := time.ParseInLocation(layout, text, cli.Italy()); err == nil {
			d.Time = t
			return nil
		}
	}
	return cli.Wrongf("serve un giorno, come 31/01/2026.")
}

// String writes the day.
func (d *day) String() string {
	if d.IsZero() {
		return ""
	}
	return d.Format(time.DateOnly)
}

// Type names what the flag takes.
func (d *day) Type() string { return "giorno" }

// next is the beginning of the day after; the zero time if there is no day.
func (d *day) next() time.Time {
	if d.IsZero() {
		return time.Time{}
	}
	return d.AddDate(0, 0, 1)
}

func (f *common) page() (flow.Page, error) {
	page := flow.Page{Limit: f.limit, OldestFirst: f.oldest}
	if f.limit < 1 || f.limit > flow.MaxPage {
		return page, cli.Wrongf("--limit deve essere da 1 a %s.", italian.Number(flow.MaxPage))
	}
	return page, page.After.UnmarshalText([]byte(f.after))
}

func (f *common) uuids() ([]uuid.UUID, error) {
	var all []uuid.UUID
	for _, text := range f.ids {
		id, err := parseID(text)
		if err != nil {
			return nil, err
		}
		all = append(all, id)
	}
	return all, nil
}

func (f *common) which() (flow.DisabledFilter, error) {
	switch strings.ToLower(f.disabled) {
	case "":
		return flow.AnyDisabled, nil
	case "si", "sì":
		return flow.OnlyDisabled, nil
	case "no":
		return flow.OnlyEnabled, nil
	}
	return "", cli.Wrongf("--disabled deve essere «si» o «no».")
}

// statesOf reads states by their labels, in whatever case.
func statesOf[S, E ~string](machine *fsm.Machine[S, E], wanted []string) ([]S, error) {
	var found []S
	for _, text := range wanted {
		state, labels := S(""), []string(nil)
		for _, s := range machine.States() {
			labels = append(labels, s.Label)
			if strings.EqualFold(s.Label, strings.TrimSpace(text)) {
				state = s.Name
			}
		}
		if state == "" {
			return nil, cli.Wrongf("Lo stato «%s» non esiste: gli stati sono %s.", text, italian.Quoted(labels))
		}
		found = append(found, state)
	}
	return found, nil
}

// readShared reads what filters of flows and notifications share and can be written wrong.
func readShared[S, E ~string](f *common, machine *fsm.Machine[S, E], ids *[]uuid.UUID, disabled *flow.DisabledFilter, states *[]S) (err error) {
	if *ids, err = f.uuids(); err != nil {
		return err
	}
	if *disabled, err = f.which(); err != nil {
		return err
	}
	*states, err = statesOf(machine, f.states)
	return err
}

// flowFilters are the filters of flows.
type flowFilters struct {
	common
	appContext, appKey string
	scheduled          bool
}

func (f *flowFilters) flags(set *pflag.FlagSet) {
	f.common.flags(set)
	set.StringVar(&f.text, "text", "", "`testo` contenuto nelle note, almeno 3 caratteri")
	set.StringVar(&f.appContext, "app-context", "", "`contesto` applicativo")
	set.StringVar(&f.appKey, "app-key", "", "`chiave` applicativa")
	set.BoolVar(&f.scheduled, "scheduled", false, "solo i flussi con l'invio programmato")
}

func (f *flowFilters) filter() (q flow.FlowFilter, err error) {
	q = flow.FlowFilter{Text: f.text, User: f.user, From: f.from.Time, To: f.to.next(), AppContext: f.appContext, AppKey: f.appKey,
		ChangedFrom: f.changedFrom.Time, ChangedTo: f.changedTo.next()}
	if f.scheduled {
		q.ScheduledBefore = time.Now().Add(2 * flow.MaxSchedule)
	}
	err = readShared(&f.common, flow.FlowMachine(), &q.IDs, &q.Disabled, &q.States)
	return q, err
}

// notificationFilters are the filters of notifications.
type notificationFilters struct {
	common
	errors                                  []string
	recipient, notice, reference, messageID string
	standalone, unsettled                   bool
}

func (f *notificationFilters) flags(set *pflag.FlagSet) {
	f.common.flags(set)
	set.StringVar(&f.text, "text", "", "`testo` contenuto nell'oggetto, almeno 3 caratteri")
	set.StringSliceVar(&f.errors, "error", nil, "`errore`, anche più d'uno: "+errorNames())
	set.StringVar(&f.recipient, "recipient", "", "`codice` fiscale del destinatario")
	set.StringVar(&f.notice, "notice", "", "`numero` dell'avviso, 18 cifre")
	set.StringVar(&f.reference, "reference", "", "`riferimento`")
	set.StringVar(&f.messageID, "message", "", "`ID` Consegna App.IO")
	set.BoolVar(&f.unsettled, "unsettled", false, "solo le notifiche inviate la cui consegna non è definitiva")
}

func (f *notificationFilters) filter() (q flow.NotificationFilter, err error) {
	q = flow.NotificationFilter{Text: f.text, User: f.user, From: f.from.Time, To: f.to.next(), Reference: f.reference,
		MessageID: appio.MessageID(f.messageID), Standalone: f.standalone, DeliveryOpen: f.unsettled,
		ChangedFrom: f.changedFrom.Time, ChangedTo: f.changedTo.next()}
	if f.recipient != "" {
		code, err := flussi.ReadFiscalCode(f.recipient, flussi.Lenient)
		if err != nil {
			return q, err
		}
		q.Recipient = code.Value
	}
	if f.notice != "" {
		number, err := flussi.ReadNoticeNumber(f.notice, flussi.Lenient)
		if err != nil {
			return q, err
		}
		q.NoticeNumber = number.Value
	}
	if q.ErrorCodes, err = errorCodes(f.errors); err != nil {
		return q, err
	}
	err = readShared(&f.common, flow.NotificationMachine(), &q.IDs, &q.Disabled, &q.States)
	return q, err
}

// errorCodes reads reasons of errors by their labels, in whatever case.
func errorCodes(wanted []string) ([]flow.ErrorCode, error) {
	var found []flow.ErrorCode
	for _, text := range wanted {
		before := len(found)
		for _, code := range knownCodes() {
			if strings.EqualFold(code.Label(), strings.TrimSpace(text)) {
				found = append(found, code)
			}
		}
		if len(found) == before {
			return nil, cli.Wrongf("L'errore «%s» non esiste: gli errori sono %s.", text, errorNames())
		}
	}
	return found, nil
}

func errorNames() string {
	var names []string
	for _, code := range knownCodes() {
		names = append(names, code.Label())
	}
	return italian.Quoted(names)
}
