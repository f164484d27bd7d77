package appio_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio"
	"github.com/flussi-go/flussi/appio/appiotest"
	"github.com/flussi-go/flussi/internal/must"
)

const (
	ownConfiguration     = "01HMVMHCZZ8D0VTFWMRHBM5D6F"
	foreignConfiguration = "01HMVMHCZZ8D0VTFWMRHBM5D6G"
	unknownConfiguration = "01HMVMHCZZ8D0VTFWMRHBM5D6H"
)

func remoteContent(configuration string) func(*appio.Message) {
	return func(m *appio.Message) {
		m.ThirdParty = &appio.ThirdParty{ID: "pratica-riservata", ConfigurationID: configuration, HasRemoteContent: true}
	}
}

// Whose refusal it is, over real connections, against the simulator.
func TestARefusalNamesItsCause(t *testing.T) {
	minor := citizen(t, "RSSMRA15A01H501X")
	for name, test := range map[string]struct {
		service func(*appiotest.Service)
		change  func(*appio.Message)
		status  int
		kind    error
		reason  string // before the platform's words
		words   string
	}{
		"a recipient who is not authorised": {
			service: func(s *appiotest.Service) { s.Recipients = []flussi.FiscalCode{flussi.TestRecipient()} },
			status:  403, kind: flussi.ErrRemoteForbidden,
			reason: "App IO ha rifiutato il messaggio: verificare che il servizio possa scrivere a questo destinatario.",
			words:  "Recipient forbidden: You are not allowed to issue requests for the recipient. (HTTP 403)",
		},
		"an amount beyond the limit of the service": {
			service: func(s *appiotest.Service) { s.MaxAmount = 10 },
			change:  func(m *appio.Message) { m.Payment = payment(t) },
			status:  400, kind: flussi.ErrRemoteInvalid,
			reason: "App IO ha rifiutato il messaggio: verificare i dati del messaggio e l'importo massimo che il servizio può chiedere.",
			words:  "Error while sending payment metadata: The requested amount (1250 cents) exceeds the maximum allowed for this service (10 cents) (HTTP 400)",
		},
		"an age that the service does not write to": {
			service: func(s *appiotest.Service) { s.MinAge = 18 },
			change:  func(m *appio.Message) { m.To = minor },
			status:  422, kind: flussi.ErrRemoteInvalid,
			reason: "App IO ha rifiutato il messaggio per questo destinatario, che potrebbe non avere l'età prevista dal servizio: avvisare il cittadino con un altro canale.",
			words:  "Recipient age not eligible: The recipient is not in the age range of the service. (HTTP 422)",
		},
		"a configuration that does not exist": {
			change: remoteContent(unknownConfiguration), status: 404, kind: flussi.ErrRemoteNotFound,
			reason: "App IO non trova la configurazione del contenuto remoto che il messaggio indica: verificare l'ID della configurazione.",
			words:  "Remote Content Configuration NOT FOUND: Cannot find any Remote Content Configuration with the given id (HTTP 404)",
		},
		"a configuration of another body": {
			change: remoteContent(foreignConfiguration), status: 403, kind: flussi.ErrRemoteForbidden,
			reason: "App IO ha rifiutato il messaggio: verificare che la configurazione del contenuto remoto sia dell'ente, e che il servizio possa inviare contenuti remoti a questo destinatario.",
			words:  "Not your configuration: You're not the owner of the configuration related to the given configuration_id (HTTP 403)",
		},
		"a payee of another body": {
			change: func(m *appio.Message) { m.Payment = payment(t); m.Payment.Payee = organization(t, "15376371009") },
			status: 403, kind: flussi.ErrRemoteForbidden,
			reason: "App IO ha rifiutato il messaggio: verificare che il servizio possa indicare questo ente creditore e scrivere a questo destinatario.",
			words:  "You are not allowed here: The service cannot name the payee *** (HTTP 403)",
		},
		"ADVANCED without a contract": {
			service: func(s *appiotest.Service) { s.StandardOnly = true },
			change:  func(m *appio.Message) { m.FeatureLevel = appio.FeatureAdvanced },
			status:  403, kind: flussi.ErrRemoteForbidden,
			reason: "App IO ha rifiutato il messaggio: verificare che il servizio possa inviare messaggi ADVANCED e scrivere a questo destinatario.",
			words:  "You are not allowed here: You do not have enough permissions to complete the operation you requested (HTTP 403)",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := appiotest.NewServer(appiotest.Config{})
			defer server.Close()
			service := appiotest.Service{ID: "tributi", Key: secretKey, Body: "80185250588", Configurations: []string{ownConfiguration}}
			if test.service != nil {
				test.service(&service)
			}
			server.AddService(service)
			server.AddService(appiotest.Service{ID: "altrove", Key: "another-key", Configurations: []string{foreignConfiguration}})
			m := message(t, 1)
			if test.change != nil {
				test.change(&m)
			}
			_, err := adversary(t, server.URL, newTransport(t), 3).Submit(t.Context(), m)
			failed := remoteError(t, err)
			assert.Equal(t, flussi.OutcomeRefused, flussi.OutcomeOf(err))
			assert.Equal(t, test.kind, failed.Kind)
			assert.Equal(t, test.status, failed.Status)
			assert.True(t, failed.FromService)
			assert.Equal(t, test.reason, failed.Reason)
			assert.Equal(t, test.words, failed.Answer.Reveal())
			assert.Equal(t, test.reason+" Risposta della piattaforma: «"+test.words+"».", flussi.Explain(err))
			assert.NotContains(t, err.Error(), failed.Problem.Title.Reveal(), "a log quotes nothing")
			assert.Empty(t, server.Deliveries())
			assert.Equal(t, 1, server.Received(appiotest.SubmitMessage))
		})
	}
}

