package main

import (
	"encoding/json"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi/appio/appiotest"
	"github.com/flussi-go/flussi/internal/must"
)

func decode[T any](t *testing.T, text string) (value T) {
	require.NoError(t, json.Unmarshal([]byte(text), &value), text)
	return value
}

func TestFaultsAreOrderedByTheAPI(t *testing.T) {
	box, out := newBox(t, settings{})
	h := box.handler()
	w := send(h, "POST", "/sandbox/faults", `{"operation":"submit message","kind":"502","stored":true,"count":2}`)
	assert.Equal(t, 201, w.Code, w.Body)
	w = send(h, "POST", "/sandbox/faults", `{"operation":"get profile","kind":"429","share":1,"seed":7,"retry_after_seconds":30}`)
	assert.Equal(t, 201, w.Code, w.Body)
	must.Contain(t, out.String(), "guasto ordinato: invio: 502, pagina HTML (messaggio memorizzato), le prossime 2 chiamate", "guasto ordinato: lettura profilo: 429, troppe chiamate, con la pausa da fare, il 100% delle chiamate, a caso")

	var got []int
	for range 3 {
		got = append(got, submit(h, personalCode).Code)
	}
	assert.Equal(t, []int{502, 502, 201}, got)
	assert.Len(t, box.simulator.Deliveries(), 3, "they were stored")
	for range 3 {
		w = profile(h, personalCode)
		assert.Equal(t, 429, w.Code)
		assert.Equal(t, "30", w.Header().Get("Retry-After"))
	}
	w = send(h, "POST", "/sandbox/faults", `{"operation":"get profile","kind":"404","share":1}`)
	assert.Equal(t, 201, w.Code, w.Body)
	assert.Equal(t, 404, profile(h, personalCode).Code)
	assert.Len(t, box.state().Faults, 2, "a share replaces the one before it")
}

func TestAnOrderThatMakesNoSenseIsRefused(t *testing.T) {
	const submitting = `"operation":"submit message"`
	for name, test := range map[string]struct {
		body, field, says string
		status            int
	}{
		"no JSON":                     {`x`, "", "serve un solo oggetto JSON", 400},
		"a list":                      {`[]`, "", "serve un solo oggetto JSON", 400},
		"two objects":                 {`{} {}`, "", "serve un solo oggetto JSON", 400},
		"too long":                    {`{"kind":"` + strings.Repeat("x", maxBody) + `"}`, "", "serve un solo oggetto JSON", 400},
		"an unknown field":            {`{"colour":"blue"}`, "", `il campo «colour» non esiste`, 400},
		"a count that is a text":      {`{"count":"1"}`, "", "il campo «count» non è del tipo giusto", 400},
		"no operation":                {`{"kind":"502","count":1}`, "operation", "«submit message»", 422},
		"an unknown operation":        {`{"operation":"fly","kind":"502","count":1}`, "operation", "«get feed»", 422},
		"no kind":                     {`{` + submitting + `,"count":1}`, "kind", "«ID in Location»", 422},
		"an unknown kind":             {`{` + submitting + `,"kind":"418","count":1}`, "kind", "«502»", 422},
		"stored, which is not open":   {`{` + submitting + `,"kind":"404","stored":true,"count":1}`, "stored", "togliere", 422},
		"stored, where one reads":     {`{"operation":"get feed","kind":"502","stored":true,"count":1}`, "stored", "Solo un invio", 422},
		"an ID where there is none":   {`{"operation":"get profile","kind":"no ID","count":1}`, "kind", "scegliere l'operazione di invio", 422},
		"no extent":                   {`{` + submitting + `,"kind":"502"}`, "count", "fra 1 e 1.000", 422},
		"no calls":                    {`{` + submitting + `,"kind":"502","count":-1}`, "count", "fra 1 e 1.000", 422},
		"too many calls":              {`{` + submitting + `,"kind":"502","count":1001}`, "count", "fra 1 e 1.000", 422},
		"calls and a share":           {`{` + submitting + `,"kind":"502","count":1,"share":0.5}`, "count", "non entrambi", 422},
		"a share of less than none":   {`{` + submitting + `,"kind":"502","share":-0.1}`, "share", "maggiore di 0", 422},
		"a share of more than all":    {`{` + submitting + `,"kind":"502","share":10}`, "share", "al massimo 1", 422},
		"slow, without a delay":       {`{` + submitting + `,"kind":"slow","count":1}`, "delay_seconds", "serve l'attesa", 422},
		"a delay of less than none":   {`{` + submitting + `,"kind":"slow","count":1,"delay_seconds":-1}`, "delay_seconds", "fra 0 e 600", 422},
		"a delay without end":         {`{` + submitting + `,"kind":"slow","count":1,"delay_seconds":1e9}`, "delay_seconds", "fra 0 e 600", 422},
		"a pause of less than none":   {`{` + submitting + `,"kind":"429","count":1,"retry_after_seconds":-1}`, "retry_after_seconds", "fra 0 e 3600", 422},
		"a pause that nobody asks":    {`{` + submitting + `,"kind":"502","count":1,"retry_after_seconds":1}`, "retry_after_seconds", "Solo il guasto 429", 422},
		"everything wrong, all is in": {`{"count":0}`, "operation", "non esiste", 422},
	} {
		t.Run(name, func(t *testing.T) {
			box, out := newBox(t, settings{})
			h := box.handler()
			w := send(h, "POST", "/sandbox/faults", test.body)
			assert.Equal(t, test.status, w.Code, w.Body)
			refusal := decode[struct {
				Error  string
				Fields map[string]string
			}](t, w.Body.String())
			assert.NotEmpty(t, refusal.Error)
			if test.field == "" {
				assert.Contains(t, refusal.Error, test.says)
			} else {
				assert.Contains(t, refusal.Fields[test.field], test.says, refusal.Fields)
			}
			assert.Empty(t, box.state().Faults)
			assert.Empty(t, out.String())
			assert.Equal(t, 201, submit(h, personalCode).Code, "nothing was ordered")
		})
	}
}

