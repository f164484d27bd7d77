package flow_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/must"
)

// Whose refusal it is: its recipient's, unless it is shown to be the service's.
func TestRefusalsOfRecipientsDoNotStopTheFlow(t *testing.T) {
	for name, test := range map[string]struct {
		answer reply
		code   flow.ErrorCode
		says   string
	}{
		"recipient not authorised":   {notAuthorised, flow.CodeNotPermitted, "Recipient forbidden: You are not allowed to send messages to this recipient (HTTP 403)"},
		"amount above the limit":     {tooMuch, flow.CodeRefused, "Bad Request: The requested amount (exceeding 10 cents) exceeds the maximum allowed (HTTP 400)"},
		"unknown configuration":      {noSuchConfig, flow.CodeNotPermitted, "Remote Content Configuration NOT FOUND: The configuration was not found (HTTP 404)"},
		"age not eligible":           {tooYoung, flow.CodeNotPermitted, "Recipient age not eligible: The recipient is not within the age range of the service (HTTP 422)"},
		"a status that nobody knows": {problem(418, "I am a teapot", ""), flow.CodeRefused, "I am a teapot (HTTP 418)"},
		"a problem without a type":   {reply{status: 403, kind: "text/plain", body: `{"status":403,"detail":"No"}`}, flow.CodeNotPermitted, "No (HTTP 403)"},
		"forbidden without a body":   {reply{status: 403}, flow.CodeNotPermitted, ""},
		"forbidden in HTML":          {firewall, flow.CodeNotPermitted, ""},
		"forbidden in a long text":   {problem(403, "Forbidden", strings.Repeat("x ", 600_000)), flow.CodeNotPermitted, ""},
		"forbidden, and no problem":  {reply{status: 403, kind: "application/problem+json", body: "{}"}, flow.CodeNotPermitted, ""},
		"control characters":         {problem(400, "Ti\x1b[31mtolo\u202e", "riga\r\nuno\ttab"), flow.CodeRefused, "Titolo: riga uno tab (HTTP 400)"},
		"values of the row": {problem(400, "Bad Request", "fiscal_code "+citizen(1).Reveal()+", "+strings.ToLower(citizen(7).Reveal())+", subject \"Oggetto riservato 000001\", a.b@comune.example.it!"),
			flow.CodeRefused, "Bad Request: fiscal_code ***, ***, subject \"***\", *** (HTTP 400)"},
	} {
		t.Run(name, func(t *testing.T) {
			p := &scripted{script: to(1, test.answer)}
			w := onPlatform(t, p)
			f := w.sending(t, 3)
			got := must.Get(w.dispatcher(t, flow.DispatcherConfig{Workers: 1}).Run(t.Context(), f.ID))(t)
			assert.Equal(t, flow.FlowIncomplete, got.State)
			assert.Empty(t, got.Error)
			assert.Equal(t, flow.Counts{Sent: 2, Failed: 1}, got.Counts)
			assert.Equal(t, 2, p.once(t))
			n := w.notifications(t, f.ID)[1]
			assert.Equal(t, test.code, n.Transmission.ErrorCode)
			assert.Equal(t, test.says, n.Transmission.Answer.Reveal())
			if test.says == "" {
				assert.Contains(t, n.Transmission.Error, "ha rifiutato il messaggio senza dire perché")
				assert.NotContains(t, n.Transmission.Error, "Risposta")
			} else {
				assert.True(t, strings.HasSuffix(n.Transmission.Error, " Risposta della piattaforma: «"+test.says+"»."), n.Transmission.Error)
			}
			assert.Contains(t, n.Transmission.Error, "riportare la notifica a «Registrato»")
			assert.Equal(t, n.Transmission.Error, last(do(t, w.NotificationHistory, n.ID)).Explanation().Reveal())
			assert.False(t, n.Transmission.StoppedFlow)

			// Sent alone, it is refused for the same reason, which the error says.
			do(t, w.RegisterNotification, n.ID)
			assert.Empty(t, w.notification(t, n.ID).Transmission.Answer.Reveal())
			alone, err := w.SendNotification(t.Context(), operator, n.ID)
			assert.Equal(t, n.Transmission.Error, flussi.Explain(err))
			assert.Equal(t, flow.NotificationFailed, alone.State)
			assert.Equal(t, n.Transmission.Answer, alone.Transmission.Answer)

			// Nothing of the platform's words remains of what was anonymised.
			time.Sleep(time.Millisecond)
			require.Equal(t, 3, must.Get(w.Anonymise(t.Context(), operator, taxes, time.Now()))(t))
			n = w.notification(t, n.ID)
			assert.Zero(t, n.Transmission.Answer)
			assert.Equal(t, strings.TrimSuffix(alone.Transmission.Error, " Risposta della piattaforma: «"+test.says+"»."), n.Transmission.Error)
		})
	}
}

