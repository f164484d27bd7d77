// Package mailmerge makes the subject and the content of many messages out of one text with named
// fields (stampa unione), and the values of each recipient.
//
//	text, err := mailmerge.Parse(
//		"Da pagare: {{.Tributo}}",
//		"Gentile {{.Nome}}, entro il {{data .Scadenza}} sono da pagare {{euro .Importo}}.", mailmerge.Config{})
//	subject, content, err := text.Execute(mailmerge.Values{
//		"Tributo": "TARI", "Nome": flussi.NewText("Maria"), "Scadenza": due, "Importo": flussi.Cents(5000),
//	})
//
// Package flowexcel makes a workbook out of a text, with a column for each field, and package
// noticeflow fills in the data of a notice.
//
// # Texts
//
// A field stands between braces, with a dot: {{.Nome}}. A name with blanks or signs, such as the
// header of a column, is written {{campo "Data di nascita"}}. Names may have accents.
//
//	{{.Nome}}                                        the value
//	{{euro .Importo}}                                1.234,50 €
//	{{data .Scadenza}}, {{data_estesa .Scadenza}}    31/03/2027, 31 marzo 2027, in Italy
//	{{numero .Quote}}                                1.234
//	{{maiuscole .Nome}}, {{minuscole .Nome}}         MARIA, maria
//	https://example.com/?id={{link .Codice}}         as a part of an address
//	{{if .Sconto}}… {{else}}… {{end}}                only with a value, or only without one
//	{{if and (eq .Tributo "TARI") (gt .Rate 1)}}…    and, or, not, eq, ne, lt, le, gt, ge
//
// The use of a field says its [Kind]: an amount, a date, a number, or else text. An amount and a
// date are written so also without the function. A field is optional if the text asks whether it
// has a value, as in {{if .Sconto}}; all others need one.
//
// There is nothing else: no variables, no loops, no other functions, no other templates. So a text
// ends, is as long as its values, and shows nothing but fields. [Parse] refuses everything else
// with its line.
//
// # Values
//
// A value cannot change what stands around it. It is one line, without the signs that change the
// direction of others. In a content, the characters that Markdown takes for its own are escaped, so
// that the value is shown as it is; an address may become a link. Front matter with buttons may
// stand before the content, but no field in it, and no value makes one: see [ErrTemplate].
package mailmerge
