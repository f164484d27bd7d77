package flowexcel

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/excel"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/italian"
)

// Service is what [Template.Correct] needs of a [*flow.Service], which is one.
type Service interface {
	// AllNotifications returns all notifications that match the filter.
	AllNotifications(ctx context.Context, by flussi.Actor, filter flow.NotificationFilter) iter.Seq2[flow.Notification, error]
	// NotificationHistory returns what was done to a notification, in order.
	NotificationHistory(ctx context.Context, by flussi.Actor, id uuid.UUID) ([]flow.NotificationRecord, error)
	// EditNotification corrects the data of a notification of this version.
	EditNotification(ctx context.Context, by flussi.Actor, id uuid.UUID, version int64, d flow.Draft) (flow.Notification, error)
	// RegisterNotification sets a notification in Errore back to Registrato.
	RegisterNotification(ctx context.Context, by flussi.Actor, id uuid.UUID) (flow.Notification, error)
}

// CorrectConfig says how corrections are made. Every field may be left out.
type CorrectConfig struct {
	// Flow is the flow whose notifications may be corrected: a row of another is refused.
	// Defaults to any.
	Flow uuid.UUID
	// SkipInvalid makes the corrections that are right if others are not. Defaults to
	// false: all or nothing.
	SkipInvalid bool
	// Unchanged also sets back what is in Errore and was not changed, unless its outcome is
	// unknown or it is disabled. Defaults to false: only rows with other data, or with
	// Registrato in the column Stato.
	Unchanged bool
	// MaxErrors is how many wrong rows are reported one by one; all are counted. Defaults to
	// 1000.
	MaxErrors int
}

const defaultMaxErrors = 1000

// CorrectReport says what became of the rows of a file with corrections.
type CorrectReport struct {
	File       excel.Report       // of the reading; notes of corrections only
	Invalid    int                // rows that are not valid, or whose corrections the service refused
	Errors     []*flussi.RowError // the first of them, in the order of the rows
	Corrected  int                // notifications whose data were changed, and that were set back to Registrato
	SetBack    int                // notifications that were set back with the data that they had
	Unchanged  int                // rows of notifications in Errore that were left alone, since nothing was changed
	NotInError int                // rows with nothing to do: their notifications are not in Errore, and nothing was changed
}

// OK reports whether the file was read to its end and no row was refused.
func (r *CorrectReport) OK() bool { return r.File.Complete && r.Invalid == 0 }

// Italian sums the report up for the operator: what was done, and what is wrong. Of the errors and
// of the notes, no more than most are listed; 0 lists as many as the report has.
func (r *CorrectReport) Italian(most int) string {
	var b strings.Builder
	if r.File.Complete {
		switch all := r.Corrected + r.SetBack; {
		case all == 0:
			b.WriteString("Nessuna notifica è stata riportata a «Registrato».\n")
		case r.Corrected == 0:
			fmt.Fprintf(&b, "Notifiche riportate a «Registrato», da inviare di nuovo: %s.\n", italian.Number(all))
		default:
			fmt.Fprintf(&b, "Notifiche riportate a «Registrato», da inviare di nuovo: %s, di cui %s con i dati modificati.\n",
				italian.Number(all), italian.Number(r.Corrected))
		}
		fmt.Fprintf(&b, "Righe senza correzioni: %s in «Errore», lasciate come sono; %s in altri stati.\n",
			italian.Number(r.Unchanged), italian.Number(r.NotInError))
		if r.Unchanged > 0 {
			b.WriteString("Per inviare di nuovo una notifica senza correggerla, scrivere «Registrato» nella colonna «Stato».\n")
		}
	}
	if r.OK() && len(r.File.Notes)+r.File.MoreNotes == 0 {
		return b.String() // that all rows are right is said already
	}
	return b.String() + "\n" + r.File.Italian(r.refusedRows(), most)
}

func (r *CorrectReport) refusedRows() *excel.RowsError {
	return &excel.RowsError{Rows: r.Errors, Invalid: r.Invalid}
}

// LogValue logs the counts, and nothing of the file's texts.
func (r CorrectReport) LogValue() slog.Value {
	return slog.GroupValue(slog.Int("corrected", r.Corrected), slog.Int("set_back", r.SetBack),
		slog.Int("unchanged", r.Unchanged), slog.Int("not_in_error", r.NotInError), slog.Int("wrong", r.Invalid), slog.Any("file", r.File))
}

