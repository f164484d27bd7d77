// Command segreteria plays the work of a school's office with the fees that families pay
// through Pago In Rete: the ten operations of the guide, from the fee to the verified
// payment, and what stands around them.
//
//	go run ./examples/segreteria          # all of it at once; nothing to prepare
//	go run ./examples/segreteria --help   # the options, in Italian
//	go run ./examples/segreteria riconcilia FILE…  # files of PSPs and of the treasury, and the report
//	go run ./examples/segreteria modelli FOLDER    # templates for rows that have no such file
//
// Everything happens on this machine: Pago In Rete and App IO are simulators within the
// program, the families are invented, and the database is a file of SQLite in a folder of
// its own, beside the workbooks and the PDFs that the office gets. What is printed comes
// from there: the table at the end of the ten operations has the states that were read
// after each of them.
//
// A file for each part: [demo.play] has their order. It is to be read, and copied from.
//
// # Exit codes
//
//	0    done
//	1    failed: the reason is on the standard error
//	2    the command is not written well
//	130  interrupted by Ctrl-C, SIGTERM or the end of the terminal (SIGHUP), cleanly: what was stored
//	     stays in the folder. With nohup the program outlives its terminal
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/term"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/examples/internal/cli"
	"github.com/flussi-go/flussi/examples/internal/outfile"
)

func main() {
	ctx, stop := cli.Interruptible(context.Background())
	defer stop()
	signal.Ignore(syscall.SIGPIPE)
	width, _, err := term.GetSize(int(os.Stdout.Fd()))
	if err != nil {
		width = 0
	}
	out := &cli.Output{To: os.Stdout, Width: width}
	errs := &cli.Output{To: os.Stderr}
	log.SetOutput(flussi.MaskWriter(errs)) // what net/http and drivers print
	outfile.Sweep(".")
	code := cli.Run(ctx, command(out), errs)
	if code == cli.OK && out.Err() != nil {
		fmt.Fprintln(errs, "La dimostrazione è finita, ma non è stato possibile scriverne il risultato.")
		code = cli.Failure
	}
	os.Exit(code)
}
