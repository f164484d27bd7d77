package pagoinrete

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/fsm"
	"github.com/flussi-go/flussi/internal/core"
	"github.com/flussi-go/flussi/internal/italian"
	"github.com/flussi-go/flussi/pagoinrete/paymentfile"
	"github.com/flussi-go/flussi/pagoinrete/settlement"
)

// SchoolFor returns the codice meccanografico of the school with a fiscal code, since settlements
// and journals have the fiscal code. It returns "" if the body is not a school of the program;
// nothing is due to such a body. It must be safe for concurrent use.
type SchoolFor func(ctx context.Context, body flussi.OrganizationCode) (string, error)

// DuesConfig says which notices are due to a body.
type DuesConfig struct {
	// By is the actor that the histories of notices record: a user of the office, or an actor with
	// the role [flussi.System]. The [Authorizer] of the service must allow the schools to it.
	// Required.
	By flussi.Actor
	// School returns the school of a body. Required.
	School SchoolFor
	// Foreign reports whether a reference without a notice belongs to another intermediary, for
	// example by its segregation code. Defaults to reporting true for references that are not of
	// the class [paymentfile.ReferenceIUV], which notices of Pago In Rete cannot have.
	Foreign func(paymentfile.Reference) bool
	// Chapter returns the item of the budget (capitolo, or aggregato and voce) for an event, for
	// [Dues.Purposes]. Defaults to none.
	Chapter func(Event) string
}

// Dues is a [settlement.Due] on the notices of a [Service]: it says what is due by their IUV, and
// changes their state when settlements and the treasury journal show payments. It is safe for
// concurrent use.
//
// A notice becomes Pagamento confermato if a settlement has its payment, and Pagamento riscontrato
// automaticamente once movements of the treasury cover the whole settlement. If Pago In Rete has
// not reported the payment, the steps in between are made, too. If files take a payment back, the
// notice returns to its BaseState: what Pago In Rete reported and the office did. A contradiction
// becomes its [Discrepancy], until files take it back or an operator resolves it.
//
// Files never change the states Annullato, Rimborsato, Pagato manualmente and Pagamento riscontrato
// manualmente.
type Dues struct {
	service *Service
	config  DuesConfig
}

var _ settlement.Due = (*Dues)(nil)

// NewDues returns a [settlement.Due] on the notices of a service. The error is a
// [flussi.ErrConfig].
func NewDues(service *Service, c DuesConfig) (*Dues, error) {
	if service == nil || c.School == nil || c.By.Check() != nil {
		return nil, fmt.Errorf("pagoinrete: new dues: %w: %w", flussi.ErrConfig, errors.New("service, By and School are needed"))
	}
	if c.Foreign == nil {
		c.Foreign = func(r paymentfile.Reference) bool {
			return !r.IsZero() && r.Class() != paymentfile.ReferenceIUV
		}
	}
	return &Dues{service, c}, nil
}

// Expected returns what is due with the notice of each IUV, whatever the state of the notice, and
// the transfers to the body if there are several. It leaves out an IUV that several notices have,
// since nothing says which of them is paid.
func (d *Dues) Expected(ctx context.Context, body flussi.OrganizationCode, references []paymentfile.Reference) (map[paymentfile.Reference]settlement.Expectation, error) {
	found := make(map[paymentfile.Reference]settlement.Expectation, len(references))
	notices, err := d.notices(ctx, body, references)
	for _, r := range references {
		switch all := notices[r]; {
		case len(all) == 1:
			found[r] = all[0].expectation(body)
		case len(all) == 0 && d.config.Foreign(r):
			found[r] = settlement.Expectation{Owner: settlement.OwnerForeign}
		}
	}
	return found, failure("tell what is expected", err)
}

