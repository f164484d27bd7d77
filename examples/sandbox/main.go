// Command sandbox is a simulator of App IO and of Pago In Rete to develop against: no message
// that it takes reaches anybody, and no payment is real.
//
//	go run ./examples/sandbox          # listens on 127.0.0.1:7080
//	go run ./examples/sandbox --help   # the options, in Italian
//
// Clients of App IO use the BaseURL http://127.0.0.1:7080/api/v1 and the key chiave-di-prova,
// which is that of the service prova. Those of Pago In Rete use
// http://127.0.0.1:7080/pagoinrete/v1 and the same key, which is also that of the school
// RMIC8GA002. Every call gives a line on the standard output, without
// personal data. http://127.0.0.1:7080/ is a page that shows what was delivered and which
// events there are, makes calls go wrong, and lets families log in and pay. Every reply but those that a fault cuts off carries the header
// X-Flussi-Simulator.
//
// # The same for programs
//
// How far it is, and what was delivered after the delivery number 40, at most 100 of them:
//
//	curl http://127.0.0.1:7080/sandbox/state
//	curl 'http://127.0.0.1:7080/sandbox/deliveries?since=40&limit=100'
//
// Both hold no fiscal codes and no texts. A delivery's http_status is what the client was
// answered, 0 if nothing or not to the end; its told says whether the client got the ID.
//
// Let the next three submissions be stored and answered with 502, and a tenth of the
// profiles never be answered:
//
//	curl http://127.0.0.1:7080/sandbox/faults \
//	  --json '{"operation":"submit message","kind":"502","stored":true,"count":3}'
//	curl http://127.0.0.1:7080/sandbox/faults \
//	  --json '{"operation":"get profile","kind":"silent","share":0.1,"seed":7}'
//
// Operations and kinds are those of packages appiotest and pagoinretetest, of which each
// operation is in one; stored says that what was asked for is done, and the reply goes wrong:
//
//	curl http://127.0.0.1:7080/sandbox/faults \
//	  --json '{"operation":"put notice","kind":"504","stored":true,"count":1}'
//
// The calls that a share strikes are
// drawn by the seed; a share replaces the one before it of the same operation. There may
// also be a delay_seconds before the reply, which the kind slow needs, and for the kind 429
// the retry_after_seconds that it asks for. A fault that makes no sense is answered with
// 422, and what is wrong with which field.
//
// Forget all faults, and process the messages that are still ACCEPTED:
//
//	curl -X DELETE http://127.0.0.1:7080/sandbox/faults
//	curl -X POST http://127.0.0.1:7080/sandbox/process
//
// Let all payers of notices log in to Pago In Rete, and pay whatever can be paid:
//
//	curl -X POST http://127.0.0.1:7080/sandbox/families/login
//	curl -X POST http://127.0.0.1:7080/sandbox/families/pay
//
// # Exit codes
//
//	0  stopped by Ctrl-C or SIGTERM
//	1  it cannot listen: the reason is on the standard error
//	2  the command is not written well
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/flussi-go/flussi/examples/internal/cli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the program at once
	os.Exit(cli.Run(ctx, command(os.Stdout), os.Stderr))
}
