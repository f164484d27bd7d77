package paymentfile_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/leaktest"
	"github.com/flussi-go/flussi/pagoinrete/paymentfile"
)

// secrets are the personal data and the payment references in the fixtures.
var secrets = []string{
	"RSSMRA80A01H501U", "BNCLCU75B02F205X", "Rossi Mario", "Rossi Luca", "Bianchi Luca", "IT60X0542811101000000123456", "mario.rossi@example.org",
	"Gita di istruzione", "Saldo gita", "01000000000000101", "010000000000102", "RF18539007547034", "9876543210123456", "301000000000000103", "nonletta1",
}

func TestNothingPersonalIsPrinted(t *testing.T) {
	r := leaktest.New()
	for _, name := range fixtures(t) {
		got := whole(t, fixture(t, name))
		r.Print(got.report, got.receipt, got.receipt.Debtor, got.receipt.Transfers)
		for _, p := range got.payments {
			r.Print(p, p.Reference)
		}
		for _, m := range got.movements {
			r.Print(m, m.Remittance())
		}
		if file, ok := got.file.(*paymentfile.SettlementFile); ok {
			r.Print(file.Settlement(), file.Page())
		}
	}
	single := paymentfile.ParseRemittance(flussi.NewText("/RFB/01000000000000101/12.34/TXT/Saldo gita di Rossi Luca"))
	r.Print(single)
	r.Check(t, secrets...)
}

// The files have a secret in place of each text, one at a time, or are cut off.
func TestFaultsAndErrorsShowNothingOfAFile(t *testing.T) {
	const secret = "Rossi Mario RSSMRA80A01H501U"
	r := leaktest.New()
	forms := []string{secret, "<" + secret + ">", "</RSSMRA80A01H501U>", "&RSSMRA80A01H501U;", `"` + secret}
	place := 0
	for _, name := range fixtures(t) {
		text := fixture(t, name)
		for i := range text {
			if text[i] != '>' && text[i] != '<' && text[i] != '"' && text[i] != '&' {
				continue
			}
			place++
			got, err := readAll(strings.NewReader(text[:i+1]+forms[place%len(forms)]+text[i+1:]), paymentfile.Config{Body: body(t)})
			fmt.Fprintf(r, "%v %+v %#v %s %s\n", err, got.report, got.report, got.report.Italian(), flussi.Explain(err))
			for _, f := range got.report.Faults {
				fmt.Fprintf(r, "%v %+v %#v %s\n", f, *f, f, f.Italian())
			}
			if place < 50 {
				_ = r.PrintError(err)
			}
		}
	}
	r.Check(t, "Rossi Mario", "RSSMRA80A01H501U")
}

// A movement and a receipt mask their texts, log no more than what is harmless, and are whole in
// JSON.
func TestEntitiesMaskTheirTexts(t *testing.T) {
	m := whole(t, fixture(t, "journal-1.8.xml")).movements[1]
	leaktest.CheckEntity(t, m, `{"row":2,"operation":"ESEGUITO","cents":5050,"faults":0}`, "RSSMRA80A01H501U", "IT60X0542811101000000123456", "Saldo gita", "ROSSI")
	receipt := whole(t, fixture(t, "receipt-v1.xml")).receipt
	leaktest.CheckEntity(t, receipt, `{"outcome":"paid","cents":3000,"transfers":1}`, "RSSMRA80A01H501U", "Rossi Mario", "IT60X0542811101000000123456", "301000000000000103", "Gita")
	p := whole(t, fixture(t, "settlement-1.0.xml")).payments[2]
	r := leaktest.NewThorough()
	r.Print(p, &p, []paymentfile.Payment{p})
	r.Check(t, "RF18539007547034")
}
