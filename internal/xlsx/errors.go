package xlsx

import (
	"errors"
	"fmt"
	"strconv"
)

// What can be wrong with a file. A [*Fault] unwraps to one of these.
var (
	ErrTruncated = errors.New("cut off")
	ErrMalformed = errors.New("malformed")
	ErrLimit     = errors.New("over a limit")
	ErrUnsafe    = errors.New("unsafe")
)

// Finer classes, each of one of those above.
var (
	ErrColumns  = fmt.Errorf("%w of columns", ErrLimit)                    // a cell beyond the last column allowed
	ErrPrefixed = fmt.Errorf("%w: bytes before the archive", ErrMalformed) // of the file, not of a part
)

// Part is a part of a workbook, named without anything from the file.
type Part string

// The parts that are read. A worksheet is "worksheet 1", counted from 1.
const (
	Archive       Part = "archive"
	Relationships Part = "relationships"
	Workbook      Part = "workbook"
	Styles        Part = "styles"
	SharedStrings Part = "shared strings"
	Properties    Part = "properties"
)

func worksheet(index int) Part { return Part("worksheet " + strconv.Itoa(index+1)) }

// Fault says where a file is wrong, and how. It holds no text of the file.
type Fault struct {
	Part   Part   // where
	Offset int64  // how many unpacked bytes into the part, as UTF-8, −1 if that says nothing
	Tab    int    // the tab of the sheet, counted from 1 among those shown, 0 if in none or not shown
	Row    int    // the row of the sheet, 0 if in none
	Column int    // the column, counted from 1, 0 if in none
	Reason string // what is wrong
	Err    error  // one of the Err… values of this package
	Cause  error  // what the archive or its reader said, nil if nothing did
}

// Error describes the fault for programmers.
func (f *Fault) Error() string {
	place := string(f.Part)
	switch {
	case f.Row > 0 && f.Column > 0:
		place += fmt.Sprintf(", cell %s%d", ColumnName(f.Column), f.Row)
	case f.Row > 0:
		place += fmt.Sprintf(", row %d", f.Row)
	}
	if f.Offset >= 0 {
		place += fmt.Sprintf(", byte %d", f.Offset)
	}
	text := fmt.Sprintf("%s: %v: %s", place, f.Err, f.Reason)
	if f.Cause != nil {
		text += ": " + f.Cause.Error()
	}
	return text
}

// Unwrap returns the class of the fault and its cause.
func (f *Fault) Unwrap() []error {
	if f.Cause == nil {
		return []error{f.Err}
	}
	return []error{f.Err, f.Cause}
}

// fault makes a fault of a whole part.
func fault(part Part, err error, reason string) *Fault {
	return &Fault{Part: part, Offset: -1, Err: err, Reason: reason}
}