func TestDeliveriesAreListedFromWhereOneStopped(t *testing.T) {
	box, _ := newBox(t, settings{})
	h := box.handler()
	for i := range 5 {
		require.Equal(t, 201, submit(h, appiotest.SampleCitizen(i).Reveal()).Code)
	}
	type answer struct {
		Deliveries []deliveryJSON
		Next       int
	}
	for query, want := range map[string][]int{
		"":                 {1, 2, 3, 4, 5},
		"?limit=2":         {1, 2},
		"?since=2&limit=2": {3, 4},
		"?since=4":         {5},
		"?since=5":         {},
		"?since=99":        {},
	} {
		w := send(h, "GET", "/sandbox/deliveries"+query, "")
		assert.Equal(t, 200, w.Code)
		got := decode[answer](t, w.Body.String())
		numbers := []int{}
		for _, d := range got.Deliveries {
			numbers = append(numbers, d.Number)
			stored := box.simulator.Deliveries()[d.Number-1]
			assert.Equal(t, deliveryJSON{d.Number, stored.ID, "prova", stored.At.UTC().Round(0), "PROCESSED", 201, true}, d)
		}
		assert.Equal(t, want, numbers, query)
		if len(want) > 0 {
			assert.Equal(t, want[len(want)-1], got.Next, query)
		} else {
			assert.Equal(t, 5, got.Next, query)
		}
		must.NotContain(t, w.Body.String(), "Maria", appiotest.SampleCitizen(2).Reveal())
	}
	for _, query := range []string{"?since=-1", "?since=x", "?limit=0", "?limit=1001", "?limit=1.5"} {
		w := send(h, "GET", "/sandbox/deliveries"+query, "")
		assert.Equal(t, 422, w.Code, query)
		assert.Contains(t, w.Body.String(), `"fields":{"`+query[1:6]+`"`)
	}
}

func TestStateIsServed(t *testing.T) { synctest.Test(t, stateIsServed) }

func stateIsServed(t *testing.T) {
	box, _ := newBox(t, settings{hold: true, limit: 2})
	h := box.handler()
	for _, want := range []int{201, 201, 429} {
		require.Equal(t, want, submit(h, personalCode).Code)
	}
	state := decode[stateJSON](t, get(h, "/sandbox/state"))
	assert.Equal(t, stateJSON{
		Warning: warning, BaseURL: "http://127.0.0.1:7080/api/v1", Services: []string{"prova"},
		Received:   map[appiotest.Operation]int{"submit message": 3, "get message": 0, "get profile": 0, "get feed": 0},
		Deliveries: 2, Accepted: 2, Limited: 1, Faults: []order{}, PagoInRete: box.paymentsState(),
	}, state)
	assert.Equal(t, 204, send(h, "POST", "/sandbox/process", "").Code)
	assert.Equal(t, 0, box.state().Accepted)
	assert.Equal(t, "PROCESSED", box.simulator.Deliveries()[1].State.Status)
	w := send(h, "GET", "/sandbox/altro", "")
	assert.Equal(t, 404, w.Code)
	assert.Contains(t, w.Body.String(), "Questa operazione non esiste")
}
