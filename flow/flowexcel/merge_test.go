package flowexcel_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio"
	"github.com/flussi-go/flussi/appio/appiotest"
	"github.com/flussi-go/flussi/excel"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/flow/flowexcel"
	"github.com/flussi-go/flussi/flow/memstore"
	"github.com/flussi-go/flussi/internal/exceltest"
	"github.com/flussi-go/flussi/internal/leaktest"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/mailmerge"
)

const mergeContent = "Gentile {{.Nome}},\n\nentro il {{data_estesa .Scadenza}} sono da pagare {{euro .Somma}}, di cui {{euro (campo \"Quota fissa\")}} di quota fissa" +
	"{{if .Sconto}}, con lo sconto di {{euro .Sconto}}{{end}}. La pratica è stata aperta il {{data .Apertura}}, con {{numero .Documenti}} documenti."

func merging(t testing.TB, c flowexcel.Config) *flowexcel.Template {
	t.Helper()
	c.Text = must.Get(mailmerge.Parse("Pratica {{.Riferimento}} di {{.Nome}}", mergeContent, mailmerge.Config{}))(t)
	return must.Get(flowexcel.New(c))(t)
}

// mergeRow is a row of the workbook of mergeContent.
func mergeRow(n int) map[string]any {
	return map[string]any{
		"Codice fiscale": citizen(n).Reveal(), "Nome": "Maria *Rossi*", "Quota fissa": "10,5", "Apertura": "1/2/2026", "Documenti": 1200,
		"Scadenza": time.Date(2099, time.March, 31, 0, 0, 0, 0, time.UTC), "Somma": 1234.5, "Numero avviso": "301005100001400678", "Riferimento": fmt.Sprint("TARI-", n),
	}
}

// The columns of a mail merge are the fields of its text. Those that the template has anyway are
// not there twice.
func TestColumnsOfAMailMergeAreItsFields(t *testing.T) {
	f, rows := exceltest.Open(t, fill(t, merging(t, flowexcel.Config{})))
	assert.Equal(t, []string{"Codice fiscale", "Nome", "Quota fissa", "Sconto", "Apertura", "Documenti", "Scadenza", "Somma", "Numero avviso", "Ente creditore",
		"Paga dopo la scadenza", "Riferimento", "Occasione"}, rows[0])
	table, _ := exceltest.Guide(t, f)
	assert.Contains(t, table["Sconto"], "No")
	assert.Contains(t, table["Nome"], "Sì")
}

// A workbook of a mail merge goes through the template, an import, an export and a correction.
func TestMailMergeGoesThroughWorkbooks(t *testing.T) {
	tpl := merging(t, flowexcel.Config{})
	second := mergeRow(2)
	second["Sconto"], second["Nome"] = "5", "Città\ndi # Forlì"
	file := fill(t, tpl, mergeRow(1), second)
	w := newWorld(t)
	must.Get(w.add(t, w.flow.ID, rowsOf(t, tpl, file, nil), flow.AddConfig{}))(t)
	all := w.all(t)
	assert.Equal(t, "Pratica TARI-1 di Maria *Rossi*", all[0].Subject.Reveal())
	assert.Equal(t, "Gentile Maria \\*Rossi\\*,\n\nentro il 31 marzo 2099 sono da pagare 1.234,50 €, di cui 10,50 € di quota fissa. La pratica è stata aperta il 01/02/2026, con 1.200 documenti.", all[0].Content.Reveal())
	assert.Contains(t, all[1].Content.Reveal(), "Gentile Città di # Forlì,")
	assert.Contains(t, all[1].Content.Reveal(), ", con lo sconto di 5,00 €. La")

	for _, number := range []int{0, 2, 3} {
		row := must.Get(tpl.Preview(t.Context(), bytes.NewReader(file), int64(len(file)), number))(t)
		assert.Equal(t, all[max(number, 2)-2].Message(), row.Draft.Message(), "the preview is what is sent")
	}
	_, err := tpl.Preview(t.Context(), bytes.NewReader(file), int64(len(file)), 9)
	assert.ErrorIs(t, err, flussi.ErrNotFound)

	n := all[0]
	n.State, n.Transmission = flow.NotificationFailed, flow.Transmission{Attempts: 1, ErrorCode: flow.CodeRefused}
	require.NoError(t, w.store.SaveNotifications(t.Context(), flow.NotificationChange{Notification: n, Record: flow.NotificationRecord{At: n.CreatedAt, By: operator.ID, From: flow.NotificationRegistered, To: n.State}}))
	done := must.Get(correct(t, tpl, w.Service, exceltest.Edit(t, w.export(t), map[string]any{exceltest.Ref(column(t, "Oggetto"), 2): "Pratica corretta a mano"})))(t)
	assert.Equal(t, 1, done.Corrected)
	assert.Equal(t, "Pratica corretta a mano", w.get(t, n.ID).Subject.Reveal())
	assert.Equal(t, all[0].Content, w.get(t, n.ID).Content)
}

