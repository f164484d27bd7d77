package main

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

// prefix begins every line, so that the warning is in sight however long it runs.
const prefix = "[SIMULATORE] "

// warning is what nobody may overlook.
const warning = "Questo è un simulatore di App IO: nessun messaggio raggiunge i cittadini."

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

// rome is the time zone of Italy, which package flussi carries with it.
func rome() *time.Location {
	zone, err := time.LoadLocation("Europe/Rome")
	if err != nil {
		return time.UTC
	}
	return zone
}

// clock is the time of day in Italy.
func clock(t time.Time) string { return t.In(rome()).Format("15:04:05.000") }
