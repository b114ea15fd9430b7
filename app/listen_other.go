//go:build !windows

package app

import "syscall"

// Why an address cannot be listened on.
const (
	errTaken      = syscall.EADDRINUSE
	errForbidden  = syscall.EACCES
	errNotOurAddr = syscall.EADDRNOTAVAIL
)
