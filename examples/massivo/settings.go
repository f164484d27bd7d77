package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/user"
	"strings"
	"sync"
	"syscall"
	"time"
	"unicode"

	"github.com/spf13/pflag"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio"
	"github.com/flussi-go/flussi/examples/internal/cli"
	"github.com/flussi-go/flussi/examples/internal/storage"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/italian"
)

// What the simulator of examples/sandbox has if it is not told otherwise.
const (
	sandboxURL     = "http://127.0.0.1:7080/api/v1"
	sandboxService = "prova"
	sandboxKey     = "chiave-di-prova"
)

// maxCalls is the limit of --calls, far beyond that of App IO, for trials with a simulator.
const maxCalls = 100_000_000

// settings are what flags and environment say, for all commands.
type settings struct {
	store, service, operator string
	live                     bool
	url, keyFile, key        string
	calls                    int
	verbose                  bool
	given                    string // the flags that name database, service and platform, as they were given
}

func (s *settings) flags(set *pflag.FlagSet) {
	set.StringVar(&s.store, "store", "massivo.db", "`archivio`: un file SQLite, oppure PostgreSQL con postgres://… o host=… dbname=… [MASSIVO_STORE]")
	set.StringVar(&s.service, "service", "", "`servizio` App IO dell'ente; con il simulatore, se manca: "+sandboxService+" [MASSIVO_SERVICE]")
	set.StringVar(&s.operator, "operator", userName(), "`nome` dell'operatore, per lo storico [MASSIVO_OPERATOR]")
	set.BoolVar(&s.live, "live", false, "invia con App IO: i messaggi arrivano ai cittadini")
	set.StringVar(&s.url, "url", "", "`indirizzo` di App IO o del simulatore; se manca, quello di App IO o, senza --live, "+sandboxURL+" [MASSIVO_URL]")
	set.StringVar(&s.keyFile, "key-file", "", "`file` che contiene la chiave del servizio, al posto di MASSIVO_KEY [MASSIVO_KEY_FILE]")
	set.IntVar(&s.calls, "calls", 150, "`chiamate` ogni 5 secondi concesse all'ente; i programmi che inviano insieme dallo stesso archivio se le dividono da soli")
	set.BoolVarP(&s.verbose, "verbose", "v", false, "mostra ogni tentativo, senza dati personali")
}

// fromEnvironment are the flags that can be set by a variable of the environment.
var fromEnvironment = []string{"store", "service", "operator", "url", "key-file"}

// complete takes from the environment what no flag says. It comes after the flags, so that no help
// shows it: a database's address may hold a password. Blanks and invisible characters at the ends
// of a variable, such as a CR, are removed, with a warning to errs. Anywhere else, and in a flag,
// they are an error: "prova" and "prova " would be two stores, or two services.
func (s *settings) complete(set *pflag.FlagSet, getenv func(string) string, errs io.Writer) error {
	for _, name := range fromEnvironment {
		if value := set.Lookup(name).Value.String(); set.Changed(name) && (trimmed(value) != value || holdsUnseen(value)) {
			return cli.Wrongf("L'opzione --%s contiene spazi all'inizio o alla fine, o caratteri invisibili: riscrivere il valore.", name)
		}
	}
	variable := func(name string) (string, error) {
		name = "MASSIVO_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
		given := getenv(name)
		value := trimmed(given)
		if holdsUnseen(value) {
			return "", cli.Wrongf("La variabile %s contiene caratteri invisibili: riscrivere il valore.", name)
		}
		if value != given {
			fmt.Fprintf(errs, "La variabile %s ha spazi o caratteri invisibili all'inizio o alla fine, che vengono ignorati.\n", name)
		}
		return value, nil
	}
	for _, name := range []string{"store", "service", "operator", "live", "url", "key-file"} {
		switch flag := set.Lookup(name); {
		case !set.Changed(name):
		case name == "live":
			s.given += " --live"
		case name == "store":
			s.given += " --store " + shownStore(s.store)
		default:
			s.given += fmt.Sprintf(" --%s %s", name, quoted(flag.Value.String()))
		}
	}
	for i, value := range []*string{&s.store, &s.service, &s.operator, &s.url, &s.keyFile} {
		if name := fromEnvironment[i]; !set.Changed(name) {
			said, err := variable(name)
			if err != nil {
				return err
			}
			*value = cmp.Or(said, *value)
		}
	}
	if u, err := url.Parse(s.url); err != nil || u.User != nil || u.RawQuery != "" {
		return cli.Wrongf("L'indirizzo di App IO (--url, MASSIVO_URL) non è valido: deve cominciare con https:// e finire con /api/v1, senza utente, password o parametri.")
	}
	var err error
	s.key, err = variable("key")
	return err
}

