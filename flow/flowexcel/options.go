package flowexcel

import (
	"slices"
	"time"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio"
	"github.com/flussi-go/flussi/excel"
	"github.com/flussi-go/flussi/flow"
)

// OptionGroup is a group of columns for the [flow.Options] of a row. The standard template has
// none.
type OptionGroup string

// The groups, in the order of their columns.
const (
	OptionPlainText OptionGroup = "plain text" // Testo semplice
	OptionDelivery  OptionGroup = "delivery"   // Solo canali sicuri, Livello di servizio
	OptionButtons   OptionGroup = "buttons"    // Pulsante 1, Pulsante 2, with their links and English labels
	OptionRemote    OptionGroup = "remote"     // Contenuto remoto, and what belongs to it
)

// AllOptions returns all groups.
func AllOptions() []OptionGroup {
	return []OptionGroup{OptionPlainText, OptionDelivery, OptionButtons, OptionRemote}
}

// option is a column for an option.
type option[Row any] struct {
	group  OptionGroup
	header string
	column excel.Column[Row]
	keep   func(row, now *flow.Options) bool // if both are equal except for white space, copies now to row; otherwise returns false
	copy   func(to, from *flow.Options)
}

// newOption declares the column of an option.
func newOption[Row, V any](g OptionGroup, header, field string, kind excel.Kind[V], at func(*flow.Options) *V, same func(a, b V) bool, of func(*Row) *entry, c excel.ColumnConfig) option[Row] {
	c.Field = field
	return option[Row]{
		group: g, header: header,
		column: excel.NewColumn(header, kind, func(r *Row) *V { return at(&of(r).Options) }, c),
		keep: func(row, now *flow.Options) bool {
			equal := same(*at(row), *at(now))
			if equal {
				*at(row) = *at(now)
			}
			return equal
		},
		copy: func(to, from *flow.Options) { *at(to) = *at(from) },
	}
}

