package storetest

import (
	"context"
	"iter"
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
)

// Store is the methods of a store, as the shared rules call them. P are its parents, C their
// children.
type Store[P, C any] struct {
	Parents  Methods[P] // that read parents
	Children Methods[C] // that read children
	// SaveParent stores a parent, and with it children.
	SaveParent func(context.Context, Change[P], iter.Seq2[Change[C], error]) error
	// SaveChildren stores children together.
	SaveChildren func(context.Context, ...Change[C]) error
}

// Methods are those that read entities of one kind.
type Methods[E any] struct {
	Get     func(context.Context, uuid.UUID) (E, error)             // one
	List    func(context.Context, Filter, flussi.Page) ([]E, error) // a page of them
	History func(context.Context, uuid.UUID) ([]Record, error)      // the records of one
}

// Filter is a filter of the store's own type, such as flow.FlowFilter.
type Filter any

// Change is an entity to be stored, and the record of what was done to it.
type Change[E any] struct {
	Entity E             // as it is to be
	Record Record        // its Version is given by the store
	Lease  time.Duration // of what is claimed, where there are claims
}

// Record is a record whose states and actions may be those of any kind.
type Record = flussi.Record[State, Action]

// State is a state of any kind of entities.
type State string

// Action is an action on any kind of entities.
type Action string

// ReadsAs returns the methods that read entities of one kind, of which the store's own have
// these types.
func ReadsAs[E, Q any, S, A ~string](
	get func(context.Context, uuid.UUID) (E, error),
	list func(context.Context, Q, flussi.Page) ([]E, error),
	history func(context.Context, uuid.UUID) ([]flussi.Record[S, A], error),
) Methods[E] {
	return Methods[E]{
		Get: get,
		List: func(ctx context.Context, filter Filter, page flussi.Page) ([]E, error) {
			return list(ctx, filter.(Q), page)
		},
		History: func(ctx context.Context, id uuid.UUID) ([]Record, error) {
			records, err := history(ctx, id)
			return RecordsAs[State, Action](records), err
		},
	}
}

// RecordAs returns a record with states and actions of other types.
func RecordAs[S2, A2, S, A ~string](r flussi.Record[S, A]) flussi.Record[S2, A2] {
	return flussi.Record[S2, A2]{
		Version: r.Version, At: r.At, By: r.By,
		Action: A2(r.Action), From: S2(r.From), To: S2(r.To), Reason: r.Reason,
	}
}

// RecordsAs returns records with states and actions of other types.
func RecordsAs[S2, A2, S, A ~string](records []flussi.Record[S, A]) []flussi.Record[S2, A2] {
	return Map(records, RecordAs[S2, A2, S, A])
}

// SequenceAs yields changes as others; nil stays nil.
func SequenceAs[From, To any](
	sequence iter.Seq2[From, error], as func(From) To,
) iter.Seq2[To, error] {
	if sequence == nil {
		return nil
	}
	return func(yield func(To, error) bool) {
		for change, err := range sequence {
			if !yield(as(change), err) {
				return
			}
		}
	}
}

// Map returns what a function returns for each of some.
func Map[From, To any](all []From, as func(From) To) []To {
	others := make([]To, len(all))
	for i, one := range all {
		others[i] = as(one)
	}
	return others
}
