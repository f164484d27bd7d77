package xlsx

import "strings"

// Format is what a number format shows a number as.
type Format uint8

// The formats that matter for what a number means.
const (
	Plain    Format = iota // as its digits: General, 0, text
	Date                   // as a day
	DateTime               // as a day with a time
	Time                   // as a time of day or a duration
	Percent                // times a hundred
	Other                  // with decimals, a currency, leading zeros, …
)

// readStyles returns the number format of each cell style.
func (a *archive) readStyles(name string) ([]Format, error) {
	custom := map[string]Format{}
	var styles []Format
	cells := false
	var choices alternatives
	return styles, a.each(a.file(name), Styles, maxSmallPart, func(s *scanner) error {
		depth, skipped, err := choices.enter(s)
		if skipped || err != nil {
			return err
		}
		switch {
		case depth == 2:
			cells = s.is("cellXfs")
		case s.is("numFmt") && depth == 3:
			id, _ := s.attribute("numFmtId")
			code, err := s.attributeText("formatCode")
			if err != nil {
				return err
			}
			custom[string(id)] = codeFormat(code)
		case s.is("xf") && cells && depth == 3:
			id, _ := s.attribute("numFmtId")
			format, ok := custom[string(id)]
			if !ok {
				format = builtinFormat(id)
			}
			styles = append(styles, format)
		}
		return nil
	})
}

// alternatives follows the elements AlternateContent, which hold the same in several ways: for
// programs that know an extension, and for others. The first way counts, as in programs that know
// all of them.
type alternatives struct {
	open []int // the depths of the elements around the token that only choose
}

// enter takes a start tag and returns how deep its element would be without those that only
// choose; skipped if it is one of those, or in a way that does not count.
func (a *alternatives) enter(s *scanner) (depth int, skipped bool, err error) {
	for len(a.open) > 0 && a.open[len(a.open)-1] >= s.depth {
		// A further Choice, or the Fallback, stands where the first way stood.
		if a.open[len(a.open)-1] == s.depth && (s.is("Choice") || s.is("Fallback")) {
			return 0, true, s.skip()
		}
		a.open = a.open[:len(a.open)-1]
	}
	inside := len(a.open)%2 == 1 // in an AlternateContent, and in none of its ways
	if s.is("AlternateContent") || inside && (s.is("Choice") || s.is("Fallback")) {
		a.open = append(a.open, s.depth)
		return 0, true, nil
	}
	return s.depth - len(a.open), false, nil
}

// builtinFormat judges the formats that have numbers instead of codes, those for
// East Asian calendars included.
func builtinFormat(id []byte) Format {
	n, _ := parseNumber(id, 1000)
	switch {
	case n == 0 || n == 1 || n == 49:
		return Plain
	case n == 9 || n == 10:
		return Percent
	case n == 22:
		return DateTime
	case n >= 18 && n <= 21 || n >= 45 && n <= 47:
		return Time
	case n >= 14 && n <= 17 || n >= 27 && n <= 36 || n >= 50 && n <= 58:
		return Date
	}
	return Other
}

// codeFormat judges the code of a format by its first section: what is in quotes, brackets, or
// behind a backslash is not looked at.
func codeFormat(code string) Format {
	var day, clock, percent bool
	var rest strings.Builder
	for i := 0; i < len(code); i++ {
		switch c := code[i]; c {
		case '"':
			if length := strings.IndexByte(code[i+1:], '"'); length >= 0 {
				i += length + 1
			}
			rest.WriteByte('"')
		case '\\', '_', '*':
			i++
			rest.WriteByte('"')
		case '[':
			length := strings.IndexByte(code[i:], ']')
			if length < 0 {
				continue
			}
			inside := strings.ToLower(code[i+1 : i+length])
			if inside != "" && strings.Trim(inside, "h") == "" || inside != "" && strings.Trim(inside, "s") == "" || inside != "" && strings.Trim(inside, "m") == "" {
				clock = true
			}
			i += length
		case ';':
			i = len(code)
		case 'd', 'D', 'y', 'Y', 'g', 'G':
			if strings.HasPrefix(strings.ToLower(code[i:]), "general") {
				i += len("general") - 1
				continue
			}
			day = true
		case 'h', 'H', 's', 'S':
			clock = true
		case 'm', 'M':
			day = day || !strings.ContainsAny(strings.ToLower(code), "hs")
		case '%':
			percent = true
		default:
			rest.WriteByte(c)
		}
	}
	switch {
	case day && clock:
		return DateTime
	case day:
		return Date
	case clock:
		return Time
	case percent:
		return Percent
	case rest.String() == "" || rest.String() == "0" || rest.String() == "#" || rest.String() == "@":
		return Plain
	}
	return Other
}
