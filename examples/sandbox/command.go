package main

import (
	"cmp"
	"fmt"
	"hash/fnv"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio/appiotest"
	"github.com/flussi-go/flussi/examples/internal/cli"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/italian"
	"github.com/flussi-go/flussi/pagoinrete/restgateway/restgatewaytest"
)

// The defaults of the flags.
const (
	defaultListen  = "127.0.0.1:7080"
	defaultService = "prova"
	defaultKey     = "chiave-di-prova"
	defaultSchool  = "RMIC8GA002"
)

// settings are the values of the flags.
type settings struct {
	listen       string
	services     []string // ID=key
	schools      []string // code=key
	body         string
	limit        int
	unlimited    bool
	processAfter time.Duration
	hold         bool
	absent       string
}

// command returns the command line. It writes everything but errors to out.
func command(out io.Writer) *cobra.Command {
	var s settings
	c := &cobra.Command{
		Use:   "sandbox",
		Short: "Simula App IO e Pago In Rete su questa macchina, per chi sviluppa",
		Long: `Simula App IO e Pago In Rete su questa macchina, per chi sviluppa un programma che invia
messaggi o che incassa per le scuole.

È un simulatore: nessun messaggio raggiunge i cittadini, e nessun pagamento è vero. Risponde
come le piattaforme, con gli stessi controlli e i limiti di App IO, e con i guasti che gli si
ordinano dalla sua pagina, dove si fanno accedere e pagare le famiglie. Tutto resta in memoria e
si perde quando il programma finisce.`,
		Example: `  sandbox                                        con il servizio «prova» e la sua chiave
  sandbox --service tributi=k1 --service anagrafe=k2
  sandbox --school RMIC8GA002=k3                 la scuola che usa Pago In Rete
  sandbox --hold --absent 10%                    messaggi in attesa, un cittadino su dieci assente
  sandbox --unlimited --listen 127.0.0.1:7081`,
		Args: cli.Args(0, 0),
	}
	c.SetOut(out)
	c.Flags().StringVar(&s.listen, "listen", defaultListen, "`indirizzo` e porta su cui ascoltare")
	c.Flags().StringArrayVar(&s.services, "service", nil, "`id=chiave` di un servizio; si può ripetere. Se manca: "+defaultService+"="+defaultKey)
	c.Flags().StringArrayVar(&s.schools, "school", nil, "`codice=credenziale` di una scuola su Pago In Rete, con il codice meccanografico; si può ripetere. Se manca: "+defaultSchool+"="+defaultKey)
	c.Flags().StringVar(&s.body, "body", "", "`codice fiscale` dell'ente dei servizi, l'unico beneficiario che i pagamenti possono indicare; se manca, sono ammessi tutti")
	c.Flags().IntVar(&s.limit, "limit", 150, "`chiamate` concesse all'ente ogni 5 secondi, come su App IO")
	c.Flags().BoolVar(&s.unlimited, "unlimited", false, "nessun limite alle chiamate")
	c.Flags().DurationVar(&s.processAfter, "process-after", 0, "`durata` per cui un messaggio resta ACCEPTED, come 30s; se manca, è subito elaborato")
	c.Flags().BoolVar(&s.hold, "hold", false, "i messaggi restano ACCEPTED finché non si ordina di elaborarli")
	c.Flags().StringVar(&s.absent, "absent", "", "`chi` non è su App IO: una percentuale come 10%, o codici fiscali separati da virgole")
	c.RunE = func(c *cobra.Command, _ []string) error {
		if s.unlimited && c.Flags().Changed("limit") {
			return cli.Wrongf("Con --unlimited non c'è un limite: togliere --limit, o --unlimited.")
		}
		box, err := s.sandbox(out)
		if err != nil {
			return err
		}
		return box.listen(c.Context(), s.listen)
	}
	return c
}

const (
	maxLimit        = 10_000_000 // calls, each of which is kept while it counts
	maxProcessAfter = 24 * time.Hour
)

// sandbox returns the sandbox of the settings. The error is a [*cli.UsageError] that lists
// everything that is wrong with them.
func (s *settings) sandbox(out io.Writer) (*sandbox, error) {
	var wrong []string
	fail := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	if s.limit < 1 || s.limit > maxLimit {
		fail("Il limite delle chiamate (--limit) deve essere da 1 a %s: per togliere il limite usare --unlimited.", italian.Number(maxLimit))
	}
	if s.processAfter < 0 || s.processAfter > maxProcessAfter {
		fail("La durata di --process-after non può essere negativa, e al massimo è di un giorno.")
	}
	if s.hold && s.processAfter != 0 {
		fail("Con --hold i messaggi attendono un ordine: togliere --process-after, o --hold.")
	}
	if s.body != "" {
		if _, err := flussi.ParseOrganizationCode(s.body); err != nil {
			fail("L'ente (--body): %s", flussi.Explain(err))
		}
	}
	services, reasons := parseServices(s.services)
	wrong = append(wrong, reasons...)
	schools, reasons := parseSchools(s.schools)
	wrong = append(wrong, reasons...)
	absent, reason := parseAbsent(s.absent)
	if reason != "" {
		wrong = append(wrong, reason)
	}
	if len(wrong) > 0 {
		return nil, cli.Wrongf("%s", strings.Join(wrong, "\n"))
	}
	box, err := newSandbox(out, appiotest.Config{Calls: s.limit, Unlimited: s.unlimited, ProcessAfter: s.processAfter, Hold: s.hold})
	if err != nil {
		return nil, err
	}
	for _, a := range services {
		box.add(appiotest.Service{
			ID: a.id, Key: a.key, Body: cmp.Or(s.body, "ente"), // all services are of one body, and share its limit
			NamesPayee: s.body == "", ReadsFeed: true, ReadsDetails: true,
		})
	}
	for _, a := range schools {
		box.addSchool(restgatewaytest.School{Code: a.id, Key: a.key})
	}
	box.absent = absent
	box.summary = s.summary()
	return box, nil
}

