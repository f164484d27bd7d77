package cli

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// Interruptible returns a context that ends with the first signal that asks the program to end:
// Ctrl-C, SIGTERM, or the SIGHUP of a terminal that is closed. Call stop at the end.
//
// A signal that is ignored when the program starts stays ignored. So a program that nohup started
// outlives its terminal, and Ctrl-C does not reach one that a script started in the background. A
// second Ctrl-C or SIGTERM ends the program at once. A second SIGHUP does not: the system and the
// shell may each send one when a terminal is closed.
func Interruptible(ctx context.Context) (_ context.Context, stop context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	signals := make(chan os.Signal, 1)
	for _, s := range []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP} {
		if !signal.Ignored(s) {
			signal.Notify(signals, s)
		}
	}
	go func() {
		select {
		case <-signals:
			signal.Ignore(syscall.SIGHUP)
		case <-ctx.Done():
		}
		signal.Stop(signals)
		cancel()
	}()
	return ctx, cancel
}
