package outfile_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi/examples/internal/outfile"
	"github.com/flussi-go/flussi/internal/must"
)

// writeForEver makes the test binary write a file that never ends.
const writeForEver = "OUTFILE_TEST_WRITE"

func TestMain(m *testing.M) {
	if os.Getenv(writeForEver) == "" {
		os.Exit(m.Run())
	}
	err := outfile.Write(os.Args[1], false, func(w io.Writer) error {
		_, err := io.WriteString(w, "personal")
		fmt.Println("writing")
		time.Sleep(time.Hour) // until the test kills the process
		return err
	})
	fmt.Println("written", err)
}

func text(s string) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := io.WriteString(w, s)
		return err
	}
}

func names(t *testing.T, folder string) (names []string) {
	for _, entry := range must.Get(os.ReadDir(folder))(t) {
		names = append(names, entry.Name())
	}
	return names
}

func TestAFileThatAppearedMeanwhileIsNotReplaced(t *testing.T) {
	name := filepath.Join(t.TempDir(), "esito.xlsx")
	err := outfile.Write(name, false, func(w io.Writer) error {
		require.NoError(t, os.WriteFile(name, []byte("another"), 0o600))
		return text("ours")(w)
	})
	require.ErrorIs(t, err, fs.ErrExist)
	assert.Equal(t, "another", string(must.Get(os.ReadFile(name))(t)))
	assert.Equal(t, []string{"esito.xlsx"}, names(t, filepath.Dir(name)))
	require.NoError(t, outfile.Write(name, true, text("ours")))
	assert.Equal(t, "ours", string(must.Get(os.ReadFile(name))(t)))
	assert.Equal(t, []string{"esito.xlsx"}, names(t, filepath.Dir(name)))
}

func TestOneOfManyWritersOfANewNameSucceeds(t *testing.T) {
	name := filepath.Join(t.TempDir(), "esito.xlsx")
	errs := make([]error, 8)
	var begun, writers sync.WaitGroup
	begun.Add(len(errs))
	for i := range errs {
		writers.Go(func() {
			errs[i] = outfile.Write(name, false, func(w io.Writer) error {
				begun.Done()
				begun.Wait()
				return text(strings.Repeat("x", i+1))(w)
			})
		})
	}
	writers.Wait()
	written := 0
	for i, err := range errs {
		if err == nil {
			written++
			assert.Len(t, must.Get(os.ReadFile(name))(t), i+1)
			continue
		}
		require.ErrorIs(t, err, fs.ErrExist)
	}
	assert.Equal(t, 1, written)
	assert.Equal(t, []string{"esito.xlsx"}, names(t, filepath.Dir(name)))
}

func TestAFailedWriteLeavesNothing(t *testing.T) {
	folder := t.TempDir()
	failed := errors.New("boom")
	require.ErrorIs(t, outfile.Write(filepath.Join(folder, "a"), false, func(w io.Writer) error { return errors.Join(text("x")(w), failed) }), failed)
	require.ErrorIs(t, outfile.Write(filepath.Join(folder, "none", "a"), false, text("x")), fs.ErrNotExist)
	require.Error(t, outfile.Write(filepath.Join(folder, strings.Repeat("a", 256)), false, text("x")))
	assert.Empty(t, names(t, folder))
}

func TestTheLongestNameCanBeWritten(t *testing.T) {
	folder := t.TempDir()
	for _, replace := range []bool{false, true} {
		require.NoError(t, outfile.Write(filepath.Join(folder, strings.Repeat("a", 255)), replace, text("x")))
	}
	info := must.Get(os.Stat(filepath.Join(folder, strings.Repeat("a", 255))))(t)
	assert.Equal(t, fs.FileMode(0o600), info.Mode().Perm())
}

func TestSweepRemovesOnlyWhatKilledProgramsLeft(t *testing.T) {
	folder := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(folder, ".flussi-nota.txt"), nil, 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(folder, "flussi-1.tmp"), nil, 0o600))
	require.NoError(t, os.Mkdir(filepath.Join(folder, ".flussi-2.tmp"), 0o700))
	others := names(t, folder)
	writer := exec.Command(os.Args[0], filepath.Join(folder, "esito.xlsx"))
	writer.Env = append(os.Environ(), writeForEver+"=1")
	says := must.Get(writer.StdoutPipe())(t)
	require.NoError(t, writer.Start())
	must.Get(bufio.NewReader(says).ReadString('\n'))(t)
	require.NoError(t, outfile.Write(filepath.Join(folder, "altro.xlsx"), false, func(io.Writer) error {
		outfile.Sweep(folder)
		return nil
	}), "the file that this process writes")
	assert.Len(t, names(t, folder), len(others)+2, "the other process is writing")
	require.NoError(t, writer.Process.Kill())
	require.Error(t, writer.Wait())
	assert.Len(t, names(t, folder), len(others)+2)
	outfile.Sweep(folder)
	assert.ElementsMatch(t, append(others, "altro.xlsx"), names(t, folder))
	outfile.Sweep(filepath.Join(folder, "none"))
}
