package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi/appio/appiotest"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/internal/pipenet"
)

// What must be seen nowhere.
const (
	personalCode = "RSSMRA80A01H501U"
	personalText = "Gentile Maria, la visita è fissata"
)

// lines are what a sandbox said. They are safe for concurrent use.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(text []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(text)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// newBox returns a sandbox as the settings say, and what it says.
func newBox(t *testing.T, s settings) (*sandbox, *lines) {
	out := &lines{}
	if s.limit == 0 {
		s.limit = 150
	}
	box := must.Get(s.sandbox(out))(t)
	box.address = "http://" + defaultListen
	return box, out
}

// send makes a request, as any program would.
func send(h http.Handler, method, path, body string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Ocp-Apim-Subscription-Key", defaultKey)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// get returns the body of a page.
func get(h http.Handler, path string) string { return send(h, "GET", path, "").Body.String() }

// submit submits a message to a citizen, and profile asks for the citizen's profile.
func submit(h http.Handler, code string) *httptest.ResponseRecorder {
	return send(h, "POST", submitPath, message(code))
}

func profile(h http.Handler, code string) *httptest.ResponseRecorder {
	return send(h, "POST", appiotest.BasePath+"/profiles", `{"fiscal_code":"`+code+`"}`)
}

const submitPath = appiotest.BasePath + "/messages"

// message is a valid request of a submission.
func message(code string) string {
	return fmt.Sprintf(`{"fiscal_code":%q,"content":{"subject":%q,"markdown":%q}}`, code, personalText, strings.Repeat(personalText+" ", 4))
}

// serveOnPipes serves a sandbox inside a bubble. It returns a client, and what stops the
// sandbox and waits for its end.
func serveOnPipes(t *testing.T, box *sandbox) (*http.Client, func()) {
	network := pipenet.New()
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- box.serve(ctx, network) }()
	client := &http.Client{Transport: &http.Transport{DialContext: network.Dial}}
	return client, func() {
		cancel()
		assert.NoError(t, <-served)
		client.CloseIdleConnections()
	}
}

// submitTo submits a message, as any program would.
func submitTo(t *testing.T, client *http.Client, key string) (*http.Response, error) {
	r := must.Get(http.NewRequest(http.MethodPost, "http://sandbox"+submitPath, strings.NewReader(message(personalCode))))(t)
	r.Header.Set("Ocp-Apim-Subscription-Key", key)
	return client.Do(r)
}

func TestStoredMessagesAreLoggedWhateverTheAnswer(t *testing.T) {
	for _, fault := range append(appiotest.Faults(), appiotest.Fault{}) {
		t.Run(fault.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				box, out := newBox(t, settings{})
				box.simulator.Fail(appiotest.SubmitMessage, fault)
				client, stop := serveOnPipes(t, box)
				client.Timeout = time.Second
				for range 2 { // the same message again must not be taken for the first
					if resp, err := submitTo(t, client, defaultKey); err == nil {
						_, _ = io.Copy(io.Discard, resp.Body)
						_ = resp.Body.Close()
					}
					synctest.Wait()
				}
				stop()

				stored := box.deliveries()
				var ids, logged []string
				for i, d := range stored {
					ids = append(ids, d.ID)
					told := fault == appiotest.Fault{} || fault.Kind == appiotest.Slow || fault.Kind == appiotest.LocationOnly || i == len(stored)-1
					assert.Equal(t, told, d.Told, "delivery %d", d.Number)
				}
				for _, match := range regexp.MustCompile(`memorizzato (\S{26});`).FindAllStringSubmatch(out.String(), -1) {
					logged = append(logged, match[1])
				}
				assert.Equal(t, ids, logged, out)
				assert.Equal(t, 2, strings.Count(out.String(), " invio: "), out)
				assert.Equal(t, 2-len(stored), strings.Count(out.String(), "NON memorizzato"), out)
			})
		})
	}
}

