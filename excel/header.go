package excel

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/italian"
	"github.com/flussi-go/flussi/internal/xlsx"
)

// rowSource gives the rows of a sheet or of a CSV file in their order, those that
// hold something, and io.EOF after the last row of a file that is whole.
type rowSource interface {
	Next(*xlsx.Row) error
}

// header is what the row with the headers says about the columns.
type header struct {
	row     int
	columns []int       // by template column: the sheet's column, 0 if it is not there
	found   int         // how many of them are
	last    int         // the last column with a header
	doubled [][2]int    // pairs of columns with the same meaning
	refused []xlsx.Cell // headers that must not be there
	unknown []xlsx.Cell // headers that the template does not have
	ignored []xlsx.Cell // headers that the [Mapping] says not to read
	above   int         // a row above that could be the header as well, 0 if there is none
}

// match reads a row as if it were the header.
func (t *Template[Row]) match(row *xlsx.Row) header {
	h := header{row: row.Number, columns: make([]int, len(t.columns))}
	for _, cell := range row.Cells {
		if isBlank(cell.Text) {
			continue
		}
		h.last = cell.Column
		key := fold(cell.Text)
		i, known := t.byHeader[key]
		_, refused := t.refused[key]
		switch {
		case cell.Type != xlsx.Text:
			h.unknown = append(h.unknown, cell)
		case t.ignored[key]:
			h.ignored = append(h.ignored, cell)
		case refused:
			h.refused = append(h.refused, cell)
		case !known:
			h.unknown = append(h.unknown, cell)
		case h.columns[i] != 0:
			h.doubled = append(h.doubled, [2]int{h.columns[i], cell.Column})
		default:
			h.columns[i] = cell.Column
			h.found++
		}
	}
	return h
}

// findHeader looks for the header among the first rows: the row that names the most
// columns, the first of them if several do.
func (t *Template[Row]) findHeader(rows rowSource) (best header, err error) {
	var row xlsx.Row
	for best.found < len(t.columns) {
		err := rows.Next(&row)
		if err == io.EOF || err == nil && row.Number > t.config.Limits.HeaderRows {
			break
		}
		if err != nil {
			return best, err
		}
		if h := t.match(&row); h.found > best.found {
			if t.accepts(best) {
				h.above = best.row
			}
			best = h
		}
	}
	return best, nil
}

// accepts reports whether every column that is required is there.
func (t *Template[Row]) accepts(h header) bool {
	return h.found > 0 && !slices.ContainsFunc(t.absent(h), func(i int) bool { return t.columns[i].config.Required })
}

// absent returns the template's columns that are not there.
func (t *Template[Row]) absent(h header) []int {
	var absent []int
	for i, column := range h.columns {
		if column == 0 {
			absent = append(absent, i)
		}
	}
	return absent
}

