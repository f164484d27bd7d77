package main

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi/appio/appiotest"
	"github.com/flussi-go/flussi/internal/must"
)

// One text for all: the template has its fields, a preview shows a message, and what is sent is what
// the preview showed, with the options of the command.
func TestMailMergeWithOptions(t *testing.T) {
	o := newOffice(t)
	text := o.path("lettera.md")
	require.NoError(t, os.WriteFile(text, []byte("Gentile {{.Nome}},\n\nla pratica {{.Riferimento}} ha un importo di {{euro .Quota}}.\n\n"+strings.Repeat("Per informazioni scrivere all'ufficio. ", 4)), 0o600))
	merge := []string{"--subject", "Pratica {{.Riferimento}} di {{.Nome}}", "--content-file", text}
	with := func(args ...string) []string { return append(args, merge...) }
	must.Contain(t, o.ran(t, 0, with("template", o.path("modello.xlsx"), "--options")...), "--subject", "--content-file", "--options")

	file := o.path("elenco.csv")
	require.NoError(t, os.WriteFile(file, []byte("Codice fiscale;Nome;Quota;Riferimento;Pulsante 1;Collegamento pulsante 1\n"+
		appiotest.SampleCitizen(1).Reveal()+";Maria *Rossi*;1234,5;P-1;;\n"+
		appiotest.SampleCitizen(2).Reveal()+";Ugo;2;P-2;Apri;https://example.com/2\n"), 0o600))
	options := []string{"--options", "--button", "Paga = https://example.com/paga?x=1", "--secure-channels", "no"}
	said := o.ran(t, 0, append(with("preview", file), options...)...)
	must.Contain(t, said, "Riga 2", "Pratica P-1 di Maria *Rossi*", `Gentile Maria \*Rossi\*,`, "1.234,50 €", `action: "iohandledlink://https://example.com/paga?x=1"`, "Solo canali sicuri:")
	must.Contain(t, o.ran(t, 0, append(with("preview", file, "--row", "3"), options...)...), "Gentile Ugo,", "https://example.com/2")
	must.Contain(t, o.ran(t, exitRows, append(with("preview", file, "--row", "9"), options...)...), "Il file non ha questa riga")

	wrong := o.path("errato.csv")
	require.NoError(t, os.WriteFile(wrong, []byte("Codice fiscale;Nome;Quota;Riferimento\nx;Ugo;2;P-3\ny;Ugo;2;P-4\n"), 0o600))
	must.Contain(t, o.ran(t, exitRows, with("preview", wrong)...), "Nessuna riga è senza errori. La prima ha questi:\nRiga 2, colonna A (Codice fiscale):")
	assert.NotContains(t, o.ran(t, exitRows, with("preview", wrong, "--row", "3")...), "Nessuna riga")
	require.NoError(t, os.WriteFile(wrong, []byte("Codice fiscale;Nome;Quota;Riferimento\n"), 0o600))
	must.Contain(t, o.ran(t, exitRows, with("preview", wrong)...), "Il file non ha righe sotto le intestazioni.")

	_, said = o.run(append(with("import", file), "--button", "Paga=https://example.com")...)
	assert.Contains(t, said, "È una colonna delle opzioni")
	id := flowIn(t, o.ran(t, 0, append(with("import", file), options...)...))
	must.Contain(t, o.ran(t, 0, "show", id), "Pulsante 1:", "Paga (https://example.com/paga?x=1)")
	must.Contain(t, o.ran(t, 0, append(with("import", file), options...)...), "sono già state importate")

	for says, args := range map[string][]string{
		"Indicare insieme --subject e --content-file.": {"import", file, "--subject", "Oggetto"},
		"non è un modello valido alla riga 1":          {"template", o.path("x.xlsx"), "--subject", "{{range .A}}{{end}}", "--content-file", text},
		"indicare si oppure no":                        {"import", file, "--secure-channels", "forse"},
		"al massimo due pulsanti":                      {"import", file, "--button", "a=b", "--button", "c=d", "--button", "e=f"},
		"indicare il testo e il collegamento":          {"import", file, "--button", "a"},
		"non si può leggere":                           {"import", file, "--subject", "x", "--content-file", o.path("manca.md")},
		"il testo lo usa come «data»":                  {"template", o.path("x.xlsx"), "--subject", "{{data .Somma}}", "--content-file", text},
		"ha uno dei nomi della colonna «Somma»":        {"template", o.path("x.xlsx"), "--subject", "{{euro .Importo}}", "--content-file", text},
		"valgono per un flusso nuovo":                  {"import", file, "--flow", id, "--plain-text"},
	} {
		code, said := o.run(args...)
		assert.NotZero(t, code, says)
		assert.Contains(t, said, says)
	}
}

// A plain text is sent line by line.
func TestImportOfPlainText(t *testing.T) {
	o := newOffice(t)
	file := o.path("elenco.csv")
	require.NoError(t, os.WriteFile(file, []byte("Codice fiscale;Oggetto;Contenuto\n"+appiotest.SampleCitizen(1).Reveal()+";Avviso del Comune;\"Prima riga.\n# Seconda riga. "+strings.Repeat("Testo del messaggio. ", 8)+"\"\n"), 0o600))
	must.Contain(t, o.ran(t, 0, "preview", file, "--plain-text"), "Prima riga.\n\n\\# Seconda riga.", "Testo semplice:")
	id := flowIn(t, o.ran(t, 0, "import", file, "--plain-text"))
	must.Contain(t, o.ran(t, 0, "show", id), "Testo semplice:")
}
