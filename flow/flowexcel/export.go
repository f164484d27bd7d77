package flowexcel

import (
	"cmp"
	"context"
	"io"
	"iter"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/excel"
	"github.com/flussi-go/flussi/flow"
)

// The headers of an export behind those of the draft, in the guide's words.
const (
	idHeader       = "UUID"
	stateHeader    = "Stato"
	errorHeader    = "Errore"
	answerHeader   = "Risposta della piattaforma"
	messageHeader  = "ID Consegna App.IO"
	attemptsHeader = "Tentativi Invio"
	sentHeader     = "Data invio"
	statusHeader   = "Stato Consegna"
	emailHeader    = "Stato Mail"
	pushHeader     = "Stato Push"
	userHeader     = "Utente mod."
	changedHeader  = "Data mod."
	disabledHeader = "Dis."
	versionHeader  = "Versione"
)

const exportIntro = "Le notifiche e il loro stato al momento dell'esportazione. In questo file si possono correggere le notifiche in «Errore», per inviarle di nuovo."

// exportHints are the rules of an export's guide.
func exportHints() []string {
	return []string{
		"Le colonne con l'intestazione blu si possono correggere, quelle con l'intestazione grigia si leggono soltanto. Le intestazioni non vanno cambiate.",
		"Si correggono i dati delle sole notifiche il cui «Stato» è «Errore»: la colonna «Errore» ne spiega il motivo. Sulle notifiche con «Esito sconosciuto» decide prima l'operatore, perché il cittadino potrebbe avere già il messaggio.",
		"Le notifiche con «Già inviata» sono uguali a un messaggio che il cittadino ha, o potrebbe avere: se è un nuovo invio, scrivere nella colonna «Occasione» un'occasione diversa, ad esempio «sollecito marzo».",
		"Per inviare di nuovo una notifica in «Errore» senza cambiarne i dati, scrivere «Registrato» nella colonna «Stato».",
		"Poi si salva il file e lo si carica come correzione del flusso, non con «Importa da File Excel», che lo rifiuta. Le notifiche corrette tornano nello stato «Registrato», e si invia di nuovo il flusso.",
		"Tutte le altre righe restano come sono, e si possono ordinare, filtrare o eliminare. Lo stesso file si può caricare due volte: niente viene cambiato o inviato due volte.",
		"I codici restano testo: non cambiare il formato delle celle, altrimenti il foglio di calcolo perde cifre e zeri iniziali. Per incollare da altri file usare «Incolla speciale» e «Valori».",
		"Gli importi si scrivono con la virgola prima dei centesimi, ad esempio 1.234,56; le date nella forma gg/mm/aaaa.",
	}
}

// exportTones are the colours of an export's rows.
func exportTones() []excel.Tone[exported] {
	return []excel.Tone[exported]{
		{Color: excel.Grey, Text: "notifiche disabilitate, che non si inviano", Has: func(e *exported) bool { return e.disabled }},
		{Color: excel.Yellow, Text: "notifiche con «" + flow.CodeOutcomeUnknown.Label() + "», sulle quali decide prima l'operatore",
			Has: func(e *exported) bool { return e.unknown }},
		{Color: excel.Red, Text: "notifiche in «" + flow.NotificationFailed.Label() + "», da correggere o da inviare di nuovo",
			Has: func(e *exported) bool { return e.failed }},
	}
}

// exported is a row of an export.
type exported struct {
	entry
	failed    bool // it is in Errore
	unknown   bool // and its outcome is unknown
	id        uuid.UUID
	state     string
	failure   string // Errore
	answer    string // Risposta della piattaforma
	messageID string
	attempts  int64
	sentAt    time.Time
	status    string
	email     string
	push      string
	user      string
	changedAt time.Time
	disabled  bool
	version   int64
}

