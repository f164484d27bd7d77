package mailmerge_test

import (
	"context"
	"fmt"
	"time"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio"
	"github.com/flussi-go/flussi/appio/appiotest"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/flow/memstore"
	"github.com/flussi-go/flussi/mailmerge"
)

// From a table of the program's own to a flow of messages in plain text, with a button for all, and
// secure channels for one.
func Example() {
	ctx, operator := context.Background(), flussi.Actor{ID: "m.neri", Roles: []flussi.Role{flussi.Operator}}
	due, _ := flussi.EndOfDay(2027, time.March, 31)
	text, err := mailmerge.Parse("Retta della mensa di {{.Nome}}",
		"Gentile famiglia di {{.Nome}},\nla retta di {{euro .Quota}} è da pagare entro il {{data_estesa .Termine}}.\n"+
			"Per chiarimenti si può scrivere all'ufficio scuola.", mailmerge.Config{})
	if err != nil {
		fmt.Println(flussi.Explain(err))
		return
	}
	details := flow.Details{Options: flow.Options{
		PlainText: flow.ChoiceYes,
		Button1:   flow.Button{Label: flussi.NewText("Vai al sito"), Link: flussi.NewText("https://www.comune.example.it/mensa")},
	}}
	var drafts []flow.Draft
	for i, pupil := range []struct {
		name         string
		quota        flussi.Cents
		confidential bool
	}{{"Anna *Rossi*", 1234_50, false}, {"Ugo Verdi", 50_00, true}} {
		subject, content, err := text.ExecutePlain(mailmerge.Values{"Nome": pupil.name, "Quota": pupil.quota, "Termine": due})
		if err != nil {
			fmt.Println(flussi.Explain(err))
			return
		}
		d := flow.Draft{Recipient: appiotest.SampleCitizen(i), Subject: subject, Content: content, Reference: fmt.Sprint("alunno ", i)}
		if pupil.confidential {
			d.Options.SecureChannels = appio.SecureChannelsRequired
		}
		drafts = append(drafts, d)
	}

	preview := drafts[0] // before anything is stored
	preview.Options = preview.Options.Or(details.Options)
	fmt.Println(preview.Message().Content.Reveal(), preview.Validate(flow.GuideLimits()))

	nobody := func(context.Context, string) (flow.Sender, error) { return nil, nil } // an *appio.Client, to send
	service, err := flow.NewService(memstore.New(), flow.Permissions{operator.ID: {"mensa"}}, nobody, flow.ServiceConfig{})
	if err != nil {
		fmt.Println(flussi.Explain(err))
		return
	}
	f, _, err := service.ImportFlow(ctx, operator, "mensa", details, flow.DraftRows(drafts...), flow.AddConfig{})
	fmt.Println(f.Counts.Total(), err)
	// Output:
	// ---
	// it:
	//   cta_1:
	//     text: "Vai al sito"
	//     action: "iohandledlink://https://www.comune.example.it/mensa"
	// en:
	//   cta_1:
	//     text: "Vai al sito"
	//     action: "iohandledlink://https://www.comune.example.it/mensa"
	// ---
	// Gentile famiglia di Anna \*Rossi\*,
	//
	// la retta di 1.234,50 € è da pagare entro il 31 marzo 2027.
	//
	// Per chiarimenti si può scrivere all'ufficio scuola. <nil>
	// 2 <nil>
}
