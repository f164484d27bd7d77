package paymentfile

import (
	"errors"
	"fmt"
	"strings"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/italian"
)

// The reasons why a file cannot be read to its end. A [*FileError] unwraps to one of these.
var (
	ErrFormat    = errors.New("not a payment file")        // or another kind of payment file than was asked for
	ErrTruncated = errors.New("file cut off")              // copy or download it again
	ErrMalformed = errors.New("file damaged")              // not well-formed XML or JSON
	ErrEncoding  = errors.New("encoding unknown or wrong") // see the package comment
	ErrUnsafe    = errors.New("forbidden XML in file")     // a document type, an entity, a processing instruction
	ErrLimit     = errors.New("file exceeds a limit")      // one of the [Limits]
)

// errReadTwice is the error of a second loop over the rows of a file.
var errReadTwice = errors.New("paymentfile: a file is read once; open it again")

// Position is a place in a file. The zero Position is none.
type Position struct {
	Line     int  // counted from 1
	Column   int  // counted from 1, in characters
	Embedded bool // the place is in the document that the file holds in base64, not in the file
}

// String returns the place for programs and logs.
func (p Position) String() string {
	if p.Embedded {
		return fmt.Sprintf("line %d, column %d of the embedded document", p.Line, p.Column)
	}
	return fmt.Sprintf("line %d, column %d", p.Line, p.Column)
}

// maxColumn is the last column for which the number of the line is enough to find the place.
const maxColumn = 100

// italian names the place for the operator, such as "riga 12 del file". In a long line, such as the
// only line of a file, it names the column, too.
func (p Position) italian() string {
	place := "riga " + italian.Number(p.Line)
	if p.Column > maxColumn {
		place += ", colonna " + italian.Number(p.Column)
	}
	if p.Embedded {
		return place + " del documento in base64"
	}
	return place + " del file"
}

// in names a row of a file and its place for the operator: "Pagamento 1 (riga 19 del file)";
// without a row, the place alone.
func (p Position) in(f Format, row int) string {
	if row == 0 {
		return italian.Capital(p.italian())
	}
	return fmt.Sprintf("%s %s (%s)", italian.Capital(f.row().Name()), italian.Number(row), p.italian())
}

// FileError says why a file cannot be read to its end. It holds no text of the file. It is a
// [flussi.ErrInvalid].
type FileError struct {
	Format   Format   // the format of the file; [FormatUnknown] if reading ended before it was recognised
	Row      int      // the last row that was begun, counted from 1; 0 before the first
	Position Position // where reading ended
	Err      error    // one of the Err… values
	Reason   string   // what is wrong and what to do, in Italian, in whole sentences, without the place
}

// Error describes the fault for programs and logs.
func (e *FileError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "paymentfile: %v at %v", e.Err, e.Position)
	if e.Row > 0 {
		fmt.Fprintf(&b, ", row %d", e.Row)
	}
	return b.String()
}

// Unwrap returns Err.
func (e *FileError) Unwrap() error { return e.Err }

// Is reports whether target is [flussi.ErrInvalid], for [errors.Is].
func (e *FileError) Is(target error) bool { return target == flussi.ErrInvalid }

// Italian describes the fault for the operator, with its place.
func (e *FileError) Italian() string {
	return e.Position.in(e.Format, e.Row) + ": " + e.Reason
}

// reasons are the texts for operators of errors without a text of their own.
var reasons = map[error]string{
	ErrTruncated: "il file è incompleto. Scaricarlo o copiarlo di nuovo.",
	ErrMalformed: "il file è danneggiato. Scaricarlo o copiarlo di nuovo.",
	ErrUnsafe:    "il file contiene istruzioni non ammesse in un file di pagamenti e non è stato letto. Verificare la provenienza del file.",
	ErrLimit:     "il file supera i limiti di lettura. Verificare che sia il file giusto.",
	ErrEncoding:  "la codifica dei caratteri del file non è riconosciuta. Scaricare o salvare di nuovo il file.",
	ErrFormat:    "il file non è un flusso di rendicontazione, un giornale di cassa o una ricevuta telematica.",
}

// newError makes an error with the usual text of its class.
func newError(err error, at Position) *FileError {
	return &FileError{Position: at, Err: err, Reason: reasons[err]}
}