// Export (Esporta Excel) writes notifications as a workbook, as they stream past: the
// columns of the import, then what became of them. Personal columns of what was
// anonymised are empty. Operators correct what is in Errore in it: see
// [Template.Correct]. For the errors see [excel.Template.Encode]; the first that the
// sequence gives is returned as it is.
func (t *Template) Export(ctx context.Context, w io.Writer, notifications iter.Seq2[flow.Notification, error]) error {
	return t.exports.Encode(ctx, w, excel.Map(notifications, exportedOf))
}

func exportedOf(n flow.Notification) exported {
	failure := n.Transmission.ErrorCode.Label()
	if text := cmp.Or(n.Transmission.Error, n.Transmission.ErrorCode.Italian()); strings.HasPrefix(text, failure) {
		failure = text
	} else {
		failure = strings.TrimPrefix(failure+". "+text, ". ")
	}
	return exported{
		entry: entryOf(n.Draft), failed: n.State == flow.NotificationFailed,
		unknown: n.State == flow.NotificationFailed && n.Transmission.ErrorCode == flow.CodeOutcomeUnknown, id: n.ID, state: n.State.Label(), failure: failure, answer: n.Transmission.Answer.Reveal(),
		messageID: string(n.Transmission.MessageID), attempts: int64(n.Transmission.Attempts), sentAt: n.Transmission.SentAt,
		status: string(n.Delivery.Status), email: string(n.Delivery.Email), push: string(n.Delivery.Push),
		user: n.UpdatedBy, changedAt: n.UpdatedAt, disabled: n.Disabled, version: n.Version,
	}
}

// maxText is what a cell holds.
const maxText = 32_767

// exportColumns returns the columns of an export. What is wrong in a cell for an import
// may have been stored all the same, under other limits, so everything can be read.
func exportColumns(k kinds, c Config, zone *time.Location) []excel.Column[exported] {
	text := excel.AnyText(1, maxText)
	long := excel.Convert(text, flussi.NewText, flussi.Text.Reveal)
	lenient := importKinds(c.Limits, flussi.Lenient)
	columns := draftColumns(kinds{
		recipient: lenient.recipient, notice: lenient.notice, payee: lenient.payee, due: newDueKind(zone),
		subject: excel.WithRule(long, k.subject.Rule()), content: excel.WithRule(long, k.content.Rule()), reference: excel.WithRule(text, k.reference.Rule()),
		occasion: excel.WithRule(text, k.occasion.Rule()),
	}, c.Limits, false, c.contentHelp(), func(e *exported) *entry { return &e.entry })
	columns = append(columns, optionColumns(groupsOf(exportedOptions(), c.Options))...)

	states := excel.Rule{Text: "«Registrato», per inviare di nuovo una notifica in «Errore»", Width: 15,
		Choices: []string{flow.NotificationRegistered.Label(), flow.NotificationFailed.Label()}, Example: flow.NotificationFailed.Label()}
	narrow, status, number, moment := excel.Rule{Width: 13}, excel.Rule{Width: 12}, excel.Rule{Layout: excel.IntegerLayout, Width: 11}, excel.Rule{Layout: excel.DateTimeLayout, Width: 18}
	return append(columns,
		excel.NewColumn(idHeader, idKind(), func(e *exported) *uuid.UUID { return &e.id },
			excel.ColumnConfig{Required: true, ReadOnly: true, Help: "Identifica la notifica."}),
		excel.NewColumn(stateHeader, excel.WithRule(text, states), func(e *exported) *string { return &e.state }, excel.ColumnConfig{}),
		excel.NewColumn(errorHeader, excel.WithRule(text, excel.Rule{Layout: excel.LongTextLayout, Width: 22}), func(e *exported) *string { return &e.failure },
			excel.ColumnConfig{ReadOnly: true, Help: "Il motivo per cui la notifica è in «Errore»."}),
		shown(answerHeader, text, excel.Rule{Layout: excel.LongTextLayout, Width: 14}, func(e *exported) *string { return &e.answer },
			"Che cosa ha risposto App IO quando ha rifiutato il messaggio, con le sue parole."),
		shown(messageHeader, text, excel.Rule{Width: 16}, func(e *exported) *string { return &e.messageID }, "L'identificativo che App IO ha dato al messaggio."),
		shown(attemptsHeader, excel.Integer(0, 1<<31), number, func(e *exported) *int64 { return &e.attempts }, "Quante volte si è tentato di inviare la notifica."),
		shown(sentHeader, excel.DateTime(), moment, func(e *exported) *time.Time { return &e.sentAt }, "Quando App IO ha preso in carico la notifica; se l'esito è sconosciuto, quando si è tentato di inviarla."),
		shown(statusHeader, text, status, func(e *exported) *string { return &e.status },
			"Lo stato che App IO ha comunicato con «Verifica Stato»: ACCEPTED, presa in carico; THROTTLED, in ritardo per un guasto temporaneo; PROCESSED, consegnata; "+
				"FAILED, non consegnata per un errore definitivo; REJECTED, il cittadino non è su App IO o ha disattivato i messaggi del servizio."),
		shown(emailHeader, text, status, func(e *exported) *string { return &e.email }, "Lo stato dell'avviso via e-mail: SENT, inviato; THROTTLED, in ritardo; EXPIRED, scaduto; FAILED, non inviato. App IO può non comunicarlo."),
		shown(pushHeader, text, status, func(e *exported) *string { return &e.push }, "Lo stato dell'avviso sul telefono, con gli stessi valori. App IO può non comunicarlo."),
		shown(userHeader, text, narrow, func(e *exported) *string { return &e.user }, "Chi ha modificato la notifica per ultimo."),
		shown(changedHeader, excel.DateTime(), moment, func(e *exported) *time.Time { return &e.changedAt }, "Quando la notifica è stata modificata."),
		shown(disabledHeader, excel.YesNo(), excel.Rule{Width: 10}, func(e *exported) *bool { return &e.disabled }, "Se la notifica è disabilitata; in questo caso non si invia."),
		excel.NewColumn(versionHeader, excel.WithRule(excel.Integer(1, maxVersion), number), func(e *exported) *int64 { return &e.version },
			excel.ColumnConfig{Required: true, ReadOnly: true, Help: "Serve a riconoscere le notifiche modificate da altri dopo l'esportazione."}),
	)
}

