package excel

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/xuri/excelize/v2"

	"github.com/flussi-go/flussi/internal/xlsx"
)

// Blank writes the empty workbook for people to fill in: a sheet with the header, its
// columns formatted down the sheet so that codes keep their digits, checks and lists
// with messages in Italian, comments on the headers, and a guide sheet (Guida Rapida)
// made of the same columns. The document's custom property "Modello" says which
// template and version it is.
func (t *Template[Row]) Blank(ctx context.Context, w io.Writer) error {
	return t.Encode(ctx, w, func(func(Row, error) bool) {})
}

// blank is the empty workbook, made once.
type blank struct {
	data []byte
	looks
}

// looks are the styles of the rows of a sheet.
type looks struct {
	styles [][]int   // of the cells, by tone, counted from 1, and column; 0 for no tone
	total  []int     // of the cells of the row with sums, by column
	wraps  []float64 // by column: its width if its texts wrap, or 0
}

// maxMessage and maxTitle are Excel's limits for the messages of checks.
const (
	maxMessage  = 255
	maxTitle    = 32
	maxListText = 255
)

// builder makes a workbook with excelize, and remembers its first error.
type builder struct {
	f   *excelize.File
	err error
}

func (b *builder) do(err error) {
	if b.err == nil {
		b.err = err
	}
}

func (b *builder) style(s *excelize.Style) int {
	id, err := b.f.NewStyle(s)
	b.do(err)
	return id
}

func (t *Template[Row]) makeBlank() (made *blank, err error) {
	b := newBuilder()
	defer closing(b.f.Close, &err)
	made = &blank{}
	sheet := t.config.Sheet
	b.do(b.f.SetSheetName(firstSheet, sheet))
	made.looks = t.buildSheet(b)
	t.buildGuide(b)
	t.buildLists(b, sheet)
	made.data, err = b.finish(t.config.Name, t.Mark())
	if err != nil {
		return nil, err
	}
	return made, nil
}

// firstSheet is the name that excelize gives to the first sheet.
const firstSheet = "Sheet1"

func newBuilder() *builder {
	b := &builder{f: excelize.NewFile()}
	b.do(b.f.SetDefaultFont("Calibri"))
	return b
}

// finish adds the properties of the document, and returns the workbook.
func (b *builder) finish(name, mark string) ([]byte, error) {
	b.do(b.f.SetDocProps(&excelize.DocProperties{Title: name, Subject: mark, Creator: commentator, Language: "it-IT"}))
	b.dropModifier()
	b.do(b.f.SetCustomProps(excelize.CustomProperty{Name: markName, Value: mark}))
	b.f.SetActiveSheet(0)
	if b.err != nil {
		return nil, fmt.Errorf("excel: make template: %w", b.err)
	}
	var buf bytes.Buffer
	if err := b.f.Write(&buf); err != nil {
		return nil, fmt.Errorf("excel: make template: %w", err)
	}
	return buf.Bytes(), nil
}

// buildSheet makes the header of the template's sheet, which is there, and its formats and checks.
func (t *Template[Row]) buildSheet(b *builder) looks {
	sheet := t.config.Sheet
	made := looks{styles: make([][]int, 1+len(t.config.Tones))}
	for i := range t.columns {
		t.buildColumn(b, sheet, i, &made)
	}
	last := xlsx.ColumnName(len(t.columns))
	b.do(b.f.SetRowHeight(sheet, 1, 36))
	b.do(b.f.SetPanes(sheet, &excelize.Panes{Freeze: true, YSplit: 1, TopLeftCell: "A2", ActivePane: "bottomLeft",
		Selection: []excelize.Selection{{SQRef: "A2", ActiveCell: "A2", Pane: "bottomLeft"}}}))
	b.do(b.f.AutoFilter(sheet, fmt.Sprintf("A1:%s%d", last, xlsx.MaxRows), nil))
	// The filter's hidden name is optional, and exceljs makes an object of each of its cells.
	b.do(b.f.DeleteDefinedName(&excelize.DefinedName{Name: "_xlnm._FilterDatabase", Scope: sheet}))
	widths := make([]float64, len(t.columns))
	for i := range t.columns {
		widths[i] = t.columns[i].width()
	}
	b.printColumns(sheet, widths, strings.Join(t.legend(), " "))
	return made
}

// dropModifier takes the element lastModifiedBy out of the properties: excelize always writes it,
// without the prefix that exceljs needs to open the file.
func (b *builder) dropModifier() {
	const part = "docProps/core.xml"
	if core, ok := b.f.Pkg.Load(part); ok {
		b.f.Pkg.Store(part, bytes.Replace(core.([]byte), []byte("<lastModifiedBy></lastModifiedBy>"), nil, 1))
	}
}

func ptr[T any](v T) *T { return &v }

// quoteSheet writes a sheet's name as references do.
func quoteSheet(name string) string { return "'" + strings.ReplaceAll(name, "'", "''") + "'" }

