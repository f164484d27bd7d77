package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/spf13/pflag"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio"
	"github.com/flussi-go/flussi/appio/appiotest"
	"github.com/flussi-go/flussi/examples/internal/cli"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/must"
)

// within does something with the open database of the office, as the operator.
func (o *office) within(t *testing.T, do func(*session)) {
	t.Helper()
	var said bytes.Buffer
	p := &program{in: strings.NewReader(""), out: &said, errs: &said, getenv: func(name string) string { return o.env[name] }}
	set := pflag.NewFlagSet("", pflag.ContinueOnError)
	p.settings.flags(set)
	require.NoError(t, p.settings.complete(set, p.getenv, &said))
	require.NoError(t, p.within(t.Context(), func(s *session) error { do(s); return nil }))
}

// keep stores flows and notifications as they are.
func (o *office) keep(t *testing.T, flows []flow.Flow, notifications []flow.Notification) {
	t.Helper()
	o.within(t, func(s *session) {
		for _, f := range flows {
			record := flow.FlowRecord{At: f.CreatedAt, By: f.UpdatedBy, Action: flow.FlowCreate, To: f.State}
			require.NoError(t, s.store.SaveFlow(t.Context(), flow.FlowChange{Flow: f, Record: record}, nil))
		}
		for _, n := range notifications {
			record := flow.NotificationRecord{At: n.CreatedAt, By: n.UpdatedBy, Action: flow.NotificationCreate, To: n.State}
			require.NoError(t, s.store.SaveNotifications(t.Context(), flow.NotificationChange{Notification: n, Record: record}))
		}
	})
}

func newFlow(t *testing.T, state flow.FlowState, at time.Time) flow.Flow {
	t.Helper()
	f := must.Get(flow.NewFlow(sandboxService, flussi.Actor{ID: "m.neri"}))(t)
	f.State, f.CreatedAt, f.UpdatedAt = state, at, at
	return f
}

func newNotification(t *testing.T, citizen int, of uuid.UUID, at time.Time) flow.Notification {
	t.Helper()
	n := must.Get(flow.NewNotification(sandboxService, appiotest.SampleCitizen(citizen), flussi.Actor{ID: "m.neri"}))(t)
	n.FlowID, n.CreatedAt, n.UpdatedAt = of, at, at
	n.Subject, n.Content = flussi.NewText("TARI: avviso di pagamento"), flussi.NewText(strings.Repeat("La prima rata della TARI scade il 16 giugno. ", 4))
	return n
}

func inErrore(n flow.Notification, code flow.ErrorCode) flow.Notification {
	n.State, n.Transmission = flow.NotificationFailed, flow.Transmission{Attempts: 1, ErrorCode: code, Error: code.Italian()}
	return n
}

// state returns the state of a notification, and of its error.
func (o *office) state(t *testing.T, id uuid.UUID) (state flow.NotificationState, code flow.ErrorCode) {
	t.Helper()
	o.within(t, func(s *session) {
		n := must.Get(s.store.Notification(t.Context(), id))(t)
		state, code = n.State, n.Transmission.ErrorCode
	})
	return state, code
}

// inItaly is a time as an Italian clock shows it.
func inItaly(t *testing.T, text string) time.Time {
	t.Helper()
	at := must.Get(time.ParseInLocation(time.DateTime, text, cli.Italy()))(t)
	return at.UTC()
}

func TestRealSendingsAndTrialsDoNotMix(t *testing.T) {
	o := newOffice(t)
	o.env["MASSIVO_SERVICE"], o.env["MASSIVO_KEY"] = "tributi", "chiave-segreta"
	o.imported(t, 2)
	o.ran(t, 0, "send", "--live", "--yes")
	id := o.imported(t, 3)
	for name, args := range map[string][]string{"send": {"send", id}, "verify": {"verify", id}} {
		t.Run(name, func(t *testing.T) {
			said := o.ran(t, cli.Usage, args...)
			must.Contain(t, said, "Questo archivio è stato usato con «App IO all'indirizzo 127.0.0.1:", "e ora si userebbe «simulatore». Le prove e gli invii reali devono avere archivi diversi")
			assert.NotContains(t, said, "SIMULATORE")
		})
	}
	assert.Len(t, o.platform.Deliveries(), 2)
	assert.Zero(t, o.platform.Received(appiotest.GetMessage))
}

func TestLogsHoldNothingPersonal(t *testing.T) {
	var said bytes.Buffer
	p := &program{errs: &said}
	citizen, text := appiotest.SampleCitizen(1), flussi.NewText("testo riservato")
	type pair struct {
		Citizen flussi.FiscalCode
		Text    flussi.Text
	}
	for name, value := range map[string]any{
		"a code": citizen, "a text": text, "a pointer": &citizen, "a list": []flussi.FiscalCode{citizen}, "a map": map[string]flussi.Text{"t": text},
		"a struct": pair{citizen, text}, "a pointer to a struct": &pair{citizen, text}, "a draft": flow.Draft{Recipient: citizen, Subject: text},
		"a notification": newNotification(t, 1, uuid.Nil, time.Now()), "a group": slog.GroupValue(slog.Any("citizen", citizen)),
	} {
		said.Reset()
		p.logger().Error("prova", "value", value)
		assert.Contains(t, said.String(), "prova", name)
		assert.NotContains(t, said.String(), citizen.Reveal(), name)
		assert.NotContains(t, said.String(), "riservato", name)
	}
	for verbose, want := range map[bool]int{false: 1, true: 2} {
		said.Reset()
		p.settings.verbose = verbose
		p.logger().Debug("prova")
		p.logger().Error("prova")
		assert.Equal(t, want, strings.Count(said.String(), "prova"), "verbose %t", verbose)
	}
}

func TestOnlyAFlowThatCanBeSentIsMeant(t *testing.T) {
	o := newOffice(t)
	aside, id := o.imported(t, 1), o.imported(t, 2)
	must.Contain(t, o.ran(t, cli.Usage, "send"), "Ci sono più flussi: indicare quale.", aside, id)
	o.ran(t, 0, "disable", aside)
	assert.Contains(t, o.ran(t, 0, "send"), "Flusso "+id+": Inviato")
	assert.Len(t, o.platform.Deliveries(), 2)
	said := o.ran(t, 0, "send")
	assert.Contains(t, said, "Non ci sono flussi da inviare: sono già inviati, o disabilitati.")
	assert.NotContains(t, said, aside)
	assert.Len(t, o.platform.Deliveries(), 2)
	o.env["MASSIVO_STORE"] = o.path("vuoto.db")
	assert.Contains(t, o.ran(t, cli.Failure, "send"), "Non c'è nessun flusso adatto")
}

