package excel

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/italian"
)

// Kind says how the values of a column are read, written and presented. The package
// has kinds for what columns usually hold; [FromText] makes one of a type that reads
// itself from text, [Convert] one of a type of yours out of another kind, and anything
// else can be implemented. A Kind is safe for concurrent use. It is tested by calling
// it: what Write gives, Read takes back.
type Kind[V any] interface {
	// Read reads a cell, which is not empty. The error and the warnings should be
	// [flussi.Explainer]s, best a [*flussi.ValueError], without the text at fault.
	Read(Cell) (flussi.Reading[V], error)
	// Write returns the cell for a value, a [NoCell] if there is nothing to write.
	// Read has to take it back.
	Write(V) Cell
	// Rule says how the template presents the column.
	Rule() Rule
}

// Rule is what the template says about the values of a column, and what the
// spreadsheet checks while people type. The zero Rule is any text.
type Rule struct {
	Text    string   // what to write, in Italian: "16 caratteri"; shown to operators
	Example string   // a good value as people type it; shown to operators
	Layout  Layout   // how the cells of the column are formatted
	Min     float64  // the least length of a text, in UTF-16 code units; the least number; the first date as a serial of the 1900 system
	Max     float64  // the same upwards; 0 for no check
	Choices []string // what can be chosen; nil for anything
	Width   float64  // of the column, in characters; 0 for 18
}

// Layout is how the cells of a column are formatted.
type Layout uint8

// The layouts.
const (
	TextLayout     Layout = iota // as text: digits do not change
	LongTextLayout               // as text with line breaks
	DateLayout                   // dd/mm/yyyy
	DateTimeLayout               // dd/mm/yyyy hh:mm:ss
	MoneyLayout                  // #,##0.00, right-aligned
	IntegerLayout                // 0, right-aligned
)

// kind is a Kind made of functions.
type kind[V any] struct {
	read   func(Cell) (flussi.Reading[V], error)
	write  func(V) Cell
	rule   Rule
	defect string // what is wrong with how it was made
}

// defects is what [New] asks of the kinds of this package.
type defects interface{ Defect() string }

// Defect says what is wrong with how the kind was made, "" for nothing.
func (k kind[V]) Defect() string { return k.defect }

// defectOf asks a kind.
func defectOf(k any) string {
	if d, ok := k.(defects); ok {
		return d.Defect()
	}
	return ""
}

func (k kind[V]) Read(c Cell) (flussi.Reading[V], error) { return k.read(c) }
func (k kind[V]) Write(v V) Cell                         { return k.write(v) }
func (k kind[V]) Rule() Rule                             { return k.rule }

// FromText makes the kind of a type that reads itself from text, such as a code of yours. Read gets
// the text as it is in the cell, blanks included, and never an empty one; [flussi.NormalizeCode]
// cleans it. The cells are formatted as text; a number is taken or refused as [Cell.Code] says.
// Write returns "" for nothing.
func FromText[V any](rule Rule, read func(string) (flussi.Reading[V], error), write func(V) string) Kind[V] {
	if read == nil || write == nil {
		return kind[V]{defect: "has no function to read or to write"}
	}
	return kind[V]{
		read: func(c Cell) (flussi.Reading[V], error) {
			text, warnings, err := c.Code()
			if err != nil {
				return flussi.Reading[V]{}, err
			}
			reading, err := read(text)
			if len(warnings) > 0 {
				reading.Warnings = append(warnings, reading.Warnings...)
			}
			return reading, err
		},
		write: func(v V) Cell { return textCell(write(v)) },
		rule:  rule,
	}
}

// Convert makes a kind of values of another type out of a kind, such as a named
// string out of [Text] or an int out of [Integer].
func Convert[V, W any](k Kind[V], to func(V) W, from func(W) V) Kind[W] {
	if k == nil || to == nil || from == nil {
		return kind[W]{defect: "converts without a kind or a function"}
	}
	return kind[W]{
		read: func(c Cell) (flussi.Reading[W], error) {
			r, err := k.Read(c)
			if err != nil {
				return flussi.Reading[W]{}, err
			}
			return flussi.Reading[W]{Value: to(r.Value), Changes: r.Changes, Warnings: r.Warnings}, nil
		},
		write:  func(v W) Cell { return k.Write(from(v)) },
		rule:   k.Rule(),
		defect: defectOf(k),
	}
}

