package flow

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"iter"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
)

// Row is a notification to be added to a flow, and where it comes from.
type Row struct {
	Number int   // as the operator counts, such as the row of a workbook; 0: its place in the sequence
	Draft  Draft // what it is to say
}

// Drafts returns drafts as the rows of a sequence, numbered from 1.
func Drafts(drafts ...Draft) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		for i, d := range drafts {
			if !yield(Row{i + 1, d}, nil) {
				return
			}
		}
	}
}

// AddConfig says how rows are added.
type AddConfig struct {
	// GoodRowsOnly stores the rows that are valid if others are not, which is no error then:
	// the report has them. If none is valid, the error is an [ErrRows] all the same. Defaults
	// to false: all or nothing.
	GoodRowsOnly bool
	// Occasion, such as "sollecito marzo", is the occasion of the rows that have none of their
	// own. The same rows with another occasion are another import, and other messages. See
	// [Draft.Occasion]. Defaults to none.
	Occasion string
	// MaxErrors is how many wrong rows, and how many duplicates, are reported one by one; all
	// are counted. Defaults to 1000.
	MaxErrors int
}

const defaultMaxErrors = 1000

// AddReport says what became of the rows.
type AddReport struct {
	Rows   int         // that were read
	Added  int         // that were stored by this call
	Wrong  int         // that are not valid
	Errors []*RowError // the first of them, in the order of the rows

	// Duplicates are the first rows whose message the service has already: an earlier
	// notification may have brought it to the citizen, or waits to be sent. They are stored
	// Disabled, or not at all if the earlier one is in the same flow. To send one all the same,
	// give it another occasion by [Service.EditNotification], and enable it. If it is enabled
	// without another occasion, it becomes Errore with [ErrorAlreadySent] when it is claimed,
	// unless the earlier one turned out not to have arrived; [Service.ResendNotification] then
	// sends it.
	Duplicates []Duplicate
	Duplicated int // how many there are
	Disabled   int // of Added, those that were stored Disabled as duplicates

	// ImportedAt is when an earlier call stored the same rows with the same occasion; then this
	// call stored nothing. The zero time if no earlier call did.
	ImportedAt time.Time
}

// Duplicate is a row whose message the service has already.
type Duplicate struct {
	Row          int               // its number
	Notification uuid.UUID         // stored for the row, Disabled; the zero UUID if the earlier one is in the same flow
	Earlier      uuid.UUID         // the earlier notification
	Flow         uuid.UUID         // its flow; the zero UUID if it stands alone
	State        NotificationState // of the earlier one
	Date         time.Time         // when the earlier one was sent; if it was not, claimed or created; UTC
}

// Italian describes the duplicate for the operator.
func (d Duplicate) Italian() string { return fmt.Sprintf("Riga %d: %s", d.Row, d.Reason()) }

// Reason returns the text of Italian without the number of the row.
func (d Duplicate) Reason() string {
	what := fmt.Sprintf("lo stesso messaggio per lo stesso cittadino è nella notifica %s del %s, nello stato «%s»", d.Earlier, day(d.Date), d.State.Label())
	if d.Notification == uuid.Nil {
		return what + ", nello stesso flusso. La riga non è stata aggiunta di nuovo."
	}
	return what + fmt.Sprintf(". La riga è stata aggiunta disabilitata (notifica %s).", d.Notification)
}

// italy is the time zone of what operators read.
var italy = sync.OnceValue(func() *time.Location {
	zone, err := time.LoadLocation("Europe/Rome")
	if err != nil {
		panic("flow: no zone data for Europe/Rome, although package flussi links it: " + err.Error())
	}
	return zone
})

// RowError says why a row was refused. It holds no text of the row.
type RowError struct {
	Row   int   // its number
	Other int   // for an [ErrDuplicate]: the number of the row that is the same
	Err   error // such as an [*InvalidError], or what the sequence had in place of the row
}

// Error describes the refusal for programs and logs.
func (e *RowError) Error() string { return fmt.Sprintf("row %d: %v", e.Row, e.Err) }

// Unwrap returns why.
func (e *RowError) Unwrap() error { return e.Err }

// Italian describes the refusal for the operator.
func (e *RowError) Italian() string { return fmt.Sprintf("Riga %d: %s", e.Row, flussi.Explain(e.Err)) }