func TestOnlyAClearYesIsOne(t *testing.T) {
	for answer, want := range map[string]bool{
		"s": true, "S": true, "si": true, "sì": true, "SÌ": true, " s ": true,
		"n": false, "no": false, "N": false, "": false, "forse": false, "y": false, "x": false, "sn": false, "1": false,
	} {
		p := &program{in: strings.NewReader(answer + "\n"), errs: io.Discard, asks: true}
		assert.Equal(t, want, p.ask(t.Context(), "Inviare?"), "%q", answer)
	}
	yes := &program{in: strings.NewReader("s\n"), errs: io.Discard}
	assert.False(t, yes.ask(t.Context(), "Inviare?"), "nobody can be asked")
	never, ended := io.Pipe()
	defer ended.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	assert.False(t, (&program{in: never, errs: io.Discard, asks: true}).ask(ctx, "Inviare?"), "interrupted")
}

func TestAKeySendsForItsServiceAlone(t *testing.T) {
	p := &program{settings: settings{service: "tributi", url: "http://127.0.0.1:1/api/v1", calls: 1}}
	messengers := p.messengers(t.Context(), &appio.MemoryTurns{})
	messenger := must.Get(messengers(t.Context(), "tributi"))(t)
	assert.Same(t, messenger, must.Get(messengers(t.Context(), "tributi"))(t), "one client keeps the pace")
	_, err := messengers(t.Context(), "anagrafe")
	require.Error(t, err)
	assert.Contains(t, flussi.Explain(err), "La chiave è del servizio «tributi», il flusso è del servizio «anagrafe»")
}

// Who said yes is not asked again when the sending goes on.
func TestASendingThatGoesOnAsksNobody(t *testing.T) {
	o := newOffice(t)
	o.env["MASSIVO_SERVICE"], o.env["MASSIVO_KEY"] = "tributi", "chiave-segreta"
	id := must.Get(uuid.Parse(o.imported(t, 2)))(t)
	o.ran(t, cli.Usage, "send", "--live")
	o.within(t, func(s *session) {
		must.Get(s.ActivateFlow(t.Context(), s.by, id))(t)
	})
	o.ran(t, cli.Usage, "send", "--live")
	o.within(t, func(s *session) {
		must.Get(s.Service.SendFlow(t.Context(), s.by, id))(t)
	})
	o.ran(t, 0, "send", "--live")
	assert.Len(t, o.platform.Deliveries(), 2)
}

// Another program may have been quicker: what counts is how the flow is now.
func TestAFlowIsOrderedFromWhereverItIs(t *testing.T) {
	type states = map[flow.FlowState]bool // by whether it is In invio afterwards
	for seen, nows := range map[flow.FlowState]states{
		flow.FlowInactive:   {flow.FlowInactive: true, flow.FlowActive: true, flow.FlowSending: true, flow.FlowIncomplete: true, flow.FlowSent: false},
		flow.FlowActive:     {flow.FlowInactive: true, flow.FlowActive: true, flow.FlowSending: true, flow.FlowIncomplete: true, flow.FlowSent: false},
		flow.FlowIncomplete: {flow.FlowSending: true, flow.FlowIncomplete: true, flow.FlowSent: false},
		flow.FlowSent:       {flow.FlowSending: true, flow.FlowSent: false},
	} {
		for now, can := range nows {
			t.Run(fmt.Sprintf("seen as %s, %s now", seen, now), func(t *testing.T) {
				o := newDesk(t)
				f := newFlow(t, now, time.Now())
				o.keep(t, []flow.Flow{f}, []flow.Notification{newNotification(t, 1, f.ID, time.Now())})
				o.within(t, func(s *session) {
					stale := must.Get(s.Flow(t.Context(), s.by, f.ID))(t)
					stale.State = seen
					ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second) // it must not try for ever
					defer cancel()
					got := must.Get(s.order(ctx, stale))(t)
					assert.Equal(t, can, got.State == flow.FlowSending)
					assert.Equal(t, !can, got.State == flow.FlowSent)
				})
			})
		}
	}
}

// holding is a simulator that keeps the first message waiting.
type holding struct {
	*appiotest.Simulator
	URL     string
	came    chan struct{} // closed when it comes
	release chan struct{} // to be closed
	first   chan struct{} // holds one
}

func hold(t *testing.T) *holding {
	h := &holding{Simulator: appiotest.New(appiotest.Config{Unlimited: true}), came: make(chan struct{}), release: make(chan struct{}), first: make(chan struct{}, 1)}
	h.AddService(appiotest.Service{ID: sandboxService, Key: sandboxKey})
	h.first <- struct{}{}
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	h.URL = server.URL + appiotest.BasePath
	return h
}

// ServeHTTP answers as the simulator does.
func (h *holding) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	select {
	case <-h.first:
		close(h.came)
		<-h.release
	default:
	}
	h.Simulator.ServeHTTP(w, r)
}

// What a kill may leave unknown is what the workers have begun, and a little more.
func TestClaimsAreAsManyAsTheWorkersBegin(t *testing.T) {
	o := newOffice(t)
	h := hold(t)
	o.env["MASSIVO_URL"] = h.URL
	id := o.imported(t, 10)
	ended := make(chan int, 1)
	go func() { code, _ := o.run("send", id, "--workers", "1"); ended <- code }()
	<-h.came
	_, said := o.run("show", id)
	close(h.release)
	assert.Contains(t, said, "10 (Registrato: 9, In invio: 1)")
	assert.Equal(t, 0, <-ended)
	assert.Len(t, h.Deliveries(), 10)
}

// failing is an office with two flows that were sent, each with a notification for each of
// these reasons, in their order.
func failing(t *testing.T, codes ...flow.ErrorCode) (o *office, flows []flow.Flow, in map[uuid.UUID][]flow.Notification) {
	o, in = newOffice(t), map[uuid.UUID][]flow.Notification{}
	var all []flow.Notification
	for i := range 2 {
		f := newFlow(t, flow.FlowIncomplete, time.Now())
		for j, code := range codes {
			in[f.ID] = append(in[f.ID], inErrore(newNotification(t, 10*i+j, f.ID, time.Now().Add(time.Duration(j)*time.Millisecond)), code))
		}
		flows, all = append(flows, f), append(all, in[f.ID]...)
	}
	o.keep(t, flows, all)
	return o, flows, in
}

