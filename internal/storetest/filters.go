package storetest

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
)

// Catalogue is what is searched: entities of one kind. What should be found is what the
// filter's own Match says.
type Catalogue[T Placed, Q any] struct {
	*Kind[T]
	All   []T             // as they are stored
	Match func(Q, T) bool // of the filter
}

// Finds checks what a filter finds, in pages and in full.
func (c Catalogue[T, Q]) Finds(what string, filter Q) {
	p := c.Probe
	var want []T
	for _, one := range c.All {
		if c.Match(filter, one) {
			want = append(want, one)
		}
	}
	slices.SortFunc(want, func(a, b T) int { return a.Cursor().Compare(b.Cursor()) })
	page := flussi.Page{Limit: []int{7, 50, Everything}[p.Random.IntN(3)], OldestFirst: p.Random.IntN(2) == 0}
	what = fmt.Sprintf("%s by %s, the oldest first: %t", c.Name.List(), what, page.OldestFirst)
	var found []T
	got := p.walk(what, page, func(page flussi.Page) []flussi.Cursor {
		some := c.Page(filter, page)
		found = append(found, some...)
		return Places(some)
	}, func() {})
	failures := len(p.errs)
	p.samePlaces(what, got, Places(want), page.OldestFirst)
	if len(p.errs) > failures {
		return
	}
	if !page.OldestFirst {
		slices.Reverse(want)
	}
	for i, one := range want {
		p.Equal(what, found[i], one)
	}
}

// Criterion sets a field of a filter. It is a struct without a name, so that lists of criteria need
// not name its fields.
type Criterion = struct {
	Field string // such as "States, several"
	Set   func() // sets it
}

// Criteria are those of a filter, each of which makes it find one entity, or others like it. They
// are as many for every filter.
type Criteria[T, Q any] func(p *Probe, filter *Q, like T) []Criterion

// CommonCriteria are those of fields that every filter has.
func CommonCriteria[T, Q any](p *Probe, filter *Q, like T) []Criterion {
	id, created := *FieldOf[uuid.UUID](&like, "ID"), *FieldOf[time.Time](&like, "CreatedAt")
	ids, from, to := FieldOf[[]uuid.UUID](filter, "IDs"), FieldOf[time.Time](filter, "From"), FieldOf[time.Time](filter, "To")
	return []Criterion{
		{"IDs", func() { *ids = p.Several(id) }},
		{"IDs, an empty list", func() { *ids = []uuid.UUID{} }},
		{"From", func() { *from = created }},
		{"To", func() { *to = created }},
		{"From and To, in another zone", func() { *from, *to = p.Around(created) }},
	}
}

// Each checks criteria one by one.
func (c Catalogue[T, Q]) Each(criteria Criteria[T, Q]) {
	var none Q
	c.Finds("nothing", none)
	all := criteria(c.Probe, &none, c.some())
	for i := range all {
		for range 6 {
			var filter Q
			criterion := criteria(c.Probe, &filter, c.some())[i]
			criterion.Set()
			c.Finds(criterion.Field, filter)
		}
	}
	for i := range all {
		c.among(criteria, i)
	}
	c.unknown()
}

// unknown checks that nothing is found by a value that nothing has, of each field with a type of
// text of its own, such as a state.
func (c Catalogue[T, Q]) unknown() {
	const value = "never_heard_of"
	for _, f := range reflect.VisibleFields(reflect.TypeFor[Q]()) {
		var filter Q
		field := reflect.ValueOf(&filter).Elem().FieldByIndex(f.Index)
		isText := func(t reflect.Type) bool { return t.Kind() == reflect.String && t.PkgPath() != "" }
		switch {
		case isText(f.Type):
			field.SetString(value)
		case f.Type.Kind() == reflect.Slice && isText(f.Type.Elem()):
			field.Set(reflect.Append(field, reflect.ValueOf(value).Convert(f.Type.Elem())))
		default:
			continue
		}
		c.Finds("an unknown value of "+f.Name, filter)
	}
}

// among checks a criterion that sets lists, with many other entries before its own.
func (c Catalogue[T, Q]) among(criteria Criteria[T, Q], i int) {
	const many = 300
	var filter Q
	var criterion Criterion
	for range 20 { // until something is found
		filter = *new(Q)
		like := c.some()
		criterion = criteria(c.Probe, &filter, like)[i]
		if criterion.Set(); c.Match(filter, like) {
			break
		}
	}
	extended := false
	fields := reflect.ValueOf(&filter).Elem()
	for j := range fields.NumField() {
		if list := fields.Field(j); list.Kind() == reflect.Slice && list.Len() > 0 {
			others := reflect.New(list.Type())
			others.Elem().Set(reflect.MakeSlice(list.Type(), many, many))
			c.Fill(others.Interface(), true)
			list.Set(reflect.AppendSlice(others.Elem(), list))
			extended = true
		}
	}
	if extended {
		c.Finds(criterion.Field+", among many others", filter)
	}
}

