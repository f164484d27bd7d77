package excel

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/flussi-go/flussi"
)

// Template is a workbook with known columns: what [Template.Blank] writes, people
// fill in, and [Template.Decode] reads back into values of type Row. It is made by
// [New], never changes, and is safe for concurrent use.
type Template[Row any] struct {
	config   Config[Row]
	columns  []Column[Row]
	byHeader map[string]int    // by folded header or alias: the index of the column
	byField  map[string]string // by field of an InvalidError: the header of the column
	refused  map[string]string // by folded header: the hint
	mapped   []bool            // by column: a header is mapped to it; nil without a [Mapping]
	ignored  map[string]bool   // by folded header: it is mapped to nothing
	blank    func() (*blank, error)
}

// Config configures a template. Only the Name is required.
type Config[Row any] struct {
	Name    string // what is listed, in Italian, such as "Notifiche"; [Template.Mark] makes the workbook's mark of it
	Version int    // of the columns; raise it when they change; default 1
	Sheet   string // the name of the sheet; default "Dati"
	Intro   string // the first paragraph of the guide sheet, in Italian; line breaks are kept

	// Export says that the workbook is one with rows in it, that people look at and perhaps
	// correct, and none to fill in: the guide and the comments say which columns may be changed,
	// instead of which are required. The rules of its guide are Hints.
	Export bool
	Hints  []string // with Export: the paragraphs below Intro, in Italian

	Tones []Tone[Row] // what rows Encode gives a background; the first that has the row wins

	Default Row              // what decoding begins each row with, so what an empty cell leaves; copied by assignment
	Check   func(*Row) error // judges a row whose cells are all right, such as fields that need each other, and may change it; errors are put at their columns as by [Report.Locate]; Encode does not call it

	Refused    []RefusedHeader // headers that must not be there, since people mean something else
	Unknown    UnknownPolicy   // columns that the template does not have; default [ReportUnknown]
	HiddenRows HiddenPolicy    // rows hidden by a filter or by hand; default [RefuseHidden]
	Limits     Limits          // what a file may cost
}

// Tone gives rows a background, such as those in error. The guide, the comment on the first header
// and the footer of printed pages say what it means.
type Tone[Row any] struct {
	Color Color           // of the rows
	Text  string          // what the rows are, in Italian, as in "le notifiche in «Errore»"
	Has   func(*Row) bool // reports whether a row has the tone
}

// RefusedHeader is a header that must not be there.
type RefusedHeader struct {
	Header string // case, accents, spaces and signs do not matter
	Hint   string // what to do instead, in Italian, in a whole sentence
}

// UnknownPolicy says what a column means that the template does not have. A header
// that is nearly one of the template's, while that one is missing, is always refused.
// The zero UnknownPolicy is [ReportUnknown].
type UnknownPolicy uint8

const (
	// ReportUnknown reads past the column and reports it in [Report.Unknown].
	ReportUnknown UnknownPolicy = iota
	// RefuseUnknown refuses the file with [ErrHeader].
	RefuseUnknown
)

// HiddenPolicy says what hidden rows mean. The zero HiddenPolicy is [RefuseHidden].
type HiddenPolicy uint8

const (
	// RefuseHidden refuses each hidden row with [ErrHidden], because it may be hidden by
	// mistake.
	RefuseHidden HiddenPolicy = iota
	// ReadHidden reads hidden rows like others.
	ReadHidden
	// SkipHidden leaves hidden rows out, and counts them in [Report.Hidden].
	SkipHidden
)

// TemplateError lists everything that is wrong with a template. It is a [flussi.ErrConfig].
type TemplateError struct {
	Name    string   // the template's
	Defects []string // each says which column, and what
}

// Error lists the defects.
func (e *TemplateError) Error() string {
	return fmt.Sprintf("excel: template %q: %s", e.Name, strings.Join(e.Defects, "; "))
}

// Is reports whether target is [flussi.ErrConfig], for [errors.Is].
func (e *TemplateError) Is(target error) bool { return target == flussi.ErrConfig }

// maxSheetName is Excel's limit.
const maxSheetName = 31

// guideSheet and errorSheet are the sheets that the package adds.
const (
	guideSheet  = "Guida Rapida"
	errorSheet  = "Errori"
	listSheet   = "Elenchi"
	guideTitle  = "Guida Rapida – " // with which the guide begins
	errorTitle  = "Errori da correggere"
	totalLabel  = "Totale"
	markName    = "Modello"
	commentator = "Flussi"
)

