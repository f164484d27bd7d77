package sqlite

import (
	"os"
	"syscall"
)

// syncFile waits until the disk has the content of a file. Unlike [os.File.Sync], it does not wait
// for its modification time.
func syncFile(file *os.File) error {
	for {
		if err := syscall.Fdatasync(int(file.Fd())); err != syscall.EINTR {
			return os.NewSyscallError("fdatasync", err)
		}
	}
}