// InCompany checks criteria two to four at a time, which are mostly true of one entity, and
// every two of which the second excludes what the first finds.
func (c Catalogue[T, Q]) InCompany(criteria Criteria[T, Q]) {
	for range 150 {
		var filter Q
		var names []string
		like := c.some()
		for range 2 + c.Random.IntN(3) {
			if c.Random.IntN(8) == 0 {
				like = c.some()
			}
			criterion := OneOf(c.Probe, criteria(c.Probe, &filter, like)...)
			criterion.Set()
			names = append(names, criterion.Field)
		}
		c.Finds(strings.Join(names, " and "), filter)
	}
	var none Q
	all := criteria(c.Probe, &none, c.some())
	for i, first := range all {
		for j, second := range all {
			if filter, excludes := c.excluding(criteria, i, j); excludes {
				c.Finds(first.Field+" and another's "+second.Field, filter)
			}
		}
	}
}

// excluding looks for a filter by two criteria of which the first finds something that the
// second excludes.
func (c Catalogue[T, Q]) excluding(criteria Criteria[T, Q], first, second int) (Q, bool) {
	for range 20 {
		var filter Q
		like := c.some()
		criteria(c.Probe, &filter, like)[first].Set()
		found := c.Match(filter, like)
		criteria(c.Probe, &filter, c.some())[second].Set()
		if found && !c.Match(filter, like) {
			return filter, true
		}
	}
	var none Q
	return none, false
}

func (c Catalogue[T, Q]) some() T { return c.All[c.Random.IntN(len(c.All))] }

// OneOf picks one.
func OneOf[T any](p *Probe, all ...T) T { return all[p.Random.IntN(len(all))] }

// Part returns a part of a text that is long enough to be looked for, in some case; ""
// of a shorter text.
func (p *Probe) Part(text string) string {
	runes := []rune(text)
	if len(runes) < flussi.MinSearch {
		return ""
	}
	start := p.Random.IntN(len(runes) - flussi.MinSearch + 1)
	end := start + flussi.MinSearch + p.Random.IntN(len(runes)-start-flussi.MinSearch+1)
	part := string(runes[start:end])
	return OneOf(p, part, strings.ToLower(part), strings.ToUpper(part))
}

// Several returns an ID among others, one of which is twice and one not there.
func (p *Probe) Several(id uuid.UUID, others ...uuid.UUID) []uuid.UUID {
	all := append([]uuid.UUID{id, p.ID(), id}, others...)
	p.Random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all
}

// minutes are what entities of a catalogue are created in: few, so that several are of the
// same.
const minutes = 15

// SomeMinute returns one of few times.
func (p *Probe) SomeMinute() time.Time {
	return time.Date(2026, time.May, 4, 10, p.Random.IntN(minutes), 0, 1000, time.UTC)
}

// Around returns times from which and to which entities were created, of which one is.
func (p *Probe) Around(t time.Time) (from, to time.Time) {
	rome := time.FixedZone("CEST", 2*60*60)
	return t.Add(-time.Duration(p.Random.IntN(minutes)) * time.Minute).In(rome), t.Add(OneOf(p, time.Microsecond, 3*time.Minute)).In(rome)
}

// Texts are what is looked for in catalogues.
func Texts() []string {
	return []string{
		"", "Avviso TARI", "Mensa scolastica: è ora di iscriversi", "MENSA SCOLASTICA: È SCADUTO IL TERMINE",
		"Perché non paghi?", "Sconto del 10% sulla TARI", "Sconto del 100 euro", "file_2026.pdf", "file-2026.pdf", `C:\mensa`,
	}
}

// Search is texts that are looked for in others.
type Search struct {
	Stored []string // what is searched
	Wanted []string // what is looked for
}

// AnyCase is texts that have to be found whatever their case.
func AnyCase() Search {
	stored := []string{
		"è scaduto", "È SCADUTO", "È scaduto", "e scaduto", "Perché no", "PERCHÉ NO", "Perchè no", "CITTÀ", "città", "citta",
		"Più ore di lunedì", "PIÙ ORE DI LUNEDÌ", "Però", "PERÒ", "Avviso", "AVVISO", "aVVISO", "",
	}
	var wanted []string
	for _, text := range []string{"è scaduto", "perché", "città", "più ore", "lunedì", "però", "avviso"} {
		wanted = append(wanted, text, strings.ToUpper(text))
	}
	return Search{stored, append(wanted, "È scaduto", "CITTà", "aVViSo")}
}

// Literally is texts that stand for themselves.
func Literally() Search {
	stored := []string{
		"sconto 100% oggi", "sconto 1000 oggi", "sconto 100", "a_b_c", "aXbXc", "%%%", "___", "abc", `c:\dati`, `c:dati`, `c:\\dati`,
		"x*y", "xxy", "a?c", "[abc]", "(a+b)", "aab", "l'avviso", "l''avviso", `dice "ciao"`, "a--b", "$1 $2", "uno  due", "uno due", " uno", "uno\ndue", "",
	}
	return Search{stored, []string{
		"100%", "100% oggi", "%oggi", "%oggi%", "a_b", "_b_", "%%%", "___", `c:\d`, `:\\d`, `c:d`, `\_b`, "x*y", "a?c", "[ab", "(a+b)", "a.c", "^abc",
		"l'a", "''a", `"ciao"`, "a--b", "$1 ", "uno due", "uno  due", " uno", "uno ", "uno\ndue",
	}}
}