// New makes a template of its columns, in their order. The error is a
// [*TemplateError] that lists all defects at once.
func New[Row any](c Config[Row], columns ...Column[Row]) (*Template[Row], error) {
	t := &Template[Row]{config: c, columns: slices.Clone(columns), byHeader: map[string]int{}, byField: map[string]string{}, refused: map[string]string{}}
	var defects []string
	defect := func(format string, args ...any) { defects = append(defects, fmt.Sprintf(format, args...)) }
	if strings.TrimSpace(c.Name) == "" {
		defect("Config.Name is empty")
	}
	if c.Version < 0 {
		defect("Config.Version is %d", c.Version)
	}
	t.config.Version = max(c.Version, 1)
	if c.Sheet == "" {
		t.config.Sheet = "Dati"
	}
	if name := t.config.Sheet; utf8.RuneCountInString(name) > maxSheetName || strings.ContainsAny(name, `:\/?*[]`) ||
		strings.Trim(name, "'") != name || slices.ContainsFunc([]string{guideSheet, errorSheet, listSheet}, func(own string) bool { return strings.EqualFold(own, name) }) {
		defect("Config.Sheet %q is not a name for the sheet", name)
	}
	limits, wrongLimits := c.Limits.withDefaults()
	t.config.Limits = limits
	defects = append(defects, wrongLimits...)
	if c.Unknown > RefuseUnknown || c.HiddenRows > SkipHidden {
		defect("a policy does not exist")
	}
	if !c.Export && (len(c.Hints) > 0 || slices.ContainsFunc(columns, func(c Column[Row]) bool { return c.config.ReadOnly })) {
		defect("Config.Hints and ColumnConfig.ReadOnly are for Config.Export only")
	}
	for i, tone := range c.Tones {
		if tone.Color.background() == "" || strings.TrimSpace(tone.Text) == "" || tone.Has == nil ||
			slices.ContainsFunc(c.Tones[:i], func(other Tone[Row]) bool { return other.Color == tone.Color }) {
			defect("tone %d has a color that does not exist or is another tone's, or no Text, or no Has", i+1)
		}
	}
	if len(columns) == 0 {
		defect("there are no columns")
	} else if len(columns) > t.config.Limits.Columns {
		defect("there are %d columns, and Limits.Columns allows %d", len(columns), t.config.Limits.Columns)
	}
	for i := range t.columns {
		t.add(i, defect)
	}
	if t.hasTotals() && !slices.ContainsFunc(t.columns, func(c Column[Row]) bool { return !c.config.Total }) {
		defect("there are totals, and no column for their label")
	}
	for _, r := range c.Refused {
		key := fold(r.Header)
		if _, ok := t.byHeader[key]; ok || key == "" {
			defect("the refused header %q is empty or a column's", r.Header)
		}
		t.refused[key] = r.Hint
	}
	if len(defects) > 0 {
		return nil, &TemplateError{Name: c.Name, Defects: defects}
	}
	t.blank = sync.OnceValues(t.makeBlank)
	return t, nil
}

// add enters the names of a column, and reports its defects.
func (t *Template[Row]) add(i int, defect func(string, ...any)) {
	c := &t.columns[i]
	if c.read == nil {
		defect("column %d %q was not made by NewColumn, or has no kind or field", i+1, c.header)
	}
	if c.config.Total && c.rule.Layout != MoneyLayout && c.rule.Layout != IntegerLayout {
		defect("column %d %q has a total, and is neither of amounts nor of whole numbers", i+1, c.header)
	}
	for n, name := range append([]string{c.header}, c.config.Aliases...) {
		key := fold(name)
		other, taken := t.byHeader[key]
		switch {
		case key == "":
			defect("column %d has the header or alias %q, without letters and digits", i+1, name)
		case taken && (other != i || n == 0):
			defect("the columns %d and %d share the header or alias %q", other+1, i+1, name)
		}
		t.byHeader[key] = i
	}
	if field := c.config.Field; field != "" {
		if _, taken := t.byField[field]; taken {
			defect("column %d %q has the field %q of another one", i+1, c.header, field)
		}
		t.byField[field] = c.header
	}
	if c.defect != "" {
		defect("column %d %q %s", i+1, c.header, c.defect)
		return
	}
	if c.rule.Max != 0 && c.rule.Max < c.rule.Min {
		defect("column %d %q allows nothing: its rule goes from %v to %v", i+1, c.header, c.rule.Min, c.rule.Max)
	}
	if example := c.example(); example != "" && c.read != nil {
		if _, err := c.read(new(Row), Cell{Type: TextCell, Text: example}); err != nil {
			defect("column %d %q has an example that it refuses: %v", i+1, c.header, err)
		}
	}
	if width := c.width(); width > 255 {
		defect("column %d %q is %v characters wide, and Excel allows 255", i+1, c.header, width)
	}
}

// MustNew is [New] for templates that are part of a program. It panics with the error.
func MustNew[Row any](c Config[Row], columns ...Column[Row]) *Template[Row] {
	t, err := New(c, columns...)
	if err != nil {
		panic(err)
	}
	return t
}

// Name returns [Config.Name].
func (t *Template[Row]) Name() string { return t.config.Name }

// Headers returns the headers of the columns in their order.
func (t *Template[Row]) Headers() []string {
	headers := make([]string, len(t.columns))
	for i := range t.columns {
		headers[i] = t.columns[i].header
	}
	return headers
}

// legend says what the colours of rows mean, a sentence each.
func (t *Template[Row]) legend() []string {
	var texts []string
	for _, tone := range t.config.Tones {
		texts = append(texts, tone.Color.italian()+": "+tone.Text+".")
	}
	return texts
}

// hasTotals reports whether Encode writes sums.
func (t *Template[Row]) hasTotals() bool {
	return slices.ContainsFunc(t.columns, func(c Column[Row]) bool { return c.config.Total })
}

// Mark returns the text that identifies workbooks of this template and version, such as
// "Notifiche, versione 1": the custom property "Modello" of the document.
func (t *Template[Row]) Mark() string {
	return fmt.Sprintf("%s, versione %d", t.config.Name, t.config.Version)
}
