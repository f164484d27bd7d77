package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi/examples/internal/cli"
)

// input is a file to be read, and how long it is.
type input struct {
	*os.File
	size int64
}

// read opens a file. Close it.
func read(name string) (input, error) {
	file, err := os.Open(name)
	if err != nil {
		return input{}, cli.Explained(fmt.Sprintf("Il file «%s» non si può leggere: %s", name, reason(err)), err)
	}
	info, err := file.Stat()
	if err == nil && info.IsDir() {
		err = cli.Explained(fmt.Sprintf("«%s» è una cartella: indicare un file.", name), errors.New("is a directory"))
	}
	if err != nil {
		return input{}, errors.Join(err, file.Close())
	}
	return input{file, info.Size()}, nil
}

// write makes a new file whole, or not at all. One that is there already stays, unless it is
// to be overwritten.
func write(name string, overwrite bool, content func(io.Writer) error) (err error) {
	fail := func(err error) error {
		var path *os.PathError
		var link *os.LinkError
		if errors.As(err, &path) || errors.As(err, &link) {
			return cli.Explained(fmt.Sprintf("Il file «%s» non si può scrivere: %s", name, reason(err)), err)
		}
		return err
	}
	if name == "" {
		return cli.Wrongf("Manca il nome del file da scrivere.")
	}
	if uuid.Validate(name) == nil { // of a flow, behind which the file is missing
		return cli.Wrongf("«%s» è un UUID: indicare anche il nome del file da scrivere.", name)
	}
	switch there, err := os.Lstat(name); {
	case err != nil: // it is not there, or the rest will tell
	case !overwrite:
		return cli.Explained(fmt.Sprintf("Il file «%s» esiste già: indicare un altro nome, oppure --overwrite.", name), os.ErrExist)
	case !there.Mode().IsRegular():
		return cli.Explained(fmt.Sprintf("«%s» non si può sostituire: indicare un altro nome.", name), os.ErrInvalid)
	}
	file, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*") // for its owner alone: it may hold personal data
	if err != nil {
		return fail(err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(file.Name()))
		}
	}()
	if err := errors.Join(content(file), file.Sync(), file.Close()); err != nil {
		return fail(err)
	}
	return fail(os.Rename(file.Name(), name))
}

// beside returns the name of a workbook beside a file that is not there yet: lista.csv
// becomes lista-errori.xlsx. A workbook with macros remains one.
func beside(name, addition string) string {
	extension := strings.ToLower(filepath.Ext(name))
	if extension != ".xlsm" && extension != ".xltx" && extension != ".xltm" {
		extension = ".xlsx"
	}
	base := strings.TrimSuffix(name, filepath.Ext(name)) + "-" + addition
	free := base + extension
	for i := 2; ; i++ {
		if _, err := os.Lstat(free); err != nil {
			return free
		}
		free = fmt.Sprintf("%s-%d%s", base, i, extension)
	}
}

// sameFile reports whether two names are of one file that is there.
func sameFile(a, b string) bool {
	x, errA := os.Stat(a)
	y, errB := os.Stat(b)
	return errA == nil && errB == nil && os.SameFile(x, y)
}
