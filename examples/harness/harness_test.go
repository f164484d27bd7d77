//go:build unix

package main

import (
	"bytes"
	"fmt"
	"net/http"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi/examples/internal/proctest"
	"github.com/flussi-go/flussi/internal/must"
)

// newTrial returns a trial whose platform has messages to some citizens.
func newTrial(t *testing.T, citizens ...int) *trial {
	p := newPlatform(1)
	t.Cleanup(p.server.Close)
	for _, i := range citizens {
		body := fmt.Sprintf(`{"fiscal_code":%q,"content":{"subject":"Avviso di prova","markdown":%q}}`, citizen(i), strings.Repeat("testo ", 20))
		r := must.Get(http.NewRequestWithContext(t.Context(), http.MethodPost, p.URL+"/messages", strings.NewReader(body)))(t)
		r.Header.Set("Ocp-Apim-Subscription-Key", serviceKey)
		r.Header.Set("Content-Type", "application/json")
		reply := must.Get(http.DefaultClient.Do(r))(t)
		require.NoError(t, reply.Body.Close())
		require.Equal(t, http.StatusCreated, reply.StatusCode)
	}
	return &trial{platform: p, wanted: map[string]bool{}, reasons: []string{"occupato"}}
}

func TestCompareFindsWhoIsNotifiedTwiceAndWhoIsLost(t *testing.T) {
	sent := exported{citizen: citizen(1), state: "Inviato"}
	for name, test := range map[string]struct {
		delivered         []int
		row               exported
		twice, lost, lies int
	}{
		"as it should be":             {delivered: []int{1}, row: sent},
		"twice":                       {delivered: []int{1, 1}, row: sent, twice: 1},
		"Inviato, and not delivered":  {row: sent, lost: 1},
		"no row":                      {lost: 1},
		"left":                        {row: exported{citizen: citizen(1), state: "Registrato"}, lost: 1, lies: 1},
		"unknown":                     {row: exported{citizen: citizen(1), state: "Errore", failure: "Esito sconosciuto: x"}, lost: 1, lies: 1},
		"accounted for":               {row: exported{citizen: citizen(1), state: "Errore", failure: "Destinatario non raggiungibile"}},
		"in Errore, and delivered":    {delivered: []int{1}, row: exported{citizen: citizen(1), state: "Errore", failure: "Rifiutata: x"}, lies: 1},
		"disabled by nobody":          {row: exported{citizen: citizen(1), state: "Registrato", disabled: true}, lost: 1},
		"to somebody who is not told": {delivered: []int{1, 2}, row: sent, lies: 1},
	} {
		t.Run(name, func(t *testing.T) {
			trial := newTrial(t, test.delivered...)
			trial.wanted[citizen(1)] = true
			trial.compareWith([]exported{test.row})
			assert.Equal(t, test.twice, trial.twice)
			assert.Equal(t, test.lost, trial.lost)
			assert.Len(t, trial.untrue, test.lies)
		})
	}
}

// ended returns a command that has ended, with the exit code and outputs.
func ended(t *testing.T, code int, out, errs string, args ...string) *command {
	c := &command{args: args}
	script := exec.Command("sh", "-c", `printf %s "$1"; printf %s "$2" >&2; exit "$3"`, "sh", out, errs, strconv.Itoa(code))
	script.Stdout, script.Stderr = &c.out, &c.errs
	c.Process = must.Get(proctest.Begin(script))(t)
	<-c.Done
	return c
}

func TestJudgeFindsWhatIsNotTrue(t *testing.T) {
	const table = "│ Stato   │ Notifiche │\n│ Inviato │         1 │\n│ Totale  │         %d │\nInvio incompleto\n"
	detail := "L'archivio è occupato.\n(dettaglio tecnico: busy)\n"
	for name, test := range map[string]struct {
		code      int
		out, errs string
		args      string
		untrue    bool
	}{
		"sent":                        {out: fmt.Sprintf(table, 1), args: "send"},
		"not everything is sent":      {out: fmt.Sprintf(table, 2), args: "send", untrue: true},
		"everything is sent, code 4":  {code: 4, out: fmt.Sprintf(table, 1), args: "send", untrue: true},
		"more than was delivered":     {out: strings.ReplaceAll(fmt.Sprintf(table, 9), " 1 ", " 9 "), args: "send", untrue: true},
		"busy":                        {code: 1, errs: detail, args: "send"},
		"another reason":              {code: 1, errs: strings.ReplaceAll(detail, "occupato", "pieno"), args: "send", untrue: true},
		"no reason":                   {code: 1, args: "send", untrue: true},
		"an error, code 0":            {errs: detail, args: "export", untrue: true},
		"a code that does not exist":  {code: 7, args: "export", untrue: true},
		"a crash":                     {code: 2, errs: "panic: x", args: "export", untrue: true},
		"a fiscal code":               {errs: citizen(1), args: "show", untrue: true},
		"a fiscal code that is asked": {out: citizen(1), args: "show"},
		"a text":                      {out: secret, args: "export", untrue: true},
		"the key":                     {out: serviceKey, args: "show", untrue: true},
		"decisions that are missing":  {out: "Decisioni registrate: 1 di 2.", args: "resolve", untrue: true},
		"an import, nowhere":          {out: "Importate 5 notifiche", args: "import", untrue: true},
	} {
		t.Run(name, func(t *testing.T) {
			trial := newTrial(t, 1)
			trial.ctx = t.Context()
			trial.judge(ended(t, test.code, test.out, test.errs, test.args))
			assert.Equal(t, test.untrue, len(trial.untrue) > 0, trial.untrue)
		})
	}
}

func TestWrongFlagsAreRefused(t *testing.T) {
	for _, args := range [][]string{{"-faults", "fire"}, {"-databases", "oracle"}, {"-parallel", "0"}, {"-x"}, {"rest"}} {
		var errs bytes.Buffer
		assert.Equal(t, exitUsage, run(t.Context(), args, &errs, &errs))
		assert.NotEmpty(t, errs.String())
	}
	var out bytes.Buffer
	assert.Zero(t, run(t.Context(), []string{"-list"}, &out, &out))
	assert.Contains(t, out.String(), "kill send")
}
