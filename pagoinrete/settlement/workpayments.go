package settlement

import (
	"context"
	"errors"
	"iter"
	"maps"
	"slices"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/core"
	"github.com/flussi-go/flussi/pagoinrete/paymentfile"
)

// paymentWork has the payments of a write. They are read and classified in groups; of a group, only
// the payments that change stay in memory until they are stored.
type paymentWork struct {
	payments       map[uuid.UUID]*Payment // of the group, as they are to be
	storedPayments map[uuid.UUID]Payment  // of the group, as they were read
	rowOf          map[uuid.UUID]int      // of the group: the index in rows of a payment of the file

	rows       *fileRows                      // the file that is applied; nil if none is
	classified map[paymentfile.Reference]bool // references that were classified early, with another group
	changed    []changedPayment               // of all groups
	added      []addedPayment                 // of all groups
}

// changedPayment is a payment that was stored before, and the state that it had.
type changedPayment struct {
	from PaymentState
	next Payment
}

// addedPayment is a new payment: its row in the file, and the fields that the row does not have.
type addedPayment struct {
	row      int // in rows
	expected flussi.Cents
	owner    Owner
	state    PaymentState
}

func newPaymentWork() paymentWork {
	w := paymentWork{classified: map[paymentfile.Reference]bool{}}
	w.nextGroup()
	return w
}

// MaxPaymentsPerReference is the maximum number of payments that are classified together, since these
// are in memory at the same time. The limit is for the payments of one reference in all settlements
// of a body, and for the rows of one file without a reference. References that operators matched
// with each other count together. Beyond the limit, the error is an [ErrTooManyPayments], and nothing
// is stored.
const MaxPaymentsPerReference = 100_000

// checkGroup returns an [ErrTooManyPayments] for a group that is too large.
func (w *work) checkGroup() error {
	if len(w.payments) > w.limit {
		return ErrTooManyPayments
	}
	return nil
}

func (w *paymentWork) nextGroup() {
	w.payments, w.storedPayments, w.rowOf = map[uuid.UUID]*Payment{}, map[uuid.UUID]Payment{}, map[uuid.UUID]int{}
}

// readPayments reads payments that are not known yet.
func (w *work) readPayments(ctx context.Context, filter PaymentFilter) error {
	for p, err := range w.listPayments(ctx, filter) {
		if err != nil {
			return err
		}
		if _, known := w.payments[p.ID]; !known {
			w.payments[p.ID], w.storedPayments[p.ID] = &p, p
		}
		if err := w.checkGroup(); err != nil {
			return err
		}
	}
	return nil
}

// listPayments returns all payments of the body that match a filter.
func (w *work) listPayments(ctx context.Context, filter PaymentFilter) iter.Seq2[Payment, error] {
	filter.Bodies = []flussi.OrganizationCode{w.body}
	return core.Each(core.Pages(ctx, flussi.MaxPage, func(ctx context.Context, page Page) ([]Payment, error) {
		return w.store.Payments(ctx, filter, page)
	}))
}

// classifyRows classifies the payments of the file that is applied, and those that a stored file of
// the settlement had and this one has not.
func (w *work) classifyRows(ctx context.Context, stored bool) error {
	lost := map[paymentfile.Reference]bool{}
	none := map[uuid.UUID]Payment{} // stored ones without a reference
	if stored {
		for p, err := range w.listPayments(ctx, PaymentFilter{Settlement: w.rows.of.Settlement}) {
			switch {
			case err != nil:
				return err
			case p.Reference.IsZero() && len(none) == w.limit:
				return errTooManyRows
			case p.Reference.IsZero():
				none[p.ID] = p
			case !w.rows.has(p.Reference):
				lost[p.Reference] = true
			}
		}
	}
	if err := w.classifyNone(ctx, none); err != nil {
		return err
	}
	if err := w.classify(ctx, maps.Keys(lost)); err != nil {
		return err
	}
	return w.classify(ctx, w.rows.references())
}

// classifyNone classifies the payments of the file that have no reference. No other payment depends
// on them.
func (w *work) classifyNone(ctx context.Context, stored map[uuid.UUID]Payment) error {
	for id, p := range stored {
		w.payments[id], w.storedPayments[id] = &p, p
	}
	if err := w.enterRows(paymentfile.Reference{}); err != nil {
		return err
	}
	targets := map[paymentfile.Reference]bool{}
	for _, p := range w.payments {
		targets[p.Target] = true
	}
	delete(targets, paymentfile.Reference{})
	expected := map[paymentfile.Reference]Expectation{}
	for some := range slices.Chunk(slices.Collect(maps.Keys(targets)), maxReferences) {
		due, err := w.due.Expected(ctx, w.body, some)
		if err != nil {
			return err
		}
		maps.Copy(expected, due)
	}
	return w.closeGroup(ctx, slices.Collect(maps.Values(w.payments)), expected)
}

// classify sets the states of all payments that depend on some references.
func (w *work) classify(ctx context.Context, references iter.Seq[paymentfile.Reference]) error {
	var some []paymentfile.Reference
	for r := range references {
		if r.IsZero() || w.classified[r] {
			continue
		}
		if some = append(some, r); len(some) == maxReferences {
			if err := w.classifySome(ctx, some); err != nil {
				return err
			}
			some = some[:0]
		}
	}
	if len(some) == 0 { // a payment without any reference may be what an operator decided about
		return w.closeGroup(ctx, slices.Collect(maps.Values(w.payments)), nil)
	}
	return w.classifySome(ctx, some)
}

