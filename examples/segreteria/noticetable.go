package main

import (
	"context"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/pagoinrete"
	"github.com/flussi-go/flussi/pagoinrete/paymentfile"
	"github.com/flussi-go/flussi/pagoinrete/settlement"
)

// noticeTable is what is due to the school, and for what: its notices, and the receipts that were read
// from files. Without notices nothing is due.
type noticeTable struct {
	notices  *pagoinrete.Service
	dues     *pagoinrete.Dues                       // of the notices
	receipts map[paymentfile.Reference]flussi.Cents // their amounts
}

// Expected returns what is expected with the notices.
func (t *noticeTable) Expected(ctx context.Context, body flussi.OrganizationCode, references []paymentfile.Reference) (map[paymentfile.Reference]settlement.Expectation, error) {
	if t.dues != nil {
		return t.dues.Expected(ctx, body, references)
	}
	expected := map[paymentfile.Reference]settlement.Expectation{}
	for _, r := range references {
		if r.Class() == paymentfile.ReferenceOther {
			expected[r] = settlement.Expectation{Owner: settlement.OwnerForeign}
		}
	}
	return expected, nil
}

// Update makes of the notices what the files say.
func (t *noticeTable) Update(ctx context.Context, body flussi.OrganizationCode, states []settlement.ReferenceState) error {
	if t.dues == nil {
		return nil
	}
	return t.dues.Update(ctx, body, states)
}

// Purposes returns the events of the notices.
func (t *noticeTable) Purposes(ctx context.Context, body flussi.OrganizationCode, references []paymentfile.Reference) (map[paymentfile.Reference]settlement.Purpose, error) {
	if t.dues == nil {
		return nil, nil
	}
	purposes, err := t.dues.Purposes(ctx, body, references)
	for r, purpose := range purposes {
		if _, read := t.receipts[r]; read {
			purpose.Receipt = true
			purposes[r] = purpose
		}
	}
	return purposes, err
}
