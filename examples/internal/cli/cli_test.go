package cli_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/examples/internal/cli"
	"github.com/flussi-go/flussi/internal/must"
)

// place is a flag that says itself what is wrong with its value.
type place struct{ err error }

func (p *place) Set(string) error { return p.err }
func (*place) String() string     { return "" }
func (*place) Type() string       { return "luogo" }

// commands returns a command line of two levels, whose command send does what it is told.
func commands(send func(context.Context) error) *cobra.Command {
	root := &cobra.Command{Use: "prova", Short: "Prova i comandi", Long: "Prova i comandi, uno per uno.", Example: "  prova send lista.xlsx"}
	root.PersistentFlags().String("store", "prova.db", "l'`archivio`")
	root.PersistentFlags().Bool("trace", false, "racconta ogni tentativo, uno per uno, con quello che è stato chiesto e quello che è stato risposto")
	one := &cobra.Command{Use: "send <file>", Short: "Invia un file", Args: cli.Args(1, 2),
		RunE: func(c *cobra.Command, _ []string) error { return send(c.Context()) }}
	set := one.Flags()
	set.IntP("number", "n", 3, "`quanti`")
	set.Uint64("seed", 0, "da cui comincia il caso")
	set.Float64("share", 0, "`quota`")
	set.Duration("wait", 0, "`attesa`")
	set.Bool("yes", false, "senza `chiedere`")
	set.StringSlice("id", nil, "`UUID`")
	set.String("secret", "", "di nessuno")
	set.Var(&place{cli.Wrongf("serve un luogo, come Roma.")}, "place", "`luogo`")
	set.Var(&place{errors.New("english")}, "odd", "`luogo`")
	if err := set.MarkHidden("secret"); err != nil {
		panic(err)
	}
	list := &cobra.Command{Use: "list", Short: "Elenca", Args: cli.Args(0, 0), RunE: func(*cobra.Command, []string) error { return nil }}
	list.AddCommand(&cobra.Command{Use: "notifications", Short: "Elenca le notifiche", Args: cli.Args(0, 0), RunE: list.RunE})
	hidden := &cobra.Command{Use: "internal", Short: "di nessuno", Hidden: true, RunE: list.RunE}
	root.AddCommand(one, list, hidden)
	return root
}

// run runs a command line, and returns the exit code, the results, and what else was said.
func run(ctx context.Context, send func(context.Context) error, args ...string) (code int, out, errs string) {
	var results, said bytes.Buffer
	root := commands(send)
	root.SetOut(&results)
	root.SetErr(&said)
	root.SetArgs(args)
	code = cli.Run(ctx, root, &said)
	return code, results.String(), said.String()
}

func nothing(context.Context) error { return nil }

// explained is an error with a text for operators.
type explained struct{ error }

func (explained) Italian() string { return "Il disco è pieno." }

func TestTheExitCodeSaysHowItEnded(t *testing.T) {
	full := explained{errors.New("no space left")}
	for name, test := range map[string]struct {
		err         error
		interrupted bool
		code        int
		says        string
	}{
		"done":                                {nil, false, cli.OK, ""},
		"failed":                              {full, false, cli.Failure, "Il disco è pieno.\n(dettaglio tecnico: no space left)\n"},
		"failed, and nobody explains it":      {errors.New("boom"), false, cli.Failure, flussi.Explain(errors.New("boom")) + "\n(dettaglio tecnico: boom)\n"},
		"typed wrong":                         {cli.Wrongf("Manca %s.", "il file"), false, cli.Usage, "Manca il file.\nPer l'aiuto: prova send --help\n"},
		"typed wrong, inside another error":   {fmt.Errorf("send: %w", cli.Wrongf("Manca il file.")), false, cli.Usage, "Manca il file.\nPer l'aiuto: prova send --help\n"},
		"a code of its own":                   {&cli.Exit{Code: 7, Err: full}, false, 7, "Il disco è pieno.\n(dettaglio tecnico: no space left)\n"},
		"a code of its own, all was said":     {&cli.Exit{Code: 5}, false, 5, ""},
		"a code of its own, inside another":   {fmt.Errorf("send: %w", &cli.Exit{Code: 5}), false, 5, ""},
		"a code of its own, typed wrong":      {&cli.Exit{Code: 3, Err: cli.Wrongf("Manca il file.")}, false, 3, "Manca il file.\n(dettaglio tecnico: Manca il file.)\n"},
		"interrupted":                         {full, true, cli.Interrupted, "Il disco è pieno.\n(dettaglio tecnico: no space left)\n"},
		"interrupted, with a code of its own": {&cli.Exit{Code: 5}, true, 5, ""},
		"interrupted, but done":               {nil, true, cli.OK, ""},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, interrupt := context.WithCancel(t.Context())
			defer interrupt()
			code, out, said := run(ctx, func(got context.Context) error {
				if test.interrupted {
					interrupt()
					<-got.Done()
				}
				return test.err
			}, "send", "lista.xlsx")
			assert.Equal(t, test.code, code)
			assert.Equal(t, test.says, said)
			assert.Empty(t, out)
		})
	}
}

