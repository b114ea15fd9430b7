//go:build (dragonfly && cgo) || (freebsd && cgo) || linux || netbsd || openbsd

package keys

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/godbus/dbus/v5"
)

const (
	serviceRemedy = "Install and start gnome-keyring, KWallet or KeePassXC with its Secret Service on, and log in to a desktop session."
	deniedRemedy  = "Check that the session bus belongs to you, and that no sandbox (snap, flatpak, AppArmor) keeps Keytray from org.freedesktop.secrets."
)

// Names of the Secret Service, version 0.2 (specifications.freedesktop.org/secret-service).
const (
	secretsName     = "org.freedesktop.secrets"
	secretsPath     = dbus.ObjectPath("/org/freedesktop/secrets")
	loginPath       = dbus.ObjectPath("/org/freedesktop/secrets/collection/login")
	serviceIface    = "org.freedesktop.Secret.Service"
	collectionIface = "org.freedesktop.Secret.Collection"
	promptIface     = "org.freedesktop.Secret.Prompt"
	busIface        = "org.freedesktop.DBus"
)

// secretService looks at the Secret Service over connections of its own, and unlocks its keyring.
type secretService struct {
	life     context.Context
	tasks    *sync.WaitGroup
	announce func() // called when a keyring was unlocked too late for its caller
	label    atomic.Pointer[string]

	mu     sync.Mutex
	asking *question // the dialog that is open now, or nil
}

func attach(life context.Context, tasks *sync.WaitGroup, v *vault, announce func()) func() string {
	s := &secretService{life: life, tasks: tasks, announce: announce}
	v.look, v.ready = s.look, s.ready
	return func() string {
		if label := s.label.Load(); label != nil {
			return "in the “" + *label + "” keyring"
		}
		return "in the login keyring"
	}
}

// look says what keeps the service from answering, or nil.
func (s *secretService) look(ctx context.Context) *Problem {
	conn, p := s.dial(ctx)
	if p != nil {
		return p
	}
	defer conn.Close()
	path, isLocked, p := s.collection(ctx, conn)
	if p == nil && isLocked {
		p = s.lockedNow(path)
	}
	return p
}

// ready makes sure that the next call finds the keyring open.
func (s *secretService) ready(ctx context.Context) *Problem {
	conn, p := s.dial(ctx)
	if p != nil {
		return p
	}
	defer conn.Close()
	path, isLocked, p := s.collection(ctx, conn)
	if p != nil || !isLocked {
		return p
	}
	return s.unlock(ctx, path)
}

// dial connects to the session bus that is there, and never starts one: with no address known the library
// would run dbus-launch, whose bus outlives the program. The connection ends with ctx at the latest.
func (s *secretService) dial(ctx context.Context) (*dbus.Conn, *Problem) {
	adoptBus()
	conn, err := dbus.SessionBusPrivateNoAutoStartup(dbus.WithContext(ctx))
	if err != nil {
		switch {
		case errors.Is(err, fs.ErrPermission):
			return nil, denied(err)
		case errors.As(err, new(*net.OpError)):
			return nil, noService("the session bus is gone: its address leads nowhere", err)
		}
		return nil, noService("there is no session bus here, so no keychain service can be reached", err)
	}
	if err = conn.Auth(nil); err == nil {
		err = conn.Hello()
	}
	if err != nil {
		_ = conn.Close()
		return nil, s.why(ctx, err)
	}
	return conn, nil
}

// adoptBus gives the library the one usual address that it does not look for itself.
func adoptBus() {
	if a := os.Getenv("DBUS_SESSION_BUS_ADDRESS"); a != "" && a != "autolaunch:" {
		return
	}
	if _, err := os.Stat(fmt.Sprintf("/run/user/%d/bus", os.Getuid())); err == nil {
		return
	}
	path := filepath.Join(os.Getenv("XDG_RUNTIME_DIR"), "bus")
	if info, err := os.Stat(path); filepath.IsAbs(path) && err == nil && info.Mode().Type() == fs.ModeSocket {
		_ = os.Setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path="+dbus.EscapeBusAddressValue(path))
	}
}

