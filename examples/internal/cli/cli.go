// Package cli makes a command line of cobra speak Italian: its help, its errors, and its
// exit codes.
//
//	os.Exit(cli.Run(ctx, root, os.Stderr)) // root is a *cobra.Command
package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/italian"
	"github.com/flussi-go/flussi/internal/terminal"
)

// The exit codes of every program. Programs have others of their own: see [Exit].
const (
	OK          = 0
	Failure     = 1
	Usage       = 2
	Interrupted = 130 // by Ctrl-C, as shells count
)

// UsageError says what is wrong with a command as it was typed.
type UsageError struct {
	Reason string // in Italian, in whole sentences
}

// Error is the reason.
func (e *UsageError) Error() string { return e.Reason }

// Italian is the reason.
func (e *UsageError) Italian() string { return e.Reason }

// Wrongf returns a [*UsageError].
func Wrongf(format string, args ...any) error {
	return &UsageError{fmt.Sprintf(format, args...)}
}

// Explained returns an error that explains itself to operators by a text in Italian.
func Explained(italian string, err error) error { return &explained{italian, err} }

type explained struct {
	italian string
	err     error
}

func (e *explained) Error() string   { return e.err.Error() }
func (e *explained) Italian() string { return e.italian }
func (e *explained) Unwrap() error   { return e.err }

// Exit is an error with an exit code of its own. What there is to say is Err's; if that is
// nil, everything was said.
type Exit struct {
	Code int
	Err  error
}

// Error is that of Err.
func (e *Exit) Error() string {
	if e.Err == nil {
		return fmt.Sprintf("exit code %d", e.Code)
	}
	return e.Err.Error()
}

// Unwrap returns Err.
func (e *Exit) Unwrap() error { return e.Err }

// Run executes a command, prints its error, and returns the exit code. If the command panics, it
// prints where, but not the value of the panic, which may contain personal data.
func Run(ctx context.Context, root *cobra.Command, errs io.Writer) (code int) {
	errs = cleaning(errs)
	defer func() {
		if value := recover(); value != nil {
			fmt.Fprintf(errs, "Il programma si è interrotto per un errore interno: rivolgersi all'assistenza.\n(dettaglio tecnico: panic of type %T)\n%s", value, debug.Stack())
			code = Failure
		}
	}()
	translate(root)
	called, err := root.ExecuteContextC(ctx)
	var exit *Exit
	var usage *UsageError
	switch {
	case err == nil:
		return OK
	case errors.As(err, &exit):
		if exit.Err != nil {
			tell(errs, exit.Err)
		}
		return exit.Code
	case errors.As(err, &usage):
		fmt.Fprintf(errs, "%s\nPer l'aiuto: %s --help\n", usage.Reason, called.CommandPath())
		return Usage
	case ctx.Err() != nil:
		tell(errs, err)
		return Interrupted
	}
	tell(errs, err)
	return Failure
}

// tell writes what the operator has to know, and then what the assistance wants to know.
func tell(errs io.Writer, err error) {
	const longest = 600
	detail := []rune(strings.ReplaceAll(err.Error(), "\n", "; "))
	if len(detail) > longest {
		detail = append(detail[:longest], '…')
	}
	fmt.Fprintf(errs, "%s\n(dettaglio tecnico: %s)\n", flussi.Explain(err), string(detail))
}

// Name returns the name of a file, or the value of a flag, as it may be printed within a sentence.
func Name(name string) string { return terminal.Line(name) }

// Text returns a text of several lines as an [Output] writes it, such as the cell of a table.
func Text(text string) string { return terminal.Text(text) }

// Output is where a program writes. It is safe for concurrent use. It replaces what must not reach
// a terminal, as package terminal defines. It remembers the first error, so that a program does not
// report success when its results were not written.
type Output struct {
	To       io.Writer
	Width    int      // of the terminal, in characters: longer lines are broken between words; 0: none are
	Commands []string // with which commands begin that people copy: they are not broken
	mu       sync.Mutex
	err      error
}

// Write writes to To, until that fails. Each call gives whole lines, or the lines are not
// broken where they should be.
func (o *Output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err != nil {
		return 0, o.err
	}
	text := terminal.Text(string(p))
	if o.Width > 0 {
		text = wrapped(text, o.Width, o.Commands)
	}
	return o.write(text, len(p))
}

