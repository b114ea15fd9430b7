//go:build !windows

package upstream

import (
	"errors"
	"syscall"
)

// refusedConnection tells a port on which nobody listens.
func refusedConnection(err error) bool { return errors.Is(err, syscall.ECONNREFUSED) }
