package flow

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"iter"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/core"
)

// adding is an import under way.
type adding struct {
	service   *Service
	operation string
	about     uuid.UUID // the flow, if it is there already
	flow      Flow
	by        flussi.Actor
	config    AddConfig
	report    AddReport
	rows      core.Import[Row, added, Digest]
	key       hash.Hash // of the digests of the rows
	notices   noticeUses
	at        time.Time // when the notifications are created
}

// added is a row whose notification is to be stored.
type added struct {
	draft  Draft
	digest Digest
}

// newAdding returns an import into a flow; target is the flow's ID, or the zero UUID if it is new.
func newAdding(s *Service, op string, f Flow, target uuid.UUID, by flussi.Actor, c AddConfig) *adding {
	if c.MaxErrors <= 0 {
		c.MaxErrors = core.DefaultMaxErrors
	}
	c.Occasion = NormalizeText(c.Occasion)
	a := &adding{service: s, operation: op, about: target, flow: f, by: by, config: c, key: sha256.New()}
	a.rows = core.Import[Row, added, Digest]{
		SkipInvalid: c.SkipInvalid, MaxErrors: c.MaxErrors, Report: &a.report.ImportReport,
		Nothing: "nessuna notifica è stata importata",
		Number:  func(row *Row) *int { return &row.Number },
		Read:    a.read, Key: func(n *added) Digest { return n.digest }, Duplicate: a.twice,
	}
	for _, part := range []string{f.Service, normalOccasion(c.Occasion), target.String()} {
		fmt.Fprintf(a.key, "%d:%s", len(part), part)
	}
	return a
}

// check refuses an occasion that a draft cannot have.
func (c AddConfig) check() error {
	e := &core.Invalid{}
	e.Text(core.TextRule{Field: "Occasion", Name: "l'occasione", Max: MaxKey}, c.Occasion)
	return e.OrNil()
}

// reason returns the reason of the import's record in the flow's history.
func (a *adding) reason() string {
	if a.config.Occasion == "" {
		return ""
	}
	return "Occasione: " + a.config.Occasion + "."
}

// save stores the change of the flow, and the rows with it, and makes the report.
func (a *adding) save(ctx context.Context, change FlowChange, rows iter.Seq2[Row, error]) (_ ImportResult, err error) {
	if err := a.config.check(); err != nil {
		return ImportResult{}, err
	}
	defer func() {
		if err != nil { // nothing was stored for the duplicates either
			a.report.Disabled, a.report.Duplicates, a.report.DuplicateCount = 0, nil, 0
		}
	}()
	done, before, err := a.service.store.SaveImport(ctx, ImportRequest{
		Flow: change, Rows: a.notifications(ctx, rows), Key: a.importKey, OnDuplicate: a.duplicate,
	})
	switch {
	case a.rows.Fault != nil:
		return ImportResult{}, a.rows.Fault // not as the store wrapped it
	case errors.Is(err, flussi.ErrCommitUnknown) && a.rows.Complete:
		if done, err = a.find(ctx, err); err != nil {
			return ImportResult{}, err
		}
		before = done.Flow != change.Flow.ID || !done.At.Equal(change.Record.At)
	case err != nil:
		return ImportResult{}, err
	}
	if before {
		a.report.ImportedAt = done.At
		a.report.Disabled, a.report.Duplicates, a.report.DuplicateCount = 0, nil, 0
		return done, nil
	}
	a.report.Added = a.report.Rows - a.report.Invalid - (a.report.DuplicateCount - a.report.Disabled)
	a.warnOfEarlierNotices(ctx)
	return done, nil
}

// find looks for an import whose write ended with [flussi.ErrCommitUnknown]. The server may still
// be working on it after the connection is lost, so find tries several times. An import that is not
// found may still be stored later.
func (a *adding) find(ctx context.Context, cause error) (ImportResult, error) {
	ctx, cancel := patient(ctx, findTime)
	defer cancel()
	ctx, cancel = context.WithTimeout(ctx, findTime)
	defer cancel()
	for pause := (backoff{}); ; {
		done, err := a.service.store.ImportResult(ctx, a.importKey())
		if err == nil {
			return done, nil
		}
		if pause.wait(ctx) != nil {
			return ImportResult{}, refuse(cause, "La connessione con l'archivio si è interrotta durante la registrazione delle righe, "+
				"e non si sa se siano state registrate. Ripetere l'importazione: le righe già registrate vengono riconosciute e non sono aggiunte di nuovo.")
		}
	}
}

// findTime is how long find tries.
const findTime = 5 * time.Second

// imported reports whether an earlier call stored the rows, and sets ImportedAt.
func (a *adding) imported(ctx context.Context, rows iter.Seq2[Row, error]) bool {
	for range a.notifications(ctx, rows) {
	}
	if !a.rows.Complete {
		return false
	}
	done, err := a.service.store.ImportResult(ctx, a.importKey())
	if err != nil || done.Flow != a.flow.ID {
		return false
	}
	a.report.ImportedAt = done.At
	return true
}