func TestResendSetsBackWhatItIsAskedFor(t *testing.T) {
	codes := []flow.ErrorCode{flow.CodeNotSent, flow.CodeRefused, flow.CodeUnreachable, flow.CodeOutcomeUnknown}
	for name, test := range map[string]struct {
		args []string
		code int
		says string
		back []flow.ErrorCode
	}{
		"what was not sent, by itself": {nil, exitIncomplete, "Notifiche riportate a «Registrato»: 1.", codes[:1]},
		"one reason":                   {[]string{"--error", "rifiutata"}, exitIncomplete, "Notifiche riportate a «Registrato»: 1.", codes[1:2]},
		"two reasons":                  {[]string{"--error", "Rifiutata,destinatario non raggiungibile"}, exitIncomplete, "Notifiche riportate a «Registrato»: 2.", codes[1:3]},
		"a file and a reason":          {[]string{"correzioni.xlsx", "--error", "rifiutata"}, cli.Usage, "Indicare un file di correzioni, oppure --error.", nil},
	} {
		t.Run(name, func(t *testing.T) {
			o, flows, in := failing(t, codes...)
			assert.Contains(t, o.ran(t, test.code, append([]string{"resend", flows[0].ID.String()}, test.args...)...), test.says)
			for _, f := range flows {
				for _, n := range in[f.ID] {
					state, left := o.state(t, n.ID)
					if f.ID == flows[0].ID && slices.Contains(test.back, n.Transmission.ErrorCode) {
						assert.Equal(t, flow.NotificationSent, state, n.Transmission.ErrorCode)
						continue
					}
					assert.Equal(t, flow.NotificationFailed, state, n.Transmission.ErrorCode)
					assert.Equal(t, n.Transmission.ErrorCode, left)
				}
			}
			assert.Len(t, o.platform.Deliveries(), len(test.back))
		})
	}
}

func TestResendCorrectsTheFlowThatIsNamedAndAllOfItOrNothing(t *testing.T) {
	const right, wrong = "Oggetto corretto a mano", "corto"
	for name, test := range map[string]struct {
		of   int // the flow that is exported
		rows []string
		args []string
		code int
		says string
		sent int
	}{
		"all are right":                     {0, []string{right, right}, nil, 0, "2, di cui 2 con i dati modificati", 2},
		"one is wrong":                      {0, []string{right, wrong}, nil, exitRows, "Oggetto", 0},
		"one is wrong, the good are wanted": {0, []string{right, wrong}, []string{"--good-rows"}, exitIncomplete, "1, di cui 1 con i dati modificati", 1},
		"of another flow":                   {1, []string{right, right}, nil, exitRows, "Notifica inesistente o di un altro flusso", 0},
		"of another flow, the good wanted":  {1, []string{right, right}, []string{"--good-rows"}, exitRows, "Notifica inesistente o di un altro flusso", 0},
	} {
		t.Run(name, func(t *testing.T) {
			o, flows, _ := failing(t, flow.CodeRefused, flow.CodeRefused)
			file := o.path("correzioni.xlsx")
			o.ran(t, 0, "export", flows[test.of].ID.String(), file)
			for i, text := range test.rows {
				setCell(t, file, fmt.Sprintf("B%d", i+2), text)
			}
			assert.Contains(t, o.ran(t, test.code, append([]string{"resend", flows[0].ID.String(), file}, test.args...)...), test.says)
			assert.Len(t, o.platform.Deliveries(), test.sent)
		})
	}
}

// Somebody else may have decided about one of them; that is no reason to leave the others.
func TestARefusedDecisionStopsNoneOfTheOthers(t *testing.T) {
	for _, sent := range []bool{true, false} {
		o, flows, in := failing(t, flow.CodeOutcomeUnknown, flow.CodeRefused, flow.CodeOutcomeUnknown)
		unknown := in[flows[0].ID]
		o.within(t, func(s *session) {
			var said bytes.Buffer
			s.out = &said
			err := s.decide(t.Context(), unknown, sent, "deciso")
			require.ErrorIs(t, err, flow.ErrOutcomeKnown)
			assert.Contains(t, said.String(), "Decisioni registrate: 2 di 3.")
			assert.Equal(t, !sent, strings.Contains(said.String(), "Per inviarle: massivo send "+flows[0].ID.String()))
		})
		want := map[bool]flow.NotificationState{true: flow.NotificationSent, false: flow.NotificationRegistered}[sent]
		for i, n := range unknown {
			state, _ := o.state(t, n.ID)
			assert.Equal(t, i != 1, state == want)
		}
	}
	o, flows, in := failing(t, flow.CodeOutcomeUnknown)
	o.within(t, func(s *session) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		err := s.decide(ctx, slices.Repeat(in[flows[0].ID], 3), true, "deciso")
		require.ErrorIs(t, err, context.Canceled)
		assert.NotContains(t, err.Error(), "\n", "the others are not tried")
	})
}

func TestADayEndsWhereTheNextOneBeginsInItaly(t *testing.T) {
	for name, test := range map[string]struct{ day, next string }{
		"a day":              {"2026-01-31", "2026-02-01T00:00:00+01:00"},
		"a day of 23 hours":  {"2026-03-29", "2026-03-30T00:00:00+02:00"},
		"a day of 25 hours":  {"2026-10-25", "2026-10-26T00:00:00+01:00"},
		"the end of a year":  {"2026-12-31", "2027-01-01T00:00:00+01:00"},
		"a day that is leap": {"2028-02-28", "2028-02-29T00:00:00+01:00"},
	} {
		t.Run(name, func(t *testing.T) {
			var d day
			require.NoError(t, d.Set(test.day))
			assert.Equal(t, test.day, d.String())
			assert.Equal(t, test.next, d.next().Format(time.RFC3339))
		})
	}
	var none day
	assert.True(t, none.next().IsZero())
	assert.Empty(t, none.String())
}

