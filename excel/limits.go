package excel

import (
	"fmt"

	"github.com/flussi-go/flussi/internal/xlsx"
)

// Limits bounds what a file may cost. A zero field takes its default.
type Limits struct {
	FileBytes     int64 // of the file itself; default 100 MiB
	UnpackedBytes int64 // of all parts of a workbook, unpacked; default 2 GiB
	TextBytes     int64 // of a workbook's shared texts, which are held in memory; default 256 MiB
	Rows          int   // that hold data; default 1,048,575, as many as a sheet has below a header
	Columns       int   // the last column that may hold something in the sheet that is read; default 256, at most 16,384
	CellLength    int   // UTF-16 code units in a cell; default and most 32,767, as Excel has it
	HeaderRows    int   // among which the header is looked for; default 20
	Errors        int   // notes in a [Report], and as many errors that its Italian and Annotate list; the rest is only counted; default 1,000
	CheckedRows   int   // below the header that the spreadsheet checks while people type; reading checks all; some programs take minutes for whole columns; default 10,000
	AnnotatedRows int   // of all sheets of a file that [Template.Annotate] takes, which holds it in memory; default 100,000
}

// withDefaults fills in the defaults, and lists the fields that are out of their range.
func (l Limits) withDefaults() (filled Limits, defects []string) {
	set := func(name string, value *int64, standard, most int64) {
		switch {
		case *value == 0:
			*value = standard
		case *value < 0 || *value > most:
			defects = append(defects, fmt.Sprintf("Limits.%s is %d, not 1 to %d", name, *value, most))
		}
	}
	setInt := func(name string, value *int, standard, most int64) {
		wide := int64(*value)
		set(name, &wide, standard, most)
		*value = int(wide)
	}
	set("FileBytes", &l.FileBytes, 100<<20, 1<<40)
	set("UnpackedBytes", &l.UnpackedBytes, 2<<30, 1<<40)
	set("TextBytes", &l.TextBytes, 256<<20, 4<<30)
	setInt("Rows", &l.Rows, xlsx.MaxRows-1, 1<<40)
	setInt("Columns", &l.Columns, 256, xlsx.MaxColumns)
	setInt("CellLength", &l.CellLength, xlsx.MaxText, xlsx.MaxText)
	setInt("HeaderRows", &l.HeaderRows, 20, 10_000)
	setInt("Errors", &l.Errors, 1000, 1<<30)
	setInt("CheckedRows", &l.CheckedRows, 10_000, xlsx.MaxRows-1)
	setInt("AnnotatedRows", &l.AnnotatedRows, 100_000, xlsx.MaxRows)
	return l, defects
}
