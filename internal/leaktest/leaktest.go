// Package leaktest finds secrets in what a program prints and logs, for tests.
package leaktest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/flussi-go/flussi"
)

// Recorder collects what a program may print or log, and finds secrets in it. It is safe for
// concurrent use.
type Recorder struct {
	formats []string
	// Values are logged as programs should log them: as text, and as JSON with
	// [flussi.MaskAttr].
	values []*slog.Logger
	logger *slog.Logger

	mu  sync.Mutex
	out bytes.Buffer
}

// New returns an empty recorder that prints values with the verbs that programs use.
func New() *Recorder { return newRecorder([]string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"}) }

// NewThorough returns an empty recorder that prints values with every verb that exists, and many
// that do not: fmt then prints the value too.
func NewThorough() *Recorder {
	var formats []string
	for verb := 'A'; verb <= 'z'; verb++ {
		for _, flags := range []string{"", "+", "#"} {
			formats = append(formats, "%"+flags+string(verb))
		}
	}
	return newRecorder(formats)
}

func newRecorder(formats []string) *Recorder {
	r := &Recorder{formats: formats}
	text := slog.NewTextHandler(r, &slog.HandlerOptions{Level: slog.LevelDebug})
	masked := slog.NewJSONHandler(r, &slog.HandlerOptions{Level: slog.LevelDebug, ReplaceAttr: flussi.MaskAttr})
	r.values = []*slog.Logger{slog.New(text), slog.New(masked)}
	r.logger = slog.New(twoHandlers{text, slog.NewJSONHandler(r, &slog.HandlerOptions{Level: slog.LevelDebug})})
	return r
}

// Logger returns a logger for the code under test: it logs all levels, as text and as JSON, and
// masks nothing by itself.
func (r *Recorder) Logger() *slog.Logger { return r.logger }

// Write collects what is written.
func (r *Recorder) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.out.Write(p)
}

// Print prints and logs values: bare, in an unexported field and in a list. It writes the Italian
// text of a value that has one.
func (r *Recorder) Print(values ...any) {
	for _, v := range values {
		for _, format := range r.formats {
			fmt.Fprintf(r, format+"\n", v)
			fmt.Fprintf(r, format+"\n", []struct{ hidden any }{{v}})
		}
		for _, l := range r.values {
			l.Info("m", "value", v, "list", []any{v}, "struct", struct{ V any }{v})
		}
		if _, masks := v.(slog.LogValuer); masks {
			r.logger.Info("m", "value", v)
		}
		if e, ok := v.(interface{ Italian() string }); ok {
			fmt.Fprintln(r, e.Italian())
		}
	}
}

// PrintError prints an error, all errors that it wraps, what the operator reads, and what the
// platform said. It leaves out the causes of a [*flussi.RemoteError], which come from elsewhere.
// It returns the error.
func (r *Recorder) PrintError(err error) error {
	fmt.Fprintln(r, flussi.Explain(err))
	r.printTree(err)
	return err
}

func (r *Recorder) printTree(err error) {
	if err == nil {
		return
	}
	r.Print(err)
	r.logger.Info("m", "error", err)
	switch e := err.(type) {
	case *flussi.RemoteError:
		if r.Print(e.Problem); e.Problem != nil {
			r.Print(*e.Problem)
		}
	case interface{ Unwrap() error }:
		r.printTree(e.Unwrap())
	case interface{ Unwrap() []error }:
		for _, wrapped := range e.Unwrap() {
			r.printTree(wrapped)
		}
	}
}

// Check fails the test if a secret was printed.
func (r *Recorder) Check(t testing.TB, secrets ...string) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.out.Len() == 0 {
		t.Fatal("nothing was printed")
	}
	printed := strings.ToLower(r.out.String())
	for _, secret := range secrets {
		if at := find(printed, secret); at >= 0 {
			t.Fatalf("%q is shown: …%s…", secret, printed[max(0, at-300):min(len(printed), at+100)])
		}
	}
}

// Check fails the test if printing values and errors shows a secret.
func Check(t testing.TB, secrets []string, values ...any) {
	t.Helper()
	r := New()
	for _, v := range values {
		if err, ok := v.(error); ok {
			_ = r.PrintError(err)
			continue
		}
		r.Print(v)
	}
	r.Check(t, secrets...)
}

// CheckEntity checks what becomes of an entity that holds secrets: whatever prints or logs it shows
// none of them and masks its texts, its log is a JSON object, and JSON carries it whole.
func CheckEntity[T any](t testing.TB, entity T, log string, secrets ...string) {
	t.Helper()
	r := NewThorough()
	r.Print(entity, &entity, []T{entity}, struct{ hidden T }{entity})
	r.Logger().Info("m", "value", entity, "pointer", &entity)
	for _, want := range []string{`"value":` + log + `,"pointer":` + log, "Text(***)"} {
		if !strings.Contains(r.out.String(), want) {
			t.Errorf("%s is not printed or logged", want)
		}
	}
	r.Check(t, secrets...)
	data, err := json.Marshal(entity)
	if err != nil {
		t.Fatal(err)
	}
	var back T
	if err := json.Unmarshal(data, &back); err != nil || !reflect.DeepEqual(entity, back) {
		t.Errorf("JSON does not carry it whole: %v", err)
	}
}

// Shows reports whether an output shows a secret: as text of either case, in hexadecimal, or as a
// list of bytes.
func Shows(output, secret string) bool { return find(strings.ToLower(output), secret) >= 0 }

// find returns where an output in lower case shows a secret, or -1.
func find(output, secret string) int {
	forms := []string{
		strings.ToLower(secret), fmt.Sprintf("%x", secret), fmt.Sprintf("% x", secret), strings.Trim(fmt.Sprint([]byte(secret)), "[]"),
	}
	if secret == "" {
		return 0 // a test that has no secret to look for is wrong
	}
	for _, form := range forms {
		if at := strings.Index(output, form); at >= 0 {
			return at
		}
	}
	return -1
}

// twoHandlers gives each record to both.
type twoHandlers [2]slog.Handler

func (h twoHandlers) Enabled(context.Context, slog.Level) bool { return true }
func (h twoHandlers) Handle(ctx context.Context, r slog.Record) error {
	return errors.Join(h[0].Handle(ctx, r.Clone()), h[1].Handle(ctx, r))
}
func (h twoHandlers) WithAttrs(a []slog.Attr) slog.Handler {
	return twoHandlers{h[0].WithAttrs(a), h[1].WithAttrs(a)}
}
func (h twoHandlers) WithGroup(name string) slog.Handler {
	return twoHandlers{h[0].WithGroup(name), h[1].WithGroup(name)}
}
