//go:build unix

package pairs_test

import (
	"syscall"
	"time"
)

// processCPU is the time that all threads of the process have computed.
func processCPU() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
