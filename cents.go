package flussi

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Cents (somma, importo) is an amount in whole euro cents: 1234 is € 12,34. No float
// is ever involved. It marshals to JSON and SQL as an integer number of cents and
// prints in Italian notation.
type Cents int64

// The amounts that pagoPA can collect, in cents.
const (
	MinPayable Cents = 1
	MaxPayable Cents = 9_999_999_999
)

// ParseCents takes an amount in Italian notation: a comma before one or two
// decimals, points between groups of three digits or none, and the euro sign (€,
// EUR, euro) in front, behind, or absent:
//
//	1.234,56    € 12,50    12,5    12    1.234.567    19.99
//
// A point before one or two final digits can only be a decimal point and is taken
// as one. A text with two readings, such as 1.234, is refused with [ErrAmbiguous],
// and the error shows both. The other errors, all [*ValueError], are [ErrEmpty],
// [ErrCharacter], [ErrNotation], [ErrDecimals], and [ErrRange] for negative or
// amounts that 64 bits cannot hold. Whether pagoPA can collect the amount is up to
// [Cents.Check].
func ParseCents(s string) (Cents, error) { return parseCents(s, nil) }

func parseCents(s string, from origin) (Cents, error) {
	number, offset, err := cutCurrency(s)
	if err != nil {
		return 0, err
	}
	whole, decimals, err := splitAmount(number, offset, from)
	if err != nil {
		return 0, err
	}
	// At most two decimals here, so that one digit more is tens of cents.
	for len(decimals) < 2 {
		decimals += "0"
	}
	cents, convErr := strconv.ParseInt(whole+decimals, 10, 64)
	if convErr != nil {
		return 0, centsError(ErrRange, 0, "L'importo è troppo grande.")
	}
	return Cents(cents), nil
}

// ReadCents reads an amount as a person typed it: it removes the spaces around it, the apostrophes
// in front and the invisible characters, reports the changes, and takes the rest as [ParseCents]
// does. Characters that make an amount look like another one, such as direction overrides and soft
// hyphens, are refused. Spaces between digits are not removed: what they meant is not clear. An
// amount is never doubtful, so there are no warnings and no [Policy].
func ReadCents(input string) (Reading[Cents], error) {
	var made changes
	typed := []rune(input)
	first, last := 0, len(typed)
	for first < last && (isBlank(typed[first]) || isApostrophe(typed[first])) {
		first++
	}
	for last > first && isBlank(typed[last-1]) {
		last--
	}
	var clean []rune
	var from origin
	for i, r := range typed {
		kind, gone := blank(r)
		switch {
		case i < first && isApostrophe(r):
			made.add(RemovedApostrophes)
			continue
		case gone && !rearranges(r) && (i < first || i >= last || kind == RemovedInvisible):
			made.add(kind)
			continue
		}
		clean = append(clean, r)
		from = append(from, i+1)
	}
	value, err := parseCents(string(clean), from)
	if err != nil {
		return Reading[Cents]{}, err
	}
	return Reading[Cents]{Value: value, Changes: made}, nil
}

// rearranges reports whether an invisible character can make digits show in another
// order, or show as a minus.
func rearranges(r rune) bool {
	return r == '\u00AD' || '\u202A' <= r && r <= '\u202E' || '\u2066' <= r && r <= '\u2069'
}

func centsError(err error, position int, italian string, readings ...string) error {
	return &ValueError{Type: "Cents", Position: position, Readings: readings, Err: err, Reason: italian}
}

// cutCurrency takes the euro sign off one end. The offset is how many characters it
// took off the front.
func cutCurrency(s string) (number string, offset int, err error) {
	number = s
	for _, sign := range []string{"€", "EURO", "EUR"} {
		if rest, ok := cutPrefixFold(s, sign); ok {
			number = strings.TrimLeftFunc(rest, isBlank)
			offset = utf8.RuneCountInString(s[:len(s)-len(number)])
			break
		}
		if rest, ok := cutSuffixFold(s, sign); ok {
			number = strings.TrimRightFunc(rest, isBlank)
			break
		}
	}
	if number == "" {
		return "", 0, centsError(ErrEmpty, 0, "Manca l'importo.")
	}
	return number, offset, nil
}