// shows runs a command, and returns which of the IDs it shows, by their names.
func (o *office) shows(t *testing.T, ids map[string]uuid.UUID, args ...string) []string {
	t.Helper()
	said := o.ran(t, 0, args...)
	var names []string
	for name, id := range ids {
		if strings.Contains(said, "│ "+id.String()) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// The days of the filters are tried where clocks change: one of 23 hours and one of 25.
const (
	spring, afterSpring = "2026-03-29 00:00:00", "2026-03-30 00:00:00"
	autumn, afterAutumn = "2026-10-25 23:59:59", "2026-10-26 00:00:00"
)

func TestEveryFilterOfFlows(t *testing.T) {
	o := newDesk(t)
	old, recent, later := newFlow(t, flow.FlowSent, inItaly(t, spring)), newFlow(t, flow.FlowInactive, inItaly(t, autumn)), newFlow(t, flow.FlowActive, inItaly(t, afterAutumn))
	next := newFlow(t, flow.FlowIncomplete, inItaly(t, afterSpring))
	old.Details = flow.Details{Note: flussi.NewText("TARI 2026"), AppContext: "TRIBUTI", AppKey: "42"}
	old.UpdatedBy, recent.Disabled = "a.verdi", true
	o.keep(t, []flow.Flow{old, next, recent, later}, nil)
	ids := map[string]uuid.UUID{"old": old.ID, "next": next.ID, "recent": recent.ID, "later": later.ID}
	for flags, want := range map[string]string{
		"":                        "later next old recent",
		"--id=" + old.ID.String(): "old",
		"--id=" + old.ID.String() + "," + later.ID.String(): "later old",
		"--id=" + uuid.NewString():                          "",
		"--state=inviato":                                   "old",
		"--state=Attivo,INATTIVO":                           "later recent",
		"--state=In invio":                                  "",
		"--user=a.verdi":                                    "old",
		"--user=m.neri":                                     "later next recent",
		"--text=tari":                                       "old",
		"--text=imu":                                        "",
		"--app-context=TRIBUTI":                             "old",
		"--app-context=ANAGRAFE":                            "",
		"--app-key=42":                                      "old",
		"--app-key=43":                                      "",
		"--disabled=si":                                     "recent",
		"--disabled=Sì":                                     "recent",
		"--disabled=no":                                     "later next old",
		"--from=2026-03-29 --to=2026-03-29":                 "old",
		"--from=2026-03-30 --to=2026-10-24":                 "next",
		"--from=2026-10-25 --to=2026-10-25":                 "recent",
		"--to=2026-03-28":                                   "",
		"--from=2026-10-26":                                 "later",
		"--from=2026-10-27":                                 "",
		"--changed-to=2026-03-29":                           "old",
		"--changed-from=2026-10-25 --changed-to=2026-10-25": "recent",
		"--changed-from=2026-10-26":                         "later",
		"--state=inviato --user=m.neri":                     "",
	} {
		t.Run(flags, func(t *testing.T) {
			assert.Equal(t, want, strings.Join(o.shows(t, ids, append([]string{"list"}, fieldsOf(flags)...)...), " "))
		})
	}
}

// fieldsOf returns the flags of a line.
func fieldsOf(flags string) []string {
	fields := strings.Split(flags, " --")
	for i := range fields {
		if i > 0 {
			fields[i] = "--" + fields[i]
		}
	}
	return slices.DeleteFunc(fields, func(s string) bool { return s == "" })
}

func TestEveryFilterOfNotifications(t *testing.T) {
	o := newDesk(t)
	f := newFlow(t, flow.FlowIncomplete, inItaly(t, spring))
	payment := newNotification(t, 1, f.ID, inItaly(t, spring))
	payment.Subject = flussi.NewText("Scadenza della TARI")
	payment.IsPayment, payment.Amount, payment.NoticeNumber, payment.Reference = true, 1250, appiotest.SampleNotice(1), "PR-1"
	payment.State, payment.UpdatedBy = flow.NotificationSent, "a.verdi"
	payment.Transmission = flow.Transmission{MessageID: "01JN6Q5CZ3VGTA4X4QJEFR95C1", Attempts: 1, SentAt: payment.CreatedAt}
	settled := newNotification(t, 2, f.ID, inItaly(t, afterSpring))
	settled.State, settled.Transmission = flow.NotificationSent, flow.Transmission{MessageID: "01JN6Q5CZ3VGTA4X4QJEFR95C2", Attempts: 1, SentAt: payment.CreatedAt}
	settled.Delivery = flow.Delivery{Status: appio.StatusProcessed}
	refused := inErrore(newNotification(t, 3, f.ID, inItaly(t, autumn)), flow.CodeRefused)
	alone := inErrore(newNotification(t, 4, uuid.Nil, inItaly(t, afterAutumn)), flow.CodeUnreachable)
	alone.Disabled = true
	for _, n := range []*flow.Notification{&settled, &refused, &alone} {
		n.Subject = flussi.NewText("Consiglio di quartiere")
	}
	o.keep(t, []flow.Flow{f}, []flow.Notification{payment, settled, refused, alone})
	ids := map[string]uuid.UUID{"payment": payment.ID, "settled": settled.ID, "refused": refused.ID, "alone": alone.ID}
	for flags, want := range map[string]string{
		"":                            "alone payment refused settled",
		"--id=" + payment.ID.String(): "payment",
		"--id=" + payment.ID.String() + " --id=" + alone.ID.String(): "alone payment",
		"--state=inviato":    "payment settled",
		"--state=errore":     "alone refused",
		"--state=registrato": "",
		"--error=rifiutata":  "refused",
		"--error=Rifiutata,DESTINATARIO NON RAGGIUNGIBILE": "alone refused",
		"--error=esito sconosciuto":                        "",
		"--text=tari":                                      "payment",
		"--user=a.verdi":                                   "payment",
		"--user=nessuno":                                   "",
		"--recipient=" + strings.ToLower(payment.Recipient.Reveal()): "payment",
		"--recipient=" + appiotest.SampleCitizen(9).Reveal():         "",
		"--notice=" + payment.NoticeNumber.Reveal():                  "payment",
		"--notice=" + appiotest.SampleNotice(9).Reveal():             "",
		"--reference=PR-1":                                  "payment",
		"--reference=PR-2":                                  "",
		"--message=01JN6Q5CZ3VGTA4X4QJEFR95C1":              "payment",
		"--message=01JN6Q5CZ3VGTA4X4QJEFR95C3":              "",
		"--unsettled":                                       "payment",
		"--disabled=si":                                     "alone",
		"--disabled=no":                                     "payment refused settled",
		"--from=2026-03-29 --to=2026-03-29":                 "payment",
		"--from=2026-03-30 --to=2026-10-24":                 "settled",
		"--from=2026-10-25 --to=2026-10-25":                 "refused",
		"--from=2026-10-26":                                 "alone",
		"--changed-to=2026-03-29":                           "payment",
		"--changed-from=2026-10-25 --changed-to=2026-10-25": "refused",
		"--changed-from=2026-10-26":                         "alone",
		"--state=inviato --reference=PR-2":                  "",
	} {
		t.Run(flags, func(t *testing.T) {
			assert.Equal(t, want, strings.Join(o.shows(t, ids, append([]string{"list", "notifications"}, fieldsOf(flags)...)...), " "))
			inFlow := strings.TrimSpace(strings.Replace(want, "alone", "", 1))
			assert.Equal(t, inFlow, strings.Join(o.shows(t, ids, append([]string{"show", f.ID.String()}, fieldsOf(flags)...)...), " "), "of the flow")
			o.exports(t, ids, f.ID, inFlow, fieldsOf(flags))
		})
	}
	assert.Equal(t, []string{"alone"}, o.shows(t, ids, "list", "notifications", "--standalone"))
}

// exports checks what is exported of a flow.
func (o *office) exports(t *testing.T, ids map[string]uuid.UUID, id uuid.UUID, want string, flags []string) {
	t.Helper()
	said := o.ran(t, 0, append([]string{"export", id.String(), o.path("esito.xlsx"), "--overwrite"}, flags...)...)
	names := strings.Fields(want)
	assert.Contains(t, said, exported(len(names))+": "+o.path("esito.xlsx")+"\n")
	content := contentOf(t, o.path("esito.xlsx"))
	rows, _, _ := inside(t, content)
	var got []string
	for _, row := range rows[1:] {
		for name, id := range ids {
			if slices.Contains(row, id.String()) {
				got = append(got, name)
			}
		}
	}
	slices.Sort(got)
	assert.Equal(t, want, strings.Join(got, " "), "in the file")
}

func TestPagesAreCompleteAndRepeatNothing(t *testing.T) {
	o := newDesk(t)
	first := inItaly(t, spring)
	var flows []flow.Flow
	var notifications []flow.Notification
	for i := range 7 { // some at the same moment
		flows = append(flows, newFlow(t, flow.FlowIncomplete, first.Add(time.Duration(i/3)*time.Minute)))
	}
	for i := range 7 {
		notifications = append(notifications, newNotification(t, i, flows[0].ID, first.Add(time.Duration(i/3)*time.Minute)))
	}
	o.keep(t, flows, notifications)
	for name, test := range map[string]struct {
		args []string
		ids  func(i int) uuid.UUID
	}{
		"list":               {[]string{"list"}, func(i int) uuid.UUID { return flows[i].ID }},
		"list notifications": {[]string{"list", "notifications"}, func(i int) uuid.UUID { return notifications[i].ID }},
		"show":               {[]string{"show", flows[0].ID.String()}, func(i int) uuid.UUID { return notifications[i].ID }},
	} {
		for _, oldest := range []bool{false, true} {
			for limit, wantPages := range map[int]int{1: 7, 3: 3, 6: 2, 7: 1, 1000: 1} {
				t.Run(fmt.Sprintf("%s, oldest %t, limit %d", name, oldest, limit), func(t *testing.T) {
					var got []string
					mark, pages := "", 0
					for pages == 0 || mark != "" {
						pages++
						require.LessOrEqual(t, pages, wantPages)
						said := o.ran(t, 0, append(slices.Clone(test.args), fmt.Sprint("--oldest=", oldest), fmt.Sprint("--limit=", limit), "--after="+mark)...)
						got = append(got, idsIn(said)...)
						mark = ""
						if next := regexp.MustCompile(`Ci sono altri risultati: ripetere il comando con --after (\S+)\n`).FindStringSubmatch(said); next != nil {
							mark = next[1]
						}
					}
					var want []string
					for i := range 7 {
						want = append(want, test.ids(i).String())
					}
					assert.Equal(t, wantPages, pages)
					assert.ElementsMatch(t, want, got, "all, and each once")
					if !oldest {
						slices.Reverse(got)
					}
					for i, part := range [][]string{got[:3], got[3:6], got[6:]} { // of one moment each
						assert.ElementsMatch(t, want[3*i:min(3*i+3, 7)], part)
					}
				})
			}
		}
	}
	for _, limit := range []string{"0", "-1", "1001"} {
		assert.Contains(t, o.ran(t, cli.Usage, "list", "--limit", limit), "--limit deve essere da 1 a 1.000.")
	}
}

// masked puts names in the place of IDs.
func masked(said string, ids map[string]uuid.UUID) string {
	for name, id := range ids {
		said = strings.ReplaceAll(said, id.String(), fmt.Sprintf("%-36s", name))
	}
	return said
}

func TestWhatListsAndDetailsShow(t *testing.T) {
	o := newDesk(t)
	f := newFlow(t, flow.FlowIncomplete, inItaly(t, "2026-06-16 09:05:07"))
	f.Details = flow.Details{Note: flussi.NewText("TARI 2026: prima rata, seconda mandata"), AppContext: "TRIBUTI", AppKey: "42"}
	f.UpdatedBy, f.UpdatedAt, f.Error = "a.verdi", inItaly(t, "2026-12-01 18:30:00"), "La chiave non è valida."
	n := inErrore(newNotification(t, 1, f.ID, inItaly(t, "2026-06-16 09:05:07")), flow.CodeRefused)
	n.IsPayment, n.Amount, n.NoticeNumber, n.Reference, n.DueDate = true, 123450, appiotest.SampleNotice(1), "PR-1", inItaly(t, "2099-06-16 23:59:59")
	n.Content = flussi.NewText("La prima rata.")
	plain := newNotification(t, 2, f.ID, inItaly(t, "2026-06-16 09:05:06"))
	plain.Disabled = true
	o.keep(t, []flow.Flow{f}, []flow.Notification{n, plain})
	ids := map[string]uuid.UUID{"FLUSSO": f.ID, "AVVISO": n.ID, "ALTRO": plain.ID}
	codes := strings.NewReplacer("CITTADINO-UNO...", n.Recipient.Reveal(), "CITTADINO-DUE...", plain.Recipient.Reveal(), "NUMERO-DI-AVVISO..", n.NoticeNumber.Reveal())
	const flows = `
╭──────────────────────────────────────┬────────────┬───────┬──────────────────┬────────────────────────────────┬──────────┬─────────────┬─────────────────────┬──────╮
│ UUID                                 │ Data       │ Ora   │ Stato            │ Note                           │ Messaggi │ Utente mod. │ Data mod.           │ Dis. │
├──────────────────────────────────────┼────────────┼───────┼──────────────────┼────────────────────────────────┼──────────┼─────────────┼─────────────────────┼──────┤
│ FLUSSO                               │ 16/06/2026 │ 09:05 │ Invio incompleto │ TARI 2026: prima rata, second… │ 2        │ a.verdi     │ 01/12/2026 18:30:00 │ No   │
╰──────────────────────────────────────┴────────────┴───────┴──────────────────┴────────────────────────────────┴──────────┴─────────────┴─────────────────────┴──────╯
`
	const notifications = `
╭──────────────────────────────────────┬───────────────────────────┬──────────────────┬────────────┬───────────┬─────────────┬─────────────────────┬──────╮
│ UUID                                 │ Oggetto                   │ C.F. Dest.       │ Stato      │ Errore    │ Utente mod. │ Data mod.           │ Dis. │
├──────────────────────────────────────┼───────────────────────────┼──────────────────┼────────────┼───────────┼─────────────┼─────────────────────┼──────┤
│ AVVISO                               │ TARI: avviso di pagamento │ CITTADINO-UNO... │ Errore     │ Rifiutata │ m.neri      │ 16/06/2026 09:05:07 │ No   │
│ ALTRO                                │ TARI: avviso di pagamento │ CITTADINO-DUE... │ Registrato │           │ m.neri      │ 16/06/2026 09:05:06 │ Sì   │
╰──────────────────────────────────────┴───────────────────────────┴──────────────────┴────────────┴───────────┴─────────────┴─────────────────────┴──────╯
`
	for command, want := range map[string]string{
		"list":               flows,
		"list notifications": notifications,
		"show FLUSSO": `
Flusso
  UUID:                    FLUSSO
  Servizio:                prova
  Data:                    16/06/2026 09:05:07
  Note:                    TARI 2026: prima rata, seconda mandata
  Stato:                   Invio incompleto
  Disabilitato:            No
  Contesto applicativo:    TRIBUTI
  Chiave applicativa:      42
  Errore:                  La chiave non è valida.
  Messaggi:                2 (Errore: 1, Disabilitato: 1)
  Ultima modifica:         01/12/2026 18:30:00, effettuata da a.verdi
  Azioni possibili:        Aggiorna, Verifica Stato, Disabilita` + notifications,
		"show AVVISO": `
Notifica
  UUID:                    AVVISO
  Flusso:                  FLUSSO
  Servizio:                prova
  Stato:                   Errore
  Disabilitata:            No
  C.F. destinatario:       CITTADINO-UNO...
  Oggetto:                 TARI: avviso di pagamento
  Contenuto:               La prima rata.
  Scadenza:                16/06/2099 23:59:59
  Somma:                   1.234,50 €
  Numero avviso:           NUMERO-DI-AVVISO..
  Riferimento:             PR-1
  Paga dopo la scadenza:   No
Stato della Trasmissione
  Tentativi Invio:         1
  Errore:                  ` + flow.CodeRefused.Italian() + `
Audit
  Ultima modifica:         16/06/2026 09:05:07, effettuata da m.neri
  Azioni possibili:        Aggiorna, Riporta a Registrato, Disabilita
`,
		"show ALTRO": `
Notifica
  UUID:                    ALTRO
  Flusso:                  FLUSSO
  Servizio:                prova
  Stato:                   Registrato
  Disabilitata:            Sì
  C.F. destinatario:       CITTADINO-DUE...
  Oggetto:                 TARI: avviso di pagamento
  Contenuto:               ` + strings.Repeat("La prima rata della TARI scade il 16 giugno. ", 4) + `
Audit
  Ultima modifica:         16/06/2026 09:05:06, effettuata da m.neri
  Azioni possibili:        Riabilita
`,
	} {
		t.Run(command, func(t *testing.T) {
			var args []string
			for _, word := range strings.Fields(command) {
				if id, named := ids[word]; named {
					word = id.String()
				}
				args = append(args, word)
			}
			said := o.ran(t, 0, args...)
			trim := regexp.MustCompile(` +\n`)
			assert.Equal(t, trim.ReplaceAllString(codes.Replace(strings.TrimPrefix(want, "\n")), "\n"), trim.ReplaceAllString(masked(said, ids), "\n"))
		})
	}
}

func TestAHistorySaysWhoWhenWhatAndWhy(t *testing.T) {
	o, flows, in := failing(t, flow.CodeOutcomeUnknown)
	id, n := flows[0].ID.String(), in[flows[0].ID][0].ID.String()
	o.ran(t, 0, "resolve", n, "--resend", "--reason", "niente è arrivato", "--operator", "a.verdi")
	said := o.ran(t, 0, "history", n)
	lines := strings.Split(said, "\n")
	for i, want := range []string{
		`^╭`, `^│ Data +│ Utente +│ Azione +│ Stato +│ Motivo +│$`, `^├`,
		`^│ \d\d/\d\d/\d{4} \d\d:\d\d:\d\d │ m.neri +│ Nuov\S+.* │ Errore +│ +│$`,
		`^│ \d\d/\d\d/\d{4} \d\d:\d\d:\d\d │ a.verdi +│ Invia di nuovo, anche se forse già arrivata │ Errore → Registrato │ niente è arrivato │$`, `^╰`, `^$`,
	} {
		assert.Regexp(t, want, lines[i])
	}
	said = o.ran(t, 0, "history", id)
	assert.Regexp(t, `│ m.neri +│ Nuovo +│ Invio incompleto +│`, said)
	assert.Contains(t, o.ran(t, cli.Failure, "history", uuid.NewString()), "Flusso o notifica inesistente")
}

func progressOf(sent, failed, registered, sending, disabled int) flow.Progress {
	return flow.Progress{Flow: flow.Flow{Counts: flow.Counts{Sent: sent, Failed: failed, Registered: registered, Sending: sending, Disabled: disabled}}}
}

func TestProgressIsWrittenNowAndThen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var said bytes.Buffer
		tell := (&program{errs: &said}).progress()
		start := time.Now()
		for _, seconds := range []float64{0, 1, 9.9, 10, 15, 20, 29} {
			time.Sleep(time.Until(start.Add(time.Duration(seconds * float64(time.Second)))))
			now := progressOf(int(1000*seconds), 1, 5000, 16, 3)
			now.Rate, now.TimeLeft = 30.4, 75*time.Second
			tell(now)
		}
		last := progressOf(1234567, 2, 0, 0, 3)
		last.Done = true
		tell(last)
		assert.Equal(t, `0 inviate, 1 in errore, 5.000 da inviare, 16 in corso; 30 al secondo; ancora 1 min 15 s
10.000 inviate, 1 in errore, 5.000 da inviare, 16 in corso; 30 al secondo; ancora 1 min 15 s
20.000 inviate, 1 in errore, 5.000 da inviare, 16 in corso; 30 al secondo; ancora 1 min 15 s
1.234.567 inviate, 2 in errore, 0 da inviare, 0 in corso
`, said.String())
	})
}

