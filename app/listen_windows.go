package app

import "syscall"

// Winsock's numbers (winerror.h); package syscall's own names stand for others.
const (
	errTaken      = syscall.Errno(10048) // WSAEADDRINUSE
	errForbidden  = syscall.Errno(10013) // WSAEACCES
	errNotOurAddr = syscall.Errno(10049) // WSAEADDRNOTAVAIL
)
