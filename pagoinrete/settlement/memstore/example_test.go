package memstore_test

import (
	"context"
	"fmt"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/pagoinrete/settlement"
	"github.com/flussi-go/flussi/pagoinrete/settlement/memstore"
)

// By itself, the store keeps what it is given, and counts the payments of a settlement.
func Example() {
	ctx := context.Background()
	store := memstore.New()
	body, err := flussi.ParseOrganizationCode("80185250588")
	if err != nil {
		fmt.Println(flussi.Explain(err))
		return
	}

	id := settlement.SettlementID(body, "BANKITXX", "2026-11-30BANKITXX-S1")
	applied := settlement.SettlementRecord{Action: settlement.ActionApply, To: settlement.SettlementOpen}
	changes := settlement.Changes{
		Body: body,
		Settlements: []settlement.SettlementChange{{
			Settlement: settlement.Settlement{ID: id, Body: body, PSP: "BANKITXX", FlowID: "2026-11-30BANKITXX-S1", Total: 5000, State: settlement.SettlementOpen},
			Record:     applied,
		}},
		Payments: func(yield func(settlement.PaymentChange, error) bool) {
			p := settlement.Payment{Settlement: id, Body: body, Amount: 5000, State: settlement.PaymentExpected}
			yield(settlement.PaymentChange{Payment: p}, nil)
		},
	}
	fmt.Println(store.Save(ctx, changes))

	s, err := store.Settlement(ctx, id)
	fmt.Println(s.State.Label(), s.Counts.Expected.Amount, s.Version, err)
	version, err := store.BodyVersion(ctx, body)
	fmt.Println(version, err)
	// Output:
	// <nil>
	// Senza riscontro in tesoreria 50,00 1 <nil>
	// 1 <nil>
}