// account is a service or a school, and its key.
type account struct{ id, key string }

// accountTexts are what is said of the nth wrong account, in Italian.
type accountTexts struct{ form, key, twice string }

// parseAccounts parses ID=key. The reasons do not show keys: they may be real ones. The function
// returns what is wrong with an ID, if it has the form of one.
func parseAccounts(texts []string, say accountTexts, isID func(string) bool, wrongID func(id string, n int) string) (accounts []account, wrong []string) {
	for i, text := range texts {
		id, key, _ := strings.Cut(text, "=")
		_, err := flussi.ParseKey(key)
		same := func(other account) bool { return other.id == id || other.key == key }
		switch {
		case !isID(id) || key == "":
			wrong = append(wrong, fmt.Sprintf(say.form, i+1))
		case wrongID(id, i+1) != "":
			wrong = append(wrong, wrongID(id, i+1))
		case err != nil || strings.TrimSpace(key) != key:
			wrong = append(wrong, fmt.Sprintf(say.key, i+1))
		case slices.ContainsFunc(accounts, same):
			wrong = append(wrong, fmt.Sprintf(say.twice, i+1))
		}
		accounts = append(accounts, account{id, key})
	}
	return accounts, wrong
}

func parseServices(texts []string) ([]account, []string) {
	if len(texts) == 0 {
		return []account{{defaultService, defaultKey}}, nil
	}
	return parseAccounts(texts, accountTexts{
		"Il servizio n. %d (--service) deve essere scritto id=chiave.",
		"La chiave del servizio n. %d (--service) ha caratteri non ammessi.",
		"Il servizio n. %d (--service) ha l'id o la chiave di un altro servizio.",
	}, func(id string) bool { return id != "" }, func(id string, n int) string {
		if err := flow.CheckService(id); err != nil {
			return fmt.Sprintf("L'id del servizio n. %d (--service) non è valido. %s", n, flussi.Explain(err))
		}
		return ""
	})
}

func parseSchools(texts []string) ([]account, []string) {
	if len(texts) == 0 {
		return []account{{defaultSchool, defaultKey}}, nil
	}
	return parseAccounts(texts, accountTexts{
		"La scuola n. %d (--school) deve essere scritta codice=credenziale, con il codice meccanografico di 10 caratteri, come " + defaultSchool + ".",
		"La credenziale della scuola n. %d (--school) ha caratteri non ammessi.",
		"La scuola n. %d (--school) ha il codice o la credenziale di un'altra scuola.",
	}, isSchool, func(string, int) string { return "" })
}

// isSchool reports whether a text looks like a codice meccanografico.
func isSchool(code string) bool {
	return len(code) == 10 && strings.Trim(code, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") == ""
}

// parseAbsent parses which citizens are not on App IO: a list, or a share, which is always of
// the same citizens, by a hash of the code.
func parseAbsent(text string) (absent func(flussi.FiscalCode) bool, wrong string) {
	if share, isShare := strings.CutSuffix(text, "%"); isShare {
		percent, err := strconv.ParseFloat(strings.Replace(share, ",", ".", 1), 64)
		if err != nil || !(percent >= 0 && percent <= 100) {
			return nil, "La percentuale degli assenti (--absent) deve essere fra 0% e 100%."
		}
		return func(c flussi.FiscalCode) bool {
			hash := fnv.New32a()
			_, _ = hash.Write([]byte(c.Reveal()))
			return float64(hash.Sum32()%10_000) < percent*100
		}, ""
	}
	listed := map[flussi.FiscalCode]bool{}
	for i, code := range strings.Split(text, ",") {
		if text == "" {
			break
		}
		citizen, err := flussi.ReadFiscalCode(code, flussi.Lenient)
		if err != nil {
			return nil, fmt.Sprintf("Il codice n. %d degli assenti (--absent): %s Servono codici fiscali separati da virgole, o una percentuale come 10%%.", i+1, flussi.Explain(err))
		}
		listed[citizen.Value] = true
	}
	return func(c flussi.FiscalCode) bool { return listed[c] }, ""
}

// summary describes the settings in Italian.
func (s *settings) summary() string {
	limit := "L'ente può fare " + italian.Count(s.limit, "chiamata", "chiamate") + " ogni 5 secondi."
	if s.unlimited {
		limit = "Le chiamate non hanno limite."
	}
	processing := "I messaggi sono elaborati subito."
	switch {
	case s.hold:
		processing = "I messaggi restano ACCEPTED finché non si ordina di elaborarli."
	case s.processAfter > 0:
		processing = fmt.Sprintf("I messaggi restano ACCEPTED per %s.", s.processAfter)
	}
	presence := "Tutti i cittadini sono su App IO."
	switch {
	case strings.HasSuffix(s.absent, "%"):
		presence = fmt.Sprintf("Il %s dei cittadini non è su App IO.", s.absent)
	case s.absent != "":
		presence = "Cittadini che non sono su App IO: " + italian.Number(1+strings.Count(s.absent, ",")) + "."
	}
	return limit + " " + processing + " " + presence
}
