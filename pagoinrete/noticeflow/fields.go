package noticeflow

import (
	"errors"
	"reflect"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/pagoinrete"
)

// values are what texts are made of.
type values struct {
	initials, event, causale, category, year, school, amount, due string
	instalment, instalments                                       int
	staff, binding                                                bool
}

// fields are the values as a template names them. In a content they are Markdown.
type fields[T ~string] struct {
	Evento, Causale, Categoria, AnnoScolastico, Scuola, Importo, Scadenza T
	Rata, Rate                                                            int
	Iniziali                                                              T
	Personale, Vincolante                                                 bool
}

func fieldsOf[T ~string](v values) fields[T] {
	return fields[T]{
		Evento: T(v.event), Causale: T(v.causale), Categoria: T(v.category), AnnoScolastico: T(v.year), Scuola: T(v.school),
		Importo: T(v.amount), Scadenza: T(v.due), Rata: v.instalment, Rate: v.instalments,
		Iniziali: T(v.initials), Personale: v.staff, Vincolante: v.binding,
	}
}

// fieldNames returns the names of the fields in their order.
func fieldNames() []string {
	var names []string
	for _, f := range reflect.VisibleFields(reflect.TypeFor[fields[string]]()) {
		names = append(names, f.Name)
	}
	return names
}

// valuesOf returns the values of a notice.
func valuesOf(e pagoinrete.Event, o owed, school string) values {
	if school == "" {
		school = e.School
	}
	v := values{
		initials: o.initials, event: e.Name, causale: e.Causale, category: e.Category, year: e.SchoolYear.String(), school: school, amount: o.amount.Euro(),
		instalment: o.instalment, instalments: len(e.Instalments), staff: o.staff, binding: e.Binding,
	}
	if !o.due.IsZero() {
		v.due = o.due.In(italy()).Format("02/01/2006")
	}
	for _, text := range []*string{&v.event, &v.causale, &v.category, &v.school} {
		*text = plain(*text)
	}
	return v
}

// italy is the time zone of what citizens read.
var italy = sync.OnceValue(func() *time.Location {
	zone, err := time.LoadLocation("Europe/Rome")
	if err != nil {
		panic("noticeflow: no zone data for Europe/Rome, although package flussi links it: " + err.Error())
	}
	return zone
})

// plain returns a text in one line, without the signs that change the direction of others.
func plain(text string) string {
	text = strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Bidi_Control, r) || r == utf8.RuneError {
			return -1
		}
		return r
	}, text)
	return strings.Join(strings.Fields(text), " ")
}

// initials returns the first letters of the words of a name, "" if there are none. A word of
// one letter, and one in a script that has no capitals, whose first letter may be all of it,
// gives none, so that a name is never whole.
func initials(name flussi.Text) string {
	var all []string
	for _, word := range strings.Fields(name.Reveal()) {
		first, size := utf8.DecodeRuneInString(word)
		second, _ := utf8.DecodeRuneInString(word[size:])
		if unicode.ToUpper(first) == unicode.ToLower(first) || !(unicode.IsLetter(second) || unicode.Is(unicode.Mn, second) || second == '\'' || second == '’') {
			continue
		}
		all = append(all, string(unicode.ToUpper(first))+".")
	}
	return strings.Join(all, " ")
}

// markdown is a text that a content shows as it is.
type markdown string

// String returns the text with the signs escaped that Markdown would take for its own.
func (m markdown) String() string {
	var b strings.Builder
	numbered := true // so far there are digits only, as in front of the items of a list
	for i, r := range string(m) {
		if strings.ContainsRune("\\`*_[]<>~|&", r) || i == 0 && strings.ContainsRune("#-+=:!", r) || i > 0 && numbered && (r == '.' || r == ')') {
			b.WriteByte('\\')
		}
		numbered = numbered && r >= '0' && r <= '9'
		b.WriteRune(r)
	}
	return b.String()
}

// checkSchool refuses a name of a school that a message cannot show.
func checkSchool(name string) error {
	fault := func(err error, reason string) error {
		return &flussi.ValueError{Type: "School", Err: err, Reason: reason}
	}
	switch {
	case flussi.NewText(name).Length() > maxSchool:
		return fault(flussi.ErrLength, "Il nome della scuola può avere al massimo 100 caratteri.")
	case name != "" && (strings.TrimSpace(name) == "" || !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl)):
		return fault(flussi.ErrCharacter, "Il nome della scuola contiene caratteri non validi.")
	}
	return nil
}

const maxSchool = 100

// checkOccasion returns an error if the occasion is not valid for a notification.
func checkOccasion(occasion string) error {
	var invalid *flussi.InvalidError
	errors.As(flow.Draft{Occasion: occasion}.Validate(flow.GuideLimits()), &invalid)
	for _, field := range invalid.Fields { // the other fields are empty, so there are some
		if field.Type == "Occasion" {
			return field
		}
	}
	return nil
}

// inventedValues yields the shortest and the longest values, in all cases that texts distinguish.
func inventedValues(yield func(values) bool) {
	for _, long := range []bool{false, true} {
		for i := range 16 {
			most := func(n int) string {
				if long {
					return strings.Repeat("*", n)
				}
				return "x"
			}
			v := values{
				event: most(pagoinrete.MaxName), causale: most(pagoinrete.MaxCausale), school: most(maxSchool),
				year: "2030/2031", amount: "1,00 €", due: "28/02/2030", instalment: 1, instalments: 1, staff: i&1 != 0, binding: i&2 != 0,
			}
			if i&4 != 0 {
				v.initials, v.category = "R. M.", most(pagoinrete.MaxCategory)
			}
			if i&8 != 0 {
				v.instalment, v.instalments = 2, pagoinrete.MaxInstalments
			}
			if long {
				v.amount = flussi.MaxPayable.Euro()
			}
			if !yield(v) {
				return
			}
		}
	}
}
