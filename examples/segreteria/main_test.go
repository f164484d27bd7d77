package main

import (
	"os"
	"testing"
)

// beTheProgram makes the test binary be the program: that is how tests run it in a process of its
// own.
const beTheProgram = "SEGRETERIA_TEST_BE_THE_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(beTheProgram) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}
