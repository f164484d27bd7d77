package flow

import (
	"context"
	"fmt"
	"iter"
	"slices"
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
	// MaxErrors is how many wrong rows, and how many likely duplicates, are reported one
	// by one; all are counted. Defaults to 1000.
	MaxErrors int
}

const (
	defaultMaxErrors = 1000
	lookup           = 200 // digests a query, so that statements stay small
)

// AddReport says what became of the rows.
type AddReport struct {
	Rows   int         // that were read
	Added  int         // that are in the flow now
	Wrong  int         // that are not valid
	Errors []*RowError // the first of them, in the order of the rows

	// Repeats are the rows, among those that were added, whose message the same citizen
	// has from another flow of the service or by itself already, whatever its state and
	// whether disabled or not. They are not refused: look at them before the flow is activated.
	Repeats []Repeat
	// Repeated is how many Repeats there are; the list has the first of them.
	Repeated int
	// RepeatsErr is why Repeats may be incomplete: the store could not be asked any more
	// once the rows were stored; nil if it could.
	RepeatsErr error
}

// Repeat is a row whose message was probably sent before.
type Repeat struct {
	Row          int               // its number
	Notification uuid.UUID         // the earlier one
	Flow         uuid.UUID         // its flow; the zero UUID if it stands alone
	State        NotificationState // of the earlier one
	CreatedAt    time.Time         // of the earlier one
}

// Italian describes the repeat for the operator.
func (r Repeat) Italian() string {
	return fmt.Sprintf("Riga %d: il cittadino potrebbe avere già questo messaggio (notifica %s del %s, stato «%s»).",
		r.Row, r.Notification, r.CreatedAt.In(italy()).Format("02/01/2006"), r.State.Label())
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
	Other int   // for an [ErrDuplicate]: the number of the row that is the same; 0 if it is in the flow since before
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
// sequence has an error in its place, if its draft is not valid, or if the flow has the
// same message for the same citizen already ([ErrDuplicate]).
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
	if err := f.Fire(ctx, FlowImport, by); err != nil {
		return AddReport{}, failure(op, flowID, err)
	}
	a := newAdding(s, op, f, by, c)
	a.about = flowID
	if f.Counts.Total() > 0 {
		if err := a.remember(ctx); err != nil {
			return AddReport{}, failure(op, flowID, err)
		}
	}
	err = a.save(ctx, f.change(FlowImport, f.State, by.ID, ""), rows)
	return a.report, failure(op, flowID, err)
}

// ImportFlow (Nuovo, Importa da File Excel) is [Service.CreateFlow] and
// [Service.AddNotifications] at once: the flow is there with its notifications, or, with
// every error, it is not there at all. Whoever imports a file by a single command wants
// this: neither a wrong row nor a crash leaves an empty flow behind.
func (s *Service) ImportFlow(ctx context.Context, by flussi.Actor, service string, d Details, rows iter.Seq2[Row, error], c AddConfig) (Flow, AddReport, error) {
	const op = "import flow"
	change, err := s.newFlow(ctx, by, service, d, op)
	if err != nil {
		return Flow{}, AddReport{}, failure(op, uuid.Nil, err)
	}
	a := newAdding(s, op, change.Flow, by, c)
	if err := a.save(ctx, change, rows); err != nil {
		return Flow{}, a.report, failure(op, uuid.Nil, err)
	}
	f := change.Flow
	f.Version++
	f.Counts.Registered = a.report.Added
	return f, a.report, nil
}

func newAdding(s *Service, op string, f Flow, by flussi.Actor, c AddConfig) *adding {
	if c.MaxErrors <= 0 {
		c.MaxErrors = defaultMaxErrors
	}
	return &adding{service: s, operation: op, flow: f, by: by, config: c, seen: map[Digest]int{}}
}

// save stores the change of the flow, and the rows with it, and makes the report.
func (a *adding) save(ctx context.Context, change FlowChange, rows iter.Seq2[Row, error]) error {
	if rows == nil {
		rows = Drafts()
	}
	err := a.service.store.SaveFlow(ctx, change, a.notifications(ctx, rows))
	if a.fault != nil {
		return a.fault // as it is, whatever the store made of it
	}
	if err != nil {
		return err
	}
	a.report.Added = a.report.Rows - a.report.Wrong
	a.report.RepeatsErr = a.repeats(ctx)
	return nil
}

// adding is an Add under way.
type adding struct {
	service   *Service
	operation string
	about     uuid.UUID // the flow, if it is there already
	flow      Flow
	by        flussi.Actor
	config    AddConfig
	report    AddReport
	seen      map[Digest]int // the row of each digest; 0 for what the flow had before
	fault     error          // why nothing is stored
}

// remember notes what the flow has already.
func (a *adding) remember(ctx context.Context) error {
	for n, err := range all(ctx, a.service.store, NotificationFilter{Flow: a.flow.ID}) {
		if err != nil {
			return err
		}
		a.seen[n.Digest()] = 0
	}
	return nil
}

// notifications checks the rows and returns those that are to be stored; if nothing is
// to be stored, the last item is the error that says so.
func (a *adding) notifications(ctx context.Context, rows iter.Seq2[Row, error]) iter.Seq2[NotificationChange, error] {
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
			if wrong := a.check(row, err); wrong != nil {
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
		}
	}
}

func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// check says what is wrong with a row, or nil.
func (a *adding) check(row Row, err error) *RowError {
	if err == nil {
		err = row.Draft.Validate(a.service.limits)
	}
	if err != nil {
		return &RowError{Row: row.Number, Err: err}
	}
	digest := row.Draft.Digest()
	other, same := a.seen[digest]
	if !same {
		a.seen[digest] = row.Number
		return nil
	}
	reason := fmt.Sprintf("lo stesso messaggio per lo stesso cittadino è già alla riga %d.", other)
	if other == 0 {
		reason = "lo stesso messaggio per lo stesso cittadino è già nel flusso."
	}
	return &RowError{Row: row.Number, Other: other, Err: &Error{
		Operation: a.operation, ID: a.about, Err: ErrDuplicate, Reason: "Doppione: " + reason}}
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
	return NotificationChange{Notification: n, Record: NotificationRecord{
		At: n.CreatedAt, By: n.UpdatedBy, Action: NotificationCreate, To: n.State}}
}

// repeats finds the rows whose message there is elsewhere in the service.
func (a *adding) repeats(ctx context.Context) error {
	added := make([]Digest, 0, a.report.Added)
	for digest, row := range a.seen {
		if row > 0 {
			added = append(added, digest)
		}
	}
	slices.SortFunc(added, func(x, y Digest) int { return a.seen[x] - a.seen[y] })
	for digests := range slices.Chunk(added, lookup) {
		var found []Repeat
		for n, err := range all(ctx, a.service.store, NotificationFilter{Services: []string{a.flow.Service}, Digests: digests}) {
			if err != nil {
				return err
			}
			if n.FlowID != a.flow.ID {
				found = append(found, Repeat{a.seen[n.Digest()], n.ID, n.FlowID, n.State, n.CreatedAt})
			}
		}
		slices.SortStableFunc(found, func(x, y Repeat) int { return x.Row - y.Row })
		a.report.Repeated += len(found)
		a.report.Repeats = append(a.report.Repeats, found[:min(len(found), a.config.MaxErrors-len(a.report.Repeats))]...)
	}
	return nil
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
