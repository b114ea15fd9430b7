//go:build !linux

package proxytest

import (
	"os"
	"runtime"
	"syscall"
)

func childAttributes() *syscall.SysProcAttr { return nil }

// terminate asks the process to end, where the system has a way to ask.
func terminate(p *os.Process) {
	if runtime.GOOS == "windows" {
		kill(p)
		return
	}
	_ = p.Signal(syscall.SIGTERM)
}

func kill(p *os.Process) { _ = p.Kill() }