// shownStore returns the location of the database for a command that is printed: without its
// password, which the operator has to provide again.
func shownStore(location string) string {
	if shown := storage.Redact(location); shown != "" {
		return quoted(shown)
	}
	return "ARCHIVIO"
}

// givenFor returns the flags that were given, with another service.
func (s *settings) givenFor(service string) string {
	own := " --service " + quoted(s.service)
	return strings.Replace(s.given, own, "", 1) + " --service " + quoted(service)
}

// trimmed returns a text without white space and invisible characters at its ends.
func trimmed(s string) string {
	return strings.TrimFunc(s, func(r rune) bool { return unicode.IsSpace(r) || unseen(r) })
}

// holdsUnseen reports whether a text contains an invisible character.
func holdsUnseen(s string) bool { return strings.ContainsFunc(s, unseen) }

// unseen reports whether a character is invisible, and not a blank.
func unseen(r rune) bool {
	return unicode.IsControl(r) || !unicode.IsSpace(r) && flow.NormalizeText(string(r)) == ""
}

// quoted writes a word for a shell. Characters that must not reach a terminal are escaped.
func quoted(word string) string {
	if cli.Name(word) != word {
		return escaped(word)
	}
	harmless := func(r rune) bool {
		return unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("_./:@%+=,-", r)
	}
	if word != "" && strings.IndexFunc(word, func(r rune) bool { return !harmless(r) }) < 0 {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// escaped writes a word for a shell by the codes of its bytes.
func escaped(word string) string {
	var b strings.Builder
	b.WriteString("$'")
	for _, c := range []byte(word) {
		if c > ' ' && c < 0x7f && c != '\'' && c != '\\' {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, `\x%02x`, c)
		}
	}
	b.WriteString("'")
	return b.String()
}

func userName() string {
	u, err := user.Current()
	if err != nil || u.Username == "" {
		return "operatore"
	}
	return u.Username
}

// serviceName is the service that the program works for.
func (s *settings) serviceName() (string, error) {
	switch {
	case s.service != "":
		if err := flow.CheckService(s.service); err != nil {
			return "", cli.Wrongf("%s", flussi.Explain(err))
		}
		return s.service, nil
	case s.live:
		return "", cli.Wrongf("Con --live serve anche --service, con il servizio App IO che invia.")
	}
	return sandboxService, nil
}

// purpose tells a database of trials from a real one.
func (s *settings) purpose() string {
	if !s.live {
		return "simulatore"
	}
	if u, err := url.Parse(s.url); s.url != "" && err == nil {
		return "App IO all'indirizzo " + u.Host
	}
	return "App IO"
}

// platform returns the address of the platform.
func (s *settings) platform() (string, error) {
	if s.live {
		return s.url, nil // the client has the real one if it is ""
	}
	address := cmp.Or(s.url, sandboxURL)
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil || u.RawQuery != "" {
		return "", cli.Wrongf("L'indirizzo del simulatore non è valido: deve essere come %s.", sandboxURL)
	}
	if ip := net.ParseIP(u.Hostname()); u.Hostname() != "localhost" && !ip.IsLoopback() {
		return "", cli.Wrongf("Senza --live si usa solo un simulatore su questa macchina. Per un altro indirizzo serve --live.")
	}
	return address, nil
}

// readKey returns the key of the service.
func (s *settings) readKey(ctx context.Context) (flussi.Key, error) {
	text := s.key
	if s.keyFile != "" {
		content, err := s.readKeyFile(ctx)
		if err != nil {
			return flussi.Key{}, err
		}
		text = trimmed(string(content))
	}
	switch {
	case text != "":
		return flussi.ParseKey(text)
	case s.live:
		return flussi.Key{}, cli.Wrongf("Manca la chiave del servizio: indicarla nella variabile MASSIVO_KEY, o in un file indicato con --key-file.")
	}
	return flussi.ParseKey(sandboxKey)
}

// readKeyFile returns what the file of the key contains. It may be a pipe.
func (s *settings) readKeyFile(ctx context.Context) (content []byte, err error) {
	file, err := cli.Open(ctx, s.keyFile)
	if err == nil {
		const limit = 1 << 16 // a key is shorter
		content, err = io.ReadAll(io.LimitReader(file, limit))
		err = errors.Join(err, file.Close())
	}
	if err != nil && ctx.Err() == nil {
		err = fmt.Errorf("key file: %w", cli.Explained("Il file della chiave non si può leggere: "+reason(err), err))
	}
	return content, err
}

// messengers returns the messengers of the service that the program works for. The one
// client is made when it is needed, since most commands make no calls. Its pace is shared with the
// other programs that use the same turns.
func (p *program) messengers(ctx context.Context, turns appio.TurnStore) flow.SenderFor {
	client := sync.OnceValues(func() (*appio.Client, error) { return p.client(ctx, turns) })
	return func(_ context.Context, service string) (flow.Sender, error) {
		name, err := p.settings.serviceName()
		if err != nil {
			return nil, err
		}
		if service != name {
			return nil, cli.Explained(fmt.Sprintf("La chiave è del servizio «%s», il flusso è del servizio «%s»: indicare il servizio del flusso con --service, e la sua chiave.", name, service),
				errors.New("key of another service"))
		}
		return client()
	}
}

// bodyName is the name of the body for the turns. A fixed name suffices, since a database is for one
// body.
const bodyName = "ente"

func (p *program) client(ctx context.Context, turns appio.TurnStore) (*appio.Client, error) {
	address, err := p.settings.platform()
	if err != nil {
		return nil, err
	}
	key, err := p.settings.readKey(ctx)
	if err != nil {
		return nil, err
	}
	if p.settings.calls < 1 || p.settings.calls > maxCalls {
		return nil, cli.Wrongf("--calls deve essere un numero da 1 a %s.", italian.Number(maxCalls))
	}
	pace, err := appio.NewPace(appio.PaceConfig{Calls: p.settings.calls, Shared: turns, Body: bodyName})
	if err != nil {
		return nil, err
	}
	config := appio.Config{BaseURL: address, Pace: pace, Attempted: func(_ context.Context, a flussi.Attempt) {
		if a.Status == http.StatusTooManyRequests && a.Pause > 0 {
			p.waits.tell(p.errs, time.Now().Add(a.Pause))
		}
	}}
	if p.settings.verbose {
		config.Logger = p.logger()
	}
	client, err := appio.New(key, config)
	if err != nil {
		return nil, cli.Explained("L'indirizzo di App IO non è valido: deve cominciare con https:// e finire con /api/v1.", err)
	}
	return client, nil
}

// reach checks that the simulator is there: a sending that finds nobody is stopped, and
// has to be ordered again.
func (p *program) reach(ctx context.Context) error {
	if p.settings.live {
		return nil
	}
	address, err := p.settings.platform()
	if err != nil {
		return err
	}
	u, err := url.Parse(address)
	if err != nil {
		return err
	}
	port := cmp.Or(u.Port(), map[string]string{"http": "80", "https": "443"}[u.Scheme])
	dialer := net.Dialer{Timeout: 5 * time.Second}
	conn, err := dialer.DialContext(ctx, "tcp", net.JoinHostPort(u.Hostname(), port))
	if err != nil {
		return cli.Explained("Il simulatore non risponde: avviarlo in un'altra finestra con «go run ./examples/sandbox».", err)
	}
	return conn.Close()
}

// reason says in Italian what the operating system had against a file.
func reason(err error) string {
	switch {
	case errors.Is(err, syscall.ENOSPC):
		return "il disco è pieno."
	case errors.Is(err, syscall.EROFS):
		return "il disco è di sola lettura."
	case errors.Is(err, syscall.ENOTDIR), errors.Is(err, syscall.EISDIR):
		return "una parte del percorso è un file, o il nome è di una cartella."
	case errors.Is(err, syscall.ENAMETOOLONG):
		return "il nome è troppo lungo."
	case errors.Is(err, os.ErrNotExist):
		return "non esiste."
	case errors.Is(err, os.ErrPermission):
		return "non si hanno i permessi."
	case errors.Is(err, os.ErrExist):
		return "esiste già."
	}
	return "il sistema lo rifiuta."
}
