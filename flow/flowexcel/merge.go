package flowexcel

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/excel"
	"github.com/flussi-go/flussi/mailmerge"
)

// merged is the value that a cell has for a field of a mail merge.
type merged struct {
	text   flussi.Text
	amount *flussi.Cents
	date   time.Time
	number *int64
}

// merge is a mail merge: a text, and its fields with their columns.
type merge struct {
	text   *mailmerge.Text
	fields []mergeField
}

// mergeField is a field and its value in a row.
type mergeField struct {
	mailmerge.Field
	header string // of its column
	value  func(e *entry) any
}

// standardFields are the columns of every template whose values a text may use, with their kinds.
func standardFields() map[string]mergeField {
	text := func(value func(e *entry) string) mergeField {
		return mergeField{mailmerge.Field{Kind: mailmerge.KindText}, "", func(e *entry) any { return flussi.NewText(value(e)) }}
	}
	return map[string]mergeField{
		recipientHeader: text(func(e *entry) string { return e.Recipient.Reveal() }),
		dueHeader:       {mailmerge.Field{Kind: mailmerge.KindDate}, "", func(e *entry) any { return e.DueDate }},
		amountHeader: {mailmerge.Field{Kind: mailmerge.KindAmount}, "", func(e *entry) any {
			if e.Amount == 0 {
				return nil
			}
			return e.Amount
		}},
		noticeHeader:    text(func(e *entry) string { return e.NoticeNumber.Reveal() }),
		payeeHeader:     text(func(e *entry) string { return e.Payee.String() }),
		referenceHeader: text(func(e *entry) string { return e.Reference }),
		occasionHeader:  text(func(e *entry) string { return e.Occasion }),
	}
}

// newMerge returns the mail merge of a text, and the columns of the fields that no other column
// has. Of the standard columns, it makes those required that the text needs. The groups of options
// are those of the template.
func newMerge(text *mailmerge.Text, standard []excel.Column[entry], groups []OptionGroup) (*merge, []excel.Column[entry], error) {
	m := &merge{text: text}
	var columns []excel.Column[entry]
	needed := map[string]bool{} // by header
	for _, f := range text.Fields() {
		at := slices.IndexFunc(standard, func(c excel.Column[entry]) bool { return c.MatchesHeader(f.Name) })
		if at >= 0 {
			header := standard[at].Header()
			own, err := standardField(f, header)
			if err != nil {
				return nil, nil, err
			}
			m.fields = append(m.fields, mergeField{f, header, own.value})
			needed[header] = needed[header] || !f.Optional
			continue
		}
		if err := freeHeader(f.Name, columns, groups); err != nil {
			return nil, nil, err
		}
		i := len(columns)
		m.fields = append(m.fields, mergeField{f, f.Name, func(e *entry) any { return e.merged.value(i, f.Kind) }})
		columns = append(columns, mergeColumn(f, i, text))
	}
	if needed[amountHeader] || needed[noticeHeader] { // a payment has both
		needed[amountHeader], needed[noticeHeader] = true, true
	}
	for i, c := range standard {
		if needed[c.Header()] {
			standard[i] = c.Require()
		}
	}
	return m, columns, nil
}

// freeHeader refuses a field that cannot have its own column, since another column has its name.
func freeHeader(name string, fields []excel.Column[entry], groups []OptionGroup) error {
	fault := func(reason string) error {
		return &flussi.ValueError{Type: name, Err: mailmerge.ErrTemplate, Reason: fmt.Sprintf("Il campo «%s» del testo %s", name, reason)}
	}
	if excel.SameHeader(name, "") {
		return fault("non ha lettere né cifre nel nome, e non può essere una colonna: cambiargli nome.")
	}
	for _, other := range fields {
		if excel.SameHeader(name, other.Header()) {
			return fault(fmt.Sprintf("e il campo «%s» sarebbero la stessa colonna: scriverli allo stesso modo, oppure cambiare nome a uno dei due.", other.Header()))
		}
	}
	taken := func(header string) bool { return excel.SameHeader(name, header) }
	if slices.ContainsFunc(exportedOptions(), func(o option[exported]) bool { return taken(o.header) }) ||
		slices.ContainsFunc(refusedHeaders(groups), func(r excel.RefusedHeader) bool { return taken(r.Header) }) {
		return fault(fmt.Sprintf("ha il nome di un'altra colonna: cambiargli nome, ad esempio «%s nel testo».", name))
	}
	return nil
}