// Correct makes the corrections that operators made in an export: every notification
// whose row has other data is changed ([flow.Service.EditNotification]) and set back to
// Registrato ([flow.Service.RegisterNotification]), and so is, without a change, one with
// Registrato in its column Stato. Send the flow again afterwards.
//
// Only what is in Errore now is corrected, and only if it was not changed since the export;
// otherwise the row is refused, as with [flussi.ErrConflict]. What has an unknown outcome is
// refused with [flow.ErrMayHaveArrived]: an operator has to decide about it. Rows that were not
// changed do nothing, so that a file may be given twice: what was corrected by then is passed over.
// White space, invisible characters and fractions of a second are not compared, since spreadsheets
// change them. Exports of earlier versions have no column Occasione; then the occasions are not
// changed.
//
// Notifications in [flow.CodeAlreadySent] are corrected like the others: another occasion makes
// another message. One that is set back without another occasion gets the same error again when
// it is claimed, if the citizen may still have the message.
//
// All rows are checked first. If one is wrong, nothing is changed and the error is a
// [flussi.ErrRows], unless the configuration says otherwise. What only shows when a
// correction is made, such as that another user is faster, is reported at its row, and the
// others are made. [Template.AnnotateCorrections] marks all errors.
//
// Everything else ends the call: an [*excel.FileError] or a [flussi.ErrEmpty] before
// anything is changed; an error of the service, such as of its store or the context's, when
// the report says what was done by then. Calling it again with the same file completes it.
func (t *Template) Correct(ctx context.Context, service Service, by flussi.Actor, r io.ReaderAt, size int64, c CorrectConfig) (CorrectReport, error) {
	if c.MaxErrors <= 0 {
		c.MaxErrors = defaultMaxErrors
	}
	a := &correcting{template: t, service: service, by: by, config: c, seen: map[uuid.UUID]int{}}
	err := a.run(ctx, r, size)
	return a.report, err
}

// AnnotateCorrections writes a copy of the operator's own file with what the report of its
// corrections says marked in it. See [excel.Template.Annotate] for the errors.
func (t *Template) AnnotateCorrections(ctx context.Context, w io.Writer, r io.ReaderAt, size int64, report *CorrectReport) error {
	return t.exports.Annotate(ctx, w, r, size, &report.File, report.refusedRows())
}

// correcting is a Correct under way.
type correcting struct {
	template *Template
	service  Service
	by       flussi.Actor
	config   CorrectConfig
	report   CorrectReport
	seen     map[uuid.UUID]int // the row of each notification
	planned  []correction
}

// lookup is how many notifications are asked for at once.
const lookup = 200

func (a *correcting) run(ctx context.Context, r io.ReaderAt, size int64) error {
	if err := a.read(ctx, r, size); err != nil {
		return err
	}
	if a.report.File.Rows+a.report.File.Invalid == 0 {
		return &flussi.ValueError{Type: "Rows", Err: flussi.ErrEmpty, Reason: "Non ci sono righe nel file."}
	}
	if err := a.refuseDuplicates(ctx); err != nil {
		return err
	}
	a.report.File.Notes, a.report.File.MoreNotes = nil, 0
	for _, c := range a.planned {
		for _, note := range c.notes {
			for _, w := range note.Warnings {
				a.report.File.AddWarning(c.row, excel.NewCellError(note.Header, w))
			}
		}
		if c.edit {
			a.report.File.AddWarning(c.row, c.draft.Check())
		}
	}
	if a.report.Invalid > 0 && (!a.config.SkipInvalid || len(a.planned) == 0) {
		return a.rowsError("nessuna notifica è stata corretta.")
	}
	for _, c := range a.planned {
		if err := a.apply(ctx, c); err != nil {
			return err
		}
	}
	if a.report.Invalid > 0 && !a.config.SkipInvalid {
		return a.rowsError("le altre correzioni sono state applicate.")
	}
	return nil
}

func (a *correcting) rowsError(rest string) error {
	return &flussi.Error{Package: "flowexcel", Operation: "correct notifications", Entity: "flow", ID: a.config.Flow, Err: flussi.ErrRows,
		Reason: fmt.Sprintf("%s su %s: %s", italian.Count(a.report.Invalid, "riga con errori", "righe con errori"),
			italian.Number(a.report.File.Rows+a.report.File.Invalid), rest)}
}

// read decides about all rows of the file.
func (a *correcting) read(ctx context.Context, r io.ReaderAt, size int64) error {
	file := &a.report.File
	var batch []excel.Line[exported]
	rows := 0
	for line, err := range a.template.exports.DecodeAny(ctx, r, size, file) {
		if rows++; rows == 1 && a.incomplete() != nil {
			break
		}
		var refused *flussi.RowError
		switch {
		case errors.As(err, &refused):
			a.add(refused)
			continue
		case err != nil:
			return err
		}
		if batch = append(batch, line); len(batch) == lookup {
			if err := a.decide(ctx, batch); err != nil {
				return err
			}
			batch = batch[:0]
		}
	}
	if err := a.incomplete(); err != nil {
		file.Complete, file.Err = false, err
		return err
	}
	return a.decide(ctx, batch)
}

