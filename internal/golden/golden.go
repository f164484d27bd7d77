// Package golden compares what tests produce with files that are kept beside them.
//
// A test fails if the file differs. With UPDATE_GOLDEN=1 in the environment the file
// is rewritten instead, to be looked at and committed.
package golden

import (
	"os"
	"strings"
	"testing"
)

// File compares got with the whole file at path.
func File(t *testing.T, path, got string) {
	t.Helper()
	compare(t, path, read(t, path), got)
}

// Block compares got with a block of lines inside the file at path. The block begins with the
// line that is equal to got's first line, and ends before the line that is equal to end.
func Block(t *testing.T, path, end, got string) {
	t.Helper()
	lines := strings.SplitAfter(read(t, path), "\n")
	head, _, _ := strings.Cut(got, "\n")
	for first, line := range lines {
		if strings.TrimSuffix(line, "\n") != head {
			continue
		}
		last := first
		for last < len(lines) && strings.TrimSuffix(lines[last], "\n") != end {
			last++
		}
		compare(t, path, strings.Join(lines, ""),
			strings.Join(lines[:first], "")+got+strings.Join(lines[last:], ""))
		return
	}
	t.Errorf("%s has no line %q", path, head)
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil && !(os.IsNotExist(err) && updating()) {
		t.Fatal(err)
	}
	return string(text)
}

func compare(t *testing.T, path, have, want string) {
	t.Helper()
	if have == want {
		return
	}
	if !updating() {
		t.Errorf("%s is stale; run the tests with UPDATE_GOLDEN=1 and look at the difference.\nIt should be:\n%s", path, want)
		return
	}
	if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
		t.Fatal(err)
	}
}

func updating() bool { return os.Getenv("UPDATE_GOLDEN") == "1" }