func TestProgressIsDrawnForAPerson(t *testing.T) {
	var said bytes.Buffer
	tell := (&program{errs: &said, draws: true}).progress()
	tell(progressOf(0, 0, 10, 0, 2))
	first := progressOf(4, 0, 6, 0, 2)
	first.Rate, first.TimeLeft = 4, 2*time.Second
	tell(first)
	must.Contain(t, said.String(), "4/10", "4 al secondo; ancora 2 s")
	assert.NotContains(t, said.String(), "in errore")
	assert.NotContains(t, said.String(), "\n", "it is one line")
	last := progressOf(7, 3, 0, 0, 2)
	last.Done = true
	tell(last)
	assert.Contains(t, said.String(), "10/10", "what is in Errore is over, and what is disabled does not count")
	assert.Contains(t, said.String(), "3 in errore")
	assert.NotContains(t, said.String(), "; 3 in errore")
	assert.True(t, strings.HasSuffix(said.String(), "\n"), "what comes behind has a line of its own")
}

func TestVerifyCountsWhatBecameOfEveryMessage(t *testing.T) {
	o := newOffice(t)
	id := o.imported(t, 7)
	o.ran(t, 0, "send")
	for i, status := range []string{"ACCEPTED", "ACCEPTED", "THROTTLED", "REJECTED", "REJECTED"} {
		require.True(t, o.platform.SetState(o.platform.Deliveries()[i].ID, appiotest.State{Status: status}))
	}
	verified := func(want string) {
		t.Helper()
		must.Contain(t, o.ran(t, 0, "verify", id), want, "Flusso "+id+": Invio incompleto", "Errore: Destinatario non raggiungibile │         2")
	}
	verified("Messaggi verificati: 7. Consegnati: 2. Rifiutati: 2. Non ancora definitivi: 3. Senza risposta: 0.")
	o.platform.Fail(appiotest.GetMessage, appiotest.Fault{Kind: appiotest.NotFound})
	verified("Messaggi verificati: 3. Consegnati: 0. Rifiutati: 0. Non ancora definitivi: 2. Senza risposta: 1.")
	for _, delivery := range o.platform.Deliveries()[:3] {
		require.True(t, o.platform.SetState(delivery.ID, appiotest.State{Status: "PROCESSED"}))
	}
	verified("Messaggi verificati: 3. Consegnati: 3. Rifiutati: 0. Non ancora definitivi: 0. Senza risposta: 0.")
	verified("Messaggi verificati: 0. Consegnati: 0. Rifiutati: 0. Non ancora definitivi: 0. Senza risposta: 0.")
}

