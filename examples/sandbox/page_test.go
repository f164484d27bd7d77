package main

import (
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi/appio/appiotest"
	"github.com/flussi-go/flussi/internal/must"
)

// post sends a form.
func post(box *sandbox, path string, fields map[string]string) (status int, location, page string) {
	values := url.Values{}
	for name, value := range fields {
		values.Set(name, value)
	}
	w := send(box.handler(), "POST", path, values.Encode(), "Content-Type", "application/x-www-form-urlencoded", "Sec-Fetch-Site", "same-origin")
	return w.Code, w.Header().Get("Location"), w.Body.String()
}

// accepted sends a form, which must lead to a place.
func accepted(t *testing.T, box *sandbox, place, path string, fields map[string]string) {
	t.Helper()
	status, location, _ := post(box, path, fields)
	assert.Equal(t, 303, status)
	assert.Equal(t, place, location)
}

// typed returns a form that is right, with a change.
func typed(changes ...string) map[string]string {
	fields := map[string]string{"operation": "submit message", "fault": "502 (stored)", "extent": "count", "count": "2", "percent": "", "delay": "", "retry_after": ""}
	for i := 0; i < len(changes); i += 2 {
		fields[changes[i]] = changes[i+1]
	}
	return fields
}

func TestThePageShowsTheWarningInEveryState(t *testing.T) {
	states := map[string]func(*testing.T, *sandbox) string{
		"empty": func(_ *testing.T, box *sandbox) string { return get(box.handler(), "/") },
		"with messages and faults": func(t *testing.T, box *sandbox) string {
			require.Equal(t, 201, submit(box.handler(), personalCode).Code)
			_, wrong := box.addOrder(order{Operation: "get profile", Kind: "silent", Share: 0.125})
			require.Empty(t, wrong)
			page := get(box.handler(), "/")
			must.Contain(t, page,
				box.simulator.Deliveries()[0].ID, "201 accettato", "<dt>Invii ricevuti</dt><dd>1</dd>", "<dt>Messaggi memorizzati</dt><dd>1</dd>", "ACCEPTED", "da elaborare", "Elabora i messaggi in attesa",
				"lettura profilo", "nessuna risposta", "12,5% delle chiamate", "Dimentica tutti i guasti",
			)
			return page
		},
		"after an order": func(_ *testing.T, box *sandbox) string {
			page := get(box.handler(), "/?fatto=forget")
			assert.Contains(t, page, "Tutti i guasti sono stati dimenticati.")
			return page
		},
		"loading itself again": func(_ *testing.T, box *sandbox) string {
			page := get(box.handler(), "/?auto=1")
			assert.Contains(t, page, `http-equiv="refresh"`)
			assert.NotContains(t, page, "<form", "what one types would be lost")
			return page
		},
		"with a wrong form": func(_ *testing.T, box *sandbox) string {
			status, _, page := post(box, "/faults", typed("count", "x"))
			assert.Equal(t, 422, status)
			return page
		},
	}
	for name, state := range states {
		t.Run(name, func(t *testing.T) {
			box, _ := newBox(t, settings{hold: true})
			page := state(t, box)
			_, body, _ := strings.Cut(page, "<body>")
			banner, _, _ := strings.Cut(body, "</header>")
			must.Contain(t, banner, `<header class="banner">`, warning)
			assert.Regexp(t, `\.banner \{ position: sticky; top: 0;`, page, "it stays in sight")
			must.Contain(t, page, "http://127.0.0.1:7080/api/v1", `<html lang="it">`)
			must.NotContain(t, page, personalCode, "Maria", defaultKey, "ZgotmplZ")
			assert.True(t, strings.HasSuffix(page, "</html>\n"), "it is whole")
		})
	}
}

func TestFaultsAreOrderedByTheForm(t *testing.T) {
	box, _ := newBox(t, settings{})
	accepted(t, box, "/?fatto=faults", "/faults", typed())
	accepted(t, box, "/?fatto=faults", "/faults", typed("operation", "get profile", "fault", "429", "extent", "share", "percent", "100", "retry_after", "2,5"))
	var got []int
	for range 3 {
		got = append(got, submit(box.handler(), personalCode).Code)
	}
	assert.Equal(t, []int{502, 502, 201}, got)
	w := profile(box.handler(), personalCode)
	assert.Equal(t, 429, w.Code)
	assert.Equal(t, "3", w.Header().Get("Retry-After"))

	accepted(t, box, "/?fatto=forget", "/forget", nil)
	assert.Equal(t, 200, profile(box.handler(), personalCode).Code)
}

