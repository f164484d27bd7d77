//go:build !linux

package sqlite_test

import "errors"

// limitFiles has no equivalent: only tests for Linux use it.
func limitFiles(uint64) error { return errors.ErrUnsupported }
