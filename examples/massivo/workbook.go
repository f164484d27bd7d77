package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/pflag"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio"
	"github.com/flussi-go/flussi/examples/internal/cli"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/flow/flowexcel"
	"github.com/flussi-go/flussi/mailmerge"
)

// workbook holds the flags that say how the rows of a file become messages.
type workbook struct {
	subject, content string // of a mail merge: the text of the subject, and the name of the file with the content
	columns          bool   // there are columns for options
	plain            bool
	secure           string
	level            string
	configuration    string
	buttons          []string // "Testo=collegamento"
}

// columnFlag adds the flag of commands whose workbook may have columns for options.
func (w *workbook) columnFlag(set *pflag.FlagSet) {
	set.BoolVar(&w.columns, "options", false, "con le colonne delle opzioni: testo semplice, canali sicuri, livello di servizio, pulsanti, contenuto remoto")
}

// textFlags adds the flags of a mail merge.
func (w *workbook) textFlags(set *pflag.FlagSet) {
	set.StringVar(&w.subject, "subject", "", "`oggetto` con campi, come \"Da pagare: {{.Tributo}}\"; insieme a --content-file")
	set.StringVar(&w.content, "content-file", "", "`file` con il contenuto, in Markdown e con campi; insieme a --subject")
}

// optionFlags adds the flags for the options of rows that have none of their own.
func (w *workbook) optionFlags(set *pflag.FlagSet) {
	set.BoolVar(&w.plain, "plain-text", false, "il contenuto è testo semplice, e non Markdown: si vede com'è scritto, riga per riga")
	set.StringVar(&w.secure, "secure-channels", "", "`si o no`: se il messaggio non deve uscire dall'app; se manca, vale l'impostazione del servizio")
	set.StringVar(&w.level, "level", "", "`livello` di servizio, STANDARD o ADVANCED")
	set.StringVar(&w.configuration, "configuration", "", "`ULID` della configurazione dei contenuti remoti")
	set.StringArrayVar(&w.buttons, "button", nil, "pulsante sotto il messaggio, al massimo due, come \"Paga ora=https://www.comune.example.it/paga\": `TESTO=COLLEGAMENTO`")
}

// standing returns the options of the flags.
func (w *workbook) standing() (flow.Options, error) {
	var o flow.Options
	if w.plain {
		o.PlainText = flow.ChoiceYes
	}
	switch strings.ToLower(w.secure) {
	case "":
	case "si", "sì":
		o.SecureChannels = appio.SecureChannelsRequired
	case "no":
		o.SecureChannels = appio.SecureChannelsNotRequired
	default:
		return o, cli.Wrongf("--secure-channels %q: indicare si oppure no.", w.secure)
	}
	o.FeatureLevel = appio.FeatureLevel(strings.ToUpper(w.level))
	o.Remote.ConfigurationID = w.configuration
	if len(w.buttons) > 2 {
		return o, cli.Wrongf("--button: un messaggio può avere al massimo due pulsanti.")
	}
	for i, flag := range w.buttons {
		label, link, ok := strings.Cut(flag, "=")
		if !ok {
			return o, cli.Wrongf("--button %q: indicare il testo e il collegamento, come \"Paga ora=https://www.comune.example.it/paga\".", flag)
		}
		*[]*flow.Button{&o.Button1, &o.Button2}[i] = flow.Button{Label: flussi.NewText(strings.TrimSpace(label)), Link: flussi.NewText(strings.TrimSpace(link))}
	}
	return o, nil
}

// template returns the template of the flags, for rows of a flow with these options.
func (w *workbook) template(ctx context.Context, standing flow.Options) (*flowexcel.Template, error) {
	c := flowexcel.Config{FlowOptions: standing}
	if w.columns {
		c.Options = flowexcel.AllOptions()
	}
	if (w.subject == "") != (w.content == "") {
		return nil, cli.Wrongf("Indicare insieme --subject e --content-file.")
	}
	if w.subject != "" {
		content, err := readText(ctx, w.content)
		if err != nil {
			return nil, err
		}
		if c.Text, err = mailmerge.Parse(w.subject, content, mailmerge.Config{}); err != nil {
			return nil, cli.Wrongf("%s", flussi.Explain(err))
		}
	}
	template, err := flowexcel.New(c)
	var wrong *flussi.ValueError
	if errors.As(err, &wrong) {
		return nil, cli.Wrongf("%s", flussi.Explain(err))
	}
	return template, err
}

// readText reads a file with a text. [mailmerge.Parse] refuses one that is longer than the limit.
func readText(ctx context.Context, name string) (string, error) {
	const limit = 1 << 20
	text, err := readFile(ctx, name, limit)
	return strings.TrimPrefix(string(text), "\ufeff"), err
}

// flags returns the flags of the same workbook, for a command to be repeated.
func (w *workbook) flags() (all []any) {
	if w.subject != "" {
		all = append(all, "--subject", quoted(w.subject), "--content-file", quoted(w.content))
	}
	if w.columns {
		all = append(all, "--options")
	}
	if w.plain {
		all = append(all, "--plain-text")
	}
	for _, f := range []struct{ name, value string }{{"--secure-channels", w.secure}, {"--level", w.level}, {"--configuration", w.configuration}} {
		if f.value != "" {
			all = append(all, f.name, quoted(f.value))
		}
	}
	for _, b := range w.buttons {
		all = append(all, "--button", quoted(b))
	}
	return all
}

// optionFields returns the fields of a detail that show options.
func optionFields(o flow.Options) []field {
	button := func(b flow.Button) string {
		if b == (flow.Button{}) {
			return ""
		}
		return fmt.Sprintf("%s (%s)", b.Label.Reveal(), b.Link.Reveal())
	}
	choice := map[flow.Choice]string{flow.ChoiceYes: "Sì", flow.ChoiceNo: "No"}
	secure := map[appio.SecureChannels]string{appio.SecureChannelsRequired: "Sì", appio.SecureChannelsNotRequired: "No"}
	return []field{
		{"Testo semplice", choice[o.PlainText]}, {"Solo canali sicuri", secure[o.SecureChannels]}, {"Livello di servizio", string(o.FeatureLevel)},
		{"Pulsante 1", button(o.Button1)}, {"Pulsante 2", button(o.Button2)},
		{"Contenuto remoto", o.Remote.ID}, {"Configurazione", o.Remote.ConfigurationID}, {"Allegati", choice[o.Remote.Attachments]},
		{"Testo remoto", choice[o.Remote.Text]}, {"Avviso", string(o.Remote.Precondition)}, {"Riassunto", o.Remote.Summary.Reveal()},
		{"Mittente originale", o.Remote.OriginalSender.Reveal()}, {"Ricezione", moment(o.Remote.OriginalReceiptDate)},
	}
}
