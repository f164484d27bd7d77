package excel

import (
	"slices"
	"strings"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/italian"
	"github.com/flussi-go/flussi/internal/xlsx"
)

// decoder reads the rows behind a header.
type decoder[Row any] struct {
	t       *Template[Row]
	src     *source
	report  *Report
	columns []int  // by the sheet's column: the template's column + 1, 0 if it has none
	stray   []bool // by the sheet's column: it has no header, and is in the report

	row         xlsx.Row
	cells       []xlsx.Cell // by the template's column
	value       Row         // the row that is being read
	first, last int         // the rows that hold data
	lines       int         // rows that were read or refused
}

func (t *Template[Row]) newDecoder(src *source, report *Report) *decoder[Row] {
	d := &decoder[Row]{t: t, src: src, report: report, cells: make([]xlsx.Cell, len(t.columns))}
	d.columns = make([]int, t.config.Limits.Columns+1)
	d.stray = make([]bool, len(d.columns))
	for i := range d.stray {
		d.stray[i] = true
	}
	for i, column := range src.header.columns {
		d.columns[column] = i + 1
		d.stray[column] = false
	}
	for _, cell := range slices.Concat(src.header.unknown, src.header.ignored) {
		d.stray[cell.Column] = false
	}
	d.columns[0] = 0
	return d
}

// read makes a line of the row, or the error of one that is wrong; use is false if
// there is nothing in it to be read.
func (d *decoder[Row]) read() (line Line[Row], rowErr *flussi.RowError, use bool) {
	clear(d.cells)
	extra, stray := false, 0
	for _, cell := range d.row.Cells {
		i := d.columns[cell.Column]
		switch {
		case cell.Type == xlsx.Text && isBlank(cell.Text):
		case i > 0:
			d.cells[i-1] = cell
			use = true
		case d.src.separator != 0 && cell.Column > d.src.header.last:
			extra = true
		case d.stray[cell.Column] && d.t.config.Unknown == RefuseUnknown:
			stray = cell.Column
		case d.stray[cell.Column]:
			d.stray[cell.Column] = false
			d.report.Unknown = append(d.report.Unknown, UnknownColumn{Column: xlsx.ColumnName(cell.Column)})
		}
	}
	line.Number = d.row.Number
	use = use || extra || stray > 0 || d.row.Flaw != nil
	switch {
	case !use:
		d.report.AddWarning(d.row.Number, d.row.Doubt)
		return line, nil, false
	case d.row.Hidden && d.t.config.HiddenRows == SkipHidden:
		d.report.Hidden++
		return line, nil, false
	}
	if d.first == 0 {
		d.first = d.row.Number
	}
	d.last = d.row.Number
	switch {
	case d.row.Flaw != nil:
		return line, &flussi.RowError{Row: d.row.Number, Err: d.report.places.cells(nil, d.row.Number, d.row.Flaw)}, true
	case stray > 0:
		return line, d.refuse(xlsx.ColumnName(stray), wrong("Row", ErrHeader, "La cella è in una colonna senza intestazione: scrivere l'intestazione del modello, o svuotare la cella.")), true
	case extra:
		return line, d.refuse("", wrong("Row", ErrFields, tooManyFields(d.src.separator))), true
	case d.isTotal():
		d.report.Totals++
		return line, nil, false
	case d.row.Hidden && d.t.config.HiddenRows == RefuseHidden:
		return line, d.refuse("", wrong("Row", ErrHidden, "La riga è nascosta: mostrarla, togliendo il filtro se c'è, oppure eliminarla.")), true
	}
	rowErr = d.values(&line)
	if rowErr == nil {
		for _, c := range d.report.places.cells(nil, d.row.Number, d.row.Doubt) {
			line.Notes = append(line.Notes, Note{Row: c.Row, Column: c.Column, Header: c.Header, Warnings: []error{c.Err}})
		}
	}
	return line, rowErr, true
}

func (d *decoder[Row]) refuse(column string, err error) *flussi.RowError {
	return &flussi.RowError{Row: d.row.Number, Err: CellErrors{{Row: d.row.Number, Column: column, Err: err}}}
}

// isTotal reports whether the row holds the sums that Encode writes: the label, and
// formulas below the columns that have totals.
func (d *decoder[Row]) isTotal() bool {
	if !d.t.hasTotals() {
		return false
	}
	label, sum := false, false
	for i, cell := range d.cells {
		switch {
		case cell.Type == 0:
		case !label && cell.Type == xlsx.Text && strings.EqualFold(strings.Trim(cell.Text, " :."), totalLabel):
			label = true
		case !d.t.columns[i].config.Total || !cell.Formula:
			return false
		default:
			sum = true
		}
	}
	return label && sum
}

