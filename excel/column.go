package excel

import (
	"slices"

	"github.com/flussi-go/flussi"
)

// Column is one column of a template, made by [NewColumn].
type Column[Row any] struct {
	header string
	config ColumnConfig
	rule   Rule
	defect string
	read   func(*Row, Cell) (note, error)
	write  func(*Row) Cell
}

// ColumnConfig says more about a column. Every field may be left out.
type ColumnConfig struct {
	Aliases  []string // other headers that people write; case, accents, spaces, line breaks, dots and other signs do not matter, as for the header itself
	Required bool     // the column has to be there, and none of its cells may be empty; default: an empty cell leaves what [Config.Default] has
	Help     string   // for operators, in Italian, beside what the kind says
	Example  string   // for the guide; default the kind's
	Width    float64  // in characters; default the kind's
	ReadOnly bool     // with [Config.Export]: people only look at it; Help says what it is
	Field    string   // the field of a [flussi.InvalidError] that is reported at this column; default none
	Total    bool     // [Template.Encode] writes the sum below the column; for amounts and whole numbers only
}

// note holds the changes made to a value, and the doubts about it.
type note struct {
	changes  []flussi.Change
	warnings []error
}

// NewColumn declares a column with a header, a kind of values, and the field of the
// row that holds them:
//
//	excel.NewColumn("Codice fiscale", excel.FiscalCode(flussi.Lenient),
//		func(n *notification) *flussi.FiscalCode { return &n.Recipient },
//		excel.ColumnConfig{Aliases: []string{"C.F."}, Required: true})
//
// The header is shown as it is, and should have no more than about 40 characters.
// [New] reports what is wrong with a column.
func NewColumn[Row, V any](header string, kind Kind[V], field func(*Row) *V, c ColumnConfig) Column[Row] {
	column := Column[Row]{header: header, config: c}
	if kind == nil || field == nil {
		return column
	}
	column.rule, column.defect = kind.Rule(), defectOf(kind)
	column.read = func(row *Row, cell Cell) (note, error) {
		reading, err := kind.Read(cell)
		if err != nil {
			return note{}, err
		}
		*field(row) = reading.Value
		return note{reading.Changes, reading.Warnings}, nil
	}
	column.write = func(row *Row) Cell { return kind.Write(*field(row)) }
	return column
}

// Require returns the column with [ColumnConfig].Required set.
func (c Column[Row]) Require() Column[Row] {
	c.config.Required = true
	return c
}

// Header returns the header.
func (c Column[Row]) Header() string { return c.header }

// SameHeader reports whether two headers are the same, whatever their case, accents, spaces and
// other signs.
func SameHeader(a, b string) bool { return fold(a) == fold(b) }

// MatchesHeader reports whether a header is the column's, or one of its aliases.
func (c Column[Row]) MatchesHeader(header string) bool {
	return SameHeader(c.header, header) || slices.ContainsFunc(c.config.Aliases, func(alias string) bool { return SameHeader(alias, header) })
}

func (c *Column[Row]) width() float64 {
	switch {
	case c.config.Width > 0:
		return c.config.Width
	case c.rule.Width > 0:
		return c.rule.Width
	}
	return 18
}

// wraps reports whether a text in the column may be longer than the column is wide.
func (c *Column[Row]) wraps() bool {
	switch c.rule.Layout {
	case LongTextLayout:
		return true
	case TextLayout:
		return len(c.rule.Choices) == 0 && (c.rule.Max == 0 || c.rule.Max > c.width()-2)
	}
	return false
}

func (c *Column[Row]) example() string {
	if c.config.Example != "" {
		return c.config.Example
	}
	return c.rule.Example
}
