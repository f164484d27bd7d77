package main

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/flussi-go/flussi/examples/internal/cli"
)

// waits tells an operator who looks on that nothing is sent because App IO asks to wait. It may be
// used from any goroutine. The zero value is ready; nil tells nothing.
type waits struct {
	mu    sync.Mutex
	until time.Time // that was told last
}

const (
	shownWait = 10 * time.Second // shorter waits are not told
	sameWait  = 5 * time.Second  // calls that are refused together ask for about the same time
)

// tell prints until when App IO asks to wait, unless it printed so before.
func (w *waits) tell(to io.Writer, until time.Time) {
	if w == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if time.Until(until) < shownWait || until.Sub(w.until) < sameWait {
		return
	}
	w.until = until
	fmt.Fprintf(to, "\nApp IO ha ricevuto troppe richieste dall'ente e chiede di attendere fino al %s: allora il programma riprende da solo. Ctrl-C per interrompere.\n",
		until.In(cli.Italy()).Format("02/01/2006 alle 15:04:05"))
}