func TestAnExitIsTheErrorInsideIt(t *testing.T) {
	cause := errors.New("boom")
	require.ErrorIs(t, &cli.Exit{Code: 3, Err: cause}, cause)
	assert.EqualError(t, &cli.Exit{Code: 3, Err: cause}, "boom")
	assert.EqualError(t, &cli.Exit{Code: 3}, "exit code 3")
	assert.Equal(t, "Manca il file.", flussi.Explain(cli.Wrongf("Manca il file.")))
}

func TestALongTechnicalDetailIsCutAndStaysOnItsLine(t *testing.T) {
	for name, test := range map[string]struct{ detail, want string }{
		"as long as may be": {strings.Repeat("à", 600), strings.Repeat("à", 600)},
		"longer":            {strings.Repeat("à", 601), strings.Repeat("à", 600) + "…"},
		"several lines":     {"one\ntwo\nthree", "one; two; three"},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, said := run(t.Context(), func(context.Context) error { return explained{errors.New(test.detail)} }, "send", "lista.xlsx")
			assert.Equal(t, "Il disco è pieno.\n(dettaglio tecnico: "+test.want+")\n", said)
		})
	}
}

// A value may be personal: it is never shown.
func TestAFlagThatIsWrongIsExplainedWithoutItsValue(t *testing.T) {
	const value = "segreto"
	for name, test := range map[string]struct{ flag, says string }{
		"one that does not exist":          {"--colour=" + value, "L'opzione --colour non esiste."},
		"a letter that does not exist":     {"-c", "L'opzione -c non esiste."},
		"a letter among others":            {"-n3c", "Il valore dell'opzione --number non è valido: serve un numero intero."},
		"no value":                         {"--number", "Manca il valore dell'opzione --number."},
		"no value, by its letter":          {"-n", "Manca il valore dell'opzione --number."},
		"a number":                         {"--number=" + value, "Il valore dell'opzione --number non è valido: serve un numero intero."},
		"a number, by its letter":          {"-n" + value, "Il valore dell'opzione --number non è valido: serve un numero intero."},
		"a number of 64 bits":              {"--seed=" + value, "Il valore dell'opzione --seed non è valido: serve un numero intero."},
		"a number with decimals":           {"--share=" + value, "Il valore dell'opzione --share non è valido: serve un numero, con il punto per i decimali."},
		"a duration":                       {"--wait=" + value, "Il valore dell'opzione --wait non è valido: serve una durata, come 30s o 5m."},
		"yes or no":                        {"--yes=" + value, "Il valore dell'opzione --yes non è valido: serve true o false."},
		"one that explains itself":         {"--place=" + value, "Opzione --place: serve un luogo, come Roma."},
		"one that explains nothing":        {"--odd=" + value, "Il valore dell'opzione --odd non è valido: verificare come va scritto."},
		"a list that is not written well":  {`--id=a"` + value, "Il valore dell'opzione --id non è valido: verificare come va scritto."},
		"a flag without a name":            {"--=" + value, "Le opzioni non sono valide: vedere l'aiuto con --help."},
		"help with a value that is no yes": {"--help=" + value, "Il valore dell'opzione --help non è valido: serve true o false."},
	} {
		t.Run(name, func(t *testing.T) {
			code, out, said := run(t.Context(), nothing, "send", "lista.xlsx", test.flag)
			assert.Equal(t, cli.Usage, code)
			assert.Equal(t, test.says+"\nPer l'aiuto: prova send --help\n", said)
			assert.NotContains(t, said, value)
			assert.Empty(t, out)
		})
	}
}