// remote sends messages with remote content.
type remote struct{ flow.Sender }

func (s remote) Submit(ctx context.Context, m appio.Message) (appio.Receipt, error) {
	m.ThirdParty = &appio.ThirdParty{ConfigurationID: "01JN6Q5CZ3VGTA4X4QJEFR95C1", ID: "1"}
	return s.Sender.Submit(ctx, m)
}

// A configuration of remote content that the platform does not find is named as the cause.
func TestRefusedConfigurationIsNamed(t *testing.T) {
	p := &scripted{script: to(1, noSuchConfig)}
	w := onPlatform(t, p)
	real := w.senders
	w.senders = func(ctx context.Context, service string) (flow.Sender, error) {
		client, err := real(ctx, service)
		return remote{client}, err
	}
	f := w.sending(t, 3)
	got := must.Get(w.dispatcher(t).Run(t.Context(), f.ID))(t)
	assert.Equal(t, flow.Counts{Sent: 2, Failed: 1}, got.Counts)
	assert.Equal(t, "App IO non trova la configurazione del contenuto remoto che il messaggio indica: verificare l'ID della configurazione. "+
		"Il messaggio non è arrivato: per inviarlo di nuovo, riportare la notifica a «Registrato» e inviarla di nuovo, da sola con «Invia Messaggio» o con il suo flusso con «Invia Flusso». "+
		"Risposta della piattaforma: «Remote Content Configuration NOT FOUND: The configuration was not found (HTTP 404)».", w.notifications(t, f.ID)[1].Transmission.Error)
}

// The key and the gateway are the service's: what was under way is Registrato again.
func TestRefusalsOfTheServiceStopTheFlowAtOnce(t *testing.T) {
	for name, test := range map[string]struct {
		answer reply
		says   string
	}{
		"key":                        {gateway(401, "Access denied due to invalid subscription key."), "Risposta della piattaforma: «Access denied due to invalid subscription key. (HTTP 401)»."},
		"key, as a problem":          {problem(401, "Unauthorized", "No"), "Risposta della piattaforma: «Unauthorized: No (HTTP 401)»."},
		"gateway forbids":            {gateway(403, "Quota exceeded."), "Risposta della piattaforma: «Quota exceeded. (HTTP 403)»."},
		"gateway finds nothing":      {gateway(404, "Resource not found"), "Risposta della piattaforma: «Resource not found (HTTP 404)»."},
		"nothing there, and no body": {reply{status: 404}, "Invio fermato."},
	} {
		t.Run(name, func(t *testing.T) {
			p := &scripted{script: func(call int, _ flussi.FiscalCode) *reply {
				if call > 5 {
					return &test.answer
				}
				return nil
			}}
			w := onPlatform(t, p)
			f := w.sending(t, 60)
			got, err := w.dispatcher(t, flow.DispatcherConfig{Workers: 4}).Run(t.Context(), f.ID)
			require.ErrorAs(t, err, new(*flow.StopError))
			assert.Contains(t, got.Error, test.says)
			assert.Contains(t, got.Error, "riprendere con «Invia Flusso»")
			assert.Equal(t, got.Error, flussi.Explain(err))
			assert.Equal(t, flow.Counts{Registered: 55, Sent: 5}, got.Counts)
			assert.LessOrEqual(t, p.calls, 5+4)
			for _, n := range w.notifications(t, f.ID) {
				assert.False(t, n.Transmission.StoppedFlow)
				assert.Empty(t, n.Transmission.Answer.Reveal())
			}
			p.script = always(reply{status: 500})
			p.script = func(int, flussi.FiscalCode) *reply { return nil }
			do(t, w.SendFlow, f.ID)
			assert.Equal(t, flow.Counts{Sent: 60}, w.dispatch(t, f.ID).Counts)
			assert.Equal(t, 60, p.once(t))
		})
	}
}