// AddNotifications (Importa da File Excel) adds notifications to a flow that is Inattivo.
// Either all rows are added, or, if one of them is not valid, none: then the error is an
// [ErrRows], and the report says what is wrong with which rows. A row is refused if the
// sequence has an error in its place, if its draft is not valid, or if an earlier row is the
// same message for the same citizen ([ErrDuplicate]). A row whose message the service has
// already is one of the report's Duplicates.
//
// It can be called again with the same rows, occasion and flow, after an error, a crash, or by
// mistake: if this flow has the rows already, it does nothing, and the report's ImportedAt says
// when they were stored. A program that makes a new flow each time calls [Service.ImportFlow]
// instead. If it is not known whether the rows were stored, the error is an [ErrUncertain].
//
// The sequence is pulled once, and long ones are fine: a row costs some 50 bytes until
// the call returns. An error in it belongs to its row if that has a Number, and otherwise
// ends the call, with nothing stored whatever the configuration says: that is for a file
// that turns out to be cut off. The sequence must not use the store. If somebody changes
// the flow while rows come in, the error is an [ErrConflict], and nothing is stored. With
// every error that comes after the first row, the report says what was seen until then.
func (s *Service) AddNotifications(ctx context.Context, by flussi.Actor, flowID uuid.UUID, rows iter.Seq2[Row, error], c AddConfig) (AddReport, error) {
	const op = "add notifications"
	f, err := s.flow(ctx, by, flowID)
	if err != nil {
		return AddReport{}, failure(op, flowID, err)
	}
	a := newAdding(s, op, f, flowID, by, c)
	if err := f.Fire(ctx, FlowImport, by); err != nil {
		// An earlier call may have stored the rows before the flow left Inattivo.
		if a.config.check() != nil || !by.Has(flussi.Operator) || !a.imported(ctx, rows) {
			return AddReport{}, failure(op, flowID, err)
		}
		return a.report, nil
	}
	_, err = a.save(ctx, f.change(FlowImport, f.State, by.ID, a.reason()), rows)
	return a.report, failure(op, flowID, err)
}

// ImportFlow (Nuovo, Importa da File Excel) is [Service.CreateFlow] and
// [Service.AddNotifications] at once: the flow is there with its notifications, or, with
// every error but an [ErrUncertain], it is not there at all. Neither a wrong row nor a crash leaves
// an empty flow behind.
//
// It can be called again with the same rows, service and occasion: if a flow has them, that flow is
// returned in its current state, and the report's ImportedAt says when they were stored. A flow
// that was disabled before it was sent does not count.
func (s *Service) ImportFlow(ctx context.Context, by flussi.Actor, service string, d Details, rows iter.Seq2[Row, error], c AddConfig) (Flow, AddReport, error) {
	const op = "import flow"
	change, err := s.newFlow(ctx, by, service, d, op)
	if err != nil {
		return Flow{}, AddReport{}, failure(op, uuid.Nil, err)
	}
	a := newAdding(s, op, change.Flow, uuid.Nil, by, c)
	change.Record.Reason = flussi.NewText(a.reason())
	done, err := a.save(ctx, change, rows)
	if err != nil {
		return Flow{}, a.report, failure(op, uuid.Nil, err)
	}
	if !a.report.ImportedAt.IsZero() {
		f, err := s.store.Flow(ctx, done.Flow)
		return f, a.report, failure(op, done.Flow, err)
	}
	f := change.Flow
	f.Version++
	f.Counts.Registered, f.Counts.Disabled = a.report.Added-a.report.Disabled, a.report.Disabled
	return f, a.report, nil
}

// newAdding returns an import into a flow; target is the flow's ID, or the zero UUID if it is new.
func newAdding(s *Service, op string, f Flow, target uuid.UUID, by flussi.Actor, c AddConfig) *adding {
	if c.MaxErrors <= 0 {
		c.MaxErrors = defaultMaxErrors
	}
	c.Occasion = VisibleText(c.Occasion)
	a := &adding{service: s, operation: op, about: target, flow: f, by: by, config: c, seen: map[Digest]int{}, key: sha256.New()}
	for _, part := range []string{f.Service, normalOccasion(c.Occasion), target.String()} {
		fmt.Fprintf(a.key, "%d:%s", len(part), part)
	}
	return a
}

