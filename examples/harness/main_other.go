//go:build !unix

// Command harness needs signals that this system does not have.
package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "the harness needs a Unix system")
	os.Exit(1)
}
