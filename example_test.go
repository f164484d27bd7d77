package flussi_test

import (
	"errors"
	"fmt"
	"time"

	"github.com/flussi-go/flussi"
)

// What an operator typed becomes a value; what was cleaned and what is doubtful is
// reported, and the value does not show itself.
func Example() {
	r, err := flussi.ReadFiscalCode(" mscmhl68p18 h211x ", flussi.Lenient)
	if err != nil {
		fmt.Println(flussi.Explain(err))
		return
	}
	fmt.Println(r.Value)
	for _, change := range r.Changes {
		fmt.Println("·", change.Italian())
	}
	for _, doubt := range r.Warnings {
		fmt.Println("?", flussi.Explain(doubt))
	}
	// Output:
	// FiscalCode(***)
	// · tolti 3 spazi
	// · 9 lettere portate in maiuscolo
	// ? Il carattere di controllo del codice fiscale non è corretto: verificare il codice.
}

func ExampleParseFiscalCode() {
	code, err := flussi.ParseFiscalCode("MSCMHLSUPMUHNMMT")
	if err != nil {
		panic(err)
	}
	birth, err := code.BirthDate(time.Date(2025, 2, 28, 0, 0, 0, 0, time.UTC))
	fmt.Println(birth.Format("02/01/2006"), code.Sex(), code.PlaceCode(), code.IsOmocodic(), err)

	_, err = flussi.ParseFiscalCode("80185250588")
	fmt.Println(errors.Is(err, flussi.ErrNotPersonal))
	// Output:
	// 18/09/1968 M H211 true <nil>
	// true
}

func ExampleParseNoticeNumber() {
	number, err := flussi.ParseNoticeNumber("301005100001400678")
	if err != nil {
		panic(err)
	}
	creditor, err := flussi.ParseOrganizationCode("80185250588")
	if err != nil {
		panic(err)
	}
	qr, err := number.QR(creditor, 1250)
	fmt.Println(number)
	fmt.Println(number.Grouped(), number.SegregationCode(), number.IUV().Reveal())
	fmt.Println(qr, err)
	// Output:
	// NoticeNumber(***)
	// 3010 0510 0001 4006 78 01 01005100001400678
	// PAGOPA|002|301005100001400678|80185250588|1250 <nil>
}

// An amount that can be read in two ways is refused, and both readings are shown.
func ExampleParseCents() {
	for _, text := range []string{"€ 1.234,5", "12", "1.234"} {
		amount, err := flussi.ParseCents(text)
		if err != nil {
			fmt.Println(flussi.Explain(err))
			continue
		}
		fmt.Println(int64(amount), amount.Euro())
	}
	// Output:
	// 123450 1.234,50 €
	// 1200 12,00 €
	// L'importo si può leggere in due modi, 1.234,00 € oppure 1,234 €: scrivere l'importo con la virgola e due decimali.
}
