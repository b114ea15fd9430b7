package proxytest

import (
	"os"
	"syscall"
)

// childAttributes put the child and its own children into a process group, and end the child if this
// process dies without stopping it (a test that runs out of time).
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
}

func terminate(p *os.Process) { _ = p.Signal(syscall.SIGTERM) }

// kill ends the whole process group.
func kill(p *os.Process) { _ = syscall.Kill(-p.Pid, syscall.SIGKILL) }