func TestNoLineHoldsWhatIsPersonal(t *testing.T) {
	box, out := newBox(t, settings{services: []string{"prova=" + defaultKey, "altro=chiave-segreta"}})
	h := box.handler()
	assert.Equal(t, 201, submit(h, personalCode).Code)
	assert.Equal(t, 400, submit(h, "RSSMRA80A01").Code)
	assert.Equal(t, 401, send(h, "POST", submitPath, message(personalCode), "Ocp-Apim-Subscription-Key", "chiave-sbagliata").Code)
	id := box.simulator.Deliveries()[0].ID
	assert.Equal(t, 200, send(h, "GET", submitPath+"/"+personalCode+"/"+id, "").Code)
	assert.Equal(t, 404, send(h, "GET", submitPath+"/"+id+"/"+personalCode, "").Code, "the wrong way round")
	assert.Equal(t, 404, send(h, "GET", appiotest.BasePath+"/cittadini/"+personalCode, "").Code)
	assert.Equal(t, 200, profile(h, personalCode).Code)
	assert.Equal(t, 400, send(h, "GET", appiotest.BasePath+"/subscriptions-feed/"+personalCode, "").Code)
	box.removeOrders()
	box.process()

	said := strings.TrimRight(out.String(), "\n")
	assert.Len(t, strings.Split(said, "\n"), 10, "every call is told")
	for _, line := range strings.Split(said, "\n") {
		assert.True(t, strings.HasPrefix(line, prefix), line)
		must.NotContain(t, line, personalCode, "RSSMRA80A01", "Maria", "chiave-segreta", "chiave-sbagliata", defaultKey)
	}
	must.Contain(t, said, id, "(chiave sconosciuta) invio: NON memorizzato; risposta: 401 chiave non valida", "lettura messaggio "+id+": 200 trovato")
}

func TestEveryLineBeginsWithTheWarning(t *testing.T) {
	box, out := newBox(t, settings{})
	must.Get(box.journal.Write([]byte("http: panic\ngoroutine 1\n")))(t)
	assert.Equal(t, prefix+"http: panic\n"+prefix+"goroutine 1\n", out.String(), "those of net/http as well")
}

func TestEveryReplySaysThatItIsASimulator(t *testing.T) {
	box, _ := newBox(t, settings{})
	h := box.handler()
	for _, path := range []string{"/", "/altrove", "/sandbox/state", "/sandbox/altrove", appiotest.BasePath + "/altrove", submitPath + "/x/y"} {
		assert.NotEmpty(t, send(h, "GET", path, "").Header().Get("X-Flussi-Simulator"), path)
	}
	assert.NotEmpty(t, send(h, "POST", "/forget", "", "Sec-Fetch-Site", "cross-site").Header().Get("X-Flussi-Simulator"))
}

func TestOrdersFromOtherSitesAreRefused(t *testing.T) {
	for name, headers := range map[string][]string{
		"by Sec-Fetch-Site": {"Sec-Fetch-Site", "cross-site"},
		"by Origin":         {"Origin", "https://altrove.example"},
	} {
		t.Run(name, func(t *testing.T) {
			box, out := newBox(t, settings{hold: true})
			h := box.handler()
			require.Equal(t, 201, submit(h, personalCode).Code)
			require.Equal(t, 201, send(h, "POST", "/sandbox/faults", `{"operation":"get profile","kind":"404","count":1}`).Code)
			for _, order := range []string{"POST /faults", "POST /forget", "POST /process", "POST /sandbox/faults", "DELETE /sandbox/faults", "POST /sandbox/process",
				"POST /families/login", "POST /families/pay", "POST /sandbox/families/login", "POST /sandbox/families/pay"} {
				method, path, _ := strings.Cut(order, " ")
				w := send(h, method, path, `{"operation":"get profile","kind":"404","count":1}`, headers...)
				assert.Equal(t, 403, w.Code, order)
				assert.Contains(t, w.Body.String(), "altro sito", order)
			}
			assert.Equal(t, "ACCEPTED", box.simulator.Deliveries()[0].State.Status)
			assert.Len(t, box.state().Faults, 1)
			assert.NotContains(t, out.String(), "dimenticati")
		})
	}
	t.Run("not those of the page itself", func(t *testing.T) {
		box, _ := newBox(t, settings{})
		assert.Equal(t, 303, send(box.handler(), "POST", "/forget", "", "Sec-Fetch-Site", "same-origin").Code)
	})
}

func TestForgottenFaultsStrikeNobody(t *testing.T) { synctest.Test(t, forgottenFaultsStrikeNobody) }