// check refuses an occasion that a draft cannot have.
func (c AddConfig) check() error {
	return atMost("Occasion", "L'occasione", flussi.NewText(c.Occasion), MaxKey)
}

// reason returns the reason of the import's record in the flow's history.
func (a *adding) reason() string {
	if a.config.Occasion == "" {
		return ""
	}
	return "Occasione: " + a.config.Occasion + "."
}

// save stores the change of the flow, and the rows with it, and makes the report.
func (a *adding) save(ctx context.Context, change FlowChange, rows iter.Seq2[Row, error]) (_ Imported, err error) {
	if err := a.config.check(); err != nil {
		return Imported{}, err
	}
	defer func() {
		if err != nil { // nothing was stored for the duplicates either
			a.report.Disabled, a.report.Duplicates, a.report.Duplicated = 0, nil, 0
		}
	}()
	done, before, err := a.service.store.Import(ctx, Import{
		Flow: change, Rows: a.notifications(ctx, rows), Key: a.importKey, Duplicate: a.duplicate,
	})
	switch {
	case a.fault != nil:
		return Imported{}, a.fault // as it is, whatever the store made of it
	case errors.Is(err, ErrUncertain) && a.whole:
		if done, err = a.find(ctx, err); err != nil {
			return Imported{}, err
		}
		before = done.Flow != change.Flow.ID || !done.At.Equal(change.Record.At)
	case err != nil:
		return Imported{}, err
	}
	if before {
		a.report.ImportedAt = done.At
		a.report.Disabled, a.report.Duplicates, a.report.Duplicated = 0, nil, 0
		return done, nil
	}
	a.report.Added = a.report.Rows - a.report.Wrong - (a.report.Duplicated - a.report.Disabled)
	return done, nil
}

// find looks for an import whose write ended with [ErrUncertain]. The server may still be working
// on it after the connection is lost, so find tries several times. An import that is not found may
// still be stored later.
func (a *adding) find(ctx context.Context, cause error) (Imported, error) {
	ctx, cancel := patient(ctx, findTime)
	defer cancel()
	ctx, cancel = context.WithTimeout(ctx, findTime)
	defer cancel()
	for pause := (backoff{}); ; {
		done, err := a.service.store.Imported(ctx, a.importKey())
		if err == nil {
			return done, nil
		}
		if pause.wait(ctx) != nil {
			return Imported{}, &Error{Operation: a.operation, ID: a.about, Err: cause, Reason: "La connessione con l'archivio si è interrotta durante la registrazione delle righe, " +
				"e non si sa se siano state registrate. Ripetere l'importazione: le righe già registrate vengono riconosciute e non sono aggiunte di nuovo."}
		}
	}
}

// findTime is how long find tries.
const findTime = 5 * time.Second

// imported reports whether an earlier call stored the rows, and sets ImportedAt.
func (a *adding) imported(ctx context.Context, rows iter.Seq2[Row, error]) bool {
	for range a.notifications(ctx, rows) {
	}
	if !a.whole {
		return false
	}
	done, err := a.service.store.Imported(ctx, a.importKey())
	if err != nil || done.Flow != a.flow.ID {
		return false
	}
	a.report.ImportedAt = done.At
	return true
}

// adding is an import under way.
type adding struct {
	service   *Service
	operation string
	about     uuid.UUID // the flow, if it is there already
	flow      Flow
	by        flussi.Actor
	config    AddConfig
	report    AddReport
	seen      map[Digest]int // the row of each digest
	key       hash.Hash      // of the digests of the rows
	whole     bool           // all rows were read, and none prevents the import
	fault     error          // why nothing is stored
}

// addKey adds a row to the key: its message, and the rest of what it says, so that a file in which
// only the payee was corrected is another import.
func (a *adding) addKey(digest Digest, d Draft) {
	a.key.Write(digest[:])
	fmt.Fprintf(a.key, "%s %t %d:%s", d.Payee, d.PayableAfterDue, len(d.Reference), d.Reference)
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
		Row: a.seen[n.Digest()], Notification: n.ID, Earlier: earlier.ID, Flow: earlier.FlowID,
		State: earlier.State, Date: sentOn(earlier),
	}
	stored := earlier.FlowID != a.flow.ID
	if stored {
		n.Disabled = true
		row.Record.Reason = flussi.NewText("Aggiunta disabilitata: lo stesso messaggio per lo stesso cittadino è nella notifica " + described(earlier) + ".")
		a.report.Disabled++
	} else {
		d.Notification = uuid.Nil
	}
	a.report.Duplicated++
	if len(a.report.Duplicates) < a.config.MaxErrors {
		a.report.Duplicates = append(a.report.Duplicates, d)
	}
	return row, stored
}

