// Command first is a first program: it reads what an operator typed, and asks a
// flow what may be done with it.
package main

import (
	"fmt"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/flow"
)

func main() {
	r, err := flussi.ReadFiscalCode(" mscmhl68p18 h211k ", flussi.Strict)
	fmt.Println(r.Value, r.Changes[0].Italian(), err)

	operator := flussi.Actor{ID: "m.neri", Roles: []flussi.Role{flussi.Operator}}
	f, err := flow.NewFlow("servizio-tributi", operator)
	fmt.Println(f.State.Label(), f.Allowed(operator.Roles...), err)
}
