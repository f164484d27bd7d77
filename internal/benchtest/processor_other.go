//go:build !unix

package benchtest

import "time"

// processorTime returns 0: it is not measured here.
func processorTime() time.Duration { return 0 }