func TestRemoteContentOfTheBodyIsAccepted(t *testing.T) {
	p := newPlatform(t, appiotest.Config{}, nil)
	p.AddService(appiotest.Service{ID: "anagrafe", Key: "another-key", Body: "80185250588", Configurations: []string{ownConfiguration}})
	m := message(t, 1)
	remoteContent(ownConfiguration)(&m)
	must.Get(p.client.Submit(t.Context(), m))(t)
	m.ThirdParty.HasAttachments, m.FeatureLevel = true, appio.FeatureAdvanced
	must.Get(p.client.Submit(t.Context(), m))(t)
}

// scripted returns the address of a server that reads each request and sends a reply as it is
// written.
func scripted(t testing.TB, status, contentType, body string, header ...string) string {
	return "http://" + listenHTTP(t, func(conn net.Conn) {
		_, _ = fmt.Fprintf(conn, "HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %d\r\nConnection: close\r\n", status, contentType, len(body))
		for _, line := range header {
			_, _ = io.WriteString(conn, line+"\r\n")
		}
		_, _ = io.WriteString(conn, "\r\n"+body)
	})
}

// The gateway's own refusals do not depend on the message: no recipient and no configuration is
// named.
func TestAGatewaysRefusalIsTheServices(t *testing.T) {
	const gateway = `{"statusCode":%d,"message":"Resource not found"}`
	for name, test := range map[string]struct {
		status, contentType, body string
		kind                      error
		want                      string
	}{
		"404 of the gateway":   {"404 Not Found", "application/json", fmt.Sprintf(gateway, 404), flussi.ErrRemoteNotFound, "App IO non trova il servizio all'indirizzo configurato: verificare l'indirizzo."},
		"404 without a body":   {"404 Not Found", "text/html", "", flussi.ErrRemoteNotFound, "App IO non trova il servizio all'indirizzo configurato: verificare l'indirizzo."},
		"403 of the gateway":   {"403 Forbidden", "application/json", fmt.Sprintf(gateway, 403), flussi.ErrRemoteForbidden, "Il servizio non è abilitato a questa operazione su App IO: verificare le abilitazioni del servizio."},
		"401 of the gateway":   {"401 Unauthorized", "application/json", fmt.Sprintf(gateway, 401), flussi.ErrUnauthorized, "App IO non accetta la chiave del servizio: verificare la chiave."},
		"403 with a page":      {"403 Forbidden", "text/html", "<html>", flussi.ErrRemoteForbidden, "App IO, o un filtro della rete, ha rifiutato il messaggio senza dire perché: il motivo può essere in ciò che il messaggio contiene, nel destinatario o nelle abilitazioni del servizio."},
		"422 with a page":      {"422 Unprocessable Entity", "text/html", "<html>", flussi.ErrRemoteInvalid, "App IO ha rifiutato i dati: correggerli e riprovare."},
		"401 of the service":   {"401 Unauthorized", "application/problem+json", `{"title":"Anonymous user","status":401}`, flussi.ErrUnauthorized, "App IO non accetta la chiave del servizio: verificare la chiave. Risposta della piattaforma: «Anonymous user (HTTP 401)»."},
		"413 of the service":   {"413 Too Large", "application/problem+json", `{"title":"Too large"}`, flussi.ErrRemoteInvalid, "App IO ha rifiutato il messaggio: verificare i dati del messaggio. Risposta della piattaforma: «Too large (HTTP 413)»."},
		"a status and no text": {"400 Bad Request", "application/problem+json", `{"status":400}`, flussi.ErrRemoteInvalid, "App IO ha rifiutato il messaggio: verificare i dati del messaggio."},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := message(t, 1)
			if strings.HasPrefix(test.status, "404") {
				remoteContent(ownConfiguration)(&m)
			}
			address := scripted(t, test.status, test.contentType, test.body)
			_, err := adversary(t, address, newTransport(t), 3).Submit(t.Context(), m)
			assert.ErrorIs(t, err, test.kind)
			assert.Equal(t, flussi.OutcomeRefused, flussi.OutcomeOf(err))
			assert.Equal(t, test.want, flussi.Explain(err))
		})
	}
}

