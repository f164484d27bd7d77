package settlement

import (
	"context"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
)

// Store keeps settlements, their payments, and movements of the treasury. Applications implement it
// on their database; package memstore has one in memory, and settlementtest.RunStore of package
// settlementtest checks an implementation against this contract: run it in your tests.
//
// The general rules are those of a pagoinrete.Store. A store is safe for concurrent use. A method
// does all or nothing, and returns an error once the context has ended. Arguments and results
// belong to the caller. Texts are kept to the last character, amounts to the cent, and times to the
// microsecond. Unknown states, kinds and actions are kept. An empty list may be nil.
//
// Lists: a page has what the filter's Match and [flussi.Page.Includes] accept, sorted by the Cursor
// with [flussi.Cursor.Compare], reversed unless OldestFirst, and cut to the Limit.
//
// Stores enforce no other rules: they do not check whether a match is right.
type Store interface {
	// BodyVersion returns how many writes with the Body were stored. If two calls return the same
	// number, the settlements, payments and movements of the body did not change between them.
	BodyVersion(ctx context.Context, body flussi.OrganizationCode) (int64, error)

	// Save stores all changes in one transaction.
	//
	// Versions: a change passes an entity with the Version that was read, 0 for a new entity. If the
	// stored entity still has this Version, the store keeps the entity with the next one. Otherwise
	// nothing is written, and the error is a [flussi.ErrConflict]; also if a new entity exists
	// already, if one that is not new does not exist, or if one write has an entity twice. With each
	// version, the store keeps its record, and sets the record's Version. The ID, Body and CreatedAt
	// of an entity never change, nor does the Settlement of a payment; a settlement is stored before
	// or with its payments.
	//
	// BodyVersion: if the changes have a Body, its version must be the one of the changes, and
	// becomes the next number; otherwise the error is a [flussi.ErrConflict]. So if several writers
	// have read the same version, one succeeds, and the others read again. Concurrent writes succeed
	// or return an ErrConflict; they must not deadlock.
	//
	// The Counts of a settlement are not written: the store counts its payments. Payments are pulled
	// once, to their end, after the other changes were checked; there may be many. An error in the
	// sequence, or a conflict, undoes everything, and what is left of the sequence need not be
	// pulled; the error is returned, wrapped or as it is. The store does not have to be usable from
	// within the sequence.
	Save(ctx context.Context, changes Changes) error

	// Settlement returns a settlement, with the Counts of its payments as they are at the same
	// moment. The error is a [flussi.ErrNotFound] if there is none.
	Settlement(ctx context.Context, id uuid.UUID) (Settlement, error)

	// Settlements returns a page of the settlements that match the filter, each with its Counts.
	Settlements(ctx context.Context, filter SettlementFilter, page Page) ([]Settlement, error)

	// SettlementHistory returns the records of a settlement in the order of their versions; none if
	// there is no such settlement.
	SettlementHistory(ctx context.Context, id uuid.UUID) ([]SettlementRecord, error)

	// Payment returns a payment. The error is a [flussi.ErrNotFound] if there is none.
	Payment(ctx context.Context, id uuid.UUID) (Payment, error)

	// Payments returns a page of the payments that match the filter.
	Payments(ctx context.Context, filter PaymentFilter, page Page) ([]Payment, error)

	// PaymentHistory returns the records of a payment in the order of their versions; none if there
	// is no such payment.
	PaymentHistory(ctx context.Context, id uuid.UUID) ([]PaymentRecord, error)

	// Movement returns a movement. The error is a [flussi.ErrNotFound] if there is none.
	Movement(ctx context.Context, id uuid.UUID) (Movement, error)

	// Movements returns a page of the movements that match the filter.
	Movements(ctx context.Context, filter MovementFilter, page Page) ([]Movement, error)

	// MovementHistory returns the records of a movement in the order of their versions; none if
	// there is no such movement.
	MovementHistory(ctx context.Context, id uuid.UUID) ([]MovementRecord, error)
}
