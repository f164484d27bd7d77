//go:build unix

package pgtest

import (
	"os/exec"
	"syscall"
)

// runs makes a program run as the owner.
func (o *owner) runs(command *exec.Cmd) {
	command.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(o.uid), Gid: uint32(o.gid)}}
}
