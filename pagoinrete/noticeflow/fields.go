package noticeflow

import (
	"errors"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/mailmerge"
	"github.com/flussi-go/flussi/pagoinrete"
)

// values are what texts are made of.
type values struct {
	initials, event, causale, category, year, school string
	amount                                           flussi.Cents
	due                                              time.Time
	instalment, instalments                          int
	staff, binding                                   bool
}

// fields returns the fields that a text may use.
func fields() []mailmerge.Field {
	return []mailmerge.Field{
		{Name: "Evento", Kind: mailmerge.KindText, Optional: true}, {Name: "Causale", Kind: mailmerge.KindText, Optional: true},
		{Name: "Categoria", Kind: mailmerge.KindText, Optional: true}, {Name: "AnnoScolastico", Kind: mailmerge.KindText, Optional: true},
		{Name: "Scuola", Kind: mailmerge.KindText, Optional: true}, {Name: "Importo", Kind: mailmerge.KindAmount, Optional: true},
		{Name: "Scadenza", Kind: mailmerge.KindDate, Optional: true}, {Name: "Rata", Kind: mailmerge.KindNumber}, {Name: "Rate", Kind: mailmerge.KindNumber},
		{Name: "Iniziali", Kind: mailmerge.KindText, Optional: true}, {Name: "Personale", Kind: mailmerge.KindFlag}, {Name: "Vincolante", Kind: mailmerge.KindFlag},
	}
}

// merged returns the values by field name.
func (v values) merged() mailmerge.Values {
	return mailmerge.Values{
		"Evento": v.event, "Causale": v.causale, "Categoria": v.category, "AnnoScolastico": v.year, "Scuola": v.school,
		"Importo": v.amount, "Scadenza": v.due, "Rata": v.instalment, "Rate": v.instalments,
		"Iniziali": v.initials, "Personale": v.staff, "Vincolante": v.binding,
	}
}

// valuesOf returns the values of a notice.
func valuesOf(e pagoinrete.Event, o owed, school string) values {
	if school == "" {
		school = e.School
	}
	return values{
		initials: o.initials, event: e.Name, causale: e.Causale, category: e.Category, year: e.SchoolYear.String(), school: school, amount: o.amount,
		due: o.due, instalment: o.instalment, instalments: len(e.Instalments), staff: o.staff, binding: e.Binding,
	}
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
				year: "2030/2031", amount: 1_00, due: time.Date(2030, time.February, 28, 12, 0, 0, 0, time.UTC), instalment: 1, instalments: 1, staff: i&1 != 0, binding: i&2 != 0,
			}
			if i&4 != 0 {
				v.initials, v.category = "R. M.", most(pagoinrete.MaxCategory)
			}
			if i&8 != 0 {
				v.instalment, v.instalments = 2, pagoinrete.MaxInstalments
			}
			if long {
				v.amount = flussi.MaxPayable
			}
			if !yield(v) {
				return
			}
		}
	}
}