// incomplete refuses an export without a column that corrections need: what is not there
// must not be taken for empty. Only the column Occasione may be missing, since exports of earlier
// versions do not have it; then the occasions are not changed.
func (a *correcting) incomplete() error {
	var cells []*excel.CellError
	var headers []string
	for _, header := range append(draftHeaders(), stateHeader, errorHeader) {
		if header != occasionHeader && slices.Contains(a.report.File.Missing, header) {
			headers = append(headers, header)
			cells = append(cells, &excel.CellError{Row: a.report.File.HeaderRow, Header: header,
				Err: &flussi.ValueError{Type: "Header", Err: excel.ErrHeader, Reason: missing(header)}})
		}
	}
	if len(cells) == 0 {
		return nil
	}
	return &excel.FileError{Format: a.report.File.Format, Row: a.report.File.HeaderRow, Cells: cells, Err: excel.ErrHeader, Reason: missing(headers...)}
}

// missing says that columns of the export are not there.
func missing(headers ...string) string {
	return italian.Choose(len(headers), "Manca la colonna ", "Mancano le colonne ") + italian.Quoted(headers) +
		" dell'esportazione: esportare di nuovo le notifiche."
}

// decide looks the notifications of some rows up, and plans their corrections.
func (a *correcting) decide(ctx context.Context, lines []excel.Line[exported]) error {
	if len(lines) == 0 {
		return nil
	}
	filter := flow.NotificationFilter{Flow: a.config.Flow}
	for _, line := range lines {
		filter.IDs = append(filter.IDs, line.Value.id)
	}
	found := make(map[uuid.UUID]flow.Notification, len(lines))
	for n, err := range a.service.AllNotifications(ctx, a.by, filter) {
		if err != nil {
			return err
		}
		found[n.ID] = n
	}
	for _, line := range lines {
		row := line.Value
		now, ok := found[row.id]
		first, again := a.seen[row.id]
		switch {
		case again:
			a.refuse(line.Number, excel.NewCheckError(idHeader, fmt.Sprintf("La notifica è già alla riga %d: lasciare una riga sola.", first)))
		case !ok:
			a.refuse(line.Number, excel.NewCellError(idHeader, &flussi.ValueError{Type: "UUID", Err: flussi.ErrNotFound,
				Reason: "Notifica inesistente o di un altro flusso, oppure utente non abilitato al servizio."}))
		default:
			if err := a.judge(ctx, correction{row: line.Number, notes: line.Notes, now: now}, row); err != nil {
				return err
			}
		}
		if !again {
			a.seen[row.id] = line.Number
		}
	}
	return nil
}

// refuse reports the error of a row.
func (a *correcting) refuse(row int, err error) {
	a.add(a.report.File.Locate(&flussi.RowError{Row: row, Err: err}))
}

// add counts a row that is wrong, and lists it if there is room.
func (a *correcting) add(row *flussi.RowError) {
	r := &a.report
	if r.Invalid++; len(r.Errors) < a.config.MaxErrors {
		at, _ := slices.BinarySearchFunc(r.Errors, row.Row+1, func(e *flussi.RowError, row int) int { return e.Row - row })
		r.Errors = slices.Insert(r.Errors, at, row)
	}
}

// refuseDuplicates takes out of the plan what would be the same message for the same
// citizen as another one of the flow, so that it is known before anything is changed.
// For one without a flow, the service finds duplicates.
func (a *correcting) refuseDuplicates(ctx context.Context) error {
	rows := map[uuid.UUID]map[flow.Digest]*correction{} // by flow
	for i := range a.planned {
		c := &a.planned[i]
		digest := c.draft.Digest()
		if c.now.FlowID == uuid.Nil || digest == c.now.Digest() {
			continue
		}
		if rows[c.now.FlowID] == nil {
			rows[c.now.FlowID] = map[flow.Digest]*correction{}
		}
		if first := rows[c.now.FlowID][digest]; first != nil {
			c.refused = duplicate(fmt.Sprintf("lo stesso messaggio per lo stesso cittadino è già alla riga %d.", first.row))
			continue
		}
		rows[c.now.FlowID][digest] = c
	}
	for id, corrections := range rows {
		var digests []flow.Digest
		for digest := range corrections {
			digests = append(digests, digest)
		}
		for some := range slices.Chunk(digests, lookup) {
			for n, err := range a.service.AllNotifications(ctx, a.by, flow.NotificationFilter{Flow: id, Digests: some}) {
				if err != nil {
					return err
				}
				if c := corrections[n.Digest()]; c != nil { // none of them has it yet
					c.refused = duplicate(fmt.Sprintf("lo stesso messaggio per lo stesso cittadino è già nel flusso (notifica %s).", n.ID))
				}
			}
		}
	}
	a.planned = slices.DeleteFunc(a.planned, func(c correction) bool {
		if c.refused != nil {
			a.refuse(c.row, c.refused)
		}
		return c.refused != nil
	})
	return nil
}

func duplicate(reason string) error {
	return &flussi.ValueError{Type: "Row", Err: flussi.ErrDuplicate, Reason: "Doppione: " + reason +
		" Correggere i dati della riga; se il cittadino deve ricevere due messaggi, indicare un'occasione diversa."}
}
