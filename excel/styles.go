package excel

import "github.com/xuri/excelize/v2"

// The colours of all workbooks and marks. All are legible when printed in black and white.
const (
	headerColor   = "1F4E78" // the background of headers, with white text
	optionalColor = "5B7FA6" // the same for columns that may be left out
	readOnlyColor = "7F7F7F" // the same for columns of an export that people only look at
	lineColor     = "D0D0D0" // between rows
	textColor     = "000000"
	headText      = "FFFFFF"
	wrongText     = "9C0006"
	linkColor     = "0563C1"

	// wrongColor and the next colours are those of marks. No palette has them, so the marks of an
	// earlier copy can be recognised.
	wrongColor = "FF9FA9" // of cells that are wrong
	wrongRow   = "FFE9EC" // of the other cells of their rows, or of rows that are wrong as a whole
	doubtColor = "FFDF7E" // of cells that are doubtful
	doubtRow   = "FFF7DE" // of the other cells of their rows
	darkColor  = "B4232D" // of headers with white text that are wrong
)

// markColors returns the backgrounds that marks have.
func markColors() []string { return []string{wrongColor, wrongRow, doubtColor, doubtRow, darkColor} }

// Color is the background of the rows of a [Tone].
type Color uint8

// The colours of rows. Texts stay legible on them, also in black and white.
const (
	Red    Color = iota + 1 // what went wrong
	Yellow                  // what somebody has to look at
	Grey                    // what does not count any more
)

// background returns the colour as spreadsheets write it, "" if there is no such colour.
func (c Color) background() string {
	switch c {
	case Red:
		return "FBDAD7"
	case Yellow:
		return "FFF2CC"
	case Grey:
		return "E9E9E9"
	}
	return ""
}

// italian names the rows in the colour.
func (c Color) italian() string {
	switch c {
	case Red:
		return "Righe rosse"
	case Yellow:
		return "Righe gialle"
	case Grey:
		return "Righe grigie"
	}
	return ""
}

// font is the font of everything that this package writes.
func font(size float64, color string) *excelize.Font {
	return &excelize.Font{Family: "Calibri", Size: size, Color: color}
}

func boldFont(size float64, color string) *excelize.Font {
	f := font(size, color)
	f.Bold = true
	return f
}

func fill(color string) excelize.Fill {
	return excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{color}}
}

// thinLine is the line below a row.
func thinLine() []excelize.Border {
	return []excelize.Border{{Type: "bottom", Color: lineColor, Style: 1}}
}

// left aligns texts that may wrap.
func left(vertical string) *excelize.Alignment {
	return &excelize.Alignment{Horizontal: "left", Indent: 1, Vertical: vertical, WrapText: true}
}

// aligned says where the values of a layout and their header stand. It is explicit for numbers too,
// so that an amount that is typed as text stands where amounts stand.
func aligned(layout Layout) *excelize.Alignment {
	switch layout {
	case DateLayout, DateTimeLayout:
		return &excelize.Alignment{Horizontal: "center"}
	case MoneyLayout, IntegerLayout:
		return &excelize.Alignment{Horizontal: "right", Indent: 1}
	}
	return &excelize.Alignment{Horizontal: "left", Indent: 1}
}

// cellStyle is the style of the cells of a layout, which wrap their text or do not.
func cellStyle(layout Layout, wraps bool) *excelize.Style {
	s := &excelize.Style{Font: font(11, textColor), Alignment: aligned(layout), Border: thinLine()}
	s.Alignment.Vertical, s.Alignment.WrapText = "top", wraps
	switch layout {
	case TextLayout, LongTextLayout:
		s.NumFmt = textFormat
	case DateLayout:
		s.CustomNumFmt = ptr("dd/mm/yyyy")
	case DateTimeLayout:
		s.CustomNumFmt = ptr("dd/mm/yyyy hh:mm:ss")
	case MoneyLayout:
		s.NumFmt = 4
	case IntegerLayout:
		s.NumFmt = 1
	}
	return s
}

// textFormat is the number format of texts: digits do not change.
const textFormat = 49

// copiedStyle is the style of the cells of a layout in the copy of a CSV file, where all are texts.
func copiedStyle(layout Layout) *excelize.Style {
	s := cellStyle(layout, true)
	s.NumFmt, s.CustomNumFmt = textFormat, nil
	return s
}

// totalStyle is that of the sum below cells.
func totalStyle(cell *excelize.Style) *excelize.Style {
	s := *cell
	s.Font = boldFont(11, textColor)
	s.Border = []excelize.Border{{Type: "top", Color: headerColor, Style: 2}}
	return &s
}

// tonedStyle is that of cells in a row of a colour.
func tonedStyle(cell *excelize.Style, color Color) *excelize.Style {
	s := *cell
	s.Fill = fill(color.background())
	return &s
}

// headStyle is that of a column's header.
func headStyle(layout Layout, color string) *excelize.Style {
	s := &excelize.Style{
		NumFmt: textFormat, Font: boldFont(11, headText), Fill: fill(color), Alignment: aligned(layout),
		Border: []excelize.Border{{Type: "right", Color: headText, Style: 1}},
	}
	s.Alignment.Vertical, s.Alignment.WrapText = "center", true
	return s
}

// copiedHeadStyle is that of the header in the copy of a CSV file.
func copiedHeadStyle() *excelize.Style {
	return &excelize.Style{NumFmt: textFormat, Font: boldFont(11, textColor), Alignment: left("center"),
		Border: []excelize.Border{{Type: "bottom", Color: headerColor, Style: 2}}}
}

// pageStyles are the styles of a sheet that people read: the guide and the list of errors.
type pageStyles struct {
	title, warning           int // of headings; the warning's is that of the list of errors
	plain, bold              int // of paragraphs
	head, cell, strong, link int // of tables
	tones                    []int
}

// pageStyles makes them, with a style for each of the colours.
func (b *builder) pageStyles(colors ...Color) pageStyles {
	text := func(f *excelize.Font) *excelize.Style {
		return &excelize.Style{NumFmt: textFormat, Font: f, Border: thinLine(), Alignment: left("top")}
	}
	paragraph := func(f *excelize.Font) *excelize.Style {
		return &excelize.Style{Font: f, Alignment: &excelize.Alignment{Vertical: "top", WrapText: true}}
	}
	link := text(font(11, linkColor))
	link.Font.Underline = "single"
	s := pageStyles{
		title:   b.style(&excelize.Style{Font: boldFont(16, headerColor)}),
		warning: b.style(&excelize.Style{Font: boldFont(16, wrongText)}),
		plain:   b.style(paragraph(font(11, textColor))),
		bold:    b.style(paragraph(boldFont(11, textColor))),
		head:    b.style(&excelize.Style{NumFmt: textFormat, Font: boldFont(11, headText), Fill: fill(headerColor), Alignment: left("center")}),
		cell:    b.style(text(font(11, textColor))),
		strong:  b.style(text(boldFont(11, textColor))),
		link:    b.style(link),
	}
	for _, c := range colors {
		s.tones = append(s.tones, b.style(tonedStyle(text(font(11, textColor)), c)))
	}
	return s
}
