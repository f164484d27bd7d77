package settlement_test

import (
	"context"
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

// Expected says what the town waits for.
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

// Tell sets each row to what is known now, so it may be told twice.
func (b bills) Tell(_ context.Context, _ flussi.OrganizationCode, standings []settlement.Standing) error {
	for _, s := range standings {
		row, is := b[s.Reference]
		if !is {
			continue
		}
		row.paid, row.inTreasury = 0, len(s.Payments) > 0
		for _, p := range s.Payments {
			if p.Status != settlement.PaidRevoked {
				row.paid += p.Amount
			}
			row.inTreasury = row.inTreasury && p.Status == settlement.PaidConfirmed
		}
	}
	return nil
}

// A town's own table of bills is told what the files of its PSPs and of its treasury say. The
// journal comes before the settlement that it is about.
func Example() {
	ctx, clerk := context.Background(), flussi.Actor{ID: "a.bruni"}
	body, _ := flussi.ParseOrganizationCode("80185250588")
	table := bills{paymentfile.NewReference("01000000000000101"): {amount: 12000}}
	service, err := settlement.NewService(memstore.New(), settlement.Permissions{clerk.ID: {body}}, table)
	for _, name := range []string{"journal-1.8.xml", "settlement-1.0.xml"} {
		f, openErr := os.Open("../paymentfile/testdata/" + name)
		if err != nil || openErr != nil {
			fmt.Println(err, openErr)
			return
		}
		defer f.Close()
		file, err := paymentfile.Open(f, paymentfile.Config{Body: body})
		switch file := file.(type) {
		case *paymentfile.JournalFile:
			_, err = service.ApplyJournal(ctx, clerk, file.Journal(), file.Movements())
		case *paymentfile.SettlementFile:
			_, err = service.ApplySettlement(ctx, clerk, settlement.FileOf(file))
		}
		if err != nil {
			fmt.Println(flussi.Explain(err))
			return
		}
	}
	page, err := service.Settlements(ctx, clerk, settlement.SettlementFilter{}, settlement.Page{})
	for _, s := range page.Settlements {
		fmt.Println(s.FlowID, s.Total.Euro(), s.State.Label(), s.Counts.Unknown.Number, err)
	}
	for _, row := range table {
		fmt.Println(row.paid.Euro(), row.inTreasury)
	}
	// Output:
	// 2030-03-04PSPXITR1XXX-F000123456 175,00 € Riscontrato 2 <nil>
	// 120,00 € true
}