func TestHeldMessagesAreProcessedByTheButton(t *testing.T) {
	box, _ := newBox(t, settings{hold: true})
	require.Equal(t, 201, submit(box.handler(), personalCode).Code)
	accepted(t, box, "/?fatto=process", "/process", nil)
	assert.Equal(t, "PROCESSED", box.simulator.Deliveries()[0].State.Status)
	page := get(box.handler(), "/?fatto=process")
	assert.Contains(t, page, "I messaggi in attesa sono stati elaborati.")
	assert.NotContains(t, page, "Elabora i messaggi in attesa")
}

func TestAWrongFormSaysWhatIsWrongAndKeepsWhatWasTyped(t *testing.T) {
	for name, test := range map[string]struct {
		fields map[string]string
		says   []string
	}{
		"a count that is none":   {typed("count", "due"), []string{"Serve un numero intero.", `value="due"`, `id="count-error"`}},
		"too many calls":         {typed("count", "1001"), []string{"fra 1 e 1.000", `value="1001"`}},
		"no extent":              {typed("extent", ""), []string{"Indicare il numero delle chiamate."}},
		"no share":               {typed("extent", "share"), []string{"Serve una percentuale", `id="share-error"`}},
		"a share that is none":   {typed("extent", "share", "percent", "metà"), []string{"Serve un numero.", `value="metà"`}},
		"a share of too much":    {typed("extent", "share", "percent", "101"), []string{"al massimo 1", `value="101"`, `value="share" checked`}},
		"slow, without a delay":  {typed("fault", "slow"), []string{"serve l&#39;attesa", `id="delay-error"`, `value="slow" selected`}},
		"a delay that is none":   {typed("delay", "poco"), []string{"Serve un numero.", `value="poco"`, `id="delay-error"`}},
		"a pause without a 429":  {typed("retry_after", "3"), []string{"Solo il guasto 429", `id="retry-error"`}},
		"an unknown operation":   {typed("operation", "fly"), []string{"operazione non esiste", `id="operation-error"`}},
		"an unknown fault":       {typed("fault", `<script>`), []string{"Il guasto non esiste", `id="fault-error"`}},
		"stored, where one read": {typed("operation", "get feed"), []string{"Solo un invio", `value="get feed" selected`, `id="fault-error"`}},
		"two things wrong":       {typed("fault", "slow", "count", "x"), []string{"serve l&#39;attesa", "Serve un numero intero."}},
	} {
		t.Run(name, func(t *testing.T) {
			box, _ := newBox(t, settings{})
			status, _, page := post(box, "/faults", test.fields)
			assert.Equal(t, 422, status)
			must.Contain(t, page, `role="alert"`, "Il guasto non è stato ordinato.", `aria-invalid="true"`)
			assert.NotContains(t, page, "<script>")
			for _, says := range test.says {
				assert.Contains(t, page, says)
			}
			assert.Empty(t, box.state().Faults)
		})
	}
}

func TestThePageLoadsNothingFromElsewhere(t *testing.T) {
	box, _ := newBox(t, settings{})
	w := send(box.handler(), "GET", "/", "")
	assert.Contains(t, w.Header().Get("Content-Security-Policy"), "default-src 'none'")
	must.NotContain(t, w.Body.String(), "<script", "src=")
	w = send(box.handler(), "GET", "/altrove", "")
	assert.Equal(t, 404, w.Code)
	assert.Contains(t, w.Body.String(), "http://127.0.0.1:7080/api/v1")
}

func TestThePageShowsTheLatestMessagesFirst(t *testing.T) {
	box, _ := newBox(t, settings{unlimited: true})
	for i := range shownDeliveries + 10 {
		require.Equal(t, 201, submit(box.handler(), appiotest.SampleCitizen(i).Reveal()).Code)
	}
	page := get(box.handler(), "/")
	assert.Equal(t, shownDeliveries, strings.Count(page, "201 accettato"))
	assert.Less(t, strings.Index(page, "<td>60</td>"), strings.Index(page, "<td>11</td>"))
	assert.NotContains(t, page, "<td>10</td>")
}