// classifySome classifies the payments of references as one group, or as several if there are too
// many payments for one.
func (w *work) classifySome(ctx context.Context, references []paymentfile.Reference) error {
	begun := len(w.payments) > 0 // it has a payment that an operator decided about, so it cannot be split
	err := w.classifyGroup(ctx, references)
	if begun || len(references) == 1 || !errors.Is(err, ErrTooManyPayments) {
		return err
	}
	w.nextGroup()
	half := len(references) / 2
	if err := w.classifySome(ctx, references[:half]); err != nil {
		return err
	}
	return w.classifySome(ctx, slices.DeleteFunc(slices.Clone(references[half:]), func(r paymentfile.Reference) bool { return w.classified[r] }))
}

// classifyGroup classifies the payments of references. Payments that were matched by hand depend on
// two references, so all of these are classified together.
func (w *work) classifyGroup(ctx context.Context, references []paymentfile.Reference) error {
	seen := map[paymentfile.Reference]bool{{}: true}
	var all []paymentfile.Reference
	see := func(r paymentfile.Reference) {
		if !seen[r] {
			seen[r] = true
			all = append(all, r)
		}
	}
	for _, r := range references {
		see(r)
	}
	asked := len(all)
	expected := map[paymentfile.Reference]Expectation{}
	for done := 0; done < len(all); {
		some := all[done:min(done+maxReferences, len(all))]
		done += len(some)
		if err := w.readPayments(ctx, PaymentFilter{References: some}); err != nil {
			return err
		}
		for _, r := range some {
			if err := w.enterRows(r); err != nil {
				return err
			}
		}
		due, err := w.due.Expected(ctx, w.body, slices.Clone(some))
		if err != nil {
			return err
		}
		maps.Copy(expected, due)
		if done == len(all) {
			for _, p := range w.payments {
				if w.belongs(p, seen) {
					see(p.Reference)
					see(p.Target)
				}
			}
		}
	}
	for _, r := range all[asked:] {
		w.classified[r] = true
	}
	var group []*Payment
	for _, p := range w.payments {
		if w.belongs(p, seen) {
			group = append(group, p)
		}
	}
	return w.closeGroup(ctx, group, expected)
}

// belongs reports whether a payment belongs to a group of references. A payment that does not was
// found by its PreviousTarget.
func (w *work) belongs(p *Payment, references map[paymentfile.Reference]bool) bool {
	if p.Reference.IsZero() && w.rows != nil && p.Settlement == w.rows.of.Settlement {
		return false // see classifyNone
	}
	return !p.Reference.IsZero() && references[p.Reference] || !p.Target.IsZero() && references[p.Target]
}

// enterRows replaces the stored payments of a reference by the rows of the file.
func (w *work) enterRows(r paymentfile.Reference) error {
	if w.rows == nil {
		return nil
	}
	for _, p := range w.payments {
		if p.Settlement == w.rows.of.Settlement && p.Reference == r {
			p.Dropped = true
		}
	}
	begin, end := w.rows.having(r)
	for i := begin; i < end; i++ {
		row := w.rows.payment(i)
		if before, is := w.payments[row.ID]; is {
			row.Version, row.CreatedAt, row.UpdatedAt, row.UpdatedBy = before.Version, before.CreatedAt, before.UpdatedAt, before.UpdatedBy
			row.Decision, row.Target, row.PreviousTarget, row.State = before.Decision, before.Target, before.PreviousTarget, before.State
		}
		w.payments[row.ID], w.rowOf[row.ID] = &row, i
		if err := w.checkGroup(); err != nil {
			if r.IsZero() {
				return errTooManyRows
			}
			return err
		}
	}
	return nil
}

// closeGroup classifies a group, and keeps what changed.
func (w *work) closeGroup(ctx context.Context, group []*Payment, expected map[paymentfile.Reference]Expectation) error {
	classify(group, expected)
	changed := map[uuid.UUID]bool{}
	for _, p := range group {
		old, stored := w.storedPayments[p.ID]
		switch {
		case stored && *p == old:
			continue
		case stored:
			w.changed = append(w.changed, changedPayment{old.State, *p})
		default:
			w.added = append(w.added, addedPayment{w.rowOf[p.ID], p.Expected, p.Owner, p.State})
		}
		changed[p.Settlement] = true
	}
	w.nextGroup()
	if err := w.readSettlementsByID(ctx, changed); err != nil {
		return err
	}
	for id := range changed {
		w.markUnreported(id)
	}
	return nil
}

// markUnreported marks a settlement as one of which the [Due] has to be told. The settlement gets a new
// version even if it was marked before. Another process may be telling of it, and have read it
// without this change: because of the new version, that process cannot remove the mark.
func (w *work) markUnreported(id uuid.UUID) {
	s := w.facts.settlements[id]
	s.Unreported = true
	w.facts.settlements[id], w.unreported[id] = s, true
}

// paymentChanges yields the payments that change.
func (w *work) paymentChanges(yield func(PaymentChange, error) bool) {
	for _, p := range w.changed {
		own := w.done[p.next.ID] || w.rows != nil && p.next.Settlement == w.rows.of.Settlement
		if !yield(w.step.of(own).payment(p.from, p.next), nil) {
			return
		}
	}
	for _, added := range w.added {
		p := w.rows.payment(added.row)
		p.Expected, p.Owner, p.State = added.expected, added.owner, added.state
		if !yield(w.step.of(true).payment("", p), nil) {
			return
		}
	}
}
