//go:build !linux

package sqlite

import "os"

// syncFile waits until the disk has the content of a file.
func syncFile(file *os.File) error { return file.Sync() }
