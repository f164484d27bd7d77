package main

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/flussi-go/flussi/examples/internal/cli"
)

// prefix begins every line, so that the warning is in sight however long it runs.
const prefix = "[SIMULATORE] "

// warning is what nobody may overlook.
const warning = "Questo è un simulatore di App IO e di Pago In Rete: niente raggiunge i cittadini."

// journal writes lines for who watches. It is safe for concurrent use.
type journal struct {
	mu  sync.Mutex
	out io.Writer
}

// sayf writes a line, or several.
func (j *journal) sayf(format string, args ...any) {
	text := strings.TrimRight(fmt.Sprintf(format, args...), "\n")
	j.mu.Lock()
	defer j.mu.Unlock()
	fmt.Fprintln(j.out, prefix+strings.ReplaceAll(text, "\n", "\n"+prefix))
}

// Write takes what net/http has to say.
func (j *journal) Write(text []byte) (int, error) {
	j.sayf("%s", text)
	return len(text), nil
}

// clock is the time of day in Italy.
func clock(t time.Time) string { return t.In(cli.Italy()).Format("15:04:05.000") }