// What a row lacks, or what makes its text too long, is an error of the row, before anything is
// stored.
func TestWrongValuesOfAMailMergeAreErrorsOfTheirRow(t *testing.T) {
	tpl := merging(t, flowexcel.Config{})
	for header, c := range map[string]struct {
		value any
		says  string
	}{
		"Nome":        {"", "colonna B (Nome): La cella è vuota: il valore è obbligatorio."},
		"Somma":       {"", "Somma): La cella è vuota: il valore è obbligatorio."},
		"Scadenza":    {"", "Scadenza): La cella è vuota: il valore è obbligatorio."},
		"Riferimento": {"", "Riferimento): La cella è vuota: il valore è obbligatorio."},
		"Quota fissa": {"segreto", "colonna C (Quota fissa)"},
		"Apertura":    {"32/13/2026", "colonna E (Apertura)"},
		"Documenti":   {"segreto", "colonna F (Documenti)"},
	} {
		row := mergeRow(1)
		row[header] = c.value
		_, errs, reading := importsOf(tpl).Read(t, fill(t, tpl, row))
		require.Len(t, errs, 1, header)
		assert.Contains(t, reading.Italian(), c.says, header)
		leaktest.Check(t, []string{"segreto"}, errs[0])
	}
	row := mergeRow(1)
	row["Nome"] = strings.Repeat("Maria ", 30)
	_, errs, reading := importsOf(tpl).Read(t, fill(t, tpl, row))
	require.Len(t, errs, 1)
	assert.Contains(t, reading.Italian(), "Riga 2: L'oggetto ha 197 caratteri: devono essere da 10 a 120.")

	// A file without the column of a field is refused as a whole.
	_, _, reading = importsOf(tpl).Read(t, fill(t, template(t), plainRow(1)))
	assert.Contains(t, reading.Italian(), "Nome")
	assert.False(t, reading.Complete)
}

// A field that is a column of the template has its kind; one cannot be used as another.
func TestTextThatUsesAColumnInAnotherWayIsRefused(t *testing.T) {
	for content, says := range map[string]string{
		"{{data .Somma}}": "Il campo «Somma» è la colonna «Somma» del modello, e il testo lo usa come «data»", "{{euro .Scadenza}}": "«importo»",
		`{{campo "Paga dopo la scadenza"}}`: "la colonna «Paga dopo la scadenza»", "{{.Somma}} {{maiuscole .Somma}}": "«testo»",
		"{{.UUID}}":                     "Il campo «UUID» del testo ha il nome di un'altra colonna: cambiargli nome, ad esempio «UUID nel testo».",
		`{{campo "Codice IUV"}}`:        "ha il nome di un'altra colonna",
		`{{campo "Pulsante 1"}}`:        "ha il nome di un'altra colonna",
		"{{.Nome}} {{.nome}}":           "Il campo «nome» del testo e il campo «Nome» sarebbero la stessa colonna: scriverli allo stesso modo",
		`{{.Città}} {{campo "Citta'"}}`: "sarebbero la stessa colonna",
		`{{campo "€"}}`:                 "non ha lettere né cifre nel nome",
	} {
		for _, groups := range [][]flowexcel.OptionGroup{nil, flowexcel.AllOptions()} {
			_, err := flowexcel.New(flowexcel.Config{Text: must.Get(mailmerge.Parse("Oggetto", content, mailmerge.Config{}))(t), Options: groups})
			require.ErrorIs(t, err, mailmerge.ErrTemplate, content)
			assert.Contains(t, flussi.Explain(err), says, content)
		}
	}
}