// WithRule returns a kind that reads and writes as k does, and is presented by another rule.
func WithRule[V any](k Kind[V], rule Rule) Kind[V] {
	if k == nil {
		return kind[V]{defect: "is presented by a rule, and has no kind"}
	}
	return kind[V]{read: k.Read, write: k.Write, rule: rule, defect: defectOf(k)}
}

func textCell(s string) Cell {
	if s == "" {
		return Cell{}
	}
	return Cell{Type: TextCell, Text: s}
}

// Optional makes a kind of pointers: an empty cell is nil, where the kind itself
// would leave the zero value.
func Optional[V any](k Kind[V]) Kind[*V] {
	return kind[*V]{
		read: func(c Cell) (flussi.Reading[*V], error) {
			r, err := k.Read(c)
			return flussi.Reading[*V]{Value: &r.Value, Changes: r.Changes, Warnings: r.Warnings}, err
		},
		write: func(v *V) Cell {
			if v == nil {
				return Cell{}
			}
			return k.Write(*v)
		},
		rule:   k.Rule(),
		defect: defectOf(k),
	}
}

// FiscalCode is the kind of a person's fiscal code (codice fiscale), read as
// [flussi.ReadFiscalCode] does.
func FiscalCode(p flussi.Policy) Kind[flussi.FiscalCode] {
	return FromText(Rule{Text: "16 caratteri, di una persona fisica", Example: "RSSMRA80A01H501U", Min: 16, Max: 16, Width: 22},
		func(s string) (flussi.Reading[flussi.FiscalCode], error) { return flussi.ReadFiscalCode(s, p) },
		flussi.FiscalCode.Reveal)
}

// NoticeNumber is the kind of a payment notice's number (codice avviso, NAV), read as
// [flussi.ReadNoticeNumber] does.
func NoticeNumber(p flussi.Policy) Kind[flussi.NoticeNumber] {
	return FromText(Rule{Text: "18 cifre, compresi gli zeri iniziali", Example: "301005100001400678", Min: 18, Max: 18, Width: 24},
		func(s string) (flussi.Reading[flussi.NoticeNumber], error) { return flussi.ReadNoticeNumber(s, p) },
		flussi.NoticeNumber.Reveal)
}

// IUV is the kind of a payment's identifier (identificativo univoco di versamento), as
// settlements and treasury journals have it, read as [flussi.ReadIUV] does.
func IUV() Kind[flussi.IUV] {
	return FromText(Rule{Text: "15 o 17 cifre, compresi gli zeri iniziali", Example: "01005100001400678", Min: 15, Max: 17, Width: 24},
		func(s string) (flussi.Reading[flussi.IUV], error) { return flussi.ReadIUV(s, flussi.Lenient) },
		flussi.IUV.Reveal)
}

// OrganizationCode is the kind of an organization's fiscal code (codice fiscale
// dell'ente), read as [flussi.ReadOrganizationCode] does.
func OrganizationCode(p flussi.Policy) Kind[flussi.OrganizationCode] {
	return FromText(Rule{Text: "11 cifre, compresi gli zeri iniziali", Example: "80185250588", Min: 11, Max: 11, Width: 18},
		func(s string) (flussi.Reading[flussi.OrganizationCode], error) {
			return flussi.ReadOrganizationCode(s, p)
		},
		flussi.OrganizationCode.String)
}

// Code is the kind of any other code of minLength to maxLength characters: spaces,
// invisible characters, apostrophes in front and lower case are cleaned away as
// [flussi.NormalizeCode] does, and reported.
func Code(minLength, maxLength int) Kind[string] {
	if defect := lengthDefect(minLength, maxLength); defect != "" {
		return kind[string]{defect: defect}
	}
	return FromText(Rule{Text: lengthRule(minLength, maxLength), Min: float64(minLength), Max: float64(maxLength)},
		func(s string) (flussi.Reading[string], error) {
			code, changes := flussi.NormalizeCode(s)
			if err := checkLength(code, minLength, maxLength, "Code", "Il codice"); err != nil {
				return flussi.Reading[string]{}, err
			}
			return flussi.Reading[string]{Value: code, Changes: changes}, nil
		}, func(s string) string { return s })
}

// Text is the kind of any text of minLength to maxLength UTF-16 code units, as it is in the cell.
// Blanks at its ends are kept, and count for the maximum, not for the minimum. A whole number that shows as its digits is taken as them. Control
// characters other than line breaks and tabs, and characters that change the direction of a text,
// are refused with [flussi.ErrCharacter].
func Text(minLength, maxLength int) Kind[string] {
	same := func(s string) string { return s }
	return textKind(minLength, maxLength, CheckCharacters, same, same)
}