func forgottenFaultsStrikeNobody(t *testing.T) {
	box, _ := newBox(t, settings{limit: 8})
	h := box.handler()
	for _, op := range append(appIO.operations(), pagoInRete.operations()...) {
		for _, f := range platformOf(op).faults {
			o := order{Operation: op, Kind: f.Kind, Stored: f.Stored, Count: 2, Delay: 300}
			if len(o.check()) == 0 {
				_, wrong := box.addOrder(o)
				require.Empty(t, wrong)
			}
		}
		_, wrong := box.addOrder(order{Operation: op, Kind: "502", Share: 1})
		require.Empty(t, wrong)
	}
	require.NotEmpty(t, box.state().Faults)
	assert.Equal(t, 204, send(h, "DELETE", "/sandbox/faults", "").Code)

	assert.Empty(t, box.state().Faults)
	assert.Empty(t, box.state().Received[appiotest.SubmitMessage], "nothing of it is counted")
	assert.Empty(t, box.simulator.Deliveries())
	for range 2 {
		assert.Equal(t, 201, submit(h, personalCode).Code)
		assert.Equal(t, 200, profile(h, personalCode).Code)
		assert.Equal(t, 200, send(h, "GET", appiotest.BasePath+"/subscriptions-feed/1999-12-31", "").Code)
	}
	assert.Equal(t, 200, send(h, "GET", submitPath+"/"+personalCode+"/"+box.simulator.Deliveries()[0].ID, "").Code)
	assert.Equal(t, 200, profile(h, personalCode).Code)
	assert.Equal(t, 429, submit(h, personalCode).Code, "it took nothing from the limit, and gave nothing")
}

func TestWhoIsAbsentIsAlwaysTheSame(t *testing.T) {
	box, _ := newBox(t, settings{unlimited: true, absent: "12,5%"})
	h := box.handler()
	absent, want := 0, map[int]string{}
	for i := range 2000 {
		code := appiotest.SampleCitizen(i).Reveal()
		found := profile(h, code).Code
		require.Equal(t, 201, submit(h, code).Code)
		want[i] = "PROCESSED"
		if found == 404 {
			absent++
			want[i] = "REJECTED"
		}
	}
	for i, d := range box.deliveries() {
		assert.Equal(t, want[i], d.Status)
	}
	assert.InDelta(t, 250, absent, 60)

	box, _ = newBox(t, settings{absent: strings.ToLower(personalCode) + "," + appiotest.SampleCitizen(1).Reveal()})
	h = box.handler()
	for code, status := range map[string]int{personalCode: 404, appiotest.SampleCitizen(1).Reveal(): 404, appiotest.SampleCitizen(2).Reveal(): 200} {
		assert.Equal(t, status, profile(h, code).Code)
	}
	none, wrong := parseAbsent("0%")
	assert.Empty(t, wrong)
	all, wrong := parseAbsent("100%")
	assert.Empty(t, wrong)
	for i := range 1000 {
		assert.False(t, none(appiotest.SampleCitizen(i)))
		assert.True(t, all(appiotest.SampleCitizen(i)))
	}
}

func TestAllServicesShareTheLimitOfTheBody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		box, _ := newBox(t, settings{limit: 2, services: []string{"a=ka", "b=kb"}})
		h := box.handler()
		for i, want := range []int{201, 201, 429} {
			assert.Equal(t, want, send(h, "POST", submitPath, message(personalCode), "Ocp-Apim-Subscription-Key", []string{"ka", "kb"}[i%2]).Code)
		}
		assert.Equal(t, 1, box.state().Limited)
	})
}

func TestPayeesAreCheckedIfTheBodyIsKnown(t *testing.T) {
	withPayee := strings.Replace(message(personalCode), `"markdown"`,
		`"payment_data":{"amount":1,"notice_number":"`+appiotest.SampleNotice(1).Reveal()+`","payee":{"fiscal_code":"15376371009"}},"markdown"`, 1)
	for body, want := range map[string]int{"": 201, "15376371009": 201, "80185250588": 403} {
		box, _ := newBox(t, settings{body: body})
		assert.Equal(t, want, send(box.handler(), "POST", submitPath, withPayee).Code, "--body %s", body)
	}
}

func TestEveryFaultHasWordsOfItsOwn(t *testing.T) {
	for _, of := range []platform{appIO, pagoInRete} {
		seen := map[string]bool{}
		for _, f := range of.faults {
			text := describe(of.first(true), f)
			assert.NotEmpty(t, describe(of.first(false), f), f)
			assert.NotContains(t, describe(of.first(false), f), "(", "nothing is stored by reading")
			assert.False(t, seen[text], text)
			seen[text] = true
			o, wrong := form{Operation: of.first(true), Fault: f.String(), Extent: "count", Count: "1"}.order()
			assert.Empty(t, wrong)
			assert.Equal(t, f, o.fault(), "what the form offers is what is ordered")
		}
	}
}

