package excel

import (
	"math"
	"strconv"
	"strings"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/xlsx"
)

// CellType is what a cell holds.
type CellType uint8

// The types of cells that a [Kind] gets to read. Empty cells, errors and formulas
// without a value do not come to it.
const (
	NoCell     CellType = iota // nothing; for writing only
	TextCell                   // text; every cell of a CSV file
	NumberCell                 // a number
	BoolCell                   // VERO or FALSO
	DateCell                   // a date as text in ISO 8601, which few programs write; for reading only
	unwritable                 // a value that no cell can hold
)

// NumberFormat is what a number shows as.
type NumberFormat uint8

// The number formats that change what a number means.
const (
	PlainFormat    NumberFormat = iota // as its digits
	DateFormat                         // as a date
	DateTimeFormat                     // as a date with a time
	TimeFormat                         // as a time or a duration
	PercentFormat                      // times a hundred
	OtherFormat                        // with decimals, a currency, leading zeros, …
)

// The scanner has the same types and formats under the same numbers.
var (
	_ = [1]struct{}{}[TextCell-CellType(xlsx.Text)]
	_ = [1]struct{}{}[NumberCell-CellType(xlsx.Number)]
	_ = [1]struct{}{}[BoolCell-CellType(xlsx.Bool)]
	_ = [1]struct{}{}[DateCell-CellType(xlsx.ISODate)]
	_ = [1]struct{}{}[DateFormat-NumberFormat(xlsx.Date)]
	_ = [1]struct{}{}[DateTimeFormat-NumberFormat(xlsx.DateTime)]
	_ = [1]struct{}{}[TimeFormat-NumberFormat(xlsx.Time)]
	_ = [1]struct{}{}[PercentFormat-NumberFormat(xlsx.Percent)]
	_ = [1]struct{}{}[OtherFormat-NumberFormat(xlsx.Other)]
)

// Cell is a cell as its file holds it.
type Cell struct {
	Type     CellType     // what it holds
	Text     string       // a text; a number in digits with a point, perhaps with an exponent; 1 or 0 for VERO and FALSO; a date in ISO 8601
	Format   NumberFormat // of a NumberCell
	Date1904 bool         // dates are counted from 1 January 1904, not from the end of 1899
}

// exactDigits is how many digits of a number a spreadsheet keeps.
const exactDigits = 15

// Code returns the cell's text where a code is needed. A whole number of up to 15
// digits that shows as its digits is taken, with a warning, since zeros in front of
// it would be lost; every other number is refused with [flussi.ErrDigitsLost], and a
// date or a truth value with [ErrCellType].
func (c Cell) Code() (text string, warnings []error, err error) {
	if c.Type != NumberCell {
		text, err = c.Plain()
		return text, nil, err
	}
	if digits, ok := c.digits(); ok {
		return digits, []error{wrong("Cell", ErrUnformatted,
			"La cella contiene un numero e non un testo: eventuali zeri iniziali sono andati persi. Controllare, e usare il formato Testo.")}, nil
	}
	if c.isDate() {
		_, err := c.Plain()
		return "", nil, err
	}
	return "", nil, wrong("Cell", flussi.ErrDigitsLost,
		"Il codice è stato registrato come numero e le sue cifre possono essere andate perse: riscriverlo in una cella di formato Testo.")
}

// Plain returns the cell's text where a text is needed. A whole number of up to 15
// digits that shows as its digits is taken as them; other numbers, dates and truth
// values are refused with [ErrCellType], since what they show depends on formats.
func (c Cell) Plain() (string, error) {
	switch {
	case c.Type == TextCell:
		return c.Text, nil
	case c.Type == BoolCell:
		return "", wrong("Cell", ErrCellType, "La cella contiene un valore logico (VERO o FALSO) invece di un testo: impostare il formato Testo e riscriverla.")
	case c.isDate():
		return "", wrong("Cell", ErrCellType, "La cella contiene una data invece di un testo: impostare il formato Testo e riscriverla.")
	}
	if digits, ok := c.digits(); ok {
		return digits, nil
	}
	return "", wrong("Cell", ErrCellType, "La cella contiene un numero invece di un testo: impostare il formato Testo e riscriverla.")
}

func (c Cell) isDate() bool {
	return c.Type == DateCell || c.Type == NumberCell && (c.Format == DateFormat || c.Format == DateTimeFormat || c.Format == TimeFormat)
}

// digits returns the digits of a whole number that shows as them.
func (c Cell) digits() (string, bool) {
	if c.Type != NumberCell || c.Format != PlainFormat {
		return "", false
	}
	if len(c.Text) <= exactDigits && allDigits(c.Text) && (c.Text[0] != '0' || c.Text == "0") {
		return c.Text, true
	}
	value, err := strconv.ParseFloat(c.Text, 64)
	if err != nil || value < 0 || value >= 1e15 || value != math.Trunc(value) {
		return "", false
	}
	return strconv.FormatInt(int64(value), 10), true // also of minus zero
}

// decimal returns a number in digits, as precisely as a spreadsheet keeps it: 15
// digits. So what is stored as 0.57999999999999996 is 0.58.
func (c Cell) decimal() (string, error) {
	if len(c.Text) <= exactDigits && !strings.ContainsAny(c.Text, "eE") {
		return c.Text, nil
	}
	value, err := strconv.ParseFloat(c.Text, 64)
	if err != nil || math.Abs(value) >= 1e15 {
		return "", wrong("Cell", flussi.ErrRange, "Il numero è troppo grande.")
	}
	value, err = strconv.ParseFloat(strconv.FormatFloat(value, 'e', exactDigits-1, 64), 64)
	return strconv.FormatFloat(value, 'f', -1, 64), err
}

func allDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// utf16Length counts a text in UTF-16 code units.
func utf16Length(s string) int { return xlsx.Length(s) }