// The same refusal for several recipients is the service's: the flow stops, and the notifications
// are Registrato again, once.
func TestEqualRefusalsStopTheFlow(t *testing.T) {
	for name, answer := range map[string]reply{
		"amount above the limit": tooMuch, "recipients not authorised": notAuthorised,
		"unknown configuration": noSuchConfig, "age not eligible": tooYoung, "no permission": noPermission, "forbidden without a word": firewall,
	} {
		bubble(t, name, func(t *testing.T) {
			// While answers take time, no worker is left behind by the others.
			p := &scripted{script: always(answer), takes: 10 * time.Millisecond}
			w := inPipes(t, p)
			const rows, threshold, workers = 300, 10, 4
			f := w.sending(t, rows)
			run := func() flow.Flow {
				t.Helper()
				got, err := w.dispatcher(t, flow.DispatcherConfig{Workers: workers}).Run(t.Context(), f.ID)
				require.ErrorAs(t, err, new(*flow.StopError))
				assert.Equal(t, flow.FlowIncomplete, got.State)
				assert.Contains(t, got.Error, "Invio fermato dopo 10 rifiuti uguali consecutivi di App IO")
				assert.Equal(t, answer != firewall, strings.Contains(got.Error, "Risposta della piattaforma: «"))
				return got
			}
			got := run()
			assert.Equal(t, flow.Counts{Registered: rows}, got.Counts, "nothing is burned")
			assert.LessOrEqual(t, p.calls, threshold+workers-1)
			refused := map[uuid.UUID]bool{}
			for _, n := range w.notifications(t, f.ID) {
				if n.Transmission.StoppedFlow {
					refused[n.ID] = true
					assert.Equal(t, "create claim fail release", w.steps(t, n.ID))
					assert.Equal(t, 1, n.Transmission.Attempts)
				}
				assert.Empty(t, n.Transmission.Error)
				assert.Zero(t, n.Transmission.Answer)
			}
			assert.Len(t, refused, p.calls)

			// Refused again, they are Errore, and others stop the flow.
			do(t, w.SendFlow, f.ID)
			got = run()
			assert.Equal(t, flow.Counts{Registered: rows - len(refused), Failed: len(refused)}, got.Counts)
			for _, n := range w.notifications(t, f.ID) {
				assert.Equal(t, refused[n.ID], n.State == flow.NotificationFailed)
				if refused[n.ID] {
					assert.Equal(t, answer != firewall, strings.Contains(n.Transmission.Error, "Risposta della piattaforma: «"))
					assert.True(t, n.Transmission.StoppedFlow)
				}
			}

			// Mended, the others are sent; set back, those in error too.
			p.script = func(int, flussi.FiscalCode) *reply { return nil }
			do(t, w.SendFlow, f.ID)
			assert.Equal(t, flow.Counts{Sent: rows - len(refused), Failed: len(refused)}, w.dispatch(t, f.ID).Counts)
			for id := range refused {
				do(t, w.RegisterNotification, id)
			}
			do(t, w.SendFlow, f.ID)
			got = w.dispatch(t, f.ID)
			assert.Equal(t, flow.Counts{Sent: rows}, got.Counts)
			assert.Empty(t, got.Error)
			assert.Equal(t, rows, p.once(t))
			for _, n := range w.notifications(t, f.ID) {
				assert.False(t, n.Transmission.StoppedFlow)
			}
		})
	}
}

