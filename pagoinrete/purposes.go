package pagoinrete

import (
	"context"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/pagoinrete/paymentfile"
	"github.com/flussi-go/flussi/pagoinrete/settlement"
)

var _ settlement.Purposes = (*Dues)(nil)

// Purposes returns the name of the event of each reference, its [DuesConfig].Chapter, and whether
// the receipt is known. It leaves out an IUV that several notices have.
func (d *Dues) Purposes(ctx context.Context, body flussi.OrganizationCode, references []paymentfile.Reference) (map[paymentfile.Reference]settlement.Purpose, error) {
	found := make(map[paymentfile.Reference]settlement.Purpose, len(references))
	notices, err := d.notices(ctx, body, references)
	events := map[uuid.UUID]Event{}
	for r, all := range notices {
		if len(all) != 1 {
			continue
		}
		n := all[0]
		e, read := events[n.EventID]
		if !read {
			if e, err = d.service.readEvent(ctx, n.EventID); err != nil {
				break
			}
			events[n.EventID] = e
		}
		purpose := settlement.Purpose{Event: e.Name, Receipt: !n.Evidence.Receipt.IsZero()}
		if d.config.Chapter != nil {
			purpose.Chapter = d.config.Chapter(e)
		}
		found[r] = purpose
	}
	return found, failure("tell what was paid for", err)
}