// What is proposed is with the same database, service and platform; what the environment
// says, it goes on saying.
func TestACommandThatIsProposedGoesOnWhereThisOneIs(t *testing.T) {
	env := map[string]string{"MASSIVO_STORE": "altro.db", "MASSIVO_SERVICE": "anagrafe", "MASSIVO_OPERATOR": "a.verdi", "MASSIVO_KEY": "segreta"}
	for name, test := range map[string]struct {
		flags []string
		want  string
	}{
		"nothing given":                 {nil, ""},
		"a database":                    {[]string{"--store", "prova.db"}, " --store prova.db"},
		"a database with a space":       {[]string{"--store", "i miei/prova.db"}, " --store 'i miei/prova.db'"},
		"an apostrophe":                 {[]string{"--store", "l'anno.db"}, ` --store 'l'\''anno.db'`},
		"a database with a password":    {[]string{"--store", "postgres://utente:segreta@server/massivo"}, " --store postgres://utente@server/massivo"},
		"a password as a parameter":     {[]string{"--store", "postgres://server/massivo?user=utente&password=segreta"}, " --store 'postgres://server/massivo?user=utente'"},
		"a password as a keyword":       {[]string{"--store", "host=server password=segreta"}, " --store host=server"},
		"what may be a password":        {[]string{"--store", "massivo password=segreta"}, " --store ARCHIVIO"},
		"PostgreSQL without a password": {[]string{"--store", "postgres://utente@server/massivo"}, " --store postgres://utente@server/massivo"},
		"keywords":                      {[]string{"--store", "host=server dbname=massivo"}, " --store 'host=server dbname=massivo'"},
		"a service, really":             {[]string{"--live", "--service", "tributi"}, " --service tributi --live"},
		"an address":                    {[]string{"--url", "http://127.0.0.1:7080/a b/api/v1"}, " --url 'http://127.0.0.1:7080/a b/api/v1'"},
		"the key's file":                {[]string{"--key-file", `C:\chiave`}, ` --key-file 'C:\chiave'`},
		"an operator":                   {[]string{"--operator", "m.neri"}, " --operator m.neri"},
		"what is of no matter for it":   {[]string{"--verbose", "--calls", "10"}, ""},
		"what the shell would look at":  {[]string{"--store", `$(x)|;<>&*?` + "`y`" + `"`}, " --store '$(x)|;<>&*?`y`\"'"},
	} {
		t.Run(name, func(t *testing.T) {
			p := &program{}
			set := pflag.NewFlagSet("", pflag.ContinueOnError)
			p.settings.flags(set)
			require.NoError(t, set.Parse(test.flags))
			require.NoError(t, p.settings.complete(set, func(name string) string { return env[name] }, io.Discard))
			assert.Equal(t, "massivo send UUID"+test.want, p.again("send", "UUID"))
			assert.Equal(t, "massivo export UUID correzioni.xlsx"+test.want, p.again("export", "UUID", "correzioni.xlsx"))
		})
	}
}

