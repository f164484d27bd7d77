package pagoinrete_test

import (
	"context"
	"fmt"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/pagoinrete"
)

// The office prepares an event, and only the principal may approve it.
func Example() {
	ctx := context.Background()
	assistant := flussi.Actor{ID: "a.bianchi", Roles: []flussi.Role{flussi.AdminAssistant}}
	principal := flussi.Actor{ID: "p.russo", Roles: []flussi.Role{flussi.Principal}}

	e, err := pagoinrete.NewEvent(pagoinrete.Fee, "RMIC8GA002", assistant)
	if err != nil {
		fmt.Println(flussi.Explain(err))
		return
	}
	for _, action := range []pagoinrete.EventAction{pagoinrete.EventSave, pagoinrete.EventTransmit, pagoinrete.EventSubmit} {
		if err := e.Fire(ctx, action, assistant); err != nil {
			fmt.Println(flussi.Explain(err))
			return
		}
		fmt.Println(e.State.Label())
	}
	err = e.Fire(ctx, pagoinrete.EventApprove, assistant)
	fmt.Println(flussi.Explain(err))
	err = e.Fire(ctx, pagoinrete.EventApprove, principal)
	fmt.Println(e.State.Label(), err)
	// Output:
	// Non trasmesso a Pago in Rete
	// Simulato
	// Da approvare
	// L'azione «Approva l'evento di pagamento su Pago in Rete» è riservata a: DS.
	// Da notificare <nil>
}

// One state, three audiences.
func ExampleNoticeState_Labels() {
	labels := pagoinrete.NoticeAwaitingReceipt.Labels()
	fmt.Println(labels.Macro)
	fmt.Println(labels.School)
	fmt.Println(labels.Family)
	// Output:
	// Non pagato
	// Non pagato (RPT inviata in attesa di RT)
	// In attesa di ricevuta
}
