// Package outfile writes files that may contain personal data: whole or not at all, and readable
// only by their owner. It also removes the temporary files of killed programs.
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

// Write makes a file, which gets its name only when its content is complete and on the disk. If
// replace is false and a file has the name, also one that appeared meanwhile, the error is an
// [fs.ErrExist].
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
	if renamesOpenFiles { // not earlier: Sweep would remove an unlocked file
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
		file, err := os.CreateTemp(folder, prefix+"*"+suffix) // readable only by its owner
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

// Sweep removes the temporary files that killed programs left in a folder. Files that are being
// written remain, and so do those that cannot be removed.
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
