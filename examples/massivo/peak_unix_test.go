//go:build unix

package main

import (
	"runtime"
	"syscall"
)

// peak is the most memory that the program had, in MiB.
func (p *process) peak() float64 {
	usage := p.ProcessState.SysUsage().(*syscall.Rusage)
	if runtime.GOOS == "darwin" {
		return float64(usage.Maxrss) / (1 << 20)
	}
	return float64(usage.Maxrss) / (1 << 10)
}
