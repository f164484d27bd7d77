package excel

import (
	"fmt"
	"strings"

	"github.com/xuri/excelize/v2"

	"github.com/flussi-go/flussi/internal/xlsx"
)

// glyphs are the widths of the characters from the blank to the tilde in Calibri, in hundredths of
// a digit's, which is the unit of column widths.
var glyphs = [...]uint8{
	45, 64, 79, 98, 100, 141, 135, 44, 60, 60, 98, 98, 49, 60, 50, 76, // blank to /
	100, 100, 100, 100, 100, 100, 100, 100, 100, 100, 53, 53, 98, 98, 98, 91, // 0 to ?
	176, 114, 107, 105, 121, 96, 91, 124, 123, 50, 63, 103, 83, 169, 127, 131, // @ to O
	102, 133, 107, 91, 96, 127, 112, 176, 102, 96, 92, 61, 76, 61, 98, 98, // P to _
	57, 95, 104, 83, 104, 98, 60, 93, 104, 45, 47, 90, 45, 158, 104, 104, // ` to o
	104, 104, 69, 77, 66, 104, 89, 141, 85, 89, 78, 62, 91, 62, 98, // p to ~
}

// lineHeight is how high a line of text is, maxHeight how high a row may be, in points.
const (
	lineHeight = 15
	maxHeight  = 409
)

// lines estimates how many lines a text takes in a column, wrapped between words. Spreadsheets do
// not fit the heights of rows when they open a file.
func lines(text string, width float64) int {
	room := max(int((width-2)*99), 100) // two are the indent and the margins
	n, used, word := 1, 0, 0            // word is where the last word begins
	for i := range len(text) {
		c := text[i]
		glyph := 0
		if at := c - ' '; int(at) < len(glyphs) {
			glyph = int(glyphs[at])
		} else {
			switch {
			case c >= 0xF0:
				glyph = 220 // an emoji
			case c >= 0xC0:
				glyph = 100 // another character, whose further bytes count nothing
			case c == '\n':
				n++
				used, word = 0, 0
			}
		}
		used += glyph
		if c == ' ' {
			word = used
			continue
		}
		if used <= room {
			continue
		}
		n++
		if word == 0 {
			word = used - glyph // it is longer than the line
		}
		used, word = used-word, 0
	}
	return n
}

// height is that of a row for so many lines.
func height(lines int) int { return min(max(lines, 1)*lineHeight, maxHeight) }

// Paper is A4 in landscape.
const (
	margin    = 0.4               // left and right, in inches
	edge      = 0.6               // above and below, for the footer, in inches
	pageWidth = 841 - 2*72*margin // that can be printed on, in points
	pageDepth = 595 - 2*72*edge   // the same downwards
)

// The least scales in percent: 11 points become 6.6 in a sheet of rows, 6 in a text.
const (
	readable     = 60
	readableText = 55
)

// printedWidth is how wide columns of so many characters are, in points. A digit of Calibri has
// 7.43 pixels, which some programs round down, and a cell has 5 beside them.
func printedWidth(characters ...float64) float64 {
	pixels := 0.0
	for _, c := range characters {
		pixels += c*7.43 + 5
	}
	return pixels * 0.75 * 1.01
}

// pages spreads columns over as few pages as they are readable on, and evenly. It returns the first
// columns of the further pages, counted from 0, and the scale in percent. The first column is
// repeated on each page. It returns one page if no number of them is enough.
func pages(widths []float64) (breaks []int, scale int) {
	for most := 1; most < len(widths); most++ {
		for scale := 100; scale >= readable; scale-- {
			if breaks, fits := split(widths, most, pageWidth*100/float64(scale)); fits {
				return breaks, scale
			}
		}
	}
	return nil, 100
}

// split fills pages of a width with columns, and reports whether there are enough.
func split(widths []float64, most int, room float64) (breaks []int, fits bool) {
	first := printedWidth(widths[0])
	used := first
	for i, width := range widths[1:] {
		width := printedWidth(width)
		if used+width > room {
			breaks = append(breaks, i+1)
			used = first
		}
		used += width
		if used > room || len(breaks) >= most {
			return nil, false
		}
	}
	return breaks, used <= room
}

// printColumns lays a sheet with rows out for printing: all columns on one page, or on several side
// by side that repeat the first column. The header is on each page, the note in the footer.
func (b *builder) printColumns(sheet string, widths []float64, note string) {
	breaks, scale := pages(widths)
	titles := quoteSheet(sheet) + "!$1:$1"
	page := excelize.PageLayoutOptions{Size: ptr(9), Orientation: ptr("landscape"), PageOrder: ptr("overThenDown")}
	if len(breaks) == 0 {
		page.FitToWidth, page.FitToHeight = ptr(1), ptr(0)
		b.do(b.f.SetSheetProps(sheet, &excelize.SheetPropsOptions{FitToPage: ptr(true)}))
	} else {
		titles = quoteSheet(sheet) + "!$A:$A," + titles
		page.AdjustTo = ptr(uint(scale))
	}
	b.do(b.f.SetPageLayout(sheet, &page))
	for _, column := range breaks {
		b.do(b.f.InsertPageBreak(sheet, xlsx.ColumnName(column+1)+"1"))
	}
	b.paper(sheet, titles, note)
}

// printText lays a sheet with a text and a table out for printing: on one page if it is readable
// there, or on several that repeat the row of the table's header. The depth is in points.
func (b *builder) printText(sheet string, widths []float64, depth float64, head int) {
	tall := 0
	if 100*min(pageWidth/printedWidth(widths...), pageDepth/depth) >= readableText {
		tall = 1
	}
	b.do(b.f.SetPageLayout(sheet, &excelize.PageLayoutOptions{Size: ptr(9), Orientation: ptr("landscape"), FitToWidth: ptr(1), FitToHeight: ptr(tall)}))
	b.do(b.f.SetSheetProps(sheet, &excelize.SheetPropsOptions{FitToPage: ptr(true)}))
	b.do(b.f.SetSheetView(sheet, 0, &excelize.ViewOptions{ShowGridLines: ptr(false)}))
	b.paper(sheet, fmt.Sprintf("%s!$%d:$%d", quoteSheet(sheet), head, head), "")
}

// maxFooter is Excel's limit for a footer, in UTF-16 code units.
const maxFooter = 255

// paper sets the margins, the footer and what is repeated on each page.
func (b *builder) paper(sheet, titles, note string) {
	b.do(b.f.SetPageMargins(sheet, &excelize.PageLayoutMarginsOptions{Left: ptr(margin), Right: ptr(margin), Top: ptr(edge), Bottom: ptr(edge), Header: ptr(0.3), Footer: ptr(0.3)}))
	const number = "&R&8Pagina &P di &N"
	footer := number
	if note != "" {
		footer = "&L&8" + cut(strings.ReplaceAll(note, "&", "&&"), maxFooter-len(number)-4) + number
	}
	b.do(b.f.SetHeaderFooter(sheet, &excelize.HeaderFooterOptions{OddFooter: footer}))
	b.do(b.f.SetDefinedName(&excelize.DefinedName{Name: "_xlnm.Print_Titles", RefersTo: titles, Scope: sheet}))
}
