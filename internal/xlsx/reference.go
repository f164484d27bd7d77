package xlsx

import (
	"bytes"
	"strconv"
)

// The size of a sheet, by the format.
const (
	MaxRows    = 1_048_576
	MaxColumns = 16_384
	MaxText    = 32_767 // of a cell, in UTF-16 code units
)

// ColumnName returns the letters of a column counted from 1: 1 is A, 28 is AB.
func ColumnName(column int) string {
	var letters [8]byte
	i := len(letters)
	for column > 0 && i > 0 {
		i--
		column--
		letters[i] = byte('A' + column%26)
		column /= 26
	}
	return string(letters[i:])
}

// Reference returns the reference of a cell, such as C12.
func Reference(column, row int) string { return ColumnName(column) + strconv.Itoa(row) }

// parseReference reads a reference such as C12; absolute marks ($) are not allowed.
func parseReference(s []byte) (column, row int, ok bool) {
	i := 0
	for ; i < len(s) && i < 4; i++ {
		c := s[i] &^ 0x20 // upper case
		if c < 'A' || c > 'Z' {
			break
		}
		column = column*26 + int(c-'A') + 1
	}
	row, ok = parseNumber(s[i:], MaxRows)
	return column, row, ok && i > 0 && column <= MaxColumns && row > 0
}

// Range is a rectangle of cells, both corners included.
type Range struct {
	FirstColumn, FirstRow int // the upper left corner
	LastColumn, LastRow   int // the lower right corner
}

// String returns the range as sheets write it, such as A5:B7, A:B or 5:7.
func (r Range) String() string {
	switch {
	case r.FirstRow == 1 && r.LastRow == MaxRows:
		return ColumnName(r.FirstColumn) + ":" + ColumnName(r.LastColumn)
	case r.FirstColumn == 1 && r.LastColumn == MaxColumns:
		return strconv.Itoa(r.FirstRow) + ":" + strconv.Itoa(r.LastRow)
	}
	return Reference(r.FirstColumn, r.FirstRow) + ":" + Reference(r.LastColumn, r.LastRow)
}

// parseRange reads a range such as A5:B7, of one cell such as A5, of whole columns such as A:B, or
// of whole rows such as 5:7.
func parseRange(s []byte) (Range, bool) {
	first, last, several := bytes.Cut(s, []byte(":"))
	if !several {
		last = first
	}
	if c1, r1, ok := parseReference(first); ok {
		c2, r2, ok := parseReference(last)
		return Range{min(c1, c2), min(r1, r2), max(c1, c2), max(r1, r2)}, ok
	}
	if c1, ok := parseColumn(first); ok {
		c2, ok := parseColumn(last)
		return Range{min(c1, c2), 1, max(c1, c2), MaxRows}, ok && several
	}
	r1, ok1 := parseNumber(first, MaxRows)
	r2, ok2 := parseNumber(last, MaxRows)
	return Range{1, min(r1, r2), MaxColumns, max(r1, r2)}, ok1 && ok2 && several && min(r1, r2) > 0
}

// parseColumn reads the letters of a column.
func parseColumn(s []byte) (column int, ok bool) {
	for _, c := range s {
		if c &^= 0x20; c < 'A' || c > 'Z' || column > MaxColumns {
			return 0, false
		}
		column = column*26 + int(c-'A') + 1
	}
	return column, column > 0 && column <= MaxColumns
}

// parseNumber reads a decimal number without sign, at most limit.
func parseNumber(s []byte, limit int) (int, bool) {
	n := 0
	for _, c := range s {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int(c-'0')
		if n > limit {
			return 0, false
		}
	}
	return n, len(s) > 0
}

// IsNumber reports whether b is a decimal number as XML Schema writes doubles, without
// infinities.
func IsNumber(b []byte) bool {
	digits := func() int {
		n := 0
		for n < len(b) && '0' <= b[n] && b[n] <= '9' {
			n++
		}
		b = b[n:]
		return n
	}
	sign := func() {
		if len(b) > 0 && (b[0] == '-' || b[0] == '+') {
			b = b[1:]
		}
	}
	sign()
	n := digits()
	if len(b) > 0 && b[0] == '.' {
		b = b[1:]
		n += digits()
	}
	if n == 0 {
		return false
	}
	if len(b) > 0 && (b[0] == 'e' || b[0] == 'E') {
		b = b[1:]
		sign()
		if digits() == 0 {
			return false
		}
	}
	return len(b) == 0
}
