package keys

import (
	"errors"
	"fmt"
)

// Kind is what is wrong with a keychain, for programs.
type Kind string

// The kinds of problems. All but TooLarge and Damaged are about the keychain as a whole.
const (
	NoService Kind = "no-service" // no session bus, or nobody on it keeps secrets
	NoKeyring Kind = "no-keyring" // the service runs, but no keyring was ever made
	Locked    Kind = "locked"     // the keyring is locked, and nobody has unlocked it yet
	Dismissed Kind = "dismissed"  // the system's dialog was closed without an answer
	Hangs     Kind = "hangs"      // a call was not answered in time
	Died      Kind = "died"       // the service went away in the middle of a call
	Denied    Kind = "denied"     // the system refuses Keytray the access
	TooLarge  Kind = "too-large"  // the value does not fit; nothing was written
	Damaged   Kind = "damaged"    // what is stored cannot be read as what it should be
	Failed    Kind = "failed"     // anything else; Message has the system's own words
)

// Problem is an error with a remedy, both written for people and free of secrets. Message says what happened
// and to what; Remedy says what to do next, as a full sentence.
type Problem struct {
	Kind    Kind
	Message string
	Remedy  string
	// Err is the cause, if there is one. It holds no secret.
	Err error
}

// Error gives the message alone; a face adds the remedy.
func (p *Problem) Error() string { return p.Message }

// Unwrap gives the cause.
func (p *Problem) Unwrap() error { return p.Err }

// AsProblem finds the problem in err's chain, or nil.
func AsProblem(err error) *Problem {
	var p *Problem
	if errors.As(err, &p) {
		return p
	}
	return nil
}

// whole reports whether p is about the keychain as a whole, and not about one value.
func (p *Problem) whole() bool { return p.Kind != TooLarge && p.Kind != Damaged }

// The sentinels that edits of a ring and of tokens wrap.
var (
	// ErrNotFound is what a Keychain answers for an account that it does not hold.
	ErrNotFound = errors.New("not found in the keychain")
	// ErrExists is wrapped when a label, a secret or a tool is there already.
	ErrExists = errors.New("already there")
	// ErrUnknown is wrapped when there is no key or no tool of that name.
	ErrUnknown = errors.New("no such name")
)

// refusal is an error that is a sentinel for errors.Is, and whose own words are all that a person reads.
type refusal struct {
	said string
	is   error
}

func (r *refusal) Error() string { return r.said }
func (r *refusal) Unwrap() error { return r.is }

func refuse(is error, format string, args ...any) error {
	return &refusal{fmt.Sprintf(format, args...), is}
}

const carryOn = "Until then Keytray uses keys from the environment and from --key."

func noService(message string, err error) *Problem {
	return &Problem{NoService, message, serviceRemedy + " " + carryOn, err}
}

func noKeyring(err error) *Problem {
	return &Problem{
		NoKeyring, "the keychain service runs, but no keyring was ever made in it",
		"Make one: open “Passwords and Keys” (seahorse), choose New, Password Keyring, and set it as the default; logging out and in makes one too. " + carryOn, err,
	}
}

func locked(message string, err error) *Problem {
	return &Problem{
		Locked, message,
		"Unlock it: answer the system's password dialog, or open the system's password manager and unlock the login keyring; then try again. " + carryOn, err,
	}
}

func dismissed(err error) *Problem {
	return &Problem{
		Dismissed, "the system asked to unlock the keychain, and the dialog was closed without a password",
		"Try again and answer the dialog. " + carryOn, err,
	}
}

func hangs(message string, err error) *Problem {
	return &Problem{
		Hangs, message,
		"Look for an open system dialog; if there is none, restart the keychain service by logging out and in, then try again. " + carryOn, err,
	}
}

func died(err error) *Problem {
	return &Problem{
		Died, "the keychain service stopped in the middle of a call",
		"Try again: the system starts it anew; if that fails, log out and in. " + carryOn, err,
	}
}

func denied(err error) *Problem {
	return &Problem{
		Denied, "the system does not let Keytray use the keychain",
		deniedRemedy + " " + carryOn, err,
	}
}

func failed(err error) *Problem {
	return &Problem{
		Failed, "the keychain failed: " + err.Error(),
		"Try again; `keytray doctor` shows more. " + carryOn, err,
	}
}
