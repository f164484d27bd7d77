package settlement

import (
	"iter"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/core"
)

// Action is what was done to a settlement, a payment or a movement.
type Action string

// The actions.
const (
	ActionApply     Action = "apply"     // a file was applied
	ActionMatch     Action = "match"     // it was matched again, since a file or a decision changed what it depends on
	ActionDecide    Action = "hand"      // an operator matched, split or set it aside
	ActionRelease   Action = "take_back" // an operator took a decision back
	ActionUpdateDue Action = "tell"      // it was reported to the [Due]
	ActionAnonymise Action = "anonymise" // the texts of journals were erased
)

// Label names the action for the operator; another value is returned as it is.
func (a Action) Label() string {
	switch a {
	case ActionApply:
		return "Acquisizione del file"
	case ActionMatch:
		return "Nuovo abbinamento automatico"
	case ActionDecide:
		return "Decisione dell'operatore"
	case ActionRelease:
		return "Annullamento della decisione"
	case ActionUpdateDue:
		return "Comunicazione degli esiti"
	case ActionAnonymise:
		return "Cancellazione delle causali"
	}
	return string(a)
}

// SettlementRecord is a line of a settlement's history: see [flussi.Record].
type SettlementRecord = flussi.Record[SettlementState, Action]

// PaymentRecord is a line of a payment's history: see [flussi.Record].
type PaymentRecord = flussi.Record[PaymentState, Action]

// MovementRecord is a line of a movement's history: see [flussi.Record].
type MovementRecord = flussi.Record[MovementState, Action]

// SettlementChange is a settlement to be stored, and the record of what was done to it.
type SettlementChange struct {
	Settlement Settlement       // as it is to be; its Version is the one it was read with, 0 if it is new
	Record     SettlementRecord // its Version is given by the store
}

// PaymentChange is a payment to be stored, and the record of what was done to it.
type PaymentChange struct {
	Payment Payment       // as it is to be; its Version is the one it was read with, 0 if it is new
	Record  PaymentRecord // its Version is given by the store
}

// MovementChange is a movement to be stored, and the record of what was done to it.
type MovementChange struct {
	Movement Movement       // as it is to be; its Version is the one it was read with, 0 if it is new
	Record   MovementRecord // its Version is given by the store
}

// Changes is one write.
type Changes struct {
	Body        flussi.OrganizationCode         // all of the write is this body's; the zero code: the BodyVersion is not checked
	BodyVersion int64                           // what [Store.BodyVersion] returned before anything else was read
	Settlements []SettlementChange              // in any order
	Movements   []MovementChange                // in any order
	Payments    iter.Seq2[PaymentChange, error] // pulled once; nil: none
}

// entityIDs of errors.
const (
	entitySettlement = "settlement"
	entityPayment    = "payment"
	entityMovement   = "movement"
)

// step is what the histories record about a write.
type step struct {
	action Action
	by     flussi.Actor
	reason string // in Italian
}

// of returns the step to record for an entity: the step itself if it was done to the entity,
// otherwise [ActionMatch].
func (s step) of(done bool) step {
	if !done {
		return step{action: ActionMatch, by: s.by}
	}
	return s
}

func (s step) settlement(old, next Settlement) SettlementChange {
	record := core.Mark(&next.UpdatedAt, &next.UpdatedBy, s.action, old.State, next.State, s.by.ID, s.reason)
	if next.CreatedAt.IsZero() {
		next.CreatedAt = next.UpdatedAt
	}
	return SettlementChange{next, record}
}

func (s step) payment(from PaymentState, next Payment) PaymentChange {
	record := core.Mark(&next.UpdatedAt, &next.UpdatedBy, s.action, from, next.State, s.by.ID, s.reason)
	if next.CreatedAt.IsZero() {
		next.CreatedAt = next.UpdatedAt
	}
	return PaymentChange{next, record}
}

func (s step) movement(old, next Movement) MovementChange {
	record := core.Mark(&next.UpdatedAt, &next.UpdatedBy, s.action, old.State, next.State, s.by.ID, s.reason)
	if next.CreatedAt.IsZero() {
		next.CreatedAt = next.UpdatedAt
	}
	return MovementChange{next, record}
}