// Titles that differ only by values of the messages are equal, also by those of their options.
func TestTitlesThatQuoteTheMessageAreEqual(t *testing.T) {
	for name, quoted := range map[string]func(m sentMessage) string{
		"subject":        func(m sentMessage) string { return m.Content.Subject },
		"button":         func(m sentMessage) string { return m.Content.Markdown[:120] },
		"remote content": func(m sentMessage) string { return m.Content.Remote.ID },
		"a summary":      func(m sentMessage) string { return m.Content.Remote.Summary },
		"a number":       func(m sentMessage) string { return "*** " + strings.TrimLeft(m.Content.Remote.ID, "DOC-") + "]" },
	} {
		t.Run(name, func(t *testing.T) {
			w := onPlatform(t, http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
				var m sentMessage
				assert.NoError(t, json.NewDecoder(r.Body).Decode(&m))
				problem(400, "Not valid: ["+quoted(m)+"]", "").write(out)
			}))
			f := w.prepared(t, 0)
			w.add(t, f.ID, many(30, func(i int) flow.Draft {
				d := draft(i)
				d.Options.Button1 = flow.Button{Label: flussi.NewText("Apri"), Link: flussi.NewText(fmt.Sprintf("https://example.com/pratiche/%03d", i))}
				d.Options.Remote = flow.RemoteContent{ID: fmt.Sprintf("DOC-%03d", i), ConfigurationID: "01JN6Q5CZ3VGTA4X4QJEFR95C1", Summary: flussi.NewText(fmt.Sprintf("Riassunto %03d", i))}
				return d
			})...)
			w.ordered(t, f.ID)
			got, err := w.dispatcher(t, flow.DispatcherConfig{Workers: 1}).Run(t.Context(), f.ID)
			require.ErrorAs(t, err, new(*flow.StopError))
			assert.Equal(t, flow.Counts{Registered: 30}, got.Counts)
			assert.Contains(t, got.Error, "Not valid: [***")
		})
	}
}

// sentMessage is a message as the platform gets it.
type sentMessage struct {
	Content struct {
		Subject  string `json:"subject"`
		Markdown string `json:"markdown"`
		Remote   struct {
			ID      string `json:"id"`
			Summary string `json:"summary"`
		} `json:"third_party_data"`
	} `json:"content"`
}

// What is not a streak: different refusals, one recipient, acceptances in between.
func TestRefusalsThatAreNotEqualDoNotStopTheFlow(t *testing.T) {
	for name, test := range map[string]struct {
		script  func(call int, to flussi.FiscalCode) *reply
		same    bool // all rows are for one recipient
		failed  int
		workers int
	}{
		"other titles": {script: func(call int, _ flussi.FiscalCode) *reply {
			a := problem(400, fmt.Sprintf("Fault %c", 'a'+call%12), "the same")
			return &a
		}, failed: 100},
		"other statuses": {script: func(call int, _ flussi.FiscalCode) *reply {
			a := problem(400+20+call%12, "the same", "the same")
			if a.status == 429 {
				a.status = 400
			}
			return &a
		}, failed: 100},
		"every tenth is accepted": {script: func(call int, _ flussi.FiscalCode) *reply {
			if call%10 == 0 {
				return nil
			}
			return &notAuthorised
		}, failed: 90},
		"one recipient": {script: always(notAuthorised), same: true, failed: 100},
		"every second, while others are under way": {script: func(call int, _ flussi.FiscalCode) *reply {
			if call%2 == 0 {
				return nil
			}
			return &notAuthorised
		}, failed: 50, workers: 4},
	} {
		t.Run(name, func(t *testing.T) {
			p := &scripted{script: test.script}
			w := onPlatform(t, p)
			f := w.prepared(t, 0)
			w.add(t, f.ID, many(100, func(i int) flow.Draft {
				d := draft(i)
				if test.same {
					d.Recipient = citizen(0)
				}
				return d
			})...)
			w.ordered(t, f.ID)
			got := w.dispatch(t, f.ID, flow.DispatcherConfig{Workers: max(test.workers, 1)})
			assert.Empty(t, got.Error)
			assert.Equal(t, flow.Counts{Sent: 100 - test.failed, Failed: test.failed}, got.Counts)
		})
	}
}

// An order to send a message twice is not used up by a refusal that stopped the flow.
func TestStoppedFlowKeepsTheOrderToSendAgain(t *testing.T) {
	p := &scripted{script: func(int, flussi.FiscalCode) *reply { return nil }}
	w := onPlatform(t, p)
	w.sendNew(t, draft(0))
	f := w.prepared(t, 0)
	w.add(t, f.ID, draft(0))
	do(t, w.EnableNotification, w.notifications(t, f.ID)[0].ID)
	w.ordered(t, f.ID)
	w.dispatch(t, f.ID)
	n := w.notifications(t, f.ID)[0]
	require.Equal(t, flow.CodeAlreadySent, n.Transmission.ErrorCode)
	do2(t, w.ResendNotification, n.ID, "richiesta")
	do(t, w.SendFlow, f.ID)
	p.script = always(noPermission)
	_, err := w.dispatcher(t, flow.DispatcherConfig{RefusalThreshold: 1}).Run(t.Context(), f.ID)
	require.ErrorAs(t, err, new(*flow.StopError))
	assert.True(t, w.notification(t, n.ID).AllowDuplicate)
	p.script = func(int, flussi.FiscalCode) *reply { return nil }
	do(t, w.SendFlow, f.ID)
	assert.Equal(t, flow.Counts{Sent: 1}, w.dispatch(t, f.ID).Counts)
	assert.Equal(t, 2, p.accepted[citizen(0).Reveal()])
}