// write writes a text. If it succeeds, it returns size, the number of bytes that the caller passed.
func (o *Output) write(text string, size int) (int, error) {
	if _, o.err = o.To.Write([]byte(text)); o.err != nil {
		return 0, o.err
	}
	return size, nil
}

// Drawing returns a writer for a program that redraws a line, such as a progress bar: carriage
// returns remain.
func Drawing(to io.Writer) io.Writer {
	if o, is := to.(*Output); is {
		return drawing{o}
	}
	return drawing{&Output{To: to}}
}

type drawing struct{ *Output }

// Write writes as the Output does, but lets carriage returns remain.
func (d drawing) Write(p []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.err != nil {
		return 0, d.err
	}
	return d.write(terminal.Drawing(string(p)), len(p))
}

// cleaning returns a writer as an Output.
func cleaning(to io.Writer) *Output {
	if o, is := to.(*Output); is {
		return o
	}
	return &Output{To: to}
}

// Err returns the first error.
func (o *Output) Err() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.err
}

// Italy returns the time zone in which operators read times.
func Italy() *time.Location {
	zone, err := time.LoadLocation("Europe/Rome") // package flussi links the zone data
	if err != nil {
		return time.UTC
	}
	return zone
}

// translate makes a command and those below it speak Italian.
func translate(root *cobra.Command) {
	root.SilenceErrors, root.SilenceUsage = true, true
	root.CompletionOptions.DisableDefaultCmd = true
	root.SuggestionsMinimumDistance = 2
	root.SetHelpFunc(func(c *cobra.Command, _ []string) { help(c, c.OutOrStdout()) })
	root.SetUsageFunc(func(c *cobra.Command) error { help(c, c.OutOrStdout()); return nil })
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return flagError(err) })
	root.SetHelpCommand(&cobra.Command{
		Use: "help [comando]", Short: "Mostra l'aiuto di un comando", Args: cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, args []string) error {
			wanted, rest, err := root.Find(args)
			if err != nil || len(rest) > 0 {
				return unknown(root, args[len(args)-max(len(rest), 1)])
			}
			return wanted.Help()
		},
	})
	if root.HasSubCommands() && root.Args == nil {
		root.Args = func(c *cobra.Command, args []string) error {
			if len(args) > 0 {
				return unknown(c, args[0])
			}
			return nil
		}
		if root.RunE == nil {
			root.RunE = func(c *cobra.Command, _ []string) error { return c.Help() }
		}
	}
	each(root, func(c *cobra.Command) {
		c.InitDefaultHelpFlag()
		if flag := c.Flags().Lookup("help"); flag != nil {
			flag.Usage = "mostra questo aiuto"
		}
	})
}

func each(c *cobra.Command, do func(*cobra.Command)) {
	do(c)
	for _, below := range c.Commands() {
		each(below, do)
	}
}

func unknown(root *cobra.Command, name string) error {
	hint := ""
	if near := root.SuggestionsFor(name); len(near) > 0 {
		hint = " Forse si intendeva " + italian.QuotedOr(near) + "."
	}
	return Wrongf("Il comando «%s» non esiste.%s", Name(name), hint)
}

// flagError says in Italian what is wrong with a flag. It does not show its value, which
// may be personal.
func flagError(err error) error {
	var (
		missing *pflag.NotExistError
		empty   *pflag.ValueRequiredError
		invalid *pflag.InvalidValueError
	)
	switch {
	case errors.As(err, &missing):
		if shorts := missing.GetSpecifiedShortnames(); shorts != "" {
			return Wrongf("L'opzione -%s non esiste.", Name(missing.GetSpecifiedName()))
		}
		return Wrongf("L'opzione --%s non esiste.", Name(missing.GetSpecifiedName()))
	case errors.As(err, &empty):
		return Wrongf("Manca il valore dell'opzione --%s.", empty.GetFlag().Name)
	case errors.As(err, &invalid):
		var usage *UsageError
		if errors.As(err, &usage) {
			return Wrongf("Opzione --%s: %s", invalid.GetFlag().Name, usage.Reason)
		}
		return Wrongf("Il valore dell'opzione --%s non è valido: %s.", invalid.GetFlag().Name, expected(invalid.GetFlag()))
	}
	return Wrongf("Le opzioni non sono valide: vedere l'aiuto con --help.")
}

// expected says what a flag takes.
func expected(f *pflag.Flag) string {
	switch f.Value.Type() {
	case "int", "uint64":
		return "serve un numero intero"
	case "float64":
		return "serve un numero, con il punto per i decimali"
	case "duration":
		return "serve una durata, come 30s o 5m"
	case "bool":
		return "serve true o false"
	}
	return "verificare come va scritto"
}

