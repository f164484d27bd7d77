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

// Limits limits the size of a file. Zero fields take their defaults.
type Limits struct {
	FileBytes int64 // of the file; default 2 GiB
	TextBytes int   // of a tag, a comment, or the text of an element; base64 with a settlement in it is not counted; default 1 MiB
	Depth     int   // elements within elements, or objects within objects; default 64
	Rows      int   // payments or movements; default 1,000,000
	Faults    int   // that a [Report] lists; more are only counted; default 1,000
}

// withDefaults fills in the defaults.
func (l Limits) withDefaults() (Limits, error) {
	var wrong error
	set := func(name string, value *int64, standard int64) {
		switch {
		case *value == 0:
			*value = standard
		case *value < 0:
			wrong = fmt.Errorf("paymentfile: Limits.%s is %d: %w", name, *value, flussi.ErrConfig)
		}
	}
	setInt := func(name string, value *int, standard int64) {
		wide := int64(*value)
		set(name, &wide, standard)
		*value = int(wide)
	}
	set("FileBytes", &l.FileBytes, 2<<30)
	setInt("TextBytes", &l.TextBytes, 1<<20)
	setInt("Depth", &l.Depth, 64)
	setInt("Rows", &l.Rows, 1_000_000)
	setInt("Faults", &l.Faults, 1000)
	return l, wrong
}
