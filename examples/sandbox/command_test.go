package main

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio"
	"github.com/flussi-go/flussi/appio/appiotest"
	"github.com/flussi-go/flussi/examples/internal/cli"
	"github.com/flussi-go/flussi/internal/must"
)

// run runs the program until the context ends. It returns the exit code, and what it said.
func run(ctx context.Context, out io.Writer, args ...string) (int, string) {
	c := command(out)
	c.SetArgs(args)
	var errs bytes.Buffer
	return cli.Run(ctx, c, &errs), errs.String()
}

func TestAWrongCommandSaysEverythingThatIsWrong(t *testing.T) {
	for name, test := range map[string]struct {
		args []string
		says []string
	}{
		"an argument":            {[]string{"ciao"}, []string{"troppi argomenti"}},
		"an unknown flag":        {[]string{"--porta", "1"}, []string{"--porta non esiste"}},
		"a limit that is none":   {[]string{"--limit", "x"}, []string{"--limit", "numero intero"}},
		"a limit beyond memory":  {[]string{"--limit", "1000000000"}, []string{"da 1 a 10.000.000"}},
		"messages that rest":     {[]string{"--process-after", "2000000h"}, []string{"al massimo è di un giorno"}},
		"no limit":               {[]string{"--limit", "0"}, []string{"da 1 a 10.000.000"}},
		"a limit, and none":      {[]string{"--limit", "1", "--unlimited"}, []string{"togliere --limit"}},
		"a delay that is none":   {[]string{"--process-after", "5"}, []string{"durata, come 30s"}},
		"a negative delay":       {[]string{"--process-after", "-5s"}, []string{"negativa"}},
		"held, and not":          {[]string{"--hold", "--process-after", "5s"}, []string{"togliere --process-after"}},
		"a body that is none":    {[]string{"--body", "123"}, []string{"11 cifre"}},
		"a service without key":  {[]string{"--service", "a"}, []string{"n. 1", "id=chiave"}},
		"a service without ID":   {[]string{"--service", "a=b", "--service", "=segreta"}, []string{"n. 2", "id=chiave"}},
		"an ID with a blank":     {[]string{"--service", "a =segreta"}, []string{"n. 1", "finisce con uno spazio"}},
		"an ID, unseen inside":   {[]string{"--service", "a\u200bb=segreta"}, []string{"n. 1", "caratteri invisibili"}},
		"two of the same ID":     {[]string{"--service", "a=segreta", "--service", "a=c"}, []string{"n. 2", "di un altro"}},
		"two of the same key":    {[]string{"--service", "a=segreta", "--service", "b=segreta"}, []string{"n. 2", "di un altro"}},
		"a key in two lines":     {[]string{"--service", "a=segreta\nsegreta"}, []string{"n. 1", "non ammessi"}},
		"a key with a space":     {[]string{"--service", "a= segreta"}, []string{"n. 1", "non ammessi"}},
		"a key, and a space":     {[]string{"--service", "a=segreta "}, []string{"n. 1", "non ammessi"}},
		"a share of too much":    {[]string{"--absent", "101%"}, []string{"fra 0% e 100%"}},
		"a share that is none":   {[]string{"--absent", "NaN%"}, []string{"fra 0% e 100%"}},
		"a code that is none":    {[]string{"--absent", personalCode + ",RSSMRA80A01"}, []string{"n. 2", "16 caratteri"}},
		"a school without key":   {[]string{"--school", "RMIC8GA002"}, []string{"scuola n. 1", "codice=credenziale"}},
		"a school that is none":  {[]string{"--school", "Verdi=segreta"}, []string{"scuola n. 1", "10 caratteri"}},
		"a school's key in two":  {[]string{"--school", "RMIC8GA002=segreta\nsegreta"}, []string{"scuola n. 1", "non ammessi"}},
		"two schools of one key": {[]string{"--school", "RMIC8GA002=segreta", "--school", "MIIC8AB00X=segreta"}, []string{"scuola n. 2", "di un'altra"}},
		"several things at once": {[]string{"--limit", "0", "--absent", "x%", "--service", "a"}, []string{"--limit", "--absent", "--service"}},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			ended, end := context.WithCancel(t.Context())
			end() // were nothing wrong, it would serve until then
			code, said := run(ended, &out, append(test.args, "--listen", "127.0.0.1:0")...)
			assert.Equal(t, cli.Usage, code, said)
			for _, says := range test.says {
				assert.Contains(t, said, says)
			}
			assert.Contains(t, said, "sandbox --help")
			must.NotContain(t, said, "segreta", "RSSMRA80A01")
			assert.Empty(t, out.String(), "it did not start")
		})
	}
}

func TestTheHelpIsItalian(t *testing.T) {
	var out bytes.Buffer
	code, _ := run(t.Context(), &out, "--help")
	assert.Equal(t, cli.OK, code)
	must.Contain(t, out.String(), "nessun messaggio raggiunge i cittadini", "Uso:", "Opzioni:", "--absent", "127.0.0.1:7080", "mostra questo aiuto")
	must.NotContain(t, out.String(), "Usage", "Flags", "default", "help for")
}

