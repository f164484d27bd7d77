// Command massivo sends a body's messages in bulk through App IO: the workbook that the
// office fills in goes in, messages go out, and a report comes back. It keeps everything
// in SQLite, or in PostgreSQL when one machine is not enough.
//
//	go run ./examples/massivo demo   # all of it at once, on a simulator of App IO
//	go run ./examples/massivo help   # the commands, in Italian
//
// It can be killed at any moment: started again, it continues, and nobody is notified twice. Every
// command can be run again: a file that was imported is recognised, a message that was sent is not
// sent again, and a decision or a flag that stands already is no error. A decision about a
// notification that was sent since is one (code 1), and so is a file to be written that exists
// already, without --overwrite. It reaches the real platform only with --live; without it, a
// simulator on this machine (go run ./examples/sandbox).
//
// # Configuration
//
// By flags, or by these variables of the environment: MASSIVO_STORE, MASSIVO_SERVICE,
// MASSIVO_OPERATOR, MASSIVO_URL, MASSIVO_KEY_FILE. Blanks and invisible characters at the ends of
// a variable are ignored, with a warning; in a flag they are an error. The key of the service is
// never a flag, which other users of the machine could read: it is MASSIVO_KEY, or in the file.
//
// # Exit codes
//
//	0    done, now or by an earlier command: the rows are imported, every message is accepted, the
//	     decision stands. Commands that only show something, and verify, end with 0 also if they
//	     show errors
//	1    failed, or refused for some notifications, or not known to be done, because the connection
//	     to the database was lost: the standard error says why; the command can be run again
//	2    the command is not written well
//	3    the file cannot be read, or has wrong rows, or rows that repeat earlier messages. With
//	     wrong rows nothing is stored, or, with --good-rows, the other rows. Rows that repeat
//	     earlier messages are stored disabled; the same import ends with 3 again while its flow
//	     has such rows that nobody changed since. After resend with --good-rows, 4 and 5 prevail
//	4    the sending is over, with negative or unknown outcomes for some recipients (Invio
//	     incompleto): of send, and of resend even if there was nothing to send
//	5    the sending was stopped, by a refused key, a platform that is down, or an operator who
//	     disabled the flow; send goes on, once the cause is removed
//	130  interrupted by Ctrl-C, SIGTERM or the end of the terminal (SIGHUP), after waiting for the
//	     requests in flight; run the command again. With nohup the program outlives its terminal
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
	// Also when the window is closed: what is on its way is waited for.
	ctx, stop := cli.Interruptible(context.Background())
	defer stop()
	signal.Ignore(syscall.SIGPIPE)
	out, errs := terminal(os.Stdout), terminal(os.Stderr)
	p := &program{
		in: os.Stdin, out: out, errs: errs, width: out.Width, barWidth: errs.Width, getenv: os.Getenv,
		asks: term.IsTerminal(int(os.Stdin.Fd())), draws: term.IsTerminal(int(os.Stderr.Fd())),
	}
	log.SetOutput(flussi.MaskWriter(errs)) // what net/http and drivers print
	outfile.Sweep(".")
	code := cli.Run(ctx, p.command(), errs)
	if code == cli.OK && out.Err() != nil {
		fmt.Fprintln(os.Stderr, "Il comando è stato eseguito, ma non è stato possibile scriverne il risultato.")
		code = cli.Failure
	}
	os.Exit(code)
}

// terminal returns what writes to a file, which may be a terminal.
func terminal(file *os.File) *cli.Output {
	width, _, err := term.GetSize(int(file.Fd()))
	if err != nil {
		width = 0
	}
	return &cli.Output{To: file, Width: width, Commands: []string{"massivo ", "go run "}}
}