// judge enters what the header says into the report, and refuses a header that cannot
// be worked with, for all its faults at once.
func (t *Template[Row]) judge(h header, report *Report) error {
	if h.found == 0 && slices.Contains(t.mapped, true) {
		return &FileError{Format: report.Format, Err: ErrMapping, Reason: fmt.Sprintf("%s non c'è nessuna delle intestazioni abbinate alle colonne del modello: rifare l'abbinamento per questo file.",
			italian.Choose(t.config.Limits.HeaderRows, "Nella prima riga", "Nelle prime "+italian.Row.Count(t.config.Limits.HeaderRows)))}
	}
	if h.found == 0 {
		return &FileError{Format: report.Format, Err: ErrHeader, Reason: fmt.Sprintf(
			"%s non c'è l'intestazione del modello, con %s %s: usare il modello senza cambiarne le intestazioni.",
			italian.Choose(t.config.Limits.HeaderRows, "Nella prima riga", "Nelle prime "+italian.Row.Count(t.config.Limits.HeaderRows)),
			italian.Choose(len(t.columns), "la colonna", "le colonne"), italian.Quoted(t.Headers()))}
	}
	report.HeaderRow = h.row
	report.places = places{letters: make(map[string]string, len(t.columns)), headers: t.byField}
	for i, column := range h.columns {
		letters := ""
		if column > 0 {
			letters = xlsx.ColumnName(column)
		}
		report.places.letters[t.columns[i].header] = letters
	}
	var faults []*CellError
	fault := func(column int, header, format string, args ...any) {
		faults = append(faults, &CellError{Row: h.row, Column: xlsx.ColumnName(column), Header: header,
			Err: wrong("Header", ErrHeader, fmt.Sprintf(format, args...))})
	}
	for _, pair := range h.doubled {
		name := t.columns[slices.Index(h.columns, pair[0])].header
		fault(pair[1], name, "La colonna %s ripete la colonna %s («%s»): lasciarne una.", xlsx.ColumnName(pair[1]), xlsx.ColumnName(pair[0]), name)
	}
	for _, cell := range h.refused {
		fault(cell.Column, "", "La colonna %s non è ammessa. %s", xlsx.ColumnName(cell.Column), capital(t.refused[fold(cell.Text)]))
	}
	if h.above > 0 {
		fault(0, "", "Anche la riga %d ha le intestazioni del modello: lasciare una sola riga di intestazioni, sopra i dati.", h.above)
	}
	absent := t.absent(h)
	for _, cell := range h.ignored {
		report.Unknown = append(report.Unknown, UnknownColumn{xlsx.ColumnName(cell.Column), flussi.NewText(cell.Text)})
	}
	for _, cell := range h.unknown {
		near := slices.IndexFunc(absent, func(i int) bool { return (t.mapped == nil || !t.mapped[i]) && t.isNear(i, fold(cell.Text)) })
		if near >= 0 {
			name := t.columns[absent[near]].header
			fault(cell.Column, name, "L'intestazione della colonna %s è simile a «%s»: scriverla esattamente così.", xlsx.ColumnName(cell.Column), name)
			absent = slices.Delete(absent, near, near+1)
			continue
		}
		report.Unknown = append(report.Unknown, UnknownColumn{xlsx.ColumnName(cell.Column), flussi.NewText(cell.Text)})
		if t.config.Unknown == RefuseUnknown {
			fault(cell.Column, "", "La colonna %s non fa parte del modello: togliere la colonna.", xlsx.ColumnName(cell.Column))
		}
	}
	texts := make([]string, 0, len(faults)+1)
	column := ""
	for _, f := range faults {
		texts = append(texts, flussi.Explain(f.Err))
		column = cmp.Or(column, f.Column)
	}
	class := ErrHeader
	var required []string // that are not there
	for _, i := range absent {
		header := t.columns[i].header
		if t.mapped != nil && t.mapped[i] {
			class = ErrMapping
			text := "Nel file non c'è l'intestazione abbinata a «" + header + "»: rifare l'abbinamento per questo file."
			fault(0, header, "%s", text)
			texts = append(texts, text)
			continue
		}
		if !t.columns[i].config.Required {
			report.Missing = append(report.Missing, header)
			continue
		}
		required = append(required, header)
		fault(0, header, "%s", missing(header))
	}
	if len(faults) == 0 {
		return nil
	}
	if len(required) > 0 {
		texts = append(texts, missing(required...))
	}
	switch {
	case len(h.refused) > 0:
		report.decisive = texts[len(h.doubled)]
	case len(required) > 0 && len(required) == t.required():
		report.decisive = missing(required...)
	}
	return &FileError{Format: report.Format, Row: h.row, Column: column, Cells: faults, Err: class, Reason: strings.Join(texts, " ")}
}

// required returns how many columns are required.
func (t *Template[Row]) required() int {
	n := 0
	for i := range t.columns {
		if t.columns[i].config.Required {
			n++
		}
	}
	return n
}

// missing says that required columns are not there.
func missing(headers ...string) string {
	return italian.Choose(len(headers), "Manca la colonna obbligatoria ", "Mancano le colonne obbligatorie ") + italian.Quoted(headers) +
		italian.Choose(len(headers), ": aggiungerla, o usare il modello.", ": aggiungerle, o usare il modello.")
}

// isNear reports whether a folded header is nearly one of a column's.
func (t *Template[Row]) isNear(i int, key string) bool {
	c := &t.columns[i]
	return slices.ContainsFunc(append([]string{c.header}, c.config.Aliases...), func(name string) bool { return similar(key, fold(name)) })
}

// sheetHeader is what a sheet says about the template's columns.
type sheetHeader struct {
	header
	sheet int
}

// chooseSheet finds the sheet to be read: the visible one with the header. Among several, it is the
// one with rows below. If none has all columns that are required, it is the one with the most
// columns, so that its faults can be reported.
func (t *Template[Row]) chooseSheet(book *xlsx.Book, report *Report) (chosen sheetHeader, err error) {
	if len(book.Sheets) == 0 {
		return chosen, &FileError{Format: Workbook, Err: ErrSheet, Reason: "La cartella di lavoro non contiene fogli."}
	}
	var filled []int
	var candidates []sheetHeader
	hidden := false // a hidden sheet has the columns
	best := sheetHeader{sheet: -1}
	for i, sheet := range book.Sheets {
		h, holds, err := t.inspect(book, i)
		if err != nil {
			return chosen, err
		}
		if holds == ownSheet {
			continue
		}
		if holds == filledSheet {
			filled = append(filled, i)
		}
		if sheet.Hidden {
			hidden = hidden || t.accepts(h)
			continue
		}
		found := sheetHeader{h, i}
		if best.sheet < 0 || h.found > best.found {
			best = found
		}
		if t.accepts(h) {
			candidates = append(candidates, found)
		}
	}
	if hidden && best.found == 0 {
		return chosen, &FileError{Format: Workbook, Err: ErrSheet, Reason: "Le colonne del modello sono in un foglio nascosto: se contiene i dati, mostrare il foglio."}
	}
	if chosen, err = t.pick(book, candidates, best); err != nil {
		return chosen, err
	}
	for _, i := range filled {
		if i != chosen.sheet {
			report.Ignored = append(report.Ignored, flussi.NewText(book.Sheets[i].Name))
		}
	}
	for _, name := range book.Others {
		report.Ignored = append(report.Ignored, flussi.NewText(name))
	}
	if chosen.sheet >= 0 {
		report.Sheet = flussi.NewText(book.Sheets[chosen.sheet].Name)
	}
	return chosen, nil
}

