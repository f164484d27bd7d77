package main

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/flussi-go/flussi/examples/internal/cli"
)

// prefix begins every line, so that the warning stays visible.
const prefix = "[SIMULATORE] "

// warning is on every page and at the start.
const warning = "Questo è un simulatore di App IO e di Pago In Rete: niente raggiunge i cittadini."

// journal writes lines to the standard output. It is safe for concurrent use.
type journal struct {
	mu  sync.Mutex
	out io.Writer
}

// printf writes one or more lines.
func (j *journal) printf(format string, args ...any) {
	text := strings.TrimRight(fmt.Sprintf(format, args...), "\n")
	j.mu.Lock()
	defer j.mu.Unlock()
	fmt.Fprintln(j.out, prefix+strings.ReplaceAll(text, "\n", "\n"+prefix))
}

// Write writes a log line of net/http.
func (j *journal) Write(text []byte) (int, error) {
	j.printf("%s", text)
	return len(text), nil
}

// clock formats the time of day in Italy.
func clock(t time.Time) string { return t.In(cli.Italy()).Format("15:04:05.000") }
