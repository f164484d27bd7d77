package paymentfile_test

import (
	"bytes"
	"errors"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/pagoinrete/paymentfile"
)

// settle reads a file and checks what must hold for every file.
func settle(t *testing.T, data []byte) {
	begun := time.Now()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	limits := paymentfile.Limits{FileBytes: 1 << 20, TextBytes: 1 << 16, Rows: 1000, Faults: 50}
	got, err := readAll(bytes.NewReader(data), paymentfile.Config{Limits: limits})
	runtime.ReadMemStats(&after)
	if spent := after.TotalAlloc - before.TotalAlloc; spent > 128<<20 {
		t.Fatalf("%d bytes allocated", spent)
	}
	var file *paymentfile.FileError
	switch {
	case err != nil && !errors.As(err, &file):
		t.Fatalf("not a *FileError: %v", err)
	case err != nil && (file.Position.Line < 1 || file.Position.Column < 1 || file.Italian() == ""):
		t.Fatalf("no place: %v", err)
	case (err == nil) != got.report.Complete:
		t.Fatalf("complete: %v, error: %v", got.report.Complete, err)
	}
	var sum flussi.Cents
	faults := 0
	for i, p := range got.payments {
		sum += p.Net()
		faults += len(p.Faults)
		if p.Usable() && (p.Amount <= 0 || p.Reference.IsZero() || p.IUR == "" || !p.Outcome.Known()) {
			t.Fatalf("row %d is usable", i)
		}
	}
	for i, m := range got.movements {
		if m.Direction == paymentfile.Incoming {
			sum += m.Net()
		}
		faults += len(m.Faults)
		if m.Usable() && (m.Amount <= 0 || m.Direction == "" || !m.Operation.Known() || m.IsIncomingSuspense() && m.SuspenseNumber() == "") {
			t.Fatalf("row %d is usable", i)
		}
		checkRemittance(t, m.Remittance())
	}
	if got.receipt.ID == "" && sum != got.report.Amount && err == nil && got.file.Format() != paymentfile.FormatReceipt && got.file.Format() != paymentfile.FormatOldReceipt {
		t.Fatal("the report adds up otherwise")
	}
	if faults > got.report.NumFaults || len(got.report.Faults) > 50 {
		t.Fatal("faults are not counted")
	}
	if time.Since(begun) > 20*time.Second { // a hang, on whatever machine
		t.Fatal("takes too long")
	}
}

func seeds(f *testing.F, prefixes ...string) {
	for _, name := range fixtures(f) {
		if slices.ContainsFunc(prefixes, func(prefix string) bool { return strings.HasPrefix(name, prefix) }) {
			text := fixture(f, name)
			f.Add([]byte(text))
			f.Add([]byte(text[:len(text)/2]))
		}
	}
}

func FuzzSettlement(f *testing.F) {
	seeds(f, "settlement-")
	f.Add([]byte("<FlussoRiversamento><datiSingoliPagamenti/></FlussoRiversamento>"))
	f.Fuzz(settle)
}

func FuzzSettlementJSON(f *testing.F) {
	seeds(f, "settlement.json", "payments-")
	f.Add([]byte(`{"":1,"data":[{"pay":-1e2}]}`))
	f.Fuzz(settle)
}

func FuzzJournal(f *testing.F) {
	seeds(f, "journal-")
	f.Add([]byte("\xFF\xFE<\x00"))
	f.Fuzz(settle)
}

func FuzzReceipt(f *testing.F) {
	seeds(f, "receipt-", "rt-")
	f.Add([]byte("<a><rt>PFJULz4=</rt></a>"))
	f.Fuzz(settle)
}

// FuzzEmbedded reads a document in base64.
func FuzzEmbedded(f *testing.F) {
	seeds(f, "settlement-")
	f.Fuzz(func(t *testing.T, data []byte) {
		settle(t, []byte("<Envelope><Body><nodoChiediFlussoRendicontazioneRisposta><xmlRendicontazione>"+base64Of(string(data))+
			"</xmlRendicontazione></nodoChiediFlussoRendicontazioneRisposta></Body></Envelope>"))
	})
}

func checkRemittance(t *testing.T, r paymentfile.Remittance) {
	for i, id := range r.IDs {
		if len(strings.TrimRight(id, "-")) > paymentfile.MaxReference || len(id) < len("2006-01-02x") || slices.Contains(r.IDs[:i], id) {
			t.Fatalf("not an identifier, or twice: %q", r.IDs)
		}
	}
	switch {
	case r.Cut && len(r.IDs) > 0:
		t.Fatal("whole and cut")
	case r.Prefix != "" && !r.Cut && !slices.ContainsFunc(r.IDs, func(id string) bool { return strings.HasPrefix(id, r.Prefix) }):
		t.Fatalf("%q begins none of %q", r.Prefix, r.IDs)
	case r.Progress < -1 || r.Progress > 9 || r.Amount < 0:
		t.Fatal("out of range")
	}
}

func FuzzRemittance(f *testing.F) {
	for _, causale := range []string{"/PUR/LGPE-RIVERSAMENTO/TXT/1/URI/2030-03-04PSPXITR1XXX-F000123456", "LGPE- RIVERSAMENTO URI 2030-03- 04PSP- x",
		"/RFB/01234567890123456/12.34/TXT/a", "/RFS/RF18 5390 0754 7034/45.56", ".URI.2030-03-04-- /PUR/LGPE-RIVERSAMENTO Integrativo 1 pagamenti del 20300304/URI/2"} {
		f.Add(causale)
	}
	f.Fuzz(func(t *testing.T, causale string) {
		checkRemittance(t, paymentfile.ParseRemittance(flussi.NewText(causale)))
	})
}

func FuzzReference(f *testing.F) {
	f.Add("RF18 5390 0754 7034")
	f.Add("01000000000000101")
	f.Fuzz(func(t *testing.T, text string) {
		r := paymentfile.NewReference(text)
		if r != paymentfile.NewReference(r.Reveal()) {
			t.Fatal("another one when read again")
		}
		if r.Class() == paymentfile.ReferenceCreditor != (r.Class() != paymentfile.ReferenceOther && !r.IsZero() && strings.HasPrefix(r.Reveal(), "RF")) {
			t.Fatal("class")
		}
		if r.Check() == nil && utf8.RuneCountInString(r.Reveal()) > paymentfile.MaxReference {
			t.Fatal("too long")
		}
	})
}