// Args returns a check of the number of arguments. The names are those of the Use line.
func Args(least, most int) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		switch {
		case len(args) < least:
			return Wrongf("Mancano argomenti: %s", useLine(c))
		case most >= 0 && len(args) > most:
			return Wrongf("Ci sono troppi argomenti: %s", useLine(c))
		}
		return nil
	}
}

// helpWidth is how long the lines of a help are at most, in characters.
const helpWidth = 80

// help writes what a command is for and how it is called. The flags that all commands have
// are explained in the help of the program alone.
func help(c *cobra.Command, out io.Writer) {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\nUso:\n", prose(cmp.Or(c.Long, c.Short)))
	if c.HasParent() || !c.HasAvailableSubCommands() {
		fmt.Fprintf(&b, "  %s\n", useLine(c))
	}
	if c.HasAvailableSubCommands() {
		fmt.Fprintf(&b, "  %s <comando> [opzioni]\n", c.CommandPath())
	}
	if c.Example != "" {
		fmt.Fprintf(&b, "\nEsempi:\n%s\n", strings.TrimRight(c.Example, "\n"))
	}
	if c.HasAvailableSubCommands() {
		var below [][2]string
		for _, c := range c.Commands() {
			if c.IsAvailableCommand() {
				below = append(below, [2]string{c.Name(), c.Short})
			}
		}
		list(&b, "Comandi", below)
	}
	switch {
	case c.HasParent():
		list(&b, "Opzioni", flags(c.NonInheritedFlags(), "help"))
		if c.HasAvailableInheritedFlags() {
			var names []string
			c.InheritedFlags().VisitAll(func(f *pflag.Flag) {
				if !f.Hidden {
					names = append(names, "--"+f.Name)
				}
			})
			fmt.Fprintf(&b, "\nOpzioni di tutti i comandi, spiegate da «%s help»:\n%s\n", c.Root().Name(), Wrap("  "+strings.Join(names, ", "), helpWidth, 2))
		}
	case c.HasAvailableSubCommands():
		list(&b, "Opzioni di tutti i comandi", flags(c.LocalFlags(), ""))
	default:
		list(&b, "Opzioni", flags(c.LocalFlags(), ""))
	}
	if c.HasAvailableSubCommands() {
		fmt.Fprintf(&b, "\nPer l'aiuto di un comando: %s help%s <comando>\n", c.Root().Name(), strings.TrimPrefix(c.CommandPath(), c.Root().Name()))
	}
	_, _ = io.WriteString(out, b.String())
}

func useLine(c *cobra.Command) string {
	return strings.TrimSuffix(c.UseLine(), " [flags]") + " [opzioni]"
}

// prose fits paragraphs to the lines of a help.
func prose(s string) string {
	paragraphs := strings.Split(strings.TrimSpace(s), "\n\n")
	for i, p := range paragraphs {
		paragraphs[i] = Wrap(strings.Join(strings.Fields(p), " "), helpWidth, 0)
	}
	return strings.Join(paragraphs, "\n\n")
}

// list writes names and what they mean, side by side.
func list(b *strings.Builder, title string, entries [][2]string) {
	if len(entries) == 0 {
		return
	}
	fmt.Fprintf(b, "\n%s:\n", title)
	longest := 0
	for _, e := range entries {
		longest = max(longest, utf8.RuneCountInString(e[0]))
	}
	for _, e := range entries {
		fmt.Fprintln(b, Wrap(fmt.Sprintf("  %-*s   %s", longest, e[0], e[1]), helpWidth, longest+5))
	}
}

// flags returns how flags are written, and what they mean, but for one.
func flags(set *pflag.FlagSet, without string) [][2]string {
	var all [][2]string
	set.VisitAll(func(f *pflag.Flag) {
		if f.Hidden || f.Name == without {
			return
		}
		value, usage := pflag.UnquoteUsage(f)
		name := "--" + f.Name
		if f.Shorthand != "" {
			name = "-" + f.Shorthand + ", " + name
		}
		if f.Value.Type() == "bool" {
			value = ""
		}
		switch f.DefValue {
		case "", "false", "0", "0s", "[]":
		default:
			usage += fmt.Sprintf(" (se manca: %s)", f.DefValue)
		}
		all = append(all, [2]string{strings.TrimSpace(name + " " + value), usage})
	})
	return all
}
