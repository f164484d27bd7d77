package paymentfile

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/italian"
)

// outcome reads the code of an outcome.
func (r *row) outcome(field, text string) Outcome {
	if text == "" {
		r.missing(field, true)
		return OutcomeUnreadable
	}
	code, err := strconv.Atoi(text)
	outcome := Outcome(code)
	switch {
	case err != nil || code < 0 || strconv.Itoa(code) != text || code > 99:
		outcome = OutcomeUnreadable
		r.add(FaultOutcome, field, true, "L'esito del pagamento non è fra quelli di pagoPA. Chiedere al PSP se il pagamento è stato eseguito.")
	case !outcome.Known():
		r.add(FaultOutcome, field, true, fmt.Sprintf("L'esito %d non è fra quelli di pagoPA. Chiedere al PSP se il pagamento è stato eseguito.", code))
	}
	return outcome
}

// day reads a day that is required.
func (r *row) day(field, text string) Day {
	if text == "" {
		r.missing(field, false)
		return Day{}
	}
	return r.optionalDay(field, text)
}

// optionalDay reads a day, if there is one.
func (r *row) optionalDay(field, text string) Day {
	if text == "" {
		return Day{}
	}
	day, ok := parseDay(text)
	if !ok {
		r.add(FaultDate, field, false, dayReason(field, text))
	}
	return day
}

// amount reads an amount of any sign.
func (r *row) amount(field, text string) (flussi.Cents, bool) {
	if text == "" {
		r.missing(field, true)
		return 0, false
	}
	amount, ok := parseAmount(text)
	if !ok {
		r.add(FaultAmount, field, true, amountReason(field, text))
	}
	return amount, ok
}

// paid reads the amount of a payment. It returns the amount without a sign, and with the sign of
// the file.
func (r *row) paid(field, text string, outcome Outcome) (amount, written flussi.Cents) {
	written, ok := r.amount(field, text)
	if magnitude(written) > maxPaid {
		r.add(FaultAmount, field, true, "L'importo supera "+maxPaid.Euro()+", il massimo di pagoPA.")
		return 0, 0
	}
	amount = written
	switch {
	case ok && written == 0:
		r.add(FaultAmount, field, true, "L'importo è zero.")
	case outcome == OutcomeRevoked:
		amount = magnitude(written)
	case written < 0:
		r.add(FaultSign, field, true, "L'importo è negativo, ma il pagamento non è revocato.")
	}
	return amount, written
}

// time reads an instant that is required.
func (r *row) time(field, text string) time.Time {
	at, ok := parseTime(text)
	switch {
	case text == "":
		r.missing(field, false)
	case !ok:
		r.add(FaultDate, field, false, dateReason(field, text, "2026-11-30T10:30:00"))
	}
	return at
}

// A text is quoted only if it looks like an amount or a date: it is never a name or a code.
var (
	commaAmount = regexp.MustCompile(`^[+-]?[0-9.]{1,15},[0-9]{1,4}$`)
	likeAmount  = regexp.MustCompile(`^[+-]?[0-9]{0,10}\.[0-9.]{1,6}$`)
	likeDate    = regexp.MustCompile(`^[0-9]{1,4}[-/.][0-9]{1,2}[-/.][0-9]{1,4}([T ][0-9:.]{1,15}(Z|[+-][0-9:]{1,5})?)?$`)
	wellFormed  = regexp.MustCompile(`^[0-9]{4}-[0-9]{2}-[0-9]{2}$`)
)

// amountReason says why an amount cannot be read.
func amountReason(field, text string) string {
	of := " del campo " + italian.Quote(field)
	switch {
	case commaAmount.MatchString(text):
		return "L'importo " + italian.Quote(text) + of + " ha la virgola: prima dei centesimi serve il punto, come in 10.00."
	case likeAmount.MatchString(text):
		return "L'importo " + italian.Quote(text) + of + " non è un numero di euro e centesimi, come 10.00."
	}
	return "Il valore" + of + " non è un numero di euro e centesimi, come 10.00."
}

// dayReason says why a day cannot be read.
func dayReason(field, text string) string {
	if wellFormed.MatchString(text) {
		return "La data " + italian.Quote(text) + " del campo " + italian.Quote(field) + " non esiste."
	}
	return dateReason(field, text, "2026-11-30")
}

// dateReason says that a date is not written as an example is.
func dateReason(field, text, example string) string {
	if likeDate.MatchString(text) {
		return "La data " + italian.Quote(text) + " del campo " + italian.Quote(field) + " non esiste, o non è scritta come " + example + "."
	}
	return "Il valore del campo " + italian.Quote(field) + " non è una data scritta come " + example + "."
}

// wholeNumber removes the sign and the leading zeros of a whole number, which only some banks
// write. It returns other texts as they are.
func wholeNumber(text string) string {
	digits := strings.TrimPrefix(text, "+")
	if digits == "" || strings.Trim(digits, "0123456789") != "" {
		return text
	}
	if digits = strings.TrimLeft(digits, "0"); digits == "" {
		return "0"
	}
	return digits
}
