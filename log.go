package flussi

import (
	"fmt"
	"io"
	"log/slog"
	"regexp"
	"strings"

	"github.com/flussi-go/flussi/internal/terminal"
)

// MaskAttr keeps personal values masked in logs that are written as JSON. It is made for
// [slog.HandlerOptions.ReplaceAttr]: slog.JSONHandler marshals every value that is not plain, so
// personal values inside a struct, a slice or a map would be logged in clear; MaskAttr makes such a
// value the text that fmt prints for it, in which they mask themselves. Errors and plain values do
// not change.
func MaskAttr(_ []string, a slog.Attr) slog.Attr {
	if a.Value.Kind() != slog.KindAny {
		return a
	}
	switch v := a.Value.Any().(type) {
	case nil, error, *slog.Source, slog.Level:
		return a
	default:
		return slog.String(a.Key, fmt.Sprintf("%+v", v))
	}
}

// MaskWriter returns a writer that masks the log of code that does not know what is personal, such
// as net/http and the drivers of databases. Use it with [log.SetOutput], and with [log.New] for the
// ErrorLog of an http.Server:
//
//	log.SetOutput(flussi.MaskWriter(os.Stderr))
//	server := &http.Server{ErrorLog: log.New(flussi.MaskWriter(os.Stderr), "", log.LstdFlags)}
//
// Each call of Write is one record, as package log makes it. The writer shows *** in place of
//
//   - what is in double quotes or back quotes: net/http and drivers quote there what they received
//   - the value of a panic in a handler
//   - passwords in addresses of databases, and the values of a row that PostgreSQL names
//   - what [Problem.Answer] always masks: fiscal codes, numbers of 11 digits or more, e-mail addresses
//
// and U+FFFD in place of what must not reach a terminal: control characters, escape sequences,
// invisible characters and bytes that are not UTF-8. The words of a message outside of quotes
// remain, since they cannot be recognised. It is safe for concurrent use if to is.
func MaskWriter(to io.Writer) io.Writer { return maskWriter{to} }

type maskWriter struct{ to io.Writer }

// Write writes a record.
func (w maskWriter) Write(record []byte) (int, error) {
	if _, err := w.to.Write([]byte(maskRecord(string(record)))); err != nil {
		return 0, err
	}
	return len(record), nil
}

var (
	panicValue  = regexp.MustCompile(`(?s)(panic serving \S+: ).*?(\ngoroutine |$)`)
	inQuotes    = regexp.MustCompile("(?m)\"(?:[^\"\\\\\n]|\\\\.)*(?:\"|$)|`[^`\n]*(?:`|$)")
	rowValues   = regexp.MustCompile(`=\([^\n]*\)`)
	urlPassword = regexp.MustCompile(`://[^/?#\s@]*:[^\s@]*@`)
	password    = regexp.MustCompile(`(?i)(pass(?:word|wd|phrase)\s*=\s*)(?:'(?:[^'\\\n]|\\.)*'?|[^\s&]*)`)
)

// maskRecord masks a record of a log.
func maskRecord(record string) string {
	record = panicValue.ReplaceAllString(record, "${1}***${2}")
	record = inQuotes.ReplaceAllString(record, `"***"`)
	record = rowValues.ReplaceAllString(record, "=(***)")
	record = urlPassword.ReplaceAllString(record, "://***@")
	record = password.ReplaceAllString(record, "${1}***")
	lines := strings.Split(terminal.Text(record), "\n")
	for i, line := range lines {
		lines[i] = hidden(nil).mask(line)
	}
	return strings.Join(lines, "\n")
}
