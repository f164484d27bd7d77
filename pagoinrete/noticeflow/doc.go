// Package noticeflow writes to the payers of payment notices on App IO: it makes a flow of
// package flow out of the unpaid notices of an event of package pagoinrete.
//
//	messages, err := noticeflow.New(notices, service, noticeflow.Config{School: "IC Via Verdi"})
//	f, report, err := messages.Import(ctx, assistant, event.ID, "scuola", flow.Details{}, flow.AddConfig{SkipInvalid: true})
//	fmt.Print(report.Italian())                          // who could not be written to, and why
//	f, err = service.ActivateFlow(ctx, assistant, f.ID)  // and SendFlow, as for any flow
//
// Each notice that is to be paid becomes a payment message to its payer (versante), or to a member
// of staff who owes it themselves: with the amount that is due, the notice number, the due date,
// and the notice's ID as its Reference. Only events that are Notificato are written about, and
// donations never. Running it again writes to no payer twice: see [Messages.Import]. The same holds
// for a reminder, which has an occasion, such as "sollecito marzo".
//
// The actor works for the event's school, and is an operator of the App IO service, at once.
//
// # Texts
//
// Subject and content are texts of package mailmerge, with the fields of the notice between braces:
//
//	Da pagare: {{.Evento}}{{if gt .Rate 1}}, rata {{.Rata}} di {{.Rate}}{{end}}
//
// The fields are:
//
//	Evento, Causale, Categoria  of the event, as the office wrote them
//	AnnoScolastico              such as 2026/2027
//	Scuola                      Config.School, or the codice meccanografico
//	Importo                     what is due, an amount, such as 50,00 €
//	Scadenza                    a date, such as 31/03/2027; with data_estesa, 31 marzo 2027
//	Rata, Rate                  which instalment, and how many there are: numbers
//	Iniziali                    of who owes, such as R. M.; empty if no name is known
//	Personale                   who owes is a member of staff: yes or no
//	Vincolante                  after the due date it cannot be paid: yes or no
//
// Neither the name of a pupil nor a fiscal code is among them, so a text holds none unless the
// office wrote it into the template or the event itself. Conditions, comparisons and functions are
// those of package mailmerge. What the office wrote about the event is shown literally: Markdown
// characters in it are escaped in the content. The app may still turn an address into a link. [New]
// checks the templates.
//
// # Errors
//
// Errors and reports hold no text, no name and no code. A notice is named by its UUID.
package noticeflow