func TestAMessageOfAnotherServiceIsNotShown(t *testing.T) {
	server := appiotest.NewServer(appiotest.Config{})
	defer server.Close()
	server.AddService(appiotest.Service{ID: "tributi", Key: secretKey, Body: "80185250588"})
	server.AddService(appiotest.Service{ID: "anagrafe", Key: "another-key", Body: "80185250588"})
	m := message(t, 1)
	receipt := must.Get(adversary(t, server.URL, newTransport(t), 1).Submit(t.Context(), m))(t)
	other := must.Get(appio.New(key(t, "another-key"), appio.Config{BaseURL: server.URL, HTTPClient: &http.Client{Transport: newTransport(t)}}))(t)
	_, err := other.Message(t.Context(), m.To, receipt.ID)
	assert.ErrorIs(t, err, flussi.ErrRemoteForbidden)
	assert.True(t, remoteError(t, err).FromService)
	assert.Equal(t, "App IO non mostra il messaggio a questo servizio: lo ha inviato un altro servizio. Verificare con quale servizio è stato inviato. "+
		"Risposta della piattaforma: «You are not allowed here: You do not have enough permissions to complete the operation you requested (HTTP 403)».", flussi.Explain(err))

	gateway := scripted(t, "403 Forbidden", "application/json", `{"statusCode":403,"message":"Quota exceeded"}`)
	_, err = adversary(t, gateway, newTransport(t), 1).Message(t.Context(), m.To, receipt.ID)
	assert.Equal(t, "Il servizio non è abilitato a questa operazione su App IO: verificare le abilitazioni del servizio.", flussi.Explain(err))
}

