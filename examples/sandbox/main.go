// Command sandbox simulates App IO and Pago In Rete for development: no message reaches a citizen,
// and no payment is real.
//
//	go run ./examples/sandbox          # listens on 127.0.0.1:7080
//	go run ./examples/sandbox --help   # the options, in Italian
//
// Clients of App IO use the BaseURL http://127.0.0.1:7080/api/v1 and the key chiave-di-prova,
// which is that of the service prova. Those of Pago In Rete use
// http://127.0.0.1:7080/pagoinrete/v1 and the same key, which is also that of the school
// RMIC8GA002. Every call prints a line on the standard output, without personal data. The page
// http://127.0.0.1:7080/ shows the deliveries and the events, injects faults, and lets families log
// in and pay. Every reply has the header X-Flussi-Simulator, unless a fault cuts it off.
//
// # The same for programs
//
// The state, and at most 100 deliveries after the delivery number 40:
//
//	curl http://127.0.0.1:7080/sandbox/state
//	curl 'http://127.0.0.1:7080/sandbox/deliveries?since=40&limit=100'
//
// Both hold no fiscal codes and no texts. A delivery's http_status is the status of the answer, 0
// without a complete one; told is true if the client got the ID.
//
// Let the next three submissions be stored and answered with 502, and a tenth of the
// profiles never be answered:
//
//	curl http://127.0.0.1:7080/sandbox/faults \
//	  --json '{"operation":"submit message","kind":"502","stored":true,"count":3}'
//	curl http://127.0.0.1:7080/sandbox/faults \
//	  --json '{"operation":"get profile","kind":"silent","share":0.1,"seed":7}'
//
// Operations and kinds are those of packages appiotest and restgatewaytest. With stored, the
// platform does what the call asks for before the fault:
//
//	curl http://127.0.0.1:7080/sandbox/faults \
//	  --json '{"operation":"put notice","kind":"504","stored":true,"count":1}'
//
// The seed picks the calls of a share; a share replaces the earlier one of the same operation. An
// optional delay_seconds delays the reply; the kind slow needs it. The kind 429 may have
// retry_after_seconds. A fault that is not valid is answered with 422, and what is wrong with which
// field.
//
// Remove all faults, and process the messages that are still ACCEPTED:
//
//	curl -X DELETE http://127.0.0.1:7080/sandbox/faults
//	curl -X POST http://127.0.0.1:7080/sandbox/process
//
// Let all payers of notices log in to Pago In Rete, and pay all notices that can be paid:
//
//	curl -X POST http://127.0.0.1:7080/sandbox/families/login
//	curl -X POST http://127.0.0.1:7080/sandbox/families/pay
//
// # Exit codes
//
//	0  stopped by Ctrl-C, SIGTERM or the end of the terminal
//	1  it cannot listen: the reason is on the standard error
//	2  the command line is not valid
package main

import (
	"context"
	"log"
	"os"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/examples/internal/cli"
)

func main() {
	ctx, stop := cli.Interruptible(context.Background())
	defer stop()
	errs := &cli.Output{To: os.Stderr}
	log.SetOutput(flussi.MaskWriter(errs)) // what net/http prints
	os.Exit(cli.Run(ctx, command(&cli.Output{To: os.Stdout}), errs))
}
