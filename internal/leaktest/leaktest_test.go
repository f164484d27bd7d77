package leaktest_test

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/leaktest"
)

const secret = "Parolasegretissima"

// fatal is a testing.TB that notes failures.
type fatal struct {
	testing.TB
	failed bool
}

func (f *fatal) Helper()               {}
func (f *fatal) Fatal(...any)          { f.failed = true }
func (f *fatal) Fatalf(string, ...any) { f.failed = true }

func (f *fatal) Errorf(string, ...any) { f.failed = true }

// explained shows the secret to operators only.
type explained struct{}

func (explained) Italian() string { return secret }

// remote shows the secret where a RemoteError may.
func remote(e flussi.RemoteError) error {
	e.Kind = flussi.ErrUnavailable
	return fmt.Errorf("call: %w", &e)
}

func TestARecorderFindsWhatIsShown(t *testing.T) {
	for name, value := range map[string]any{
		"a text":                     secret,
		"a text in upper case":       strings.ToUpper(secret),
		"a text within another":      "before" + secret + "after",
		"bytes":                      []byte(secret),
		"hexadecimal":                fmt.Sprintf("%x", secret),
		"hexadecimal, spaced":        fmt.Sprintf("% X", secret),
		"an unexported field":        struct{ s []string }{[]string{secret}},
		"a map":                      map[string]string{"k": secret},
		"a text for operators":       explained{},
		"an error":                   errors.New(secret),
		"a wrapped error":            fmt.Errorf("save: %w", errors.New(secret)),
		"one of several errors":      errors.Join(errors.New("x"), errors.New(secret)),
		"an error's detail":          remote(flussi.RemoteError{Detail: secret}),
		"an error's text in Italian": remote(flussi.RemoteError{Reason: secret}),
		"a field of an InvalidError": &flussi.InvalidError{Fields: []*flussi.ValueError{{Type: "field", Err: errors.New(secret)}}},
	} {
		for _, r := range []*leaktest.Recorder{leaktest.New(), leaktest.NewThorough()} {
			if err, ok := value.(error); ok {
				assert.Equal(t, err, r.PrintError(err))
			} else {
				r.Print(value)
			}
			f := &fatal{TB: t}
			r.Check(f, secret)
			assert.True(t, f.failed, name)
			r.Check(t, "another secret")
		}
		f := &fatal{TB: t}
		leaktest.Check(f, []string{"another secret", secret}, 7, value)
		assert.True(t, f.failed, name)
	}
}

func TestARecorderFindsWhatIsLogged(t *testing.T) {
	for name, log := range map[string]func(*slog.Logger){
		"an attribute":     func(l *slog.Logger) { l.Debug("m", "k", secret) },
		"JSON of a value":  func(l *slog.Logger) { l.Info("m", "k", struct{ T flussi.Text }{flussi.NewText(secret)}) },
		"with":             func(l *slog.Logger) { l.With("k", secret).Info("m") },
		"in a group":       func(l *slog.Logger) { l.WithGroup("g").Info("m", "k", secret) },
		"a group's name":   func(l *slog.Logger) { l.WithGroup(secret).Info("m", "k", 1) },
		"the message":      func(l *slog.Logger) { l.Warn(secret) },
		"an error's cause": func(l *slog.Logger) { l.Error("m", "error", errors.New(secret)) },
	} {
		r := leaktest.New()
		log(r.Logger())
		f := &fatal{TB: t}
		r.Check(f, secret)
		assert.True(t, f.failed, name)
	}
}

func TestARecorderPassesWhatIsMasked(t *testing.T) {
	r := leaktest.NewThorough()
	text := flussi.NewText(secret)
	r.Print(text, &text, struct{ t flussi.Text }{text}, flussi.Problem{Detail: text})
	_ = r.PrintError(remote(flussi.RemoteError{Problem: &flussi.Problem{Detail: text}}))
	_ = r.PrintError(nil)
	r.Logger().Info("m", "text", text)
	r.Check(t, secret)
	r = leaktest.New()
	_ = r.PrintError(remote(flussi.RemoteError{Err: errors.New(secret)}))
	r.Check(t, secret) // found by unwrapping only
}

func TestATestThatLooksForNothingFails(t *testing.T) {
	r := leaktest.New()
	f := &fatal{TB: t}
	r.Check(f, secret)
	assert.True(t, f.failed, "nothing was printed")
	r.Print(1)
	f = &fatal{TB: t}
	r.Check(f, "")
	assert.True(t, f.failed, "no secret")
}

// record is an entity: its text masks itself, and a field may be lost by JSON.
type record struct {
	Text   flussi.Text
	Shown  string
	hidden int
}

func (r record) LogValue() slog.Value { return slog.GroupValue(slog.String("shown", r.Shown)) }

func TestEntityIsMaskedLoggedAndCarriedWhole(t *testing.T) {
	whole := record{Text: flussi.NewText(secret), Shown: "x"}
	leaktest.CheckEntity(t, whole, `{"shown":"x"}`, secret)
	for name, check := range map[string]func(testing.TB){
		"a secret is shown": func(t testing.TB) {
			leaktest.CheckEntity(t, record{whole.Text, secret, 0}, `{"shown":"`+secret+`"}`, secret)
		},
		"another log":        func(t testing.TB) { leaktest.CheckEntity(t, whole, `{"shown":"y"}`, secret) },
		"no text":            func(t testing.TB) { leaktest.CheckEntity(t, record{Shown: "x"}, `{"shown":"x"}`, secret) },
		"a field JSON loses": func(t testing.TB) { leaktest.CheckEntity(t, record{whole.Text, "x", 1}, `{"shown":"x"}`, secret) },
	} {
		f := &fatal{TB: t}
		check(f)
		assert.True(t, f.failed, name)
	}
}