// options returns the columns for options. Those of an export also read texts that an import would
// refuse, since they are stored already.
func options[Row any](export bool, of func(*Row) *entry) []option[Row] {
	short, long, received := excel.PersonalText(1, flow.MaxKey), excel.PersonalText(1, maxOption), excel.DateTime()
	id := excel.Text(1, flow.MaxKey)
	if export {
		any := excel.AnyText(1, maxText)
		short = excel.WithRule(excel.Convert(any, flussi.NewText, flussi.Text.Reveal), short.Rule())
		long = excel.WithRule(excel.Convert(any, flussi.NewText, flussi.Text.Reveal), long.Rule())
		id = excel.WithRule(any, id.Rule())
	}
	yesNo := excel.Convert(excel.Optional(excel.YesNo()), choiceOf, boolOf)
	secure := excel.Convert(yesNo, secureOf, func(s appio.SecureChannels) flow.Choice {
		return map[appio.SecureChannels]flow.Choice{appio.SecureChannelsRequired: flow.ChoiceYes, appio.SecureChannelsNotRequired: flow.ChoiceNo}[s]
	})
	level := excel.Choice(excel.Option[appio.FeatureLevel]{Label: "STANDARD", Value: appio.FeatureStandard}, excel.Option[appio.FeatureLevel]{Label: "ADVANCED", Value: appio.FeatureAdvanced})
	warning := excel.Choice(excel.Option[appio.Precondition]{Label: "Sempre", Value: appio.PreconditionAlways},
		excel.Option[appio.Precondition]{Label: "La prima volta", Value: appio.PreconditionOnce}, excel.Option[appio.Precondition]{Label: "Mai", Value: appio.PreconditionNever})
	button := func(number, name string, at func(*flow.Options) *flow.Button) []option[Row] {
		return []option[Row]{
			newOption(OptionButtons, "Pulsante "+number, name+".Label", short, func(o *flow.Options) *flussi.Text { return &at(o).Label }, sameText, of,
				excel.ColumnConfig{Width: 18, Example: "Apri la pratica", Help: "Il testo di un pulsante sotto il messaggio."}),
			newOption(OptionButtons, "Collegamento pulsante "+number, name+".Link", long, func(o *flow.Options) *flussi.Text { return &at(o).Link }, sameText, of,
				excel.ColumnConfig{Width: 26, Example: "https://www.comune.example.it/pratiche/123", Help: "Che cosa apre il pulsante: un indirizzo https, oppure tel:, mailto:, sms: o copy:."}),
			newOption(OptionButtons, "Pulsante "+number+" in inglese", name+".EnglishLabel", short, func(o *flow.Options) *flussi.Text { return &at(o).EnglishLabel }, sameText, of,
				excel.ColumnConfig{Width: 18, Example: "Open", Help: "Il testo del pulsante per chi usa l'app in inglese. Se la cella è vuota, vale il testo italiano."}),
		}
	}
	const remote = OptionRemote
	return slices.Concat(
		[]option[Row]{
			newOption(OptionPlainText, "Testo semplice", "PlainText", yesNo, func(o *flow.Options) *flow.Choice { return &o.PlainText }, same[flow.Choice], of,
				excel.ColumnConfig{Width: 12, Help: "Sì, se il contenuto va mostrato com'è scritto, riga per riga. No, se è in Markdown."}),
			newOption(OptionDelivery, "Solo canali sicuri", "SecureChannels", secure, func(o *flow.Options) *appio.SecureChannels { return &o.SecureChannels }, same[appio.SecureChannels], of,
				excel.ColumnConfig{Width: 12, Help: "Se nessuna parte del messaggio deve uscire dall'app, né per e-mail né nella notifica sul telefono. Se la cella è vuota, vale l'impostazione del servizio."}),
			newOption(OptionDelivery, "Livello di servizio", "FeatureLevel", level, func(o *flow.Options) *appio.FeatureLevel { return &o.FeatureLevel }, same[appio.FeatureLevel], of,
				excel.ColumnConfig{Width: 14, Help: "ADVANCED richiede il contratto premium. Se la cella è vuota, vale STANDARD."}),
		},
		button("1", "Button1", func(o *flow.Options) *flow.Button { return &o.Button1 }),
		button("2", "Button2", func(o *flow.Options) *flow.Button { return &o.Button2 }),
		[]option[Row]{
			newOption(remote, "Contenuto remoto", "Remote.ID", id, func(o *flow.Options) *string { return &o.Remote.ID }, sameWords, of,
				excel.ColumnConfig{Width: 18, Example: "DOC-000123", Help: "L'identificativo, scelto dall'ente, di un contenuto che l'app legge dall'ente, senza dati personali."}),
			newOption(remote, "Configurazione contenuto remoto", "Remote.ConfigurationID", id, func(o *flow.Options) *string { return &o.Remote.ConfigurationID }, sameWords, of,
				excel.ColumnConfig{Width: 30, Example: "01HMVM9W74RWH93NT1EYNKKNNR", Help: "L'identificativo della configurazione che App IO ha dato all'ente."}),
			newOption(remote, "Allegati del contenuto remoto", "Remote.Attachments", yesNo, func(o *flow.Options) *flow.Choice { return &o.Remote.Attachments }, same[flow.Choice], of,
				excel.ColumnConfig{Width: 12, Help: "Se il contenuto remoto ha allegati. Richiede il livello di servizio ADVANCED."}),
			newOption(remote, "Testo del contenuto remoto", "Remote.Text", yesNo, func(o *flow.Options) *flow.Choice { return &o.Remote.Text }, same[flow.Choice], of,
				excel.ColumnConfig{Width: 12, Help: "Se il contenuto remoto ha un testo."}),
			newOption(remote, "Avviso del contenuto remoto", "Remote.Precondition", warning, func(o *flow.Options) *appio.Precondition { return &o.Remote.Precondition }, same[appio.Precondition], of,
				excel.ColumnConfig{Width: 14, Help: "Quando l'app mostra un avviso prima di aprire il contenuto remoto."}),
			newOption(remote, "Riassunto del contenuto remoto", "Remote.Summary", long, func(o *flow.Options) *flussi.Text { return &o.Remote.Summary }, sameText, of,
				excel.ColumnConfig{Width: 26, Example: "Verbale di accertamento", Help: "Che cosa contiene, in breve."}),
			newOption(remote, "Mittente del contenuto remoto", "Remote.OriginalSender", short, func(o *flow.Options) *flussi.Text { return &o.Remote.OriginalSender }, sameText, of,
				excel.ColumnConfig{Width: 20, Example: "Comune di Esempio", Help: "Da chi proviene il contenuto remoto."}),
			newOption(remote, "Ricezione del contenuto remoto", "Remote.OriginalReceiptDate", received, func(o *flow.Options) *time.Time { return &o.Remote.OriginalReceiptDate }, sameSecond, of,
				excel.ColumnConfig{Width: 18, Help: "Quando l'ente ha ricevuto il contenuto remoto."}),
		})
}

// maxOption is the maximum length of a link or a summary in a cell, in characters.
const maxOption = 2000

// groupsOf returns the columns of the groups.
func groupsOf[Row any](all []option[Row], groups []OptionGroup) []option[Row] {
	return slices.DeleteFunc(all, func(o option[Row]) bool { return !slices.Contains(groups, o.group) })
}

func optionColumns[Row any](all []option[Row]) []excel.Column[Row] {
	columns := make([]excel.Column[Row], len(all))
	for i, o := range all {
		columns[i] = o.column
	}
	return columns
}

func same[V comparable](a, b V) bool { return a == b }

func sameText(a, b flussi.Text) bool { return sameWords(a.Reveal(), b.Reveal()) }

func sameSecond(a, b time.Time) bool { return a.Equal(b.Truncate(time.Second)) }

func choiceOf(b *bool) flow.Choice {
	switch {
	case b == nil:
		return ""
	case *b:
		return flow.ChoiceYes
	}
	return flow.ChoiceNo
}

func boolOf(c flow.Choice) *bool {
	if c != flow.ChoiceYes && c != flow.ChoiceNo {
		return nil
	}
	yes := c == flow.ChoiceYes
	return &yes
}

func secureOf(c flow.Choice) appio.SecureChannels {
	return map[flow.Choice]appio.SecureChannels{flow.ChoiceYes: appio.SecureChannelsRequired, flow.ChoiceNo: appio.SecureChannelsNotRequired}[c]
}