// standardField returns how the value of a standard column is read, for a field that has one of the
// column's names. A field that the text only shows has the column's kind. Only the header itself
// means the column, since operators do not know its other names, and a sum in the column Somma
// makes a payment of the message.
func standardField(f mailmerge.Field, header string) (mergeField, error) {
	fault := func(format string, args ...any) error {
		return &flussi.ValueError{Type: f.Name, Err: mailmerge.ErrTemplate, Reason: fmt.Sprintf(format, args...)}
	}
	own, ok := standardFields()[header]
	switch {
	case !excel.SameHeader(f.Name, header):
		effect := ""
		if header == amountHeader || header == noticeHeader {
			effect = ", che rende il messaggio un pagamento con un avviso pagoPA"
		}
		use := fmt.Sprintf("per usare la colonna, chiamare il campo «%s»; per un altro valore, dargli un nome diverso, come «%s nel testo».", header, f.Name)
		if !ok {
			use = fmt.Sprintf("cambiargli nome, ad esempio «%s nel testo».", f.Name)
		}
		return mergeField{}, fault("Il campo «%s» del testo ha uno dei nomi della colonna «%s»%s: %s", f.Name, header, effect, use)
	case !ok, f.Kind != own.Kind && !f.AnyKind:
		return mergeField{}, fault("Il campo «%s» è la colonna «%s» del modello, e il testo lo usa come «%s»: usarlo in un altro modo, o cambiargli nome.", f.Name, header, f.Kind)
	}
	return own, nil
}

// uses reports whether the text has a field with this column.
func (m *merge) uses(header string) bool {
	return slices.ContainsFunc(m.fields, func(f mergeField) bool { return f.header == header })
}

// mergedValues are the values of a row for the fields that have a column of their own. The first
// cell of a row allocates them.
type mergedValues struct{ all []merged }

// at returns the value of a column.
func (v *mergedValues) at(i, count int) *merged {
	if v.all == nil {
		v.all = make([]merged, count)
	}
	return &v.all[i]
}

// value returns a value as mailmerge takes it, nil if the cell is empty.
func (v *mergedValues) value(i int, kind mailmerge.Kind) any {
	if v.all == nil {
		return nil
	}
	switch cell := v.all[i]; kind {
	case mailmerge.KindAmount:
		if cell.amount != nil {
			return *cell.amount
		}
	case mailmerge.KindNumber:
		if cell.number != nil {
			return *cell.number
		}
	case mailmerge.KindDate:
		return cell.date
	default:
		return cell.text
	}
	return nil
}

// mergeColumn returns the column of a field.
func mergeColumn(f mailmerge.Field, i int, text *mailmerge.Text) excel.Column[entry] {
	count := len(text.Fields())
	c := excel.ColumnConfig{Required: !f.Optional, Help: "Il valore di questo campo nel testo del messaggio."}
	if f.Optional {
		c.Help += " Può mancare."
	}
	const most = 1_000_000_000
	switch f.Kind {
	case mailmerge.KindAmount:
		return excel.NewColumn(f.Name, excel.Optional(excel.Money(0, flussi.MaxPayable)), func(e *entry) **flussi.Cents { return &e.merged.at(i, count).amount }, c)
	case mailmerge.KindDate:
		return excel.NewColumn(f.Name, excel.Date(excel.DateConfig{EndOfDay: true}), func(e *entry) *time.Time { return &e.merged.at(i, count).date }, c)
	case mailmerge.KindNumber:
		return excel.NewColumn(f.Name, excel.Optional(excel.Integer(-most, most)), func(e *entry) **int64 { return &e.merged.at(i, count).number }, c)
	}
	return excel.NewColumn(f.Name, excel.PersonalText(1, maxOption), func(e *entry) *flussi.Text { return &e.merged.at(i, count).text }, c)
}

// fill sets the subject and the content of a row. plain says that the content is plain text.
func (m *merge) fill(e *entry, plain bool) (err error) {
	values := mailmerge.Values{}
	for _, f := range m.fields {
		values[f.Name] = f.value(e)
	}
	execute := m.text.Execute
	if plain {
		execute = m.text.ExecutePlain
	}
	e.Subject, e.Content, err = execute(values)
	var wrong *flussi.ValueError
	if errors.As(err, &wrong) {
		if at := slices.IndexFunc(m.fields, func(f mergeField) bool { return f.Name == wrong.Type }); at >= 0 {
			return excel.NewCellError(m.fields[at].header, err)
		}
	}
	return err
}
