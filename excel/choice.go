package excel

import (
	"fmt"
	"strings"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/italian"
)

// YesNo is the kind of a yes or no: Sì, Si', SI, S, X, VERO, TRUE, 1, or No, N, FALSO,
// FALSE, 0, whatever the case and the accents, or a truth value; anything else is
// [ErrChoice]. An empty cell leaves what [Config.Default] has. It is written as Sì and No.
func YesNo() Kind[bool] {
	return kind[bool]{
		read: func(c Cell) (flussi.Reading[bool], error) {
			text := c.Text
			if text == "Sì" || text == "No" { // as Write has it
				return flussi.Reading[bool]{Value: text == "Sì"}, nil
			}
			text = strings.Trim(lower(text), " \t\r\n\u00A0'’‘`´")
			if c.Type == NumberCell && c.Format != PlainFormat || c.Type == DateCell {
				text = ""
			}
			switch text {
			case "si", "s", "x", "vero", "true", "1":
				return flussi.Reading[bool]{Value: true}, nil
			case "no", "n", "falso", "false", "0":
				return flussi.Reading[bool]{}, nil
			}
			return flussi.Reading[bool]{}, wrong("YesNo", ErrChoice, "Scrivere Sì oppure No.")
		},
		write: func(v bool) Cell {
			if v {
				return Cell{Type: TextCell, Text: "Sì"}
			}
			return Cell{Type: TextCell, Text: "No"}
		},
		rule: Rule{Text: "Sì oppure No", Example: "Sì", Choices: []string{"Sì", "No"}, Width: 12},
	}
}

// Option is a value that can be chosen, and what it is called.
type Option[V any] struct {
	Label string // in Italian, as the list shows it
	Value V      // what the label means
}

// Choice is the kind of a value out of a list: an option is known by its label,
// whatever the case, accents, spaces and signs; anything else is [ErrChoice]. The zero
// value is written as an empty cell unless it has an option; any other value without
// one cannot be written.
func Choice[V comparable](options ...Option[V]) Kind[V] {
	values := make(map[string]V, 2*len(options)) // by label as it is, and folded
	labels := make(map[V]string, len(options))
	rule := Rule{Width: 18}
	defect := ""
	if len(options) == 0 {
		defect = "has no options"
	}
	for _, o := range options {
		if _, taken := values[fold(o.Label)]; taken || fold(o.Label) == "" {
			defect = fmt.Sprintf("has the option %q twice, or without letters and digits", o.Label)
		}
		if _, ok := labels[o.Value]; !ok {
			labels[o.Value] = o.Label
		}
		values[fold(o.Label)] = o.Value
		values[o.Label] = o.Value
		rule.Choices = append(rule.Choices, o.Label)
	}
	if len(options) > 0 {
		rule.Example = rule.Choices[0]
	}
	rule.Text = "un valore dell'elenco: " + listing(rule.Choices)
	return kind[V]{
		read: func(c Cell) (flussi.Reading[V], error) {
			if text, err := c.Plain(); err == nil {
				v, ok := values[text]
				if !ok {
					v, ok = values[fold(text)]
				}
				if ok {
					return flussi.Reading[V]{Value: v}, nil
				}
			}
			return flussi.Reading[V]{}, wrong("Choice", ErrChoice, "Il valore non è fra quelli ammessi: "+listing(rule.Choices)+".")
		},
		write: func(v V) Cell {
			label, ok := labels[v]
			if !ok && v != *new(V) {
				return Cell{Type: unwritable}
			}
			return textCell(label)
		},
		rule:   rule,
		defect: defect,
	}
}

// listing lists the first labels.
func listing(labels []string) string {
	const most = 12
	if len(labels) > most {
		more := len(labels) - most
		return strings.Join(labels[:most], ", ") + " e " + italian.Choose(more, "un altro", italian.Number(more)+" altri")
	}
	return strings.Join(labels, ", ")
}