// Only the header of a column means the column: a field with another of its names is refused, since
// a sum in the column Somma makes a payment of the message.
func TestFieldWithAnotherNameOfAColumnIsRefused(t *testing.T) {
	for content, says := range map[string]string{
		"{{euro .Importo}}": "Il campo «Importo» del testo ha uno dei nomi della colonna «Somma», che rende il messaggio un pagamento con un avviso pagoPA: " +
			"per usare la colonna, chiamare il campo «Somma»; per un altro valore, dargli un nome diverso, come «Importo nel testo».",
		"{{.NAV}}":                                  "ha uno dei nomi della colonna «Numero avviso», che rende il messaggio un pagamento",
		"{{.Destinatario}}":                         "ha uno dei nomi della colonna «Codice fiscale»: per usare la colonna, chiamare il campo «Codice fiscale»;",
		`{{campo "Pagabile dopo la scadenza"}}`:     "ha uno dei nomi della colonna «Paga dopo la scadenza»: cambiargli nome, ad esempio «Pagabile dopo la scadenza nel testo».",
		`{{if (campo "Data di scadenza")}}x{{end}}`: "ha uno dei nomi della colonna «Scadenza»: per usare",
	} {
		_, err := flowexcel.New(flowexcel.Config{Text: must.Get(mailmerge.Parse("Oggetto", content, mailmerge.Config{}))(t)})
		require.ErrorIs(t, err, mailmerge.ErrTemplate, content)
		assert.Contains(t, flussi.Explain(err), says)
	}
	// The name that the error proposes makes a column of its own, and no payment. Signs of the
	// header do not matter.
	text := must.Get(mailmerge.Parse("Quota di {{.riferimento}}", `{{euro (campo "Importo nel testo")}} `+strings.Repeat("Per informazioni scrivere all'ufficio. ", 4), mailmerge.Config{}))(t)
	tpl := must.Get(flowexcel.New(flowexcel.Config{Text: text}))(t)
	rows, errs, _ := importsOf(tpl).Read(t, fill(t, tpl, map[string]any{"Codice fiscale": citizen(1).Reveal(), "Importo nel testo": "10,40", "Riferimento": "quota 1"}))
	require.Empty(t, errs)
	assert.Contains(t, rows[0].Draft.Content.Reveal(), "10,40 €")
	assert.False(t, rows[0].Draft.IsPayment)
	assert.Equal(t, "Quota di quota 1", rows[0].Draft.Subject.Reveal())
}

// A standard column that the text only shows is written in the format of its kind.
func TestStandardColumnsAreShownInTheirFormat(t *testing.T) {
	text := must.Get(mailmerge.Parse("Da pagare: {{.Somma}}", "Entro il {{.Scadenza}} sono da pagare {{.Somma}}{{if .Occasione}} ({{.Occasione}}){{end}}."+strings.Repeat(" Per informazioni scrivere all'ufficio.", 4), mailmerge.Config{}))(t)
	tpl := must.Get(flowexcel.New(flowexcel.Config{Text: text}))(t)
	row := mergeRow(1)
	for _, field := range []string{"Nome", "Quota fissa", "Apertura", "Documenti"} {
		delete(row, field)
	}
	rows, errs, _ := importsOf(tpl).Read(t, fill(t, tpl, row))
	require.Empty(t, errs)
	assert.Equal(t, "Da pagare: 1.234,50 €", rows[0].Draft.Subject.Reveal())
	assert.Contains(t, rows[0].Draft.Content.Reveal(), "Entro il 31/03/2099 sono da pagare 1.234,50 €. Per")
}

// A standard column that the text needs is required, in the template and in a file; a payment needs
// both of its columns.
func TestStandardColumnsThatATextNeedsAreRequired(t *testing.T) {
	for content, want := range map[string][]string{
		"":                   nil,
		"{{data .Scadenza}}": {"Scadenza"},
		"{{if .Scadenza}}{{data .Scadenza}}{{end}}": nil,
		"{{euro .Somma}}":                            {"Somma", "Numero avviso"},
		"{{.Somma}}":                                 {"Somma", "Numero avviso"},
		"{{.Scadenza}}":                              {"Scadenza"},
		"{{.NumeroAvviso}} {{.Occasione}}":           {"Somma", "Numero avviso", "Occasione"},
		`{{campo "Ente creditore"}}{{.Riferimento}}`: {"Ente creditore", "Riferimento"},
	} {
		text := must.Get(mailmerge.Parse("Oggetto del messaggio", content+strings.Repeat(" Per informazioni scrivere all'ufficio.", 4), mailmerge.Config{}))(t)
		tpl := must.Get(flowexcel.New(flowexcel.Config{Text: text}))(t)
		table, _ := exceltest.Guide(t, must.Get(excelize.OpenReader(bytes.NewReader(fill(t, tpl))))(t))
		for _, header := range importHeaders[3:] {
			assert.Equal(t, slices.Contains(want, header), table[header][1] == "Sì", "%s: %s", content, header)
		}
		_, errs, reading := importsOf(tpl).Read(t, []byte("Codice fiscale\n"+citizen(1).Reveal()+"\n"))
		assert.Equal(t, len(want) == 0, reading.Complete, content)
		if len(want) == 0 {
			assert.Empty(t, errs)
			continue
		}
		assert.Contains(t, reading.Italian(), "obbligatori")
		for _, header := range want {
			assert.Contains(t, reading.Italian(), "«"+header+"»")
		}
	}
}

