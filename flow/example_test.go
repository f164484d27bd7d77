package flow_test

import (
	"context"
	"fmt"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/flow"
)

// A flow is prepared and made ready; after that, nothing can be added to it.
func Example() {
	ctx := context.Background()
	operator := flussi.Actor{ID: "m.neri", Roles: []flussi.Role{flussi.Operator}}

	f, err := flow.NewFlow("servizio-tributi", operator)
	if err != nil {
		fmt.Println(flussi.Explain(err))
		return
	}
	if err := f.Fire(ctx, flow.FlowActivate, operator); err != nil {
		fmt.Println(flussi.Explain(err))
		return
	}
	fmt.Println(f.State.Label())
	for _, action := range f.Allowed(operator.Roles...) {
		fmt.Println("·", action.Label())
	}
	err = f.Fire(ctx, flow.FlowImport, operator)
	fmt.Println(flussi.Explain(err))
	// Output:
	// Attivo
	// · Riporta a Inattivo
	// · Invia Flusso
	// · Aggiorna
	// · Disabilita
	// L'azione «Importa da File Excel» non è possibile nello stato «Attivo». Azioni possibili: «Riporta a Inattivo», «Invia Flusso», «Aggiorna», «Disabilita».
}

// A notification in error is set back by the operator, never by the system.
func ExampleNotification_Fire() {
	n := flow.Notification{State: flow.NotificationFailed, Transmission: flow.Transmission{ErrorCode: flow.ErrorRefused}}
	err := n.Fire(context.Background(), flow.NotificationRegister, flussi.Actor{ID: "dispatcher", Roles: []flussi.Role{flussi.System}})
	fmt.Println(flussi.Explain(err))
	err = n.Fire(context.Background(), flow.NotificationRegister, flussi.Actor{ID: "m.neri", Roles: []flussi.Role{flussi.Operator}})
	fmt.Println(n.State.Label(), err)
	// Output:
	// L'azione «Riporta a Registrato» è riservata a: operatore.
	// Registrato <nil>
}