// values reads the cells of a row.
func (d *decoder[Row]) values(line *Line[Row]) *flussi.RowError {
	d.value = d.t.config.Default
	var errs CellErrors
	for i := range d.t.columns {
		c := &d.t.columns[i]
		n, err := d.readCell(c, &d.value, d.cells[i])
		if err == nil && n.changes == nil && n.warnings == nil {
			continue
		}
		letters := xlsx.ColumnName(d.src.header.columns[i])
		if err != nil {
			errs = append(errs, &CellError{Row: d.row.Number, Column: letters, Header: c.header, Err: err})
		} else {
			line.Notes = append(line.Notes, Note{Row: d.row.Number, Column: letters, Header: c.header, Changes: n.changes, Warnings: n.warnings})
		}
	}
	if len(errs) == 0 && d.t.config.Check != nil {
		errs = d.report.places.cells(nil, d.row.Number, d.t.config.Check(&d.value))
	}
	line.Value = d.value
	if len(errs) > 0 {
		return &flussi.RowError{Row: d.row.Number, Err: errs}
	}
	return nil
}

// readCell reads one cell into the row.
func (d *decoder[Row]) readCell(c *Column[Row], row *Row, cell xlsx.Cell) (note, error) {
	switch cell.Type {
	case 0:
		if c.config.Required {
			return note{}, wrong("Cell", ErrRequired, "La cella è vuota: il valore è obbligatorio.")
		}
		return note{}, nil
	case xlsx.Error:
		return note{}, wrong("Cell", ErrFormula, "La formula dà l'errore "+italianError(cell.Text)+": correggerla, o scrivere il valore.")
	case xlsx.NotCalculated:
		return note{}, wrong("Cell", ErrNotCalculated, "La formula non è stata calcolata: aprire il file con Excel o LibreOffice e salvarlo, o scrivere il valore.")
	case xlsx.Invalid:
		return note{}, wrong("Cell", ErrCellType, "Il valore della cella non è valido per il suo tipo (numero o VERO/FALSO): riscriverlo.")
	}
	n, err := c.read(row, Cell{Type: CellType(cell.Type), Text: cell.Text, Format: NumberFormat(cell.Format), Date1904: d.src.date1904})
	if cell.Foreign && err == nil {
		n.warnings = append(slices.Clip(n.warnings), wrong("Cell", ErrOtherFile, "La formula legge un altro file: è stato letto il valore dell'ultimo salvataggio. Controllarlo."))
	}
	return n, err
}

// checkEnd checks what is known only after the last row.
func (d *decoder[Row]) checkEnd() error {
	if d.src.separator != 0 && d.first == 0 && !d.src.newline {
		return &FileError{Format: CSV, Row: d.src.header.row, Err: ErrTruncated, Reason: "Il file finisce con l'intestazione: è incompleto, o non contiene righe. Copiarlo o salvarlo di nuovo."}
	}
	return d.checkMerges()
}

// checkMerges refuses a sheet whose data have merged cells in the template's columns.
func (d *decoder[Row]) checkMerges() error {
	if d.src.merges == nil {
		return nil
	}
	var found []xlsx.Range
	for _, m := range d.src.merges() {
		single := m.FirstRow == m.LastRow && m.FirstColumn == m.LastColumn
		ours := slices.ContainsFunc(d.src.header.columns, func(c int) bool { return c > 0 && m.FirstColumn <= c && c <= m.LastColumn })
		if !single && ours && m.FirstRow <= d.last && m.LastRow >= d.first && d.first > 0 {
			found = append(found, m)
		}
	}
	if len(found) == 0 {
		return nil
	}
	var ranges []string
	for _, m := range found[:min(len(found), 5)] {
		ranges = append(ranges, m.String())
	}
	if len(found) > 5 {
		more := len(found) - 5
		ranges = append(ranges, italian.Choose(more, "un'altra", italian.Number(more)+" altre"))
	}
	return &FileError{Format: Workbook, Row: found[0].FirstRow, Column: xlsx.ColumnName(found[0].FirstColumn), Err: ErrMerged,
		Reason: "Fra i dati ci sono celle unite (" + italian.And(ranges...) + "): separarle e scrivere il valore in ogni riga."}
}

// italianError names an error value as Excel shows it in Italian.
func italianError(text string) string {
	switch text {
	case "#N/A":
		return "#N/D"
	case "#REF!":
		return "#RIF!"
	case "#VALUE!":
		return "#VALORE!"
	case "#NAME?":
		return "#NOME?"
	case "#NULL!":
		return "#NULLO!"
	case "#DIV/0!", "#NUM!":
		return text
	}
	return "di calcolo"
}