func cutPrefixFold(s, prefix string) (string, bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return s, false
	}
	return s[len(prefix):], true
}

func cutSuffixFold(s, suffix string) (string, bool) {
	if len(s) < len(suffix) || !strings.EqualFold(s[len(s)-len(suffix):], suffix) {
		return s, false
	}
	return s[:len(s)-len(suffix)], true
}

// splitAmount splits a number into its euro digits, without points, and at most two decimals. The
// offset is how many characters precede the number.
func splitAmount(number string, offset int, from origin) (whole, decimals string, err error) {
	index := offset
	for _, r := range number {
		index++
		position := from.of(index)
		switch {
		case '0' <= r && r <= '9' || r == '.' || r == ',':
		case index == offset+1 && (r == '-' || r == '−' || r == '–'):
			return "", "", centsError(ErrRange, position, "L'importo non può essere negativo.")
		case isBlank(r):
			return "", "", centsError(ErrCharacter, position, fmt.Sprintf("C'è uno spazio dentro l'importo, in posizione %d: scrivere l'importo senza spazi, ad esempio 1.234,56.", position))
		default:
			return "", "", centsError(ErrCharacter, position, fmt.Sprintf("C'è un carattere che non fa parte di un importo in posizione %d: servono cifre, ad esempio 1.234,56.", position))
		}
	}
	notation := func() (string, string, error) {
		return "", "", centsError(ErrNotation, 0, "L'importo va scritto con la virgola prima dei decimali e il punto solo fra le migliaia, ad esempio 1.234,56.")
	}
	whole, decimals, comma := strings.Cut(number, ",")
	points := strings.Count(whole, ".")
	switch {
	case comma && (decimals == "" || strings.ContainsAny(decimals, ".,")):
		return notation()
	case !comma && points == 1:
		before, after, _ := strings.Cut(whole, ".")
		switch {
		case before == "" || after == "":
			return notation()
		case len(after) == 3 && len(before) <= 3 && before[0] != '0':
			thousands, fraction := before+"."+after+",00 €", before+","+after+" €"
			return "", "", centsError(ErrAmbiguous, 0,
				fmt.Sprintf("L'importo si può leggere in due modi, %s oppure %s: scrivere l'importo con la virgola e due decimali.", thousands, fraction),
				thousands, fraction)
		}
		whole, decimals = before, after
	case points > 0:
		groups := strings.Split(whole, ".")
		for i, group := range groups {
			if i == 0 && (len(group) == 0 || len(group) > 3 || group[0] == '0') || i > 0 && len(group) != 3 {
				return notation()
			}
		}
		whole = strings.Join(groups, "")
	}
	if whole == "" {
		return notation()
	}
	if len(decimals) > 2 {
		return "", "", centsError(ErrDecimals, 0, "L'importo ha più di due decimali: i centesimi sono due cifre, le migliaia si separano con il punto.")
	}
	return whole, decimals, nil
}

// Check returns a [*ValueError] with [ErrRange] unless the amount can be collected
// through pagoPA: from [MinPayable] to [MaxPayable].
func (c Cents) Check() error {
	if c < MinPayable || c > MaxPayable {
		return centsError(ErrRange, 0, fmt.Sprintf("L'importo deve essere fra %s e %s.", MinPayable.Euro(), MaxPayable.Euro()))
	}
	return nil
}

// String returns the amount in Italian notation, always with two decimals:
// "1.234,56". [ParseCents] reads it back, unless it is negative.
func (c Cents) String() string {
	magnitude := uint64(c)
	if c < 0 {
		magnitude = -magnitude // in two's complement, right also for the lowest value
	}
	digits := strconv.FormatUint(magnitude/100, 10)
	var b strings.Builder
	if c < 0 {
		b.WriteByte('-')
	}
	for i, digit := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteByte('.')
		}
		b.WriteRune(digit)
	}
	fmt.Fprintf(&b, ",%02d", magnitude%100)
	return b.String()
}

// Euro returns the amount with the euro sign: "1.234,56 €". [ParseCents] reads it
// back, unless it is negative.
func (c Cents) Euro() string { return c.String() + " €" }
