package storetest

import (
	"context"
	"iter"
	"reflect"
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

// RecordOf returns the record of a change of an entity that stays in its state. A new one is created
// from another.
func RecordOf[E any, S, A ~string](one E, edit, create A, from S) flussi.Record[S, A] {
	state := *FieldOf[S](&one, "State")
	record := flussi.Record[S, A]{
		At: *FieldOf[time.Time](&one, "UpdatedAt"), By: lastBy(one), Action: edit, From: state, To: state,
	}
	if Version(one) == 0 {
		record.Action, record.From = create, from
	}
	return record
}

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
			return As[[]Record](records), err
		},
	}
}

// SaveParentAs returns the method that stores a parent, of which the store's own has changes of
// these types.
func SaveParentAs[P, C, OwnP, OwnC any](
	save func(context.Context, OwnP, iter.Seq2[OwnC, error]) error,
) func(context.Context, Change[P], iter.Seq2[Change[C], error]) error {
	return func(ctx context.Context, c Change[P], children iter.Seq2[Change[C], error]) error {
		return save(ctx, As[OwnP](c), SequenceAs(children, As[OwnC, Change[C]]))
	}
}

// SaveChildrenAs returns the method that stores children, of which the store's own has changes
// of this type.
func SaveChildrenAs[C, OwnC any](
	save func(context.Context, ...OwnC) error,
) func(context.Context, ...Change[C]) error {
	return func(ctx context.Context, changes ...Change[C]) error {
		return save(ctx, As[[]OwnC](changes)...)
	}
}

// As returns a value of another type that has the same fields in the same order, or the first of
// them, such as a record with states and actions of other types.
func As[To, From any](from From) To {
	var to To
	setAs(reflect.ValueOf(&to).Elem(), reflect.ValueOf(from))
	return to
}

// Changes returns how an entity is stored, of which a suite's own changes have another type.
func Changes[E, Own any](own func(E) Own) func(E) Change[E] {
	return func(one E) Change[E] { return As[Change[E]](own(one)) }
}

func setAs(to, from reflect.Value) {
	switch {
	case from.CanConvert(to.Type()):
		to.Set(from.Convert(to.Type()))
	case from.Kind() == reflect.Slice:
		to.Set(reflect.MakeSlice(to.Type(), from.Len(), from.Len()))
		for i := range from.Len() {
			setAs(to.Index(i), from.Index(i))
		}
	default:
		for i := range min(to.NumField(), from.NumField()) {
			setAs(to.Field(i), from.Field(i))
		}
	}
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
