package main

import (
	"context"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/pagoinrete"
	"github.com/flussi-go/flussi/pagoinrete/paymentfile"
	"github.com/flussi-go/flussi/pagoinrete/settlement"
)

// noticeTable is what is due to the school, and for what: its notices. Without a Service nothing is
// due.
type noticeTable struct {
	*pagoinrete.Service
	receipts map[paymentfile.Reference]flussi.Cents // that were read from files
}

// chapters are the items of the school's budget (aggregato/voce) by the category of an event.
var chapters = map[string]string{"Visite e viaggi": "06/04"}

// noticesOf returns the notices that have one of the references.
func (d *noticeTable) noticesOf(ctx context.Context, references []paymentfile.Reference) (map[paymentfile.Reference]pagoinrete.Notice, error) {
	found := map[paymentfile.Reference]pagoinrete.Notice{}
	var iuvs []flussi.IUV
	for _, r := range references {
		if iuv, is := r.IUV(); is {
			iuvs = append(iuvs, iuv)
		}
	}
	if d.Service == nil || len(iuvs) == 0 {
		return found, nil
	}
	for n, err := range d.AllNotices(ctx, assistant, pagoinrete.NoticeFilter{Schools: []string{school}, IUVs: iuvs}) {
		if err != nil {
			return nil, err
		}
		found[paymentfile.NewReference(n.IUV().Reveal())] = n
	}
	return found, nil
}

// Expected returns the amounts of the notices.
func (d *noticeTable) Expected(ctx context.Context, _ flussi.OrganizationCode, references []paymentfile.Reference) (map[paymentfile.Reference]settlement.Expectation, error) {
	found, err := d.noticesOf(ctx, references)
	expected := map[paymentfile.Reference]settlement.Expectation{}
	for _, r := range references {
		if n, is := found[r]; is {
			expected[r] = settlement.Expectation{Owner: settlement.OwnerBody, Amount: n.Due()}
		} else if r.Class() == paymentfile.ReferenceOther {
			expected[r] = settlement.Expectation{Owner: settlement.OwnerForeign}
		}
	}
	return expected, err
}

// Tell does nothing: the command only reads notices.
func (d *noticeTable) Tell(context.Context, flussi.OrganizationCode, []settlement.Standing) error {
	return nil
}

// Purposes returns the events of the notices.
func (d *noticeTable) Purposes(ctx context.Context, _ flussi.OrganizationCode, references []paymentfile.Reference) (map[paymentfile.Reference]settlement.Purpose, error) {
	found, err := d.noticesOf(ctx, references)
	if err != nil {
		return nil, err
	}
	events, purposes := map[uuid.UUID]pagoinrete.Event{}, map[paymentfile.Reference]settlement.Purpose{}
	for r, n := range found {
		e, known := events[n.EventID]
		if !known {
			if e, err = d.Event(ctx, assistant, n.EventID); err != nil {
				return nil, err
			}
			events[n.EventID] = e
		}
		_, read := d.receipts[r]
		purposes[r] = settlement.Purpose{Event: e.Name, Chapter: chapters[e.Category], Receipt: read || !n.Evidence.Receipt.IsZero()}
	}
	return purposes, nil
}
