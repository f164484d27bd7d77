package settlement_test

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/pagoinrete/paymentfile"
	"github.com/flussi-go/flussi/pagoinrete/settlement"
	"github.com/flussi-go/flussi/pagoinrete/settlement/memstore"
)

// bill is a row of the town's own table.
type bill struct {
	amount, paid flussi.Cents
	inTreasury   bool
}

// bills is the table, by IUV. A real one is in a database.
type bills map[paymentfile.Reference]*bill

// Expected returns the amounts that the town expects.
func (b bills) Expected(_ context.Context, _ flussi.OrganizationCode, references []paymentfile.Reference) (map[paymentfile.Reference]settlement.Expectation, error) {
	found := map[paymentfile.Reference]settlement.Expectation{}
	for _, r := range references {
		if row, is := b[r]; is {
			found[r] = settlement.Expectation{Owner: settlement.OwnerBody, Amount: row.amount}
		} else if r.Class() == paymentfile.ReferenceOther {
			found[r] = settlement.Expectation{Owner: settlement.OwnerForeign}
		}
	}
	return found, nil
}

// Update sets each row to what is known now, so the same state may come twice.
func (b bills) Update(_ context.Context, _ flussi.OrganizationCode, states []settlement.ReferenceState) error {
	for _, s := range states {
		if row, is := b[s.Reference]; is {
			row.paid, row.inTreasury = 0, len(s.Payments) > 0
			for _, p := range s.Payments {
				if p.Status != settlement.PaidRevoked {
					row.paid += p.Amount
				}
				row.inTreasury = row.inTreasury && p.Status == settlement.PaidConfirmed
			}
		}
	}
	return nil
}

// A town has its own table of bills, and gets the files of its PSPs and of its treasury. Here the
// journal comes before the settlement that it names.
func Example() {
	ctx, clerk, bill := context.Background(), flussi.Actor{ID: "a.bruni"}, &bill{amount: 120_00}
	body, bodyErr := flussi.ParseOrganizationCode("80185250588")
	table := bills{paymentfile.NewReference("01000000000000101"): bill}
	service, serviceErr := settlement.NewService(memstore.New(), settlement.Permissions{clerk.ID: {body}}, table)
	for _, name := range []string{"journal-1.8.xml", "settlement-1.0.xml"} {
		f, err := os.Open("../paymentfile/testdata/" + name)
		if err = errors.Join(err, bodyErr, serviceErr); err != nil {
			fmt.Println(err)
			return
		}
		defer f.Close()
		file, err := paymentfile.Open(f, paymentfile.Config{Body: body})
		if err == nil {
			_, err = service.Apply(ctx, clerk, file)
		}
		fmt.Println(bill.paid.Euro(), bill.inTreasury, err)
	}
	// Output:
	// 0,00 € false <nil>
	// 120,00 € true <nil>
}