func TestAFileIsWrittenWholeOrNotAtAll(t *testing.T) {
	broken := errors.New("broken")
	full := &os.PathError{Op: "write", Path: "x", Err: os.ErrPermission}
	for name, test := range map[string]struct {
		there     bool
		overwrite bool
		err       error // of the content
		want      error
		kept      string
	}{
		"a new one":                       {false, false, nil, nil, "nuovo"},
		"a new one, broken off":           {false, false, broken, broken, ""},
		"a new one, the disk fails":       {false, false, full, os.ErrPermission, ""},
		"one that is there":               {true, false, nil, os.ErrExist, "prezioso"},
		"one that is there, broken off":   {true, true, broken, broken, "prezioso"},
		"one that is there, to overwrite": {true, true, nil, nil, "nuovo"},
	} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			file := filepath.Join(folder, "esito.xlsx")
			if test.there {
				require.NoError(t, os.WriteFile(file, []byte("prezioso"), 0o600))
			}
			err := write(file, test.overwrite, func(w io.Writer) error {
				_, err := io.WriteString(w, "nuovo")
				return errors.Join(err, test.err)
			})
			if test.want == nil {
				require.NoError(t, err)
			} else {
				require.ErrorIs(t, err, test.want)
			}
			left := must.Get(os.ReadDir(folder))(t)
			if test.kept == "" {
				assert.Empty(t, left, "nothing half written")
				return
			}
			require.Len(t, left, 1, "nothing half written")
			content := contentOf(t, file)
			assert.Equal(t, test.kept, string(content))
		})
	}
}

// A result that nobody gets is no success.
func TestAResultThatCannotBeWrittenIsAFailure(t *testing.T) {
	for name, args := range map[string][]string{"list": {"list"}, "help": {"help"}} {
		t.Run(name, func(t *testing.T) {
			read, closed, err := os.Pipe()
			require.NoError(t, err)
			require.NoError(t, read.Close())
			defer closed.Close()
			var said bytes.Buffer
			c := exec.Command(os.Args[0], append(args, "--store", filepath.Join(t.TempDir(), "massivo.db"))...)
			c.Env = append(os.Environ(), beTheProgram+"=1")
			c.Stdout, c.Stderr = closed, &said
			exit := must.As[*exec.ExitError](t, c.Run())
			assert.Equal(t, cli.Failure, exit.ExitCode())
			assert.Equal(t, "Il comando è stato eseguito, ma non è stato possibile scriverne il risultato.\n", said.String())
		})
	}
}

