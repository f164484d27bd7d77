package mailmerge

import (
	"fmt"
	"net/url"
	"strings"
	"text/template"
	"time"

	"github.com/flussi-go/flussi/internal/italian"
)

// fieldFunction is the function whose call names a field, such as {{campo "Data di nascita"}}.
// uses.name replaces the call by the field.
const fieldFunction = "campo"

// function is a named function of one value.
type function struct {
	kind  Kind // of its value
	apply func(v any) string
}

// functions returns what texts may call, besides the functions of conditions. They are not applied
// to a missing value.
func functions() map[string]function {
	return map[string]function{
		"euro":        {KindAmount, func(v any) string { return fmt.Sprint(v) }},
		"data":        {KindDate, func(v any) string { return fmt.Sprint(v) }},
		"data_estesa": {KindDate, longDate},
		"numero":      {KindNumber, groupDigits},
		"maiuscole":   {KindText, func(v any) string { return strings.ToUpper(rawText(v)) }},
		"minuscole":   {KindText, func(v any) string { return strings.ToLower(rawText(v)) }},
		"link":        {KindText, func(v any) string { return escapeLink(rawText(v)) }},
	}
}

// comparisons returns the functions of conditions, with their minimum and maximum of arguments.
func comparisons() map[string][2]int {
	const many = 100
	return map[string][2]int{
		"and": {1, many}, "or": {1, many}, "not": {1, 1}, "eq": {2, many},
		"ne": {2, 2}, "lt": {2, 2}, "le": {2, 2}, "gt": {2, 2}, "ge": {2, 2},
	}
}

// templateFuncs returns the functions as text/template calls them. In a content, their results are
// escaped like the values of fields.
func templateFuncs(content bool) template.FuncMap {
	all := template.FuncMap{fieldFunction: func(string) string { return "" }}
	for name, f := range functions() {
		all[name] = func(v any) any {
			switch {
			case v == "":
				return ""
			case content && name != "link": // its result has no Markdown characters
				return escaped(f.apply(v))
			}
			return f.apply(v)
		}
	}
	return all
}

func rawText(v any) string {
	if text, ok := v.(escaped); ok {
		return string(text)
	}
	return fmt.Sprint(v)
}

func groupDigits(v any) string {
	if n, ok := v.(int64); ok {
		return italian.Number(n)
	}
	return italian.Number(v.(int))
}

func longDate(v any) string {
	months := [...]string{"gennaio", "febbraio", "marzo", "aprile", "maggio", "giugno", "luglio", "agosto", "settembre", "ottobre", "novembre", "dicembre"}
	day, month, year := 0, 0, 0
	if _, err := fmt.Sscanf(italian.Day(time.Time(v.(date))), "%d/%d/%d", &day, &month, &year); err != nil {
		return fmt.Sprint(v)
	}
	return fmt.Sprintf("%d %s %d", day, months[month-1], year)
}

// escapeLink escapes a text as a part of an address. The result has no Markdown characters.
func escapeLink(text string) string {
	return strings.NewReplacer("+", "%20", "_", "%5F", "~", "%7E").Replace(url.QueryEscape(text))
}