func TestACommandThatDoesNotExistIsRefusedWithWhatIsNear(t *testing.T) {
	for name, test := range map[string]struct {
		args []string
		says string
	}{
		"two letters the wrong way round": {[]string{"sned"}, "Il comando «sned» non esiste. Forse si intendeva «send»."},
		"the beginning":                   {[]string{"l"}, "Il comando «l» non esiste. Forse si intendeva «list»."},
		"two are near":                    {[]string{"lend"}, "Il comando «lend» non esiste. Forse si intendeva «send»."},
		"nothing is near":                 {[]string{"archivia"}, "Il comando «archivia» non esiste."},
		"its help":                        {[]string{"help", "sned"}, "Il comando «sned» non esiste. Forse si intendeva «send»."},
		"the help of one below":           {[]string{"help", "list", "archivia"}, "Il comando «archivia» non esiste."},
		"the help of one below nothing":   {[]string{"help", "send", "archivia", "x"}, "Il comando «archivia» non esiste."},
	} {
		t.Run(name, func(t *testing.T) {
			code, out, said := run(t.Context(), nothing, test.args...)
			assert.Equal(t, cli.Usage, code)
			assert.True(t, strings.HasPrefix(said, test.says+"\nPer l'aiuto: prova "), said)
			assert.Empty(t, out)
		})
	}
}

const rootHelp = `Prova i comandi, uno per uno.

Uso:
  prova <comando> [opzioni]

Esempi:
  prova send lista.xlsx

Comandi:
  list   Elenca
  send   Invia un file

Opzioni di tutti i comandi:
  -h, --help         mostra questo aiuto
  --store archivio   l'archivio (se manca: prova.db)
  --trace            racconta ogni tentativo, uno per uno, con quello che è
                     stato chiesto e quello che è stato risposto

Per l'aiuto di un comando: prova help <comando>
`

const sendHelp = `Invia un file

Uso:
  prova send <file> [opzioni]

Opzioni:
  --id UUID             UUID
  -n, --number quanti   quanti (se manca: 3)
  --odd luogo           luogo
  --place luogo         luogo
  --seed uint           da cui comincia il caso
  --share quota         quota
  --wait attesa         attesa
  --yes                 senza chiedere

Opzioni di tutti i comandi, spiegate da «prova help»:
  --store, --trace
`

const listHelp = `Elenca

Uso:
  prova list [opzioni]
  prova list <comando> [opzioni]

Comandi:
  notifications   Elenca le notifiche

Opzioni di tutti i comandi, spiegate da «prova help»:
  --store, --trace

Per l'aiuto di un comando: prova help list <comando>
`

func TestTheHelpIsItalian(t *testing.T) {
	for want, lines := range map[string][]string{
		rootHelp: {"", "help", "--help", "-h"},
		sendHelp: {"help send", "send --help", "send -h", "send --help a b c"},
		listHelp: {"help list", "list --help"},
	} {
		for _, line := range lines {
			t.Run("prova "+line, func(t *testing.T) {
				code, out, said := run(t.Context(), nothing, strings.Fields(line)...)
				assert.Equal(t, cli.OK, code)
				assert.Equal(t, want, out)
				assert.Empty(t, said)
			})
		}
	}
	_, out, _ := run(t.Context(), nothing, "help", "list", "notifications")
	assert.Contains(t, out, "Uso:\n  prova list notifications [opzioni]\n", "of a command below another")
}

func TestArgumentsAreCounted(t *testing.T) {
	for name, test := range map[string]struct {
		least, most, given int
		says               string
	}{
		"too few":          {1, 2, 0, "Mancano argomenti: invia <file> [opzioni]"},
		"the least":        {1, 2, 1, ""},
		"the most":         {1, 2, 2, ""},
		"too many":         {1, 2, 3, "Ci sono troppi argomenti: invia <file> [opzioni]"},
		"none are allowed": {0, 0, 1, "Ci sono troppi argomenti: invia <file> [opzioni]"},
		"none are given":   {0, 0, 0, ""},
		"however many":     {1, -1, 100, ""},
	} {
		t.Run(name, func(t *testing.T) {
			err := cli.Args(test.least, test.most)(&cobra.Command{Use: "invia <file>"}, make([]string, test.given))
			if test.says == "" {
				assert.NoError(t, err)
				return
			}
			usage := must.As[*cli.UsageError](t, err)
			assert.Equal(t, test.says, usage.Reason)
		})
	}
}

// tap is a writer that fails after so many writes, each time with another error.
type tap struct {
	bytes.Buffer
	left int
}

func (w *tap) Write(p []byte) (int, error) {
	if w.left--; w.left < 0 {
		return 0, fmt.Errorf("closed %d", -w.left)
	}
	return w.Buffer.Write(p)
}