func TestAnAddressThatIsTakenIsExplained(t *testing.T) {
	other := must.Get(net.Listen("tcp", "127.0.0.1:0"))(t)
	defer other.Close()
	var out bytes.Buffer
	code, said := run(t.Context(), &out, "--listen", other.Addr().String())
	assert.Equal(t, cli.Failure, code)
	must.Contain(t, said, "già usato da un altro programma", "--listen 127.0.0.1:7081")
	assert.Empty(t, out.String(), "it promises nothing")

	code, said = run(t.Context(), &out, "--listen", "non-è-un-indirizzo")
	assert.Equal(t, cli.Failure, code)
	assert.Contains(t, said, "Non si può ascoltare su non-è-un-indirizzo")
}

func TestListeningForOthersIsWarnedOf(t *testing.T) {
	for address, open := range map[string]bool{"127.0.0.1": false, "::1": false, "0.0.0.0": true, "::": true, "192.0.2.7": true} {
		box, out := newBox(t, settings{})
		box.printStart(&net.TCPAddr{IP: net.ParseIP(address), Port: 7080})
		assert.Equal(t, open, strings.Contains(out.String(), "raggiungibile anche da altri computer"), address)
	}
	assert.Equal(t, "localhost:7080", reachable(&net.TCPAddr{IP: net.IPv6unspecified, Port: 7080}))
	assert.Equal(t, "[::1]:7080", reachable(&net.TCPAddr{IP: net.IPv6loopback, Port: 7080}))
}

func TestTheKeyOfASettingIsNotPrinted(t *testing.T) {
	box, out := newBox(t, settings{services: []string{"tributi=chiave-segreta"}})
	box.printStart(&net.TCPAddr{IP: net.ParseIP("127.0.0.1"), Port: 7080})
	assert.Contains(t, out.String(), "Servizio «tributi», con la chiave indicata.")
	assert.NotContains(t, out.String(), "chiave-segreta")

	box, out = newBox(t, settings{})
	box.printStart(&net.TCPAddr{IP: net.ParseIP("127.0.0.1"), Port: 7080})
	assert.Contains(t, out.String(), "Servizio «prova», chiave «chiave-di-prova».", "everybody needs to know the one that is invented")
	for line := range strings.Lines(out.String()) {
		assert.True(t, strings.HasPrefix(line, prefix), line)
	}
}

// A whole run, on a real port: what is printed is enough to make a client work.
func TestAClientWorksWithWhatIsPrinted(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	out := &lines{}
	listening, ended := make(chan string, 1), make(chan int, 1)
	go func() {
		code, said := run(ctx, io.MultiWriter(out, writerFunc(func(text []byte) {
			if match := regexp.MustCompile(`BaseURL\): (\S+)`).FindSubmatch(text); match != nil {
				listening <- string(match[1])
			}
		})), "--listen", "127.0.0.1:0", "--absent", appiotest.SampleCitizen(1).Reveal())
		assert.Empty(t, said)
		ended <- code
	}()
	baseURL := <-listening

	key := must.Get(flussi.ParseKey(defaultKey))(t)
	client := must.Get(appio.New(key, appio.Config{BaseURL: baseURL}))(t)
	to := appiotest.SampleCitizen(0)
	receipt := must.Get(client.Submit(ctx, appio.Message{To: to, Subject: flussi.NewText(personalText), Content: flussi.NewText(strings.Repeat(personalText+" ", 4))}))(t)
	assert.Equal(t, appio.StatusProcessed, must.Get(client.Message(ctx, to, receipt.ID))(t).Status)
	must.Get(client.Profile(ctx, to))(t)
	_, err := client.Profile(ctx, appiotest.SampleCitizen(1))
	assert.ErrorIs(t, err, flussi.ErrRemoteNotFound)
	must.Get(client.Feed(ctx, time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)))(t)

	stop()
	assert.Equal(t, cli.OK, <-ended)
	said := out.String()
	must.Contain(t, said, "memorizzato "+string(receipt.ID), "Simulatore fermato. Messaggi memorizzati: 1. Avvisi di pagamento: 0. Niente ha raggiunto un cittadino.")
	assert.NotContains(t, said, to.Reveal())
	client = must.Get(appio.New(key, appio.Config{BaseURL: baseURL, MaxAttempts: 1}))(t)
	_, err = client.Profile(context.Background(), to)
	assert.ErrorIs(t, err, flussi.ErrUnavailable, "nobody listens any more")
}

// The bubble of synctest fails if a goroutine is left.
func TestItStopsCleanlyWhileCallsWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		box, out := newBox(t, settings{})
		client, stop := serveOnPipes(t, box)
		call := func() (*http.Response, error) { return submitTo(t, client, defaultKey) }
		resp := must.Get(call())(t)
		require.Equal(t, 201, resp.StatusCode)
		require.NoError(t, resp.Body.Close())

		failed := make(chan error, 2)
		for _, f := range []appiotest.Fault{{Kind: appiotest.Silent, Stored: true}, {Kind: appiotest.Slow, Delay: time.Hour}} {
			box.simulator.Fail(appiotest.SubmitMessage, f)
			go func() {
				resp, err := call()
				if err == nil {
					_ = resp.Body.Close()
				}
				failed <- err
			}()
			synctest.Wait()
		}
		began := time.Now()
		stop()
		for range 2 {
			assert.Error(t, <-failed, "a call that has no answer gets none at the end, and no 200")
		}
		assert.Less(t, time.Since(began), time.Second, "it does not wait for them")
		must.Contain(t, out.String(), "Simulatore fermato. Messaggi memorizzati: 2", "risposta: nessuna")
	})
}

type writerFunc func([]byte)

func (f writerFunc) Write(text []byte) (int, error) { f(text); return len(text), nil }