// A mail merge does not tell operators of columns that its text does not use.
func TestMailMergeReportsOnlyMissingColumnsOfItsText(t *testing.T) {
	text := must.Get(mailmerge.Parse("Oggetto del messaggio", "{{.Nome}}{{if .Sconto}}{{.Sconto}}{{end}}{{if .Scadenza}}{{data .Scadenza}}{{end}}"+strings.Repeat(" Per informazioni scrivere all'ufficio.", 4), mailmerge.Config{}))(t)
	tpl := must.Get(flowexcel.New(flowexcel.Config{Text: text, Options: flowexcel.AllOptions()}))(t)
	for header, missing := range map[string][]string{"": {"Sconto", "Scadenza"}, ";Sconto;Scadenza": nil} {
		_, errs, reading := importsOf(tpl).Read(t, []byte("Codice fiscale;Nome"+header+"\n"+citizen(1).Reveal()+";Ugo\n"))
		require.Empty(t, errs)
		assert.ElementsMatch(t, missing, reading.Missing)
		assert.Equal(t, missing != nil, strings.Contains(reading.Italian(), "facoltativ"))
	}
}

// A preview of the first valid row says why there is none.
func TestPreviewSaysWhyThereIsNoValidRow(t *testing.T) {
	tpl := template(t)
	for rows, c := range map[string]struct {
		number int
		class  error
		says   string
	}{
		"":     {0, flussi.ErrNotFound, "Il file non ha righe sotto le intestazioni."},
		";;\n": {3, flussi.ErrNotFound, "Il file non ha righe sotto le intestazioni."},
		"x;Avviso numero uno;" + letter + "\ny;;\n": {0, flussi.ErrLength, "Riga 2, colonna A (Codice fiscale):"},
		"x;;\n": {9, flussi.ErrNotFound, "Il file non ha questa riga, o la riga è vuota."},
	} {
		file := "Codice fiscale;Oggetto;Contenuto\n" + rows
		_, err := tpl.Preview(t.Context(), strings.NewReader(file), int64(len(file)), c.number)
		require.ErrorIs(t, err, c.class, rows)
		assert.Contains(t, flussi.Explain(err), c.says)
	}
}

// What arrives is what the row and the flow say: for random rows and options, the platform has
// the message that a plain reading of both gives.
func TestWhatArrivesIsWhatTheRowAndTheFlowSay(t *testing.T) {
	random := rand.New(rand.NewPCG(17, 4))
	server := appiotest.NewServer(appiotest.Config{})
	t.Cleanup(server.Close)
	server.AddService(appiotest.Service{ID: taxes, Key: "a-key", Configurations: []string{"01ARZ3NDEKTSV4RRFFQ69G5FAV"}})
	client := must.Get(appio.New(must.Get(flussi.ParseKey("a-key"))(t), appio.Config{BaseURL: server.URL}))(t)
	senders := func(context.Context, string) (flow.Sender, error) { return client, nil }
	store := memstore.New()
	service := must.Get(flow.NewService(store, flow.Permissions{operator.ID: {taxes}}, senders, flow.ServiceConfig{}))(t)
	dispatcher := must.Get(flow.NewDispatcher(store, senders, flow.DispatcherConfig{}))(t)

	want := map[string]map[string]any{} // by recipient
	for round := range 6 {
		standing, of := randomOptions(random), flow.Options{}
		details := flow.Details{Options: standing.options}
		c := flowexcel.Config{FlowOptions: standing.options}
		tpl := withOptions(t, c)
		if round%2 == 1 {
			c.Options = flowexcel.AllOptions()
			tpl = merging(t, c)
		}
		var rows []map[string]any
		for i := range 25 {
			citizenNumber := round*100 + i
			own := randomOptions(random)
			of = own.options.Or(standing.options)
			row, subject, content := plainRow(citizenNumber), "", ""
			if round%2 == 1 {
				row = mergeRow(citizenNumber)
				name := []string{"Maria Rossi", "D'Amico Élodie", "王芳 Wang", "Maria *Rossi* # [x]"}[random.IntN(4)]
				row["Nome"] = name
				subject = fmt.Sprintf("Pratica TARI-%d di %s", citizenNumber, name)
				content = "Gentile " + strings.NewReplacer("*", `\*`, "[", `\[`, "]", `\]`).Replace(name) + ",\n\nentro il 31 marzo 2099 sono da pagare 1.234,50 €, di cui 10,50 € di quota fissa. La pratica è stata aperta il 01/02/2026, con 1.200 documenti."
			} else {
				subject = row["Oggetto"].(string)
				text := fmt.Sprintf("Riga uno numero %d.\nRiga due, ", random.IntN(1000)) + strings.Repeat("con altro testo ", 8) + "e fine."
				row["Contenuto"], content = text, text
			}
			if of.PlainText == flow.ChoiceYes {
				content = strings.ReplaceAll(strings.ReplaceAll(content, "\n\n", "\n"), "\n", "\n\n")
			}
			for header, value := range own.cells {
				row[header] = value
			}
			rows = append(rows, row)
			want[citizen(citizenNumber).Reveal()] = expected(of, subject, content, round%2 == 1)
		}
		f, report, err := service.ImportFlow(t.Context(), operator, taxes, details, rowsOf(t, tpl, fill(t, tpl, rows...), &excel.Report{}), flow.AddConfig{})
		require.NoError(t, err, report.Errors)
		must.Get(service.ActivateFlow(t.Context(), operator, f.ID))(t)
		must.Get(service.SendFlow(t.Context(), operator, f.ID))(t)
		f = must.Get(dispatcher.Run(t.Context(), f.ID))(t)
		require.Equal(t, flow.FlowSent, f.State, f.Error)
	}
	deliveries := server.Deliveries()
	require.Len(t, deliveries, len(want))
	for _, d := range deliveries {
		got := map[string]any{}
		require.NoError(t, json.Unmarshal([]byte(d.Request.Reveal()), &got))
		delete(got, "fiscal_code")
		assert.Equal(t, want[d.Recipient.Reveal()], got)
	}
}

