package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi/examples/internal/cli"
	"github.com/flussi-go/flussi/examples/internal/outfile"
)

// input is a file to be read, and how long it is.
type input struct {
	*cli.File
	size int64
}

// read opens a file that is read from any position, such as a workbook. Close it.
func read(ctx context.Context, name string) (input, error) {
	file, err := cli.OpenRegular(ctx, name)
	if err != nil {
		return input{}, explainRead(name, err)
	}
	info, err := file.Stat()
	if err != nil {
		return input{}, errors.Join(err, file.Close())
	}
	return input{file, info.Size()}, nil
}

// readFile returns what a file, which may be a pipe, contains: no more than limit bytes.
func readFile(ctx context.Context, name string, limit int64) (_ []byte, err error) {
	file, err := cli.Open(ctx, name)
	if err != nil {
		return nil, explainRead(name, err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	content, err := io.ReadAll(io.LimitReader(file, limit))
	if err != nil {
		return nil, explainRead(name, err)
	}
	return content, nil
}

// explainRead says why a file cannot be read.
func explainRead(name string, err error) error {
	info, statErr := os.Stat(name)
	switch {
	case errors.Is(err, context.Canceled):
		return err
	case statErr == nil && info.IsDir():
		return cli.Explained(fmt.Sprintf("«%s» è una cartella: indicare un file.", cli.Name(name)), err)
	case errors.Is(err, cli.ErrNotRegular):
		return cli.Explained(fmt.Sprintf("«%s» non è un file: salvare in un file ciò che contiene, e indicare quel file.", cli.Name(name)), err)
	}
	return cli.Explained(fmt.Sprintf("Il file «%s» non si può leggere: %s", cli.Name(name), reason(err)), err)
}

// write makes a new file whole, or not at all. One that is there already stays, unless it is
// to be overwritten.
func write(name string, overwrite bool, content func(io.Writer) error) error {
	if name == "" {
		return cli.Wrongf("Manca il nome del file da scrivere.")
	}
	if uuid.Validate(name) == nil { // of a flow, behind which the file is missing
		return cli.Wrongf("«%s» è un UUID: indicare anche il nome del file da scrivere.", name)
	}
	switch there, err := os.Lstat(name); {
	case err != nil: // it is not there, or the rest will tell
	case !overwrite:
		return exists(name, os.ErrExist)
	case !there.Mode().IsRegular():
		return cli.Explained(fmt.Sprintf("«%s» non si può sostituire: indicare un altro nome.", cli.Name(name)), os.ErrInvalid)
	}
	outfile.Sweep(filepath.Dir(name))
	err := outfile.Write(name, overwrite, content)
	var path *os.PathError
	var link *os.LinkError
	switch {
	case errors.Is(err, os.ErrExist): // it appeared meanwhile
		return exists(name, err)
	case errors.As(err, &path), errors.As(err, &link):
		return cli.Explained(fmt.Sprintf("Il file «%s» non si può scrivere: %s", cli.Name(name), reason(err)), err)
	}
	return err
}

func exists(name string, err error) error {
	return cli.Explained(fmt.Sprintf("Il file «%s» esiste già: indicare un altro nome, oppure --overwrite.", cli.Name(name)), err)
}

// longestName is how long the name of a file may be, in bytes.
const longestName = 255

// beside returns the name of a workbook beside a file that is not there yet: lista.csv
// becomes lista-errori.xlsx. A workbook with macros remains one. A name that would be too long is
// cut.
func beside(name, addition string) string {
	extension := strings.ToLower(filepath.Ext(name))
	if extension != ".xlsm" && extension != ".xltx" && extension != ".xltm" {
		extension = ".xlsx"
	}
	// The longest addition is a number of 6 digits.
	folder, base := filepath.Split(strings.TrimSuffix(name, filepath.Ext(name)))
	for most := longestName - len("-"+addition+"-999999"+extension); len(base) > most; {
		_, last := utf8.DecodeLastRuneInString(base)
		base = base[:len(base)-last]
	}
	base = folder + base + "-" + addition
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