// Update applies the states of references to their notices, to all of them or to none. If a notice is
// paid and its event is not Notificato here, Update first reads the event from Pago In Rete.
func (d *Dues) Update(ctx context.Context, body flussi.OrganizationCode, states []settlement.ReferenceState) error {
	references := make([]paymentfile.Reference, len(states))
	for i, s := range states {
		references[i] = s.Reference
	}
	for tries := (core.Tries{}); ; {
		notices, err := d.notices(ctx, body, references)
		if err != nil {
			return failure("tell what was paid", err)
		}
		changes, err := d.changes(ctx, body, notices, states)
		if err == nil && len(changes) > 0 {
			err = d.service.store.SaveNotices(ctx, changes...)
		}
		if err == nil {
			return nil
		}
		if err := tries.Again(ctx, err); err != nil {
			return failure("tell what was paid", err)
		}
	}
}

// notices returns the notices of a body by their IUV; none if the body is not a school.
func (d *Dues) notices(ctx context.Context, body flussi.OrganizationCode, references []paymentfile.Reference) (map[paymentfile.Reference][]Notice, error) {
	school, err := d.config.School(ctx, body)
	if err != nil || school == "" {
		return nil, err
	}
	if err := d.admit(ctx, school); err != nil {
		return nil, err
	}
	var wanted []flussi.IUV
	for _, r := range references {
		if iuv, is := r.IUV(); is {
			wanted = append(wanted, iuv)
		}
	}
	found := make(map[paymentfile.Reference][]Notice, len(wanted))
	if len(wanted) == 0 {
		return found, nil
	}
	for n, err := range d.service.all(ctx, NoticeFilter{Schools: []string{school}, IUVs: wanted}) {
		if err != nil {
			return nil, err
		}
		r := paymentfile.NewReference(n.IUV().Reveal())
		found[r] = append(found[r], n)
	}
	return found, nil
}

// admit refuses an actor who may not reconcile the notices of a school.
func (d *Dues) admit(ctx context.Context, school string) error {
	by := d.config.By
	if err := d.service.access.Admit(ctx, by, school); err != nil || by.Has(flussi.System) {
		return err
	}
	// The roles that may record a payment by hand may also apply files of them.
	n := Notice{State: NoticeNotified}
	err := n.Fire(ctx, NoticePayManually, by)
	if errors.Is(err, fsm.ErrRole) { // its text names another action
		var labels []string
		for _, role := range officeRoles() {
			labels = append(labels, role.Label())
		}
		return refuse(err, "%s", italian.Reserved("La riconciliazione", labels))
	}
	return err
}

// changes returns the changes of notices by the states of their references.
func (d *Dues) changes(ctx context.Context, body flussi.OrganizationCode, notices map[paymentfile.Reference][]Notice, states []settlement.ReferenceState) ([]NoticeChange, error) {
	notified := map[uuid.UUID]bool{}
	var changes []NoticeChange
	for _, state := range states {
		all := notices[state.Reference]
		for _, n := range all {
			facts := newPaymentFacts(n, state.Payments, body)
			switch {
			case len(all) > 1:
				facts = contradiction(DiscrepancySharedIUV, state.Payments)
			case n.State == NoticeNotNotified && facts.reached != "": // otherwise its event is Notificato
				is, err := d.isNotified(ctx, n.EventID, notified)
				if err != nil {
					return nil, err
				}
				if !is {
					facts = facts.notYet(state.Payments)
				}
			}
			if change, news := n.apply(facts, d.config.By); news {
				changes = append(changes, change)
			}
		}
	}
	return changes, nil
}

// isNotified reports whether an event is Notificato, and remembers the answer.
func (d *Dues) isNotified(ctx context.Context, id uuid.UUID, known map[uuid.UUID]bool) (bool, error) {
	if is, asked := known[id]; asked {
		return is, nil
	}
	e, err := d.service.readEvent(ctx, id)
	if err != nil {
		return false, err
	}
	if e.State != EventNotified {
		if e, err = d.service.follow(ctx, d.config.By, e); err != nil && !errors.Is(err, ErrDiscrepancy) {
			return false, err
		}
	}
	known[id] = e.State == EventNotified
	return known[id], nil
}