// pick takes the candidate with rows, or what is best if there is none.
func (t *Template[Row]) pick(book *xlsx.Book, candidates []sheetHeader, best sheetHeader) (sheetHeader, error) {
	switch len(candidates) {
	case 0:
		return best, nil
	case 1:
		return candidates[0], nil
	}
	var withRows []sheetHeader
	for _, c := range candidates {
		has, err := t.hasRows(book, c)
		if err != nil {
			return c, err
		}
		if has {
			withRows = append(withRows, c)
		}
	}
	switch len(withRows) {
	case 0:
		return candidates[0], nil
	case 1:
		return withRows[0], nil
	}
	return best, &FileError{Format: Workbook, Err: ErrSheet,
		Reason: fmt.Sprintf("Ci sono %s fogli con dati sotto le intestazioni del modello: riunire i dati in un foglio solo.", italian.Number(len(withRows)))}
}

// holding is what a sheet holds.
type holding uint8

const (
	emptySheet  holding = iota
	filledSheet         // something of the operator's
	ownSheet            // a guide, a list of errors or of choices that this package made
)

// holdingOf judges a sheet that is not empty by its name and its first cell, in a
// workbook that has a template's mark or has none.
func holdingOf(sheet xlsx.Sheet, first *xlsx.Row, marked bool) holding {
	cell := first.Cells[0]
	text := cell.Text
	switch {
	case first.Number != 1 || cell.Column != 1:
	case marked && sheet.Hidden && strings.EqualFold(sheet.Name, listSheet),
		strings.EqualFold(sheet.Name, guideSheet) && strings.HasPrefix(text, guideTitle),
		isErrorSheet(sheet.Name) && text == errorTitle:
		return ownSheet
	}
	return filledSheet
}

// isErrorSheet reports whether a name is one that the list of errors may have.
func isErrorSheet(name string) bool {
	number, ok := strings.CutPrefix(name, errorSheet+" ")
	return name == errorSheet || ok && allDigits(number)
}

// inspect finds the header of a sheet, and returns what the sheet holds.
func (t *Template[Row]) inspect(book *xlsx.Book, sheet int) (h header, holds holding, err error) {
	rows, err := book.Rows(sheet)
	if err != nil {
		return h, emptySheet, err
	}
	defer closing(rows.Close, &err)
	rows.Narrow = true // only the sheet that is read has to be as narrow as the limit
	var first xlsx.Row
	switch err := rows.Next(&first); {
	case err == io.EOF:
		return h, emptySheet, nil
	case err != nil:
		return h, emptySheet, err
	}
	if holds = holdingOf(book.Sheets[sheet], &first, book.Properties[markName] != ""); holds == ownSheet {
		return h, holds, nil
	}
	h, err = t.findHeader(&firstAgain{rows, &first})
	return h, holds, err
}

// firstAgain gives the first row once more.
type firstAgain struct {
	rowSource
	first *xlsx.Row
}

func (f *firstAgain) Next(row *xlsx.Row) error {
	if f.first != nil {
		*row, f.first = *f.first, nil
		return nil
	}
	return f.rowSource.Next(row)
}

// hasRows reports whether anything is below the header.
func (t *Template[Row]) hasRows(book *xlsx.Book, h sheetHeader) (has bool, err error) {
	rows, err := book.Rows(h.sheet)
	if err != nil {
		return false, err
	}
	defer closing(rows.Close, &err)
	rows.Narrow = true
	var row xlsx.Row
	for {
		switch err := rows.Next(&row); {
		case err == io.EOF:
			return false, nil
		case err != nil:
			return false, err
		}
		if row.Number > h.row && slices.ContainsFunc(row.Cells, func(c xlsx.Cell) bool { return c.Type != xlsx.Text || !isBlank(c.Text) }) {
			return true, nil
		}
	}
}
