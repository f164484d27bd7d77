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

// A list with headers of its own is imported once they are mapped; the program says which may be
// meant, and reads nothing by that.
func TestImportMapsUnknownHeaders(t *testing.T) {
	o := newOffice(t)
	file := o.path("elenco.csv")
	letter := strings.Repeat("La prima rata della TARI scade il 16 giugno. ", 3)
	require.NoError(t, os.WriteFile(file, []byte("Codice fiscale utente finale;Oggetto;Contenuto;Tot=dovuto;Avviso\n"+
		appiotest.SampleCitizen(1).Reveal()+";Scadenza della TARI;"+letter+";123,45;"+appiotest.SampleNotice(1).Reveal()+"\n"), 0o600))

	said := o.ran(t, exitRows, "import", file)
	must.Contain(t, said, "Manca la colonna obbligatoria «Codice fiscale»", "Intestazioni simili nella riga 1 del file:",
		"«Codice fiscale»: colonna A", `--map "INTESTAZIONE=COLONNA"`)
	assert.NotContains(t, said, "Importat")

	id := flowIn(t, o.ran(t, 0, "import", file, "--map", "Codice fiscale utente finale=Codice fiscale", "--map", "Tot=dovuto = Somma", "--map", "Avviso=Numero avviso"))
	must.Contain(t, o.ran(t, 0, "show", id), appiotest.SampleCitizen(1).Reveal())

	for flag, says := range map[string]string{
		"Tot=dovuto":   "La colonna «dovuto» non fa parte del modello",
		"Somma":        "indicare l'intestazione del file e la colonna del modello",
		"=Somma":       "indicare l'intestazione del file e la colonna del modello",
		"Saldo=Somma":  "Nel file non c'è l'intestazione abbinata a «Somma»",
		"UUID=Oggetto": "non è ammessa",
	} {
		code, said := o.run("import", file, "--map", flag, "--map", "Codice fiscale utente finale=Codice fiscale")
		assert.NotZero(t, code, flag)
		assert.Contains(t, said, says, flag)
	}
	_, said = o.run("import", file, "--map", "A=Somma", "--map", "A=Oggetto")
	assert.Contains(t, said, "è già abbinata")
}
