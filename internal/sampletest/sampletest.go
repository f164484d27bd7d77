// Package sampletest makes data for tests.
package sampletest

import (
	"fmt"
	"time"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/pagoinrete"
)

// FiscalCode returns fiscal codes that are all different, from AAAAAA80A01H501X on.
func FiscalCode(n int) flussi.FiscalCode {
	letters := make([]byte, 6)
	for i := range letters {
		letters[i] = byte('A' + n%26)
		n /= 26
	}
	code, _ := flussi.ParseFiscalCode(string(letters) + "80A01H501X") // cannot fail: it has the form
	return code
}

// NoticeNumber returns notice numbers that are all different.
func NoticeNumber(n int) flussi.NoticeNumber {
	number, _ := flussi.ParseNoticeNumber(fmt.Sprintf("3010%014d", n)) // cannot fail: it has the form
	return number
}

// Fee returns the data of an event with three instalments, of 5,000, 3,000 and 2,000 cents, due at
// the ends of March, April and May 2099.
func Fee() pagoinrete.EventData {
	d := pagoinrete.EventData{
		Name: "Viaggio a Firenze", Causale: "Viaggio di istruzione a Firenze", SchoolYear: 2098, FinancialYear: 2099,
		Account: "IT60X0542811101000000123456", Amount: 10_000,
	}
	for i, amount := range []flussi.Cents{5_000, 3_000, 2_000} {
		due, _ := flussi.EndOfDay(2099, time.Month(3+i), 31-i%2) // cannot fail: the day exists
		d.Instalments = append(d.Instalments, pagoinrete.Instalment{DueDate: due, Amount: amount})
	}
	return d
}
