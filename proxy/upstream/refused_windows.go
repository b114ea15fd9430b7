package upstream

import (
	"errors"
	"syscall"
)

// refusedConnection tells a port on which nobody listens. Winsock's numbers are
// not those of package syscall's names (WSAECONNREFUSED, winerror.h).
func refusedConnection(err error) bool { return errors.Is(err, syscall.Errno(10061)) }
