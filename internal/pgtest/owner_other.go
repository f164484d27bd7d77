//go:build !unix

package pgtest

import "os/exec"

// runs does nothing: nobody is root here.
func (o *owner) runs(*exec.Cmd) {}
