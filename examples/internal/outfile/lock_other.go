//go:build !linux && !darwin && !freebsd && !netbsd && !openbsd && !dragonfly

package outfile

import (
	"os"
	"time"
)

// renamesOpenFiles is false: Windows neither renames nor removes a file that is open.
const renamesOpenFiles = false

func lock(*os.File) {}

// removeAbandoned removes a file that was not written for an hour. Windows refuses to remove one
// that is open.
func removeAbandoned(name string) {
	if info, err := os.Lstat(name); err == nil && time.Since(info.ModTime()) > time.Hour {
		_ = os.Remove(name)
	}
}