// On a terminal that is too narrow for all columns, those that matter least are left out,
// and of what is left no line is longer than the terminal.
func TestATableFitsOnItsTerminal(t *testing.T) {
	f := newFlow(t, flow.FlowIncomplete, time.Now())
	f.Note = flussi.NewText(strings.Repeat("nota ", 10))
	later := f
	later.NotBefore = time.Now()
	n := inErrore(newNotification(t, 1, f.ID, time.Now()), flow.CodeUnreachable)
	n.State = flow.NotificationRegistered // the longest
	for name, table := range map[string]struct {
		tell func(*session)
		kept []string         // always
		gone map[int][]string // by the width of the terminal
	}{
		"flows": {func(s *session) { s.tellFlows([]flow.Flow{f}) }, []string{"UUID", "Stato", "Note"},
			map[int][]string{58: nil, 80: {"Messaggi", "Ora", "Utente mod.", "Data mod.", "Dis."}, 90: {"Ora"}, 120: {"Data mod.", "Dis."}, 200: nil, 0: nil}},
		"flows that are sent later": {func(s *session) { s.tellFlows([]flow.Flow{f, later}) }, []string{"UUID", "Stato", "Note"},
			map[int][]string{58: nil, 80: {"Messaggi", "Ora", "Non prima di"}, 100: {"Messaggi", "Ora"}, 200: nil, 0: nil}},
		"notifications": {func(s *session) { s.tellNotifications([]flow.Notification{n}) }, []string{"UUID", "Stato", "Errore"},
			map[int][]string{58: nil, 80: {"Oggetto", "Utente mod.", "Data mod.", "Dis."}, 90: {"Oggetto"}, 120: {"Oggetto", "Utente mod.", "Data mod.", "Dis."}, 200: nil, 0: nil}},
	} {
		for width, gone := range table.gone {
			t.Run(fmt.Sprintf("%s, %d characters", name, width), func(t *testing.T) {
				var said bytes.Buffer
				table.tell(&session{program: &program{out: &said, width: width}})
				lines := strings.Split(said.String(), "\n")
				if width == 58 { // one cell below the other, and all of them
					for _, header := range append(table.kept, "Utente mod.", "Data mod.", "Dis.") {
						assert.Regexp(t, "(?m)^"+header+": +\\S", said.String())
					}
				} else {
					for _, header := range table.kept {
						assert.Contains(t, lines[1], header)
					}
				}
				for _, header := range gone {
					assert.NotContains(t, lines[1], header)
				}
				if len(gone) == 0 && width != 58 {
					assert.Contains(t, lines[1], "Utente mod. │ Data mod.           │ Dis. │", "all of them")
				}
				for _, line := range lines {
					assert.LessOrEqual(t, utf8.RuneCountInString(line), cmp.Or(width, 200))
				}
			})
		}
	}
}

func TestAHistoryFitsOnItsTerminal(t *testing.T) {
	records := []flow.FlowRecord{
		{At: inItaly(t, "2026-06-16 09:05:07"), By: "m.neri", Action: flow.FlowCreate, To: flow.FlowInactive},
		{At: inItaly(t, "2026-06-16 09:06:07"), By: "massivo@server", Action: flow.FlowEndIncomplete, From: flow.FlowSending, To: flow.FlowIncomplete,
			Reason: flussi.NewText("La piattaforma ha rifiutato la chiave del servizio: controllare quella che è stata data.\nPoi riprendere.")},
	}
	for width, want := range map[int]string{
		80: `Data:   16/06/2026 09:05:07
Utente: m.neri
Azione: Nuovo
Stato:  Inattivo

Data:   16/06/2026 09:06:07
Utente: massivo@server
Azione: Conclusione: esiti negativi
Stato:  In invio → Invio incompleto
Motivo: La piattaforma ha rifiutato la chiave del servizio: controllare quella
        che è stata data.
        Poi riprendere.
`,
		160: `╭─────────────────────┬────────────────┬─────────────────────────────┬─────────────────────────────┬────────────────────────────────────────────────`,
	} {
		var said bytes.Buffer
		tellHistory(&session{program: &program{out: &said, width: width}}, records, flow.FlowAction.Label, flow.FlowState.Label)
		assert.Equal(t, want, said.String()[:min(len(want), said.Len())], width)
	}
}

func TestADetailFitsOnItsTerminal(t *testing.T) {
	tell := func(width int) string {
		var said bytes.Buffer
		s := &session{program: &program{out: &said, width: width}}
		s.tellFields("Notifica", field{"Contenuto", "Gentile contribuente, la prima rata della TARI scade il 16 giugno.\n\nStato: Inviato"})
		return said.String()
	}
	assert.Equal(t, `Notifica
  Contenuto:               Gentile contribuente, la prima rata della TARI scade
                           il 16 giugno.
                           
                           Stato: Inviato
`, tell(80))
	want := `Notifica
  Contenuto:               Gentile contribuente, la prima rata della TARI scade il 16 giugno.
                           
                           Stato: Inviato
`
	assert.Equal(t, want, tell(0), "the lines of a text are not taken for other fields")
	assert.Equal(t, want, tell(30), "there is no room for a column")
}

// Operators do not know the platform's words.
func TestADetailSaysWhatThePlatformsWordsMean(t *testing.T) {
	for status, want := range map[appio.MessageStatus]string{
		appio.StatusAccepted:  "ACCEPTED (preso in carico, non ancora consegnato)",
		appio.StatusThrottled: "THROTTLED (in ritardo per un guasto temporaneo: App IO riprova)",
		appio.StatusProcessed: "PROCESSED (consegnato: il cittadino lo trova nell'app)",
		appio.StatusFailed:    "FAILED (non consegnato, per un errore definitivo di App IO)",
		appio.StatusRejected:  "REJECTED (non consegnato: il cittadino non è su App IO o ha disattivato i messaggi del servizio)",
		"SHELVED":             "SHELVED",
	} {
		o := newDesk(t)
		n := newNotification(t, 1, uuid.Nil, time.Now())
		n.State, n.Delivery = flow.NotificationSent, flow.Delivery{Status: status, Email: appio.ChannelSent, Push: "LOST"}
		o.keep(t, nil, []flow.Notification{n})
		assert.Contains(t, o.ran(t, 0, "show", n.ID.String()), "  Stato Consegna:          "+want+"\n  Stato Mail:              SENT (avviso inviato)\n  Stato Push:              LOST\n")
	}
	for status, want := range map[appio.ChannelStatus]string{
		appio.ChannelThrottled: "THROTTLED (in ritardo per un guasto temporaneo: App IO riprova)",
		appio.ChannelExpired:   "EXPIRED (avviso non inviato, perché era troppo tardi)",
		appio.ChannelFailed:    "FAILED (avviso non inviato, per un errore definitivo)",
		"":                     "",
	} {
		assert.Equal(t, want, channel(status))
	}
}

func TestAProgressBarFitsOnItsTerminal(t *testing.T) {
	for _, width := range []int{0, 60, 80, 120} {
		for _, total := range []int{10, 1_000_000} {
			var said bytes.Buffer
			tell := (&program{errs: &said, draws: true, barWidth: width}).progress()
			for _, sent := range []int{0, total / 2, total - 3} {
				now := progressOf(sent, 3, total-3-sent, 0, 0)
				now.Rate, now.TimeLeft = 30.4, 59*time.Minute+59*time.Second
				tell(now)
			}
			for line := range strings.SplitSeq(said.String(), "\r") {
				assert.Less(t, utf8.RuneCountInString(strings.TrimRight(line, " ")), cmp.Or(width, 80), "%d: %s", width, line)
			}
			if width == 120 || total == 10 && width != 60 {
				assert.Contains(t, said.String(), "3 in errore; 30 al secondo; ancora 59 min 59 s")
			}
		}
	}
}