// addKey adds a row to the key: the digest of its message, and the fields that the digest leaves
// out, so that a file in which only the payee was corrected is another import.
func (a *adding) addKey(digest Digest, d Draft) {
	a.key.Write(digest[:])
	fmt.Fprintf(a.key, "%s %t %d:%s", d.Payee, d.PayableAfterDue, len(d.Reference), d.Reference)
	if d.Options == (Options{}) {
		return // keys that are stored without options have nothing here
	}
	for i, part := range d.Options.rest() {
		if part != "" {
			fmt.Fprintf(a.key, " %d:%d:%s", i, len(part), part)
		}
	}
}

// importKey returns the key of the rows so far.
func (a *adding) importKey() ImportKey {
	return ImportKey(a.key.Sum(nil)[:len(ImportKey{})])
}

// duplicate reports a row whose message the service already has. It returns the change to store,
// and false if the row is not stored.
func (a *adding) duplicate(row NotificationChange, earlier Notification) (NotificationChange, bool) {
	n := &row.Notification
	d := Duplicate{
		Row: a.rows.Row(n.Digest()), NotificationID: n.ID, EarlierID: earlier.ID, EarlierFlowID: earlier.FlowID,
		State: earlier.State, Date: sentOn(earlier),
	}
	stored := earlier.FlowID != a.flow.ID
	if stored {
		n.Disabled = true
		row.Record.Reason = flussi.NewText("Aggiunta disabilitata: lo stesso messaggio per lo stesso cittadino è nella notifica " + described(earlier) + ".")
		a.report.Disabled++
	} else {
		d.NotificationID = uuid.Nil
	}
	a.report.DuplicateCount++
	if len(a.report.Duplicates) < a.config.MaxErrors {
		a.report.Duplicates = append(a.report.Duplicates, d)
	}
	return row, stored
}

// notifications checks the rows and returns those that are to be stored; if nothing is
// to be stored, the last item is the error that says so.
func (a *adding) notifications(ctx context.Context, rows iter.Seq2[Row, error]) iter.Seq2[NotificationChange, error] {
	a.at = now()
	changes := core.Changes(ctx, &a.rows, rows, func(n added) (NotificationChange, error) {
		a.addKey(n.digest, n.draft)
		return a.create(n.draft)
	})
	return func(yield func(NotificationChange, error) bool) {
		defer a.warnOfSharedNotices()
		changes(yield)
	}
}

// read fills in the row's occasion and options, and appends the notification of the row, or says
// what is wrong.
func (a *adding) read(row *Row, to []added) ([]added, error) {
	if NormalizeText(row.Draft.Occasion) == "" {
		row.Draft.Occasion = a.config.Occasion
	}
	row.Draft.Options = row.Draft.Options.Or(a.flow.Options)
	if err := row.Draft.Validate(a.service.limits); err != nil {
		return to, err
	}
	digest := row.Draft.Digest()
	if a.rows.Row(digest) == 0 { // otherwise the row is refused
		a.warn(row.Number, row.Draft.Check())
		a.notices.add(row.Number, row.Draft)
	}
	return append(to, added{row.Draft, digest}), nil
}

// warn reports what looks like a mistake in a row, if anything does. It keeps the warnings of the
// first rows, in their order.
func (a *adding) warn(row int, err error) {
	if err == nil {
		return
	}
	a.report.WarningCount++
	all := a.report.Warnings
	if n := len(all); n == a.config.MaxErrors {
		if row >= all[n-1].Row {
			return
		}
		all = all[:n-1]
	}
	at, _ := slices.BinarySearchFunc(all, row+1, func(w *flussi.RowError, row int) int { return w.Row - row })
	a.report.Warnings = slices.Insert(all, at, &flussi.RowError{Row: row, Err: err})
}

// twice refuses a row whose message for the same citizen another row has.
func (a *adding) twice(_ *added, other int) error {
	return flowFailure(a.operation, a.about, refuse(flussi.ErrDuplicate, "Doppione: lo stesso messaggio per lo stesso cittadino è già alla riga %d. Togliere una delle due righe; se il cittadino deve ricevere due messaggi, indicare un'occasione diversa.", other))
}

// create makes a notification of the flow.
func (a *adding) create(d Draft) (NotificationChange, error) {
	id, err := uuid.NewV7()
	return created(Notification{
		ID: id, FlowID: a.flow.ID, Service: a.flow.Service, State: NotificationMachine().Initial(), Draft: d.normal(),
		CreatedAt: a.at, UpdatedAt: a.at, UpdatedBy: a.by.ID,
	}), err
}

// created is a new notification and its first record.
func created(n Notification) NotificationChange {
	reason := ""
	if n.Occasion != "" {
		reason = "Occasione: " + n.Occasion + "."
	}
	return NotificationChange{Notification: n, Record: NotificationRecord{
		At: n.CreatedAt, By: n.UpdatedBy, Action: NotificationCreate, To: n.State, Reason: flussi.NewText(reason)}}
}