func TestAnOutputRemembersItsFirstError(t *testing.T) {
	to := &tap{left: 2}
	out := &cli.Output{To: to}
	for range 2 {
		assert.Equal(t, len("riga"), must.Get(fmt.Fprint(out, "riga"))(t))
		require.NoError(t, out.Err())
	}
	for range 2 {
		n, err := fmt.Fprint(out, "persa")
		assert.EqualError(t, err, "closed 1")
		assert.EqualError(t, out.Err(), "closed 1")
		assert.Zero(t, n)
	}
	to.left = 1
	_, err := fmt.Fprint(out, "in ritardo")
	assert.EqualError(t, err, "closed 1", "nothing comes behind what is missing")
	assert.Equal(t, "rigariga", to.String())
}

func TestTheHelpOfAProgramWithoutCommandsHasAllOfItsOptions(t *testing.T) {
	var out bytes.Buffer
	root := &cobra.Command{Use: "prova", Long: "Prova\ni comandi.\n\nUno per uno.", RunE: func(*cobra.Command, []string) error { return nil }}
	root.Flags().Bool("yes", false, "senza chiedere")
	root.SetOut(&out)
	root.SetArgs([]string{"--help"})
	assert.Equal(t, cli.OK, cli.Run(t.Context(), root, &out))
	assert.Equal(t, "Prova i comandi.\n\nUno per uno.\n\nUso:\n  prova [opzioni]\n\nOpzioni:\n  -h, --help   mostra questo aiuto\n  --yes        senza chiedere\n", out.String())
}

func TestALineIsBrokenBetweenWords(t *testing.T) {
	for name, test := range map[string]struct {
		line          string
		width, indent int
		want          string
	}{
		"it fits":                      {"uno due tre", 11, 2, "uno due tre"},
		"one too many":                 {"uno due tre", 10, 2, "uno due\n  tre"},
		"several breaks":               {"uno due tre quattro", 8, 0, "uno due\ntre\nquattro"},
		"what stands in front remains": {"  uno due tre", 9, 4, "  uno due\n    tre"},
		"spaces within a line remain":  {"uno:   due tre", 11, 7, "uno:   due\n       tre"},
		"a word that is too long":      {"uno precipitevolissimevolmente due", 10, 2, "uno\n  precipitevolissimevolmente\n  due"},
		"it begins with one":           {"precipitevolissimevolmente", 10, 2, "precipitevolissimevolmente"},
		"letters count, not bytes":     {"è già più", 9, 0, "è già più"},
		"nothing":                      {"", 10, 2, ""},
		"spaces alone":                 {"    ", 2, 2, ""},
		"no room at all":               {"uno due", 0, 0, "uno\ndue"},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, test.want, cli.Wrap(test.line, test.width, test.indent))
		})
	}
}

func TestAnOutputBreaksWhatATerminalWouldCut(t *testing.T) {
	for name, test := range map[string]struct{ text, want string }{
		"short lines":                   {"uno due\n\ntre\n", "uno due\n\ntre\n"},
		"a long one between others":     {"prima\nquesta riga è troppo lunga\ndopo\n", "prima\nquesta riga è troppo\nlunga\ndopo\n"},
		"an entry of a list":            {"- Riga 12: manca il codice fiscale", "- Riga 12: manca il\n  codice fiscale"},
		"one that is indented":          {"  questa riga è troppo lunga", "  questa riga è\n  troppo lunga"},
		"a table":                       {"╭──────────────────────┬───╮\n│ a b c d e f g h i j  │ k │\n├──────────────────────┼───┤\n╰──────────────────────┴───╯\n", "╭──────────────────────┬───╮\n│ a b c d e f g h i j  │ k │\n├──────────────────────┼───┤\n╰──────────────────────┴───╯\n"},
		"a command":                     {"  massivo send 01953b7e --store a b", "  massivo send 01953b7e --store a b"},
		"a command that fits":           {"Ora: massivo send 1\n", "Ora: massivo send 1\n"},
		"a command behind its text":     {"Per inviare il flusso: massivo send 01953b7e --store a\n", "Per inviare il\nflusso:\n  massivo send 01953b7e --store a\n"},
		"a command that is spoken of":   {"decide l'operatore con «massivo resolve»", "decide l'operatore\ncon «massivo\nresolve»"},
		"a command behind other colons": {"Nota: fatto. Poi: massivo send 01953b7e", "Nota: fatto. Poi:\n  massivo send 01953b7e"},
	} {
		t.Run(name, func(t *testing.T) {
			var to bytes.Buffer
			out := &cli.Output{To: &to, Width: 20, Commands: []string{"massivo "}}
			assert.Equal(t, len(test.text), must.Get(out.Write([]byte(test.text)))(t))
			assert.Equal(t, test.want, to.String())
			to.Reset()
			_, err := (&cli.Output{To: &to}).Write([]byte(test.text))
			require.NoError(t, err)
			assert.Equal(t, test.text, to.String(), "where there is no terminal")
		})
	}
	to := &tap{left: 0}
	out := &cli.Output{To: to, Width: 20}
	n, err := fmt.Fprint(out, "riga")
	assert.EqualError(t, err, "closed 1")
	assert.Zero(t, n)
	assert.EqualError(t, out.Err(), "closed 1")
}