// collection finds the keyring that go-keyring uses: "login", else the default one. It starts the service if
// the bus knows how.
func (s *secretService) collection(ctx context.Context, conn *dbus.Conn) (path dbus.ObjectPath, isLocked bool, p *Problem) {
	if p := s.start(ctx, conn); p != nil {
		return "", false, p
	}
	service := conn.Object(secretsName, secretsPath)
	all, err := property[[]dbus.ObjectPath](ctx, service, serviceIface, "Collections")
	if err != nil {
		return "", false, s.why(ctx, err)
	}
	for _, c := range all {
		if c == loginPath {
			path = c
		}
	}
	if path == "" {
		if err := service.CallWithContext(ctx, serviceIface+".ReadAlias", 0, "default").Store(&path); err != nil {
			return "", false, s.why(ctx, err)
		}
		if path == "/" || path == "" {
			return "", false, noKeyring(nil)
		}
	}
	object := conn.Object(secretsName, path)
	isLocked, err = property[bool](ctx, object, collectionIface, "Locked")
	if err != nil {
		return "", false, s.why(ctx, err)
	}
	if label, err := property[string](ctx, object, collectionIface, "Label"); err == nil && path != loginPath && label != "" {
		s.label.Store(&label)
	}
	return path, isLocked, nil
}

// start makes sure that somebody owns the service's name.
func (s *secretService) start(ctx context.Context, conn *dbus.Conn) *Problem {
	bus := conn.BusObject()
	var owned bool
	if err := bus.CallWithContext(ctx, busIface+".NameHasOwner", 0, secretsName).Store(&owned); err != nil {
		return s.why(ctx, err)
	}
	if owned {
		return nil
	}
	var names []string
	if err := bus.CallWithContext(ctx, busIface+".ListActivatableNames", 0).Store(&names); err != nil {
		return s.why(ctx, err)
	}
	for _, n := range names {
		if n == secretsName {
			if err := bus.CallWithContext(ctx, busIface+".StartServiceByName", 0, secretsName, uint32(0)).Err; err != nil {
				return s.why(ctx, err)
			}
			return nil
		}
	}
	return noService("no keychain service runs on the session bus", nil)
}

func property[T any](ctx context.Context, o dbus.BusObject, iface, name string) (T, error) {
	var v dbus.Variant
	var value T
	if err := o.CallWithContext(ctx, "org.freedesktop.DBus.Properties.Get", 0, iface, name).Store(&v); err != nil {
		return value, err
	}
	value, ok := v.Value().(T)
	if !ok {
		return value, fmt.Errorf("the property %s has the type %s", name, v.Signature())
	}
	return value, nil
}

// why explains an error of a call that was made under ctx.
func (s *secretService) why(ctx context.Context, err error) *Problem {
	if ctx.Err() != nil {
		return hangs("the keychain service is there but does not answer", ctx.Err())
	}
	return explain(err)
}

func explain(err error) *Problem {
	var answer dbus.Error
	var pointer *dbus.Error
	if errors.As(err, &pointer) {
		answer = *pointer
	}
	if pointer != nil || errors.As(err, &answer) {
		return explainAnswer(answer.Name, err)
	}
	switch {
	case strings.Contains(err.Error(), "failed to unlock correct collection"):
		return locked("the keyring is locked", err)
	case errors.Is(err, fs.ErrPermission):
		return denied(err)
	case errors.Is(err, fs.ErrNotExist):
		return noService("the session bus is gone: its address leads nowhere", err)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed), errors.Is(err, dbus.ErrClosed), errors.As(err, new(*net.OpError)):
		return died(err)
	}
	return failed(err)
}

// explainAnswer reads the names of errors of the bus (D-Bus specification) and of the Secret Service.
func explainAnswer(name string, err error) *Problem {
	const bus = "org.freedesktop.DBus.Error."
	switch {
	case name == bus+"ServiceUnknown", name == bus+"NameHasNoOwner":
		return noService("no keychain service runs on the session bus", err)
	case strings.HasPrefix(name, bus+"Spawn"):
		return noService("the session bus could not start the keychain service", err)
	case name == bus+"NoReply", name == bus+"Disconnected":
		return died(err)
	case name == bus+"Timeout", name == bus+"TimedOut":
		return hangs("the keychain service is there but does not answer", err)
	case name == bus+"AccessDenied", name == bus+"AuthFailed":
		return denied(err)
	case name == "org.freedesktop.Secret.Error.IsLocked":
		return locked("the keyring is locked", err)
	}
	return failed(err)
}