// exportedOptions returns the columns for options of an export.
func exportedOptions() []option[exported] {
	return options(true, func(e *exported) *entry { return &e.entry })
}

// shown is a column that operators only look at.
func shown[V, Row any](header string, kind excel.Kind[V], rule excel.Rule, field func(*Row) *V, help string) excel.Column[Row] {
	return excel.NewColumn(header, excel.Kind[V](written[V]{excel.WithRule(kind, rule)}), field, excel.ColumnConfig{ReadOnly: true, Help: help})
}

// maxVersion is more than anybody changes a notification.
const maxVersion = 999_999_999

// idKind is the kind of the column UUID.
func idKind() excel.Kind[uuid.UUID] {
	return excel.FromText(excel.Rule{Text: "l'UUID della notifica", Example: "01953b7e-5c4a-7d1e-9f60-8a2b3c4d5e6f", Width: 14},
		func(s string) (flussi.Reading[uuid.UUID], error) {
			code, _ := flussi.NormalizeCode(s)
			id, err := uuid.Parse(code)
			if err != nil {
				return flussi.Reading[uuid.UUID]{}, &flussi.ValueError{Type: "UUID", Err: flussi.ErrCharacter, Reason: "Non è l'UUID di una notifica: copiarlo dall'esportazione."}
			}
			return flussi.Reading[uuid.UUID]{Value: id}, nil
		}, uuid.UUID.String)
}

// written is a kind that is only written: what is in the cell is not read.
type written[V any] struct{ excel.Kind[V] }

// Read reads nothing.
func (written[V]) Read(excel.Cell) (flussi.Reading[V], error) { return flussi.Reading[V]{}, nil }