func TestTimesAreThoseOfItaly(t *testing.T) {
	for utc, want := range map[string]string{
		"2026-03-29T00:59:59Z": "2026-03-29T01:59:59+01:00",
		"2026-03-29T01:00:00Z": "2026-03-29T03:00:00+02:00",
		"2026-10-25T00:59:59Z": "2026-10-25T02:59:59+02:00",
		"2026-10-25T01:00:00Z": "2026-10-25T02:00:00+01:00",
	} {
		assert.Equal(t, want, must.Get(time.Parse(time.RFC3339, utc))(t).In(cli.Italy()).Format(time.RFC3339))
	}
}

func TestAnOutputWritesNothingThatControlsATerminal(t *testing.T) {
	for _, width := range []int{0, 200} {
		var to bytes.Buffer
		out := &cli.Output{To: &to, Width: width}
		text := "Il file «\x1b[2J\u202e\u009b\x9b\r\a.xlsx» non esiste.\n\t│ ok │\n"
		assert.Equal(t, len(text), must.Get(out.Write([]byte(text)))(t))
		assert.Equal(t, "Il file «�[2J�����.xlsx» non esiste.\n\t│ ok │\n", to.String())
		to.Reset()
		bar := "\r 10% ▕██░░░░░▏ (1/10) 3 in errore"
		assert.Equal(t, len(bar), must.Get(cli.Drawing(out).Write([]byte(bar)))(t))
		must.Get(fmt.Fprint(cli.Drawing(&to), "\r\x1b[K"))(t)
		assert.Equal(t, bar+"\r�[K", to.String())
	}
	assert.Equal(t, "a�b�.xlsx", cli.Name("a\nb\x1b.xlsx"))
	to := &tap{left: 0}
	out := &cli.Output{To: to}
	for range 2 {
		_, err := fmt.Fprint(cli.Drawing(out), "riga")
		require.EqualError(t, err, "closed 1")
	}
	require.EqualError(t, out.Err(), "closed 1")
}

// What an operator typed, and what a file or the system said about it.
func TestErrorsAreWrittenWithoutWhatControlsATerminal(t *testing.T) {
	const evil = "\x1b]0;titolo\a\u202e\x9b2J"
	for name, err := range map[string]error{
		"a usage error": cli.Wrongf("Il comando «%s» non esiste.", evil),
		"another error": explained{errors.New(evil)},
		"its Italian":   cli.Explained("Il file «"+evil+"» non esiste.", errors.New("x")),
		"an exit":       &cli.Exit{Code: 3, Err: errors.New(evil)},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, said := run(t.Context(), func(context.Context) error { return err }, "send", "lista.xlsx")
			must.NotContain(t, said, "\x1b", "\a", "\u202e", "\x9b")
			assert.Contains(t, said, "�")
		})
	}
	for _, args := range [][]string{{evil}, {"send", "--" + evil}, {"send", "lista.xlsx", "--wait", evil}, {"help", evil}} {
		_, _, said := run(t.Context(), nothing, args...)
		must.NotContain(t, said, "\x1b", "\a", "\u202e", "\x9b")
		assert.NotEmpty(t, said)
	}
}

func TestAPanicIsToldWithoutItsValue(t *testing.T) {
	code, out, said := run(t.Context(), func(context.Context) error { panic(errors.New("RSSMRA85T10A562S")) }, "send", "lista.xlsx")
	assert.Equal(t, cli.Failure, code)
	assert.Empty(t, out)
	must.Contain(t, said, "Il programma si è interrotto per un errore interno", "panic of type *errors.errorString", "cli_test.go")
	assert.NotContains(t, said, "RSSMRA85T10A562S")
}
