package keys

import (
	"context"
	"errors"
	"sync"
	"syscall"
)

const (
	serviceRemedy = "Log in with a user profile of your own, and start the Credential Manager service (VaultSvc)."
	deniedRemedy  = "Ask who manages this computer to allow stored credentials (policy “Do not allow storage of passwords and credentials”)."
)

// Error codes of CredRead, CredWrite and CredDelete that the syscall package has no names for (winerror.h).
const (
	errNoSuchLogonSession = syscall.Errno(1312)
	errServiceDisabled    = syscall.Errno(1058)
	errServiceNotActive   = syscall.Errno(1062)
	errCancelled          = syscall.Errno(1223)
)

func attach(context.Context, *sync.WaitGroup, *vault, func()) func() string {
	return func() string { return "in the Windows Credential Manager" }
}

func explain(err error) *Problem {
	var code syscall.Errno
	if !errors.As(err, &code) {
		return failed(err)
	}
	switch code {
	case errNoSuchLogonSession:
		return noService("this session has no credential store", err)
	case errServiceDisabled, errServiceNotActive:
		return noService("the Credential Manager service does not run", err)
	case syscall.ERROR_ACCESS_DENIED:
		return denied(err)
	case errCancelled:
		return dismissed(err)
	}
	return failed(err)
}
