package restgateway_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/pagoinrete"
	"github.com/flussi-go/flussi/pagoinrete/restgateway"
)

// The text for the operator quotes what Pago In Rete said about a refusal, without the texts of the
// request.
func TestRefusalsQuoteThePlatform(t *testing.T) {
	e := clientEvent(t)
	n := clientNotice(t, e)
	problem := func(status string, detail string) string {
		return `{"status":` + status + `,"title":"Avviso rifiutato","detail":"` + detail + `"}`
	}
	for name, test := range map[string]struct {
		status int
		body   string
		do     func(c *restgateway.Client) error
		says   string
		words  string
	}{
		"the data": {422, problem("422", "La scadenza è passata"), func(c *restgateway.Client) error { return second(c.PutNotice(t.Context(), clientOffice(), n)) },
			"Pago In Rete ha rifiutato i dati: correggerli e riprovare. Risposta della piattaforma: «Avviso rifiutato: La scadenza è passata (HTTP 422)».", "Avviso rifiutato: La scadenza è passata (HTTP 422)"},
		"who is named": {400, problem("400", n.DebtorName.Reveal()+", "+n.Debtor.Reveal()+", "+n.Payer.Reveal()), func(c *restgateway.Client) error { return second(c.PutNotice(t.Context(), clientOffice(), n)) },
			"Pago In Rete ha rifiutato i dati: correggerli e riprovare. Risposta della piattaforma: «Avviso rifiutato: ***, ***, *** (HTTP 400)».", "Avviso rifiutato: ***, ***, *** (HTTP 400)"},
		"the reason": {409, problem("409", "non si rifiuta con: "+secretName), func(c *restgateway.Client) error {
			return second(c.MoveEvent(t.Context(), clientPrincipal(), e.ID, pagoinrete.EventReject, flussi.NewText(secretName)))
		}, "Lo stato su Pago In Rete non permette l'operazione: eseguire «Verifica stato». Risposta della piattaforma: «Avviso rifiutato: non si rifiuta con: *** (HTTP 409)».", "Avviso rifiutato: non si rifiuta con: *** (HTTP 409)"},
		"the key": {401, problem("401", clientKey), func(c *restgateway.Client) error { return second(c.PutEvent(t.Context(), clientOffice(), e)) },
			"Pago In Rete non accetta le credenziali: verificare le credenziali. Risposta della piattaforma: «Avviso rifiutato: *** (HTTP 401)».", "Avviso rifiutato: *** (HTTP 401)"},
		"a reading": {403, problem("403", "Scuola non abilitata"), func(c *restgateway.Client) error { return second(c.Event(t.Context(), e.ID)) },
			"Pago In Rete non permette l'operazione a questo utente: verificare le sue abilitazioni. Risposta della piattaforma: «Avviso rifiutato: Scuola non abilitata (HTTP 403)».", "Avviso rifiutato: Scuola non abilitata (HTTP 403)"},
		"nothing": {400, "", func(c *restgateway.Client) error { return second(c.PutEvent(t.Context(), clientOffice(), e)) },
			"Pago In Rete ha rifiutato i dati: correggerli e riprovare.", ""},
	} {
		t.Run(name, func(t *testing.T) {
			err := test.do(clientOf(t, func(*http.Request) (*http.Response, error) {
				return answer(test.status, "application/problem+json", test.body), nil
			}))
			require.Error(t, err)
			assert.Equal(t, test.says, flussi.Explain(err))
			assert.Equal(t, test.words, must.As[*flussi.RemoteError](t, err).Answer.Reveal())
		})
	}
}
