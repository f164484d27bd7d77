package paymentfile_test

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/pagoinrete/paymentfile"
)

// fixtures are the names of all files in testdata.
func fixtures(t testing.TB) []string {
	var names []string
	for _, entry := range must.Get(os.ReadDir("testdata"))(t) {
		if !entry.IsDir() {
			names = append(names, entry.Name())
		}
	}
	require.NotEmpty(t, names)
	return names
}

func fixture(t testing.TB, name string) string {
	return string(must.Get(os.ReadFile(filepath.Join("testdata", name)))(t))
}

// edited is a fixture in which texts were replaced, in pairs.
func edited(t testing.TB, name string, pairs ...string) string {
	text := fixture(t, name)
	for i := 0; i < len(pairs); i += 2 {
		require.Contains(t, text, pairs[i])
		text = strings.Replace(text, pairs[i], pairs[i+1], 1)
	}
	return text
}

// read is all that a file has.
type read struct {
	file      paymentfile.File
	report    paymentfile.Report
	payments  []paymentfile.Payment
	movements []paymentfile.Movement
	receipt   paymentfile.Receipt
}

// readAll reads a file to its end.
func readAll(r io.Reader, config paymentfile.Config) (read, error) {
	file, err := paymentfile.Open(r, config)
	if err != nil {
		return read{}, err
	}
	all := read{file: file}
	switch file := file.(type) {
	case *paymentfile.SettlementFile:
		for p, rowErr := range file.Payments() {
			if err = rowErr; err == nil {
				all.payments = append(all.payments, p)
			}
		}
	case *paymentfile.JournalFile:
		for m, rowErr := range file.Movements() {
			if err = rowErr; err == nil {
				all.movements = append(all.movements, m)
			}
		}
	case *paymentfile.ReceiptFile:
		all.receipt = file.Receipt()
	}
	all.report = file.Report()
	return all, err
}

// whole reads a text that has to be readable.
func whole(t testing.TB, text string) read {
	t.Helper()
	return must.Get(readAll(strings.NewReader(text), paymentfile.Config{Body: body(t)}))(t)
}

func body(t testing.TB) flussi.OrganizationCode {
	return must.Get(flussi.ParseOrganizationCode("80185250588"))(t)
}

// told are the kinds of faults, with the texts for operators.
func told(faults []*paymentfile.Fault) (kinds []paymentfile.FaultKind, texts []string) {
	for _, f := range faults {
		kinds, texts = append(kinds, f.Kind), append(texts, f.Italian())
	}
	return kinds, texts
}

// day makes a day.
func day(year, month, d int) paymentfile.Day {
	var made paymentfile.Day
	text := []byte{byte('0' + year/1000), byte('0' + year/100%10), byte('0' + year/10%10), byte('0' + year%10), '-',
		byte('0' + month/10), byte('0' + month%10), '-', byte('0' + d/10), byte('0' + d%10)}
	if err := made.UnmarshalText(text); err != nil {
		panic(err)
	}
	return made
}

// oneByte gives a text a byte at a time.
func oneByte(text string) io.Reader { return &dripping{*bytes.NewReader([]byte(text))} }

type dripping struct{ bytes.Reader }

func (d *dripping) Read(p []byte) (int, error) { return d.Reader.Read(p[:min(len(p), 1)]) }

func indexOf(t testing.TB, text, part string) int {
	require.Contains(t, text, part)
	return strings.Index(text, part)
}
