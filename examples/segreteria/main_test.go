package main

import (
	"os"
	"testing"
)

// beTheProgram makes the test binary be the program, and beAWorker one that takes a single
// step with an event: that is how tests run them in processes of their own, which they can
// kill.
const (
	beTheProgram = "SEGRETERIA_TEST_BE_THE_PROGRAM"
	beAWorker    = "SEGRETERIA_TEST_BE_A_WORKER"
)

func TestMain(m *testing.M) {
	switch {
	case os.Getenv(beTheProgram) != "":
		main()
	case os.Getenv(beAWorker) != "":
		os.Exit(work(os.Args[1:]))
	default:
		os.Exit(m.Run())
	}
}