// notifications checks the rows and returns those that are to be stored; if nothing is
// to be stored, the last item is the error that says so.
func (a *adding) notifications(ctx context.Context, rows iter.Seq2[Row, error]) iter.Seq2[NotificationChange, error] {
	if rows == nil {
		rows = Drafts()
	}
	return func(yield func(NotificationChange, error) bool) {
		refuse := func(err error) {
			a.fault = err
			yield(NotificationChange{}, err)
		}
		at := now()
		for row, err := range rows {
			if ctx.Err() != nil {
				refuse(ctx.Err())
				return
			}
			if err != nil && row.Number == 0 {
				refuse(err)
				return
			}
			a.report.Rows++
			if row.Number == 0 {
				row.Number = a.report.Rows
			}
			digest, wrong := a.check(&row, err)
			if wrong != nil {
				a.report.Wrong++
				if len(a.report.Errors) < a.config.MaxErrors {
					a.report.Errors = append(a.report.Errors, wrong)
				}
				continue
			}
			if a.report.Wrong > 0 && !a.config.GoodRowsOnly {
				continue // it will not be stored, but the other errors are wanted
			}
			change, err := a.create(row.Draft, at)
			if err != nil {
				refuse(err)
				return
			}
			a.addKey(digest, row.Draft)
			if !yield(change, nil) {
				return
			}
		}
		switch {
		case a.report.Rows == 0:
			refuse(&flussi.ValueError{Type: "Rows", Err: flussi.ErrEmpty, Reason: "Non ci sono righe da importare."})
		case a.report.Wrong > 0 && !a.config.GoodRowsOnly, a.report.Wrong == a.report.Rows:
			refuse(&Error{Operation: a.operation, ID: a.about, Err: ErrRows, Reason: fmt.Sprintf(
				"%s su %d: nessuna notifica è stata importata.", counted(a.report.Wrong, "riga non valida", "righe non valide"), a.report.Rows)})
		default:
			a.whole = true
		}
	}
}

func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// check sets the row's occasion, and returns the row's digest, or an error if it is not valid.
func (a *adding) check(row *Row, err error) (Digest, *RowError) {
	if VisibleText(row.Draft.Occasion) == "" {
		row.Draft.Occasion = a.config.Occasion
	}
	if err == nil {
		err = row.Draft.Validate(a.service.limits)
	}
	if err != nil {
		return Digest{}, &RowError{Row: row.Number, Err: err}
	}
	digest := row.Draft.Digest()
	other, same := a.seen[digest]
	if !same {
		a.seen[digest] = row.Number
		return digest, nil
	}
	return digest, &RowError{Row: row.Number, Other: other, Err: &Error{Operation: a.operation, ID: a.about, Err: ErrDuplicate,
		Reason: fmt.Sprintf("Doppione: lo stesso messaggio per lo stesso cittadino è già alla riga %d.", other)}}
}

// create makes a notification of the flow.
func (a *adding) create(d Draft, at time.Time) (NotificationChange, error) {
	id, err := uuid.NewV7()
	return created(Notification{
		ID: id, FlowID: a.flow.ID, Service: a.flow.Service, State: NotificationMachine().Initial(), Draft: d.normal(),
		CreatedAt: at, UpdatedAt: at, UpdatedBy: a.by.ID,
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

// all returns all notifications that match a filter, the oldest first, page by page.
func all(ctx context.Context, store Store, filter NotificationFilter) iter.Seq2[Notification, error] {
	return func(yield func(Notification, error) bool) {
		page := Page{Limit: MaxPage, OldestFirst: true}
		for {
			found, err := store.Notifications(ctx, filter, page)
			if err != nil {
				yield(Notification{}, err)
				return
			}
			for _, n := range found {
				if !yield(n, nil) {
					return
				}
			}
			if len(found) < page.Limit {
				return
			}
			page.After = found[len(found)-1].Cursor()
		}
	}
}
