package paymentfile

import (
	"math"
	"strconv"
	"strings"

	"github.com/flussi-go/flussi"
)

// maxAmount limits amounts: the journal has at most 15 digits.
const maxAmount = 999_999_999_999_999

// maxPaid limits the amount of a payment, as the schema does.
const maxPaid flussi.Cents = 99_999_999_999

// plus adds amounts. If the sum overflows, it returns the largest amount, which no file can state.
func plus(a, b flussi.Cents) flussi.Cents {
	switch sum := a + b; {
	case a > 0 && b > 0 && sum < 0:
		return math.MaxInt64
	case a < 0 && b < 0 && sum >= 0:
		return math.MinInt64
	default:
		return sum
	}
}

// parseAmount reads a decimal number of euro as XML and JSON write them: 12.50, 12.5, 12, -12.50,
// 1.25e1. No float is involved. It refuses fractions of a cent, decimal commas, and amounts of more
// than 13 digits before the point.
func parseAmount(s string) (flussi.Cents, bool) {
	negative := strings.HasPrefix(s, "-")
	if negative || strings.HasPrefix(s, "+") {
		s = s[1:]
	}
	exponent := 0
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		var err error
		if exponent, err = strconv.Atoi(s[i+1:]); err != nil || exponent < -20 || exponent > 20 {
			return 0, false
		}
		s = s[:i]
	}
	whole, fraction, _ := strings.Cut(s, ".")
	if whole == "" && fraction == "" {
		return 0, false
	}
	// Move the point behind the cents. The digits after it must be zeros.
	digits := whole + fraction
	point := len(whole) + exponent + 2
	var cents int64
	for i := range max(len(digits), point) {
		digit := byte('0')
		if i < len(digits) {
			digit = digits[i]
		}
		switch {
		case digit < '0' || digit > '9', i >= point && digit != '0':
			return 0, false
		case i < point:
			if cents = cents*10 + int64(digit-'0'); cents > maxAmount {
				return 0, false
			}
		}
	}
	if negative {
		cents = -cents
	}
	return flussi.Cents(cents), true
}

// magnitude returns an amount without its sign.
func magnitude(c flussi.Cents) flussi.Cents { return max(c, -c) }
