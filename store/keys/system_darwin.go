package keys

import (
	"context"
	"errors"
	"io/fs"
	"os/exec"
	"sync"
)

const (
	serviceRemedy = "Check that /usr/bin/security exists and that you are logged in, then try again."
	deniedRemedy  = "Open Keychain Access, find the item, and allow /usr/bin/security to use it."
)

func attach(context.Context, *sync.WaitGroup, *vault, func()) func() string {
	return func() string { return "in the login keychain" }
}

// explain reads the exit status of security(1): the low byte of the OSStatus of the Security framework.
func explain(err error) *Problem {
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, exec.ErrNotFound) {
			return noService("the program that speaks to the keychain, /usr/bin/security, is missing", err)
		}
		return failed(err)
	}
	switch exit.ExitCode() {
	case 36: // errSecInteractionNotAllowed, -25308
		return locked("the login keychain is locked, and there is no screen to ask for its password on", err)
	case 128: // userCanceledErr, -128
		return dismissed(err)
	case 51: // errSecAuthFailed, -25293
		return denied(err)
	case 37, 50: // errSecNoDefaultKeychain, -25307; errSecNoSuchKeychain, -25294
		return noKeyring(err)
	case 53: // errSecNotAvailable, -25291
		return noService("no keychain is available in this session", err)
	}
	return failed(err)
}