// What an operator changed between the refusal and the end of the run remains as it is, and a store
// that fails loses nothing.
func TestTakingRefusalsBackKeepsWhatOthersChanged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &scripted{}
		store := newAltered()
		w := inPipes(t, p)
		w.store = store
		w.Service = newService(t, store, w.senders)
		f := w.sending(t, 40)
		var disabled uuid.UUID
		p.script = func(call int, _ flussi.FiscalCode) *reply {
			if call == 12 {
				time.Sleep(5 * time.Second) // the others are refused and stored meanwhile
				for _, n := range w.notifications(t, f.ID) {
					if n.State == flow.NotificationFailed {
						disabled = n.ID
					}
				}
				n := w.notification(t, disabled)
				n.Disabled = true
				require.NoError(t, store.Store.SaveNotifications(t.Context(), flow.NotificationChange{
					Notification: n, Record: flow.NotificationRecord{Action: flow.NotificationDisable, From: n.State, To: n.State},
				}))
			}
			return &noPermission
		}
		got, err := w.dispatcher(t, flow.DispatcherConfig{Workers: 1, RefusalThreshold: 12}).Run(t.Context(), f.ID)
		require.ErrorAs(t, err, new(*flow.StopError))
		assert.Equal(t, flow.Counts{Registered: 39, Disabled: 1}, got.Counts)
		assert.Equal(t, flow.NotificationFailed, w.notification(t, disabled).State)
	})
}

// A store that fails, or a process that dies before the notifications are set back, loses nothing:
// they are in error, with the platform's words, and an operator sets them back.
func TestRefusalsThatAreNotTakenBackRemainInError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &scripted{script: always(noPermission)}
		store := newAltered()
		store.saveFlow = func(_ context.Context, c flow.FlowChange) error {
			if c.Record.Action == flow.FlowNotificationChanged {
				return errStore
			}
			return nil
		}
		w := inPipes(t, p)
		w.store = store
		w.Service = newService(t, store, w.senders)
		f := w.sending(t, 40)
		got, err := w.dispatcher(t, flow.DispatcherConfig{Workers: 1}).Run(t.Context(), f.ID)
		require.ErrorAs(t, err, new(*flow.StopError))
		assert.Equal(t, flow.FlowIncomplete, got.State)
		assert.Equal(t, flow.Counts{Registered: 30, Failed: 10}, got.Counts)
		store.saveFlow = nil
		p.script = func(int, flussi.FiscalCode) *reply { return nil }
		for _, n := range w.notifications(t, f.ID)[:10] {
			assert.Contains(t, n.Transmission.Error, "Risposta della piattaforma: «You are not allowed here")
			do(t, w.RegisterNotification, n.ID)
		}
		do(t, w.SendFlow, f.ID)
		assert.Equal(t, flow.Counts{Sent: 40}, w.dispatch(t, f.ID).Counts)
		assert.Equal(t, 40, p.once(t))
	})
}

