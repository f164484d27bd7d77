package paymentfile

import (
	"fmt"

	"github.com/flussi-go/flussi"
)

// Config says how files are read. The zero Config reads files of every body with the default
// limits.
type Config struct {
	Body   flussi.OrganizationCode // the caller's own body: a file for another one gets a [FaultReceiver]; zero: not checked
	Limits Limits                  // of the size of a file
}

// Limits limits the size of a file. Zero fields take their defaults; the largest values are in
// parentheses.
type Limits struct {
	FileBytes int64 // of the file; default 2 GiB (1 TiB)
	TextBytes int   // of a tag, a comment, or the text of an element; base64 with a settlement in it is not counted; default 1 MiB (1 GiB)
	Depth     int   // elements within elements, or objects within objects; default 64 (10,000)
	Rows      int   // payments or movements; default 1,000,000 (2,000,000,000)
	Faults    int   // that a [Report] lists; more are only counted; default 1,000 (1,000,000)
}

// withDefaults fills in the defaults.
func (l Limits) withDefaults() (Limits, error) {
	var wrong error
	set := func(name string, value *int64, standard, most int64) {
		switch {
		case *value == 0:
			*value = standard
		case *value < 0, *value > most:
			wrong = fmt.Errorf("paymentfile: Limits.%s is %d, not 1 to %d: %w", name, *value, most, flussi.ErrConfig)
		}
	}
	setInt := func(name string, value *int, standard, most int64) {
		wide := int64(*value)
		set(name, &wide, standard, most)
		*value = int(wide)
	}
	set("FileBytes", &l.FileBytes, 2<<30, 1<<40)
	setInt("TextBytes", &l.TextBytes, 1<<20, 1<<30)
	setInt("Depth", &l.Depth, 64, 10_000)
	setInt("Rows", &l.Rows, 1_000_000, 2_000_000_000)
	setInt("Faults", &l.Faults, 1000, 1_000_000)
	return l, wrong
}
