// Package outfile writes the files of programs, which may hold personal data: whole or not at all,
// and for their owner alone. It removes what killed programs left.
package outfile

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// A file is written under a temporary name in the same folder. The name does not contain that of the
// file, which may be as long as the system permits.
const (
	prefix = ".flussi-"
	suffix = ".tmp"
)

// Write makes a file. It has its name only once its content is complete and on the disk. If the name
// is taken, also by a file that appeared meanwhile, the error is an [fs.ErrExist], unless the file is
// to be replaced.
func Write(name string, replace bool, content func(io.Writer) error) error {
	file, err := create(filepath.Dir(name))
	if err != nil {
		return err
	}
	err = errors.Join(content(file), file.Sync())
	if !renamesOpenFiles {
		err = errors.Join(err, file.Close())
	}
	if err == nil {
		err = publish(file.Name(), name, replace)
	}
	if renamesOpenFiles { // the lock ends here: before, Sweep would remove the file
		err = errors.Join(err, file.Close())
	}
	if removed := os.Remove(file.Name()); removed != nil && !errors.Is(removed, fs.ErrNotExist) { // it may have been renamed
		err = errors.Join(err, removed)
	}
	return err
}

// create makes a temporary file, and locks it for as long as it is open.
func create(folder string) (*os.File, error) {
	for {
		file, err := os.CreateTemp(folder, prefix+"*"+suffix) // for its owner alone
		if err != nil {
			return nil, err
		}
		lock(file)
		opened, err := file.Stat()
		if err == nil {
			var named fs.FileInfo
			if named, err = os.Lstat(file.Name()); err == nil && os.SameFile(opened, named) {
				return file, nil
			}
		}
		if !errors.Is(err, fs.ErrNotExist) && err != nil {
			return nil, errors.Join(err, file.Close(), os.Remove(file.Name()))
		}
		if err := file.Close(); err != nil { // Sweep removed it before it was locked
			return nil, err
		}
	}
}

// publish gives a temporary file its name.
func publish(temporary, name string, replace bool) error {
	if replace {
		return os.Rename(temporary, name)
	}
	err := os.Link(temporary, name) // unlike Rename, it replaces nothing
	if err == nil || errors.Is(err, fs.ErrExist) {
		return err
	}
	// The file system has no hard links: reserve the name first.
	reserved, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if err := errors.Join(reserved.Close(), os.Rename(temporary, name)); err != nil {
		return errors.Join(err, os.Remove(name))
	}
	return nil
}

// Sweep removes the temporary files in a folder whose programs were killed. Those that are being
// written remain. What cannot be removed remains, too.
func Sweep(folder string) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return
	}
	for _, entry := range entries {
		if strings.HasPrefix(entry.Name(), prefix) && strings.HasSuffix(entry.Name(), suffix) && entry.Type().IsRegular() {
			removeAbandoned(filepath.Join(folder, entry.Name()))
		}
	}
}