// Several dispatchers burn nothing, though each has seen fewer refusals than stop the flow.
func TestRefusalsOfSeveralDispatchersAreTakenBack(t *testing.T) {
	for seed := range uint64(20) {
		synctest.Test(t, func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 3))
			p := &scripted{slow: true, script: func(call int, _ flussi.FiscalCode) *reply {
				if call > 50 {
					return &noPermission
				}
				return nil
			}}
			w := inPipes(t, p)
			f := w.sending(t, 200)
			ends := make(chan error, 4)
			for i := range cap(ends) {
				d := w.dispatcher(t, flow.DispatcherConfig{ID: fmt.Sprint("d", i), Workers: 1 + random.IntN(5)})
				go func() {
					_, err := d.Run(t.Context(), f.ID)
					ends <- err
				}()
			}
			for range cap(ends) {
				if err := <-ends; err != nil {
					require.ErrorAs(t, err, new(*flow.StopError))
				}
			}
			require.Equal(t, flow.Counts{Registered: 150, Sent: 50}, w.flow(t, f.ID).Counts)
			w.isIn(t, flow.FlowIncomplete, f.ID)
			p.script = func(int, flussi.FiscalCode) *reply { return nil }
			do(t, w.SendFlow, f.ID)
			require.Equal(t, flow.Counts{Sent: 200}, w.dispatch(t, f.ID).Counts)
			require.Equal(t, 200, p.once(t))
		})
	}
}

// A message that another service sent is noted, and the others are verified.
func TestVerificationPassesOverMessagesOfOtherServices(t *testing.T) {
	for name, test := range map[string]struct {
		answer reply
		ends   error
	}{
		"of another service":       {problem(403, "You are not allowed here", "You do not have enough permissions"), nil},
		"unknown":                  {problem(404, "Message not found", ""), nil},
		"forbidden by the gateway": {gateway(403, "Forbidden"), flussi.ErrRemoteForbidden},
		"the key":                  {gateway(401, "Access denied"), flussi.ErrUnauthorized},
	} {
		t.Run(name, func(t *testing.T) {
			p := &scripted{script: func(int, flussi.FiscalCode) *reply { return nil }}
			w := onPlatform(t, p, worldConfig{service: flow.ServiceConfig{Workers: 1}})
			const rows, foreign = 100, 30
			f := w.sending(t, rows)
			w.dispatch(t, f.ID)
			others := map[string]uuid.UUID{}
			for _, n := range w.notifications(t, f.ID)[5 : 5+foreign] {
				others[string(n.Transmission.MessageID)] = n.ID
			}
			p.read = func(id string) *reply {
				if _, foreign := others[id]; foreign {
					return &test.answer
				}
				return nil
			}
			report, err := w.VerifyFlow(t.Context(), operator, f.ID)
			if test.ends != nil {
				require.ErrorIs(t, err, test.ends)
				assert.Equal(t, 6, report.Asked)
				require.Len(t, report.Failures, 1)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, [3]int{rows, rows - foreign, foreign}, [3]int{report.Asked, report.Final, report.Failed})
			require.Len(t, report.Failures, foreign)
			noted := map[uuid.UUID]bool{}
			for _, failure := range report.Failures {
				noted[failure.NotificationID] = true
				assert.Error(t, failure.Err)
			}
			for _, id := range others {
				assert.True(t, noted[id])
			}
			// The dispatcher's verification is the same.
			report = must.Get(w.dispatcher(t).VerifyService(t.Context(), taxes, time.Time{}))(t)
			assert.Equal(t, [3]int{foreign, 0, foreign}, [3]int{report.Asked, report.Final, report.Failed})
		})
	}
}