func TestTheSandboxIsSafeForConcurrentUse(t *testing.T) {
	box, _ := newBox(t, settings{unlimited: true, absent: "50%"})
	h := box.handler()
	var group sync.WaitGroup
	for worker := range 8 {
		group.Go(func() {
			for i := range 20 {
				code := appiotest.SampleCitizen(worker*20 + i).Reveal()
				send(h, "POST", "/sandbox/faults", `{"operation":"submit message","kind":"502","stored":true,"count":1}`)
				submit(h, code)
				send(h, "GET", "/", "")
				send(h, "GET", "/sandbox/deliveries", "")
				if i%10 == 9 {
					send(h, "DELETE", "/sandbox/faults", "")
				}
			}
		})
	}
	group.Wait()
	ids := map[string]bool{}
	for _, d := range box.deliveries() {
		ids[d.ID] = true
	}
	assert.Len(t, ids, 160, "every submission was stored")
	assert.Len(t, box.answers, 160, "and it is known what the client was told of each")
}

// While a call waits for its answer, nobody knows yet which message was stored for it: a call
// with the same text that comes at that moment must not take it.
func TestAMessageIsTakenForThatOfTheCallThatStoredIt(t *testing.T) {
	for name, test := range map[string]struct {
		key    string // of the second call
		fault  appiotest.Fault
		says   string
		stored int
	}{
		"not by a call that is refused":             {"ka", appiotest.Fault{Kind: appiotest.BadRequest}, "a invio: NON memorizzato; risposta: 400", 1},
		"not by a call that is one too many":        {"ka", appiotest.Fault{Kind: appiotest.TooManyRequests}, "a invio: NON memorizzato; risposta: 429", 1},
		"not by a call of another service":          {"kb", appiotest.Fault{Kind: appiotest.BadGateway}, "b invio: NON memorizzato; risposta: 502", 1},
		"not by one of another that stores its own": {"kb", appiotest.Fault{Kind: appiotest.BadGateway, Stored: true}, "b invio: memorizzato ", 2},
		"not by one that is told its own ID":        {"ka", appiotest.Fault{}, "a invio: memorizzato ", 2},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				box, out := newBox(t, settings{services: []string{"a=ka", "b=kb"}})
				box.simulator.Fail(appiotest.SubmitMessage, appiotest.Fault{Kind: appiotest.Silent, Stored: true}, test.fault)
				client, stop := serveOnPipes(t, box)
				client.Timeout = time.Minute
				var calls sync.WaitGroup
				for _, key := range []string{"ka", test.key} {
					calls.Go(func() {
						if resp, err := submitTo(t, client, key); err == nil {
							_ = resp.Body.Close()
						}
					})
					synctest.Wait()
				}
				calls.Wait()
				synctest.Wait()
				stop()
				stored := box.simulator.Deliveries()
				require.Len(t, stored, test.stored)
				said := strings.Split(out.String(), "\n")
				assert.Contains(t, said[0], test.says)
				if test.stored > 1 {
					assert.Contains(t, said[0], stored[1].ID)
				}
				assert.Contains(t, said[1], "a invio: memorizzato "+stored[0].ID+"; risposta: nessuna")
			})
		})
	}
}

func TestABrokenConnectionIsLoggedUnlikeNoAnswer(t *testing.T) {
	for _, fault := range appiotest.Faults() {
		want := ""
		switch fault.Kind {
		case appiotest.Reset, appiotest.Truncated, appiotest.CutBody:
			want = "risposta: connessione interrotta\n"
		case appiotest.Silent:
			want = "risposta: nessuna\n"
		default:
			continue
		}
		t.Run(fault.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				box, out := newBox(t, settings{})
				box.simulator.Fail(appiotest.SubmitMessage, fault)
				client, stop := serveOnPipes(t, box)
				client.Timeout = time.Second
				if resp, err := submitTo(t, client, defaultKey); err == nil {
					_, err = io.Copy(io.Discard, resp.Body)
					assert.Error(t, err)
					_ = resp.Body.Close()
				}
				synctest.Wait()
				stop()
				assert.Contains(t, out.String(), want)
			})
		})
	}
}
