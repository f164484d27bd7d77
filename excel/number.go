package excel

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/italian"
)

// maxMoney is the largest amount that a spreadsheet keeps to the cent.
const maxMoney flussi.Cents = 999_999_999_999_999

// Money is the kind of an amount from least to most. A number counts with the 15
// digits that a spreadsheet keeps, so that 0.57999999999999996 is € 0,58; a text is
// read as [flussi.ReadCents] does, so that 1.234 is refused. The errors are those of
// ReadCents, [flussi.ErrRange] and [ErrCellType]. If zero is out of the range, it is
// written as an empty cell. For what pagoPA can collect, use [flussi.MinPayable] and
// [flussi.MaxPayable].
func Money(least, most flussi.Cents) Kind[flussi.Cents] {
	if least < 0 || most < least || most > maxMoney {
		return kind[flussi.Cents]{defect: fmt.Sprintf("has no amounts from %s to %s; the least is 0, the most %s", least, most, maxMoney)}
	}
	rule := Rule{
		Text:    fmt.Sprintf("importo in euro, da %s a %s", least, most),
		Example: max(least, min(most, 1250)).String(), Layout: MoneyLayout, Min: float64(least) / 100, Max: float64(most) / 100, Width: 14,
	}
	return kind[flussi.Cents]{
		read: func(c Cell) (flussi.Reading[flussi.Cents], error) {
			reading, err := readMoney(c)
			if err == nil && (reading.Value < least || reading.Value > most) {
				err = wrong("Cents", flussi.ErrRange, fmt.Sprintf("L'importo deve essere fra %s e %s.", least.Euro(), most.Euro()))
			}
			if err != nil {
				return flussi.Reading[flussi.Cents]{}, err
			}
			return reading, nil
		},
		write: func(v flussi.Cents) Cell {
			if v == 0 && least > 0 {
				return Cell{}
			}
			sign, magnitude := "", uint64(v)
			if v < 0 {
				sign, magnitude = "-", -magnitude
			}
			return Cell{Type: NumberCell, Text: fmt.Sprintf("%s%d.%02d", sign, magnitude/100, magnitude%100)}
		},
		rule: rule,
	}
}

func readMoney(c Cell) (flussi.Reading[flussi.Cents], error) {
	none := flussi.Reading[flussi.Cents]{}
	switch {
	case c.Type == TextCell:
		return flussi.ReadCents(c.Text)
	case c.Type == BoolCell || c.isDate() || c.Format == PercentFormat:
		return none, wrong("Cents", ErrCellType, "La cella contiene una data, una percentuale o un valore logico invece di un importo.")
	}
	number, err := c.decimal()
	if err != nil {
		return none, err
	}
	if strings.HasPrefix(number, "-") && strings.Trim(number, "-0.") != "" {
		return none, wrong("Cents", flussi.ErrRange, "L'importo non può essere negativo.")
	}
	whole, decimals, _ := strings.Cut(strings.TrimLeft(number, "+-"), ".")
	decimals = strings.TrimRight(decimals, "0")
	if len(decimals) > 2 {
		return none, wrong("Cents", flussi.ErrDecimals, "L'importo ha più di due decimali: i centesimi sono due cifre.")
	}
	cents, err := strconv.ParseInt(whole+(decimals + "00")[:2], 10, 64)
	if err != nil {
		return none, wrong("Cents", flussi.ErrRange, "L'importo è troppo grande.")
	}
	return flussi.Reading[flussi.Cents]{Value: flussi.Cents(cents)}, nil
}

// maxInteger is the largest whole number that a spreadsheet keeps.
const maxInteger = 999_999_999_999_999

// Integer is the kind of a whole number from least to most, as a number or as digits,
// perhaps with a sign. Points between thousands are refused with
// [flussi.ErrAmbiguous], since they may be decimals. The other errors are
// [flussi.ErrDecimals], [flussi.ErrCharacter], [flussi.ErrRange] and [ErrCellType].
// If zero is out of the range, it is written as an empty cell.
func Integer(least, most int64) Kind[int64] {
	if most < least || most > maxInteger || least < -maxInteger {
		return kind[int64]{defect: fmt.Sprintf("has no numbers from %d to %d within 15 digits", least, most)}
	}
	return kind[int64]{
		read: func(c Cell) (flussi.Reading[int64], error) {
			n, err := readInteger(c)
			if err == nil && (n < least || n > most) {
				err = wrong("Integer", flussi.ErrRange, fmt.Sprintf("Il numero deve essere fra %s e %s.", italian.Number(least), italian.Number(most)))
			}
			if err != nil {
				return flussi.Reading[int64]{}, err
			}
			return flussi.Reading[int64]{Value: n}, nil
		},
		write: func(v int64) Cell {
			if v == 0 && (least > 0 || most < 0) {
				return Cell{}
			}
			return Cell{Type: NumberCell, Text: strconv.FormatInt(v, 10)}
		},
		rule: Rule{
			Text: fmt.Sprintf("numero intero, da %s a %s", italian.Number(least), italian.Number(most)), Example: strconv.FormatInt(max(least, min(most, 1)), 10),
			Layout: IntegerLayout, Min: float64(least), Max: float64(most), Width: 12,
		},
	}
}

func readInteger(c Cell) (int64, error) {
	if digits, ok := c.digits(); ok {
		return strconv.ParseInt(digits, 10, 64)
	}
	text := strings.TrimFunc(c.Text, func(r rune) bool { return isBlank(string(r)) })
	switch {
	case c.Type == TextCell:
		unsigned := text
		if text != "" && (text[0] == '+' || text[0] == '-') {
			unsigned = text[1:]
		}
		switch {
		case allDigits(unsigned):
		case strings.Trim(unsigned, "0123456789,") == "" && strings.Count(unsigned, ",") == 1:
			return 0, wrong("Integer", flussi.ErrDecimals, "Serve un numero intero, senza decimali.")
		case strings.Trim(unsigned, "0123456789.,") == "" && strings.ContainsAny(unsigned, ".,"):
			return 0, wrong("Integer", flussi.ErrAmbiguous, "Non è chiaro se il punto separi decimali o migliaia: scrivere il numero intero senza punti.")
		default:
			return 0, wrong("Integer", flussi.ErrCharacter, "Serve un numero intero, scritto con le sole cifre.")
		}
	case c.Type != NumberCell || c.isDate() || c.Format == PercentFormat:
		return 0, wrong("Integer", ErrCellType, "La cella contiene una data, una percentuale o un valore logico invece di un numero intero.")
	}
	value, err := strconv.ParseFloat(text, 64)
	switch {
	case err != nil || math.Abs(value) > maxInteger:
		return 0, wrong("Integer", flussi.ErrRange, "Il numero è troppo grande.")
	case value != math.Trunc(value):
		return 0, wrong("Integer", flussi.ErrDecimals, "Serve un numero intero, senza decimali.")
	}
	return int64(value), nil
}