// Among 10,000 rows, refusals of recipients stop nothing; then the service is refused.
func TestRefusalsAmongTenThousandRows(t *testing.T) {
	rows := 10_000
	if testing.Short() || raceEnabled {
		rows = 2_000
	}
	synctest.Test(t, func(t *testing.T) {
		answers := map[flussi.FiscalCode]*reply{}
		said := map[flussi.FiscalCode]string{}
		random := rand.New(rand.NewPCG(17, 17))
		good, unknown := 0, 0
		for i := range rows {
			code := citizen(i)
			switch at := random.IntN(100); {
			case at == 0:
				answers[code], said[code] = &notAuthorised, "Recipient forbidden: You are not allowed to send messages to this recipient (HTTP 403)"
			case at == 1:
				unknown++
				answers[code] = &reply{status: 500}
			case at == 2:
				a := problem(400, "Bad Request", fmt.Sprintf("invalid value at row %d", i))
				answers[code], said[code] = &a, fmt.Sprintf("Bad Request: invalid value at row %d (HTTP 400)", i)
			default:
				good++
			}
		}
		limited := map[flussi.FiscalCode]bool{}
		script := func(_ int, to flussi.FiscalCode) *reply {
			if random.IntN(100) < 5 && !limited[to] {
				limited[to] = true
				a := gateway(429, "Rate limit is exceeded.")
				a.retryAfter = "1"
				return &a
			}
			return answers[to]
		}
		p := &scripted{script: script}
		w := inPipes(t, p)
		f := w.sending(t, rows)
		got := must.Get(w.dispatcher(t).Run(t.Context(), f.ID))(t)
		assert.Empty(t, got.Error)
		assert.Equal(t, flow.Counts{Sent: good, Failed: rows - good}, got.Counts)
		assert.Equal(t, good, p.once(t))
		for _, n := range w.notifications(t, f.ID) {
			assert.Equal(t, said[n.Recipient], n.Transmission.Answer.Reveal())
			if said[n.Recipient] != "" {
				assert.Contains(t, n.Transmission.Error, said[n.Recipient])
				assert.Equal(t, flow.NotificationFailed, n.State)
			}
		}

		// From the middle on, the service may send no more.
		clear(limited)
		mended := false
		p.accepted = nil
		first := p.calls
		p.script = func(call int, to flussi.FiscalCode) *reply {
			if answer := script(call, to); answer != nil || mended || call <= first+rows/2 {
				return answer
			}
			return &noPermission
		}
		f = w.sending(t, rows)
		config := flow.DispatcherConfig{Workers: 16}
		got, err := w.dispatcher(t, config).Run(t.Context(), f.ID)
		require.ErrorAs(t, err, new(*flow.StopError))
		assert.Contains(t, got.Error, "You are not allowed here: You do not have enough permissions to complete the operation (HTTP 403)")
		assert.LessOrEqual(t, p.calls, first+rows/2+10+2*16, "it stops within the threshold")
		for _, n := range w.notifications(t, f.ID) {
			if n.State == flow.NotificationFailed {
				assert.NotNil(t, answers[n.Recipient], "burned")
			}
		}
		mended = true
		do(t, w.SendFlow, f.ID)
		got = must.Get(w.dispatcher(t, config).Run(t.Context(), f.ID))(t)
		assert.Equal(t, flow.Counts{Sent: good, Failed: rows - good}, got.Counts)
		assert.Equal(t, good, p.once(t))
	})
}

// Whatever the platform refuses, a flow comes to its end, and stops for each notification once.
func TestFlowDoesNotStopTwiceForTheSameNotifications(t *testing.T) {
	for seed := range uint64(40) {
		synctest.Test(t, func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 1))
			rows, threshold, workers := 30+random.IntN(60), 1+random.IntN(8), 1+random.IntN(5)
			kinds := []*reply{nil, &notAuthorised, &tooMuch, &tooYoung, {status: 500}}
			kinds = kinds[random.IntN(2):] // nothing is accepted in half of the cases
			calm := 1 + random.IntN(30)    // how long one answer lasts
			current := kinds[0]
			p := &scripted{script: func(call int, _ flussi.FiscalCode) *reply {
				if call%calm == 0 {
					current = kinds[random.IntN(len(kinds))]
				}
				return current
			}}
			w := inPipes(t, p)
			f := w.sending(t, rows)
			stopped := map[uuid.UUID]bool{}
			for orders := 0; ; orders++ {
				require.LessOrEqual(t, orders, rows/threshold+1, "it stops for ever")
				_, err := w.dispatcher(t, flow.DispatcherConfig{Workers: workers, RefusalThreshold: threshold, FailureThreshold: 1000}).Run(t.Context(), f.ID)
				added := 0
				for _, n := range w.notifications(t, f.ID) {
					if n.Transmission.StoppedFlow && !stopped[n.ID] {
						stopped[n.ID] = true
						added++
					}
				}
				if err == nil {
					require.Zero(t, added)
					break
				}
				require.ErrorAs(t, err, new(*flow.StopError))
				require.GreaterOrEqual(t, added, threshold, "it stopped for notifications that had stopped it before")
				do(t, w.SendFlow, f.ID)
			}
			got := w.flow(t, f.ID)
			require.Equal(t, flow.Counts{Sent: got.Counts.Sent, Failed: rows - got.Counts.Sent}, got.Counts)
			require.Equal(t, got.Counts.Sent, p.once(t))
			for id := range stopped {
				require.LessOrEqual(t, strings.Count(w.steps(t, id), "fail release"), 1)
			}
		})
	}
}