// AnyText is [Text] without its check of characters, for the columns of an export: what is stored
// may never have been checked.
func AnyText(minLength, maxLength int) Kind[string] {
	same := func(s string) string { return s }
	return textKind(minLength, maxLength, func(string) error { return nil }, same, same)
}

// PersonalText is [Text] for what must not come into a log, such as a message.
func PersonalText(minLength, maxLength int) Kind[flussi.Text] {
	return textKind(minLength, maxLength, CheckCharacters, flussi.NewText, flussi.Text.Reveal)
}

func textKind[V any](minLength, maxLength int, check func(string) error, of func(string) V, reveal func(V) string) Kind[V] {
	if defect := lengthDefect(minLength, maxLength); defect != "" {
		return kind[V]{defect: defect}
	}
	rule := Rule{Text: lengthRule(minLength, maxLength), Min: float64(minLength), Max: float64(maxLength), Width: 30}
	if maxLength > 200 {
		rule.Layout, rule.Width = LongTextLayout, 60
	}
	return kind[V]{
		read: func(c Cell) (flussi.Reading[V], error) {
			text, err := c.Plain()
			if err == nil {
				err = check(text)
			}
			if err == nil {
				err = checkLength(text, minLength, maxLength, "Text", "Il testo")
			}
			if err != nil {
				return flussi.Reading[V]{}, err
			}
			return flussi.Reading[V]{Value: of(text)}, nil
		},
		write: func(v V) Cell { return textCell(reveal(v)) },
		rule:  rule,
	}
}

// CheckCharacters refuses what may not stand in a text that people read: control characters other
// than line breaks and tabs, and characters that change the direction of what follows, so that a
// text shows as another one. Non-breaking spaces, soft hyphens and the joiners of emoji may. The
// error is a [flussi.ErrCharacter] that names the character and its position.
func CheckCharacters(s string) error {
	begin := 0
	for begin < len(s) && harmless(s[begin]) {
		begin++
	}
	if begin == len(s) {
		return nil
	}
	at := strings.IndexFunc(s[begin:], func(r rune) bool {
		if r < 0x100 {
			return unicode.IsControl(r) && r != '\t' && r != '\n' && r != '\r'
		}
		return unicode.In(r, unicode.Bidi_Control, unicode.Noncharacter_Code_Point)
	})
	if at < 0 {
		return nil
	}
	at += begin
	r, _ := utf8.DecodeRuneInString(s[at:])
	return wrong("Text", flussi.ErrCharacter, fmt.Sprintf(
		"Il testo contiene un carattere non ammesso (U+%04X, in posizione %s): toglierlo, o riscrivere il testo.", r, italian.Number(utf16Length(s[:at])+1)))
}

// harmless reports whether a byte is no part of a character that CheckCharacters refuses. Most texts
// have no other bytes.
func harmless(c byte) bool {
	return c >= ' ' && c < 0x7F || c == '\n' || c >= 0x80 && c < 0xE2 && c != 0xC2 && c != 0xD8
}

func lengthDefect(minLength, maxLength int) string {
	if minLength < 0 || maxLength < max(minLength, 1) {
		return fmt.Sprintf("has no text from %d to %d characters", minLength, maxLength)
	}
	return ""
}

// lengthRule says how long a text may be: "al massimo 80 caratteri".
func lengthRule(minLength, maxLength int) string {
	switch {
	case minLength == maxLength:
		return italian.Character.Count(minLength)
	case minLength <= 1:
		return "al massimo " + italian.Character.Count(maxLength)
	}
	return "da " + italian.Number(minLength) + " a " + italian.Character.Count(maxLength)
}

func checkLength(s string, minLength, maxLength int, kind, subject string) error {
	length := utf16Length(s)
	visible := utf16Length(italian.Visible(s))
	note := ""
	switch runes := utf8.RuneCountInString(s); {
	case visible >= minLength && length <= maxLength:
		return nil
	case length >= minLength && length <= maxLength:
		length, note = visible, italian.TrimmedNote
	case runes != length:
		note = "ogni emoji conta due"
	}
	return wrong(kind, flussi.ErrLength, italian.Length(subject, length, minLength, maxLength, note))
}
