package main

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/pflag"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/examples/internal/cli"
	"github.com/flussi-go/flussi/internal/must"
)

func TestNoNameAndNoFlagControlsATerminal(t *testing.T) {
	o := newOffice(t)
	const evil = "a\x1b]0;titolo\a\x1b[2J\u202e\u009b31m\x9b\nErrore: tutto perso"
	name, folder := o.path(evil+".xlsx"), o.path(evil)
	require.NoError(t, os.Mkdir(folder, 0o700))
	id := o.imported(t, 1)
	for _, args := range [][]string{
		{"template", name}, {"template", name}, {"template", folder, "--overwrite"}, {"template", o.path("nuovo.xlsx"), "--subject", evil, "--content-file", name},
		{"export", id, name}, {"export", id, name, "--overwrite"}, {"export", id, filepath.Join(folder, "none", "x.xlsx")}, {"export", evil, "x.xlsx"},
		{"import", name}, {"import", folder}, {"import", o.path("none" + evil)}, {"import", name, "--map", evil}, {"import", name, "--map", evil + "=" + evil},
		{"import", name, "--occasion", evil}, {"import", name, "--button", evil}, {"import", name, "--secure-channels", evil}, {"import", name, "--level", evil},
		{"import", name, "--flow", evil}, {"import", name, "--note", evil}, {"import", name, "--marked", folder}, {"show", evil}, {"history", evil}, {evil}, {"list", "--" + evil},
		{"list", "--state", evil}, {"list", "--from", evil}, {"list", "--service", evil}, {"list", "--store", evil}, {"list", "--operator", evil}, {"list", "--url", evil},
		{"list", "--key-file", evil}, {"resolve", id, "--sent", "--reason", evil}, {"disable", id, "--reason", evil}, {"enable", id, "--reason", evil},
		{"send", id, "--not-before", evil}, {"preview", name}, {"reachable", id, name}, {"reachable", id, name, "--after", evil},
	} {
		_, said := o.run(args...)
		must.NotContain(t, said, "\x1b", "\a", "\u202e", "\u009b", "\x9b")
		for line := range strings.Lines(said) {
			assert.False(t, strings.HasPrefix(line, "Errore: tutto perso"), "%q: %s", args, said)
		}
	}
	said := o.ran(t, 0, "template", o.path("b\x1bc'd.xlsx"))
	assert.Contains(t, said, `b\x1bc\x27d.xlsx'`, "to be copied into a shell")
}

func TestAnAddressWithAPasswordIsRefusedAndNotShown(t *testing.T) {
	for _, address := range []string{"https://u:segreta@server/api/v1", "https://segreta@server/api/v1", "https://server/api/v1?key=segreta", "https://u:%zzsegreta@server/api/v1"} {
		for _, flags := range [][]string{{"--url", address}, nil} {
			p := &program{}
			set := pflag.NewFlagSet("", pflag.ContinueOnError)
			p.settings.flags(set)
			require.NoError(t, set.Parse(flags))
			err := p.settings.complete(set, func(name string) string { return map[string]string{"MASSIVO_URL": address}[name] }, io.Discard)
			must.As[*cli.UsageError](t, err)
			assert.NotContains(t, flussi.Explain(err), "segreta")
		}
	}
}

func TestAFileThatAppearsMeanwhileIsNotReplaced(t *testing.T) {
	name := filepath.Join(t.TempDir(), "esito.xlsx")
	err := write(name, false, func(w io.Writer) error {
		_, err := io.WriteString(w, "nuovo")
		return errors.Join(err, os.WriteFile(name, []byte("prezioso"), 0o600))
	})
	require.ErrorIs(t, err, os.ErrExist)
	assert.Contains(t, flussi.Explain(err), "esiste già: indicare un altro nome, oppure --overwrite.")
	assert.Equal(t, "prezioso", string(contentOf(t, name)))
	assert.Len(t, must.Get(os.ReadDir(filepath.Dir(name)))(t), 1)
}

func TestLongNamesCanBeWritten(t *testing.T) {
	o := newOffice(t)
	id := o.imported(t, 1)
	for _, length := range []int{245, 255} {
		o.ran(t, 0, "export", id, o.path(strings.Repeat("à", 100)+strings.Repeat("e", length-205)+".xlsx"))
	}
	assert.Contains(t, o.ran(t, cli.Failure, "export", id, o.path(strings.Repeat("e", 256))), "il nome è troppo lungo.")
	name := o.path(strings.Repeat("à", 125) + ".csv")
	require.NoError(t, os.WriteFile(name, []byte("Codice fiscale;Oggetto;Contenuto\nX;Y;Z\n"), 0o600))
	marked := []string{o.ran(t, exitRows, "import", name), o.ran(t, exitRows, "import", name)}
	for i, end := range []string{"à-errori.xlsx\n", "à-errori-2.xlsx\n"} {
		must.Contain(t, marked[i], "Copia con gli errori segnati: ", end)
	}
}

// What an export that was killed left is removed at the next start in the folder, and by the next
// file that is written there.
func TestTheNextStartRemovesWhatKilledProgramsLeft(t *testing.T) {
	start, written := t.TempDir(), t.TempDir()
	left := []string{filepath.Join(start, ".flussi-1.tmp"), filepath.Join(written, ".flussi-2.tmp")}
	for _, name := range left {
		require.NoError(t, os.WriteFile(name, []byte("personal"), 0o600))
	}
	c := exec.Command(os.Args[0], "template", filepath.Join(written, "modello.xlsx"))
	c.Dir, c.Env = start, append(os.Environ(), beTheProgram+"=1")
	output := must.Get(c.CombinedOutput())(t)
	for _, name := range left {
		assert.NoFileExists(t, name, string(output))
	}
	assert.FileExists(t, filepath.Join(written, "modello.xlsx"))
}
