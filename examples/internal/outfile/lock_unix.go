//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package outfile

import (
	"errors"
	"os"
	"syscall"
	"time"
)

const renamesOpenFiles = true

// lock locks a file while it is open, so that no other process removes it as abandoned. On a file
// system without locks, the file is not locked.
func lock(file *os.File) { _ = flock(file, syscall.LOCK_EX) }

// removeAbandoned removes a file that no process has locked. On a file system without locks, it
// removes a file that was not written for a day.
func removeAbandoned(name string) {
	file, err := os.OpenFile(name, os.O_RDWR|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return
	}
	defer file.Close()
	switch err := flock(file, syscall.LOCK_EX|syscall.LOCK_NB); {
	case errors.Is(err, syscall.EWOULDBLOCK):
		return
	case err != nil:
		if info, err := file.Stat(); err != nil || time.Since(info.ModTime()) < 24*time.Hour {
			return
		}
	}
	_ = os.Remove(name)
}

func flock(file *os.File, how int) error {
	for {
		if err := syscall.Flock(int(file.Fd()), how); !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}