// The platform quotes what it refuses.
func TestTheWordsQuoteNothingOfTheRequest(t *testing.T) {
	quoting := "http://" + listen(t, func(conn net.Conn) {
		r, err := http.ReadRequest(bufio.NewReader(conn))
		if err != nil {
			return
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		said := fmt.Sprintf(`{"title":%q,"detail":%q,"status":400}`, "For "+secretCode+" by "+secretKey, "value ["+string(body)+"] is not valid, ask mario.rossi@example.it or VRDGPP85S55X778I")
		_, _ = fmt.Fprintf(conn, "HTTP/1.1 400 Bad Request\r\nContent-Type: application/problem+json\r\nContent-Length: %d\r\n\r\n%s", len(said), said)
	})
	m := message(t, 1)
	m.Payment, m.CovidCertificate = payment(t), flussi.NewText("codice-riservato")
	remoteContent(ownConfiguration)(&m)
	m.ThirdParty.OriginalSender, m.ThirdParty.Summary = "Studio Bianchi", flussi.NewText("riassunto riservato")
	_, err := adversary(t, quoting, newTransport(t), 1).Submit(t.Context(), m)
	text := flussi.Explain(err)
	assert.Contains(t, text, "For *** by ***: value [")
	assert.Contains(t, text, "is not valid, ask *** or *** (HTTP 400)")
	for _, secret := range []string{secretCode, secretKey, secretSubject, secretText, "riservat", "Bianchi", "301005100001400678", "mario", "VRDGPP"} {
		assert.NotContains(t, text, secret)
		assert.NotContains(t, err.Error(), secret)
	}
}

// A redirect is not followed, and its status is known.
func TestRedirectsAreUnknownAndHaveAStatus(t *testing.T) {
	for status, text := range map[int]string{301: "Moved", 302: "Found", 303: "See Other", 307: "Temporary Redirect", 308: "Permanent Redirect"} {
		for _, location := range []string{"Location: /elsewhere", "Location: ::%", "X-None: 1"} {
			address := scripted(t, fmt.Sprintf("%d %s", status, text), "text/html", "", location)
			for _, transport := range []http.RoundTripper{newTransport(t), roundTrip(newTransport(t).RoundTrip)} {
				_, err := adversary(t, address, transport, 3).Submit(t.Context(), message(t, 1))
				failed := remoteError(t, err)
				assert.Equal(t, flussi.OutcomeUnknown, failed.Outcome, "%d %s", status, location)
				assert.Equal(t, status, failed.Status, "%d %s", status, location)
				assert.Equal(t, 1, failed.Attempts)
				assert.Contains(t, err.Error(), fmt.Sprintf("status %d", status))
				_, err = adversary(t, address, transport, 3).Profile(t.Context(), message(t, 1).To)
				assert.Equal(t, status, remoteError(t, err).Status, "a reading")
			}
		}
	}
	server := appiotest.NewServer(appiotest.Config{})
	defer server.Close()
	server.AddService(appiotest.Service{ID: "tributi", Key: secretKey})
	server.Fail(appiotest.SubmitMessage, appiotest.Fault{Kind: appiotest.Redirected})
	_, err := adversary(t, server.URL, newTransport(t), 3).Submit(t.Context(), message(t, 1))
	assert.Equal(t, 307, remoteError(t, err).Status)
}

func TestA429SaysUntilWhen(t *testing.T) {
	before := time.Now()
	address := scripted(t, "429 Too Many Requests", "application/json", `{"statusCode":429,"message":"x"}`, "Retry-After: 3600")
	_, err := adversary(t, address, newTransport(t), 5).Submit(t.Context(), message(t, 1))
	failed := remoteError(t, err)
	assert.Equal(t, flussi.OutcomeNotDone, failed.Outcome)
	assert.Equal(t, 1, failed.Attempts, "longer than MaxWait")
	assert.Equal(t, time.Hour, failed.RetryAfter)
	assert.WithinRange(t, failed.RetryAt, before.Add(time.Hour), time.Now().Add(time.Hour))
	bare := scripted(t, "429 Too Many Requests", "text/plain", "")
	_, err = adversary(t, bare, newTransport(t), 1).Submit(t.Context(), message(t, 1))
	assert.Zero(t, remoteError(t, err).RetryAt)
}