// chosen are options, and the cells that say them.
type chosen struct {
	options flow.Options
	cells   map[string]any
}

// randomOptions returns options of which some are left open. A button or a remote content is whole,
// or not there.
func randomOptions(random *rand.Rand) chosen {
	c := chosen{cells: map[string]any{}}
	maybe := func(header string, cell any, set func(o *flow.Options)) {
		if random.IntN(2) == 0 {
			c.cells[header] = cell
			set(&c.options)
		}
	}
	maybe("Testo semplice", "Sì", func(o *flow.Options) { o.PlainText = flow.ChoiceYes })
	maybe("Solo canali sicuri", "No", func(o *flow.Options) { o.SecureChannels = appio.SecureChannelsNotRequired })
	maybe("Solo canali sicuri", "Sì", func(o *flow.Options) { o.SecureChannels = appio.SecureChannelsRequired })
	maybe("Livello di servizio", "ADVANCED", func(o *flow.Options) { o.FeatureLevel = appio.FeatureAdvanced })
	link := fmt.Sprintf("https://example.com/%d", random.IntN(1000))
	maybe("Collegamento pulsante 1", link, func(o *flow.Options) {
		c.cells["Pulsante 1"] = "Apri"
		o.Button1 = flow.Button{Label: flussi.NewText("Apri"), Link: flussi.NewText(link)}
	})
	id := fmt.Sprintf("DOC-%d", random.IntN(1000))
	maybe("Contenuto remoto", id, func(o *flow.Options) {
		c.cells["Configurazione contenuto remoto"], c.cells["Testo del contenuto remoto"] = "01ARZ3NDEKTSV4RRFFQ69G5FAV", "Sì"
		o.Remote = flow.RemoteContent{ID: id, ConfigurationID: "01ARZ3NDEKTSV4RRFFQ69G5FAV", Text: flow.ChoiceYes}
	})
	return c
}

// expected returns the request for a message, without its recipient.
func expected(o flow.Options, subject, content string, payment bool) map[string]any {
	if link := o.Button1.Link.Reveal(); link != "" {
		language := "  cta_1:\n    text: \"Apri\"\n    action: \"iohandledlink://" + link + "\"\n"
		content = "---\nit:\n" + language + "en:\n" + language + "---\n" + content
	}
	c := map[string]any{"subject": subject, "markdown": content}
	if o.SecureChannels != "" {
		c["require_secure_channels"] = o.SecureChannels == appio.SecureChannelsRequired
	}
	if o.Remote.ID != "" {
		c["third_party_data"] = map[string]any{"id": o.Remote.ID, "configuration_id": o.Remote.ConfigurationID, "has_remote_content": true}
	}
	if payment {
		c["due_date"] = "2099-03-31T21:59:59.000Z"
		c["payment_data"] = map[string]any{"amount": 123450.0, "notice_number": "301005100001400678", "invalid_after_due_date": true}
	}
	request := map[string]any{"content": c}
	if o.FeatureLevel != "" {
		request["feature_level_type"] = string(o.FeatureLevel)
	}
	return request
}
