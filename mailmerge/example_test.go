package mailmerge_test

import (
	"fmt"
	"time"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/mailmerge"
)

// One text for all recipients. How it uses the fields determines their kinds.
func ExampleParse() {
	text, err := mailmerge.Parse("Da pagare: {{.Tributo}}", `Gentile {{.Nome}},

entro il {{data_estesa .Scadenza}} sono da pagare {{euro .Quota}}{{if .Sconto}}, già tolto lo sconto di {{euro .Sconto}}{{end}}.

Pratica: {{campo "N. pratica"}}`, mailmerge.Config{})
	if err != nil {
		fmt.Println(flussi.Explain(err))
		return
	}
	for _, f := range text.Fields() {
		fmt.Println(f.Name, f.Kind, f.Optional)
	}

	due, _ := flussi.EndOfDay(2027, time.March, 31)
	subject, content, err := text.Execute(mailmerge.Values{
		"Tributo": "TARI", "Nome": flussi.NewText("Maria *Rossi*"), "Scadenza": due, "Quota": flussi.Cents(1234_50), "N. pratica": "2027/1",
	})
	if err != nil {
		fmt.Println(flussi.Explain(err))
		return
	}
	fmt.Println(subject.Reveal())
	fmt.Println(content.Reveal())

	_, _, err = text.Execute(mailmerge.Values{"Tributo": "TARI"})
	fmt.Println(flussi.Explain(err))
	_, err = mailmerge.Parse("Oggetto", "{{range .Importi}}{{.}}{{end}}", mailmerge.Config{})
	fmt.Println(flussi.Explain(err))
	// Output:
	// Tributo testo false
	// Nome testo false
	// Scadenza data false
	// Quota importo false
	// Sconto importo true
	// N. pratica testo false
	// Da pagare: TARI
	// Gentile Maria \*Rossi\*,
	//
	// entro il 31 marzo 2027 sono da pagare 1.234,50 €.
	//
	// Pratica: 2027/1
	// Manca il valore del campo «Nome», che il testo usa.
	// Il contenuto non è un modello valido alla riga 1: ci possono essere solo campi, {{if}}, {{else}}, {{end}}, confronti e le funzioni euro, data, data_estesa, numero, maiuscole, minuscole, link.
}
