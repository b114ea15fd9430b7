package keys

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"time"

	"github.com/zalando/go-keyring"
)

// DefaultService is the name under which the keychain files Keytray's items.
const DefaultService = "Keytray"

// SystemKeychain is the keychain of the operating system: the Secret Service on Linux (GNOME Keyring, KWallet,
// KeePassXC), the login keychain on macOS, the Credential Manager on Windows.
//
// One call is made at a time. A call that is not answered in time is left behind, and until it returns others
// fail at once unless the service shows that it is alive; at most 4 calls are ever left behind. Where the service can
// be asked (Linux), it is asked before each call what state it is in, so that no call runs into a keyring that
// nobody can unlock, and no session bus is started that was not there. Every value written is read back.
type SystemKeychain struct {
	*guard
	end   context.CancelFunc
	tasks sync.WaitGroup
	where func() string
}

// System gives the system's keychain for service ("" means DefaultService); timeout limits each call (0 means
// DefaultTimeout). Nothing is opened before the first call. The caller closes it.
func System(service string, timeout time.Duration) *SystemKeychain {
	if service == "" {
		service = DefaultService
	}
	life, end := context.WithCancel(context.Background())
	k := &SystemKeychain{end: end}
	v := vault{
		get: func(account string) (string, error) {
			value, err := keyring.Get(service, account)
			return value, missing(err)
		},
		set:  func(account, value string) error { return keyring.Set(service, account, value) },
		del:  func(account string) error { return missing(keyring.Delete(service, account)) },
		fits: func(account, value string) *Problem { return fits(runtime.GOOS, service, account, value) },
		explain: func(err error) *Problem {
			switch {
			case errors.Is(err, keyring.ErrSetDataTooBig):
				return &Problem{TooLarge, "the value is too long for the system's keychain", "Check that it is one key and nothing else.", err}
			case errors.Is(err, keyring.ErrUnsupportedPlatform):
				return noService("Keytray knows no keychain on this system", err)
			}
			return explain(err)
		},
	}
	k.where = attach(life, &k.tasks, &v, func() { k.announce() })
	k.guard = newGuard(life, v, timeout)
	return k
}

// Place says where keys are kept, as a part of a sentence: "in the login keyring".
func (k *SystemKeychain) Place() string { return k.where() }

// Close stops waiting for dialogs, and waits for its own goroutines; not for calls that the system never
// answers. Calls made after it fail.
func (k *SystemKeychain) Close() error {
	k.end()
	k.tasks.Wait()
	return nil
}

func missing(err error) error {
	if errors.Is(err, keyring.ErrNotFound) {
		return ErrNotFound
	}
	return err
}