// buildColumn makes the header of a column, its format and its check.
func (t *Template[Row]) buildColumn(b *builder, sheet string, i int, made *looks) {
	c := &t.columns[i]
	name := xlsx.ColumnName(i + 1)
	wraps := c.wraps()
	style := cellStyle(c.rule.Layout, wraps)
	id := b.style(style)
	made.styles[0] = append(made.styles[0], id)
	for n, tone := range t.config.Tones {
		made.styles[n+1] = append(made.styles[n+1], b.style(tonedStyle(style, tone.Color)))
	}
	made.wraps = append(made.wraps, 0)
	if wraps {
		made.wraps[i] = c.width()
	}
	made.total = append(made.total, b.style(totalStyle(style)))
	b.do(b.f.SetColStyle(sheet, name, id))
	b.do(b.f.SetColWidth(sheet, name, name, c.width()))
	color := optionalColor
	switch {
	case t.config.Export && c.config.ReadOnly:
		color = readOnlyColor
	case t.config.Export, c.config.Required:
		color = headerColor
	}
	head := b.style(headStyle(c.rule.Layout, color))
	b.do(b.f.SetCellStr(sheet, name+"1", c.header))
	b.do(b.f.SetCellStyle(sheet, name+"1", name+"1", head))
	text := c.describe(t.config.Export)
	if i == 0 && len(t.config.Tones) > 0 {
		text += "\n\n" + strings.Join(t.legend(), "\n")
	}
	b.do(b.f.AddComment(sheet, excelize.Comment{Author: commentator, Cell: name + "1", Width: 260, Height: commentHeight(text),
		Paragraph: []excelize.RichTextRun{{Font: boldFont(10, textColor), Text: c.header + "\n"},
			{Font: font(10, textColor), Text: text}}}))
	if dv := c.validation(i); dv != nil {
		dv.SetSqref(fmt.Sprintf("%s2:%s%d", name, name, 1+t.config.Limits.CheckedRows))
		b.do(b.f.AddDataValidation(sheet, dv))
	}
}

// commentHeight estimates the height of a comment's box, in pixels.
func commentHeight(text string) uint {
	lines := 2
	for line := range strings.Lines(text) {
		lines += 1 + utf8.RuneCountInString(line)/38
	}
	return uint(lines * 17)
}

// describe says all about a column, for its comment.
func (c *Column[Row]) describe(export bool) string {
	var b strings.Builder
	switch {
	case export && c.config.ReadOnly:
		return strings.TrimSpace("Sola lettura.\n" + c.config.Help)
	case export:
		b.WriteString("Si può correggere.")
	case c.config.Required:
		b.WriteString("Obbligatoria.")
	default:
		b.WriteString("Facoltativa.")
	}
	if c.rule.Text != "" {
		fmt.Fprintf(&b, " Scrivere: %s.", c.rule.Text)
	}
	if c.config.Help != "" {
		fmt.Fprintf(&b, "\n%s", c.config.Help)
	}
	if example := c.example(); example != "" && utf8.RuneCountInString(example) <= 60 {
		fmt.Fprintf(&b, "\nEsempio: %s", example)
	}
	return b.String()
}

// validation is what the spreadsheet checks while people type, nil for nothing.
func (c *Column[Row]) validation(i int) *excelize.DataValidation {
	dv := excelize.NewDataValidation(!c.config.Required)
	var err error
	between := func(kind excelize.DataValidationType) {
		if c.rule.Max == 0 {
			err = errors.New("no range")
			return
		}
		err = dv.SetRange(strconv.FormatFloat(c.rule.Min, 'f', -1, 64), strconv.FormatFloat(c.rule.Max, 'f', -1, 64), kind, excelize.DataValidationOperatorBetween)
	}
	switch c.rule.Layout {
	case TextLayout, LongTextLayout:
		switch {
		case len(c.rule.Choices) > 0:
			if !c.needsList() {
				err = dv.SetDropList(c.rule.Choices)
			} else {
				dv.SetSqrefDropList(fmt.Sprintf("%s!$%s$1:$%s$%d", quoteSheet(listSheet), xlsx.ColumnName(i+1), xlsx.ColumnName(i+1), len(c.rule.Choices)))
			}
		default:
			between(excelize.DataValidationTypeTextLength)
		}
	case DateLayout, DateTimeLayout:
		between(excelize.DataValidationTypeDate)
	case MoneyLayout:
		between(excelize.DataValidationTypeDecimal)
	case IntegerLayout:
		between(excelize.DataValidationTypeWhole)
	}
	if err != nil {
		return nil
	}
	dv.SetError(excelize.DataValidationErrorStyleStop, cut(c.header, maxTitle), cut("Valore non valido. Scrivere: "+c.rule.Text+".", maxMessage))
	return dv
}

// cut shortens a text to so many UTF-16 code units.
func cut(s string, units int) string {
	if utf16Length(s) <= units {
		return s
	}
	for utf16Length(s) >= units {
		_, width := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-width]
	}
	return strings.TrimRight(s, " ,.;:") + "…"
}

// needsList reports whether the choices of a column do not fit into its check.
func (c *Column[Row]) needsList() bool {
	joined := strings.Join(c.rule.Choices, ",")
	return len(c.rule.Choices) > 0 && (utf16Length(joined) > maxListText || strings.Count(joined, ",") != len(c.rule.Choices)-1)
}

// buildLists writes the lists that do not fit into a check into a hidden sheet.
func (t *Template[Row]) buildLists(b *builder, sheet string) {
	made := false
	for i := range t.columns {
		c := &t.columns[i]
		if !c.needsList() {
			continue
		}
		if !made {
			_, err := b.f.NewSheet(listSheet)
			b.do(err)
			made = true
		}
		for n, label := range c.rule.Choices {
			b.do(b.f.SetCellStr(listSheet, xlsx.Reference(i+1, n+1), label))
		}
	}
	if made {
		b.do(b.f.SetSheetVisible(listSheet, false))
	}
}
