// Package mailmerge writes the subject and the content of many messages from one text with named
// fields and the values for each recipient (stampa unione).
//
//	text, err := mailmerge.Parse(
//		"Da pagare: {{.Tributo}}",
//		"Gentile {{.Nome}}, entro il {{data .Scadenza}} sono da pagare {{euro .Quota}}.", mailmerge.Config{})
//	subject, content, err := text.Execute(mailmerge.Values{
//		"Tributo": "TARI", "Nome": flussi.NewText("Maria"), "Scadenza": due, "Quota": flussi.Cents(5000),
//	})
//
// Package flowexcel makes a workbook for a text, with a column for each field. Package noticeflow
// fills in the data of a notice.
//
// # Texts
//
// A field is written between double braces, with a dot: {{.Nome}}. A name with blanks or
// punctuation, such as the header of a column, is written {{campo "Data di nascita"}}. Names may
// have accents.
//
//	{{.Nome}}                                        the value
//	{{euro .Quota}}                                  1.234,50 €
//	{{data .Scadenza}}, {{data_estesa .Scadenza}}    31/03/2027, 31 marzo 2027, in Italy
//	{{numero .Rate}}                                 1.234
//	{{maiuscole .Nome}}, {{minuscole .Nome}}         MARIA, maria
//	https://example.com/?id={{link .Codice}}         as a part of an address
//	{{if .Sconto}}… {{else}}… {{end}}                only with a value other than 0, or only without one
//	{{if and (eq .Tributo "TARI") (gt .Rate 1)}}…    and, or, not, eq, ne, lt, le, gt, ge
//
// The functions and comparisons in which the text uses a field determine its [Kind]: an amount, a
// date or a number; text by default. A field has one kind everywhere in the text. An amount is
// written as by euro, and a date as by data, even where the text does not call the function, as in
// {{.Scadenza}}. A field that the text only shows has the kind of its value ([Field].AnyKind). A
// field is optional if a condition tests whether it has a value, as in {{if .Sconto}}. All other
// fields are required.
//
// A text has no variables, no loops, no other functions and no other templates. So filling it in
// always ends, and the result shows only the text and its fields. [Parse] refuses anything else,
// and names the line.
//
// # Values
//
// A value cannot change the text around it. It is written on one line, without the characters that
// change the direction of text. In a content, Markdown characters in a value are escaped, so the
// app shows the value literally; it may still turn an address into a link, and <br> into a line
// break. A content may begin with front matter for buttons. Front matter has no fields, and values
// cannot add front matter: see [Text.Execute].
package mailmerge
