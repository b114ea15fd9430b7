//go:build (dragonfly && cgo) || (freebsd && cgo) || linux || netbsd || openbsd

package keys

import (
	"context"
	"errors"
	"os"
	"slices"
	"sync/atomic"
	"time"

	"github.com/godbus/dbus/v5"
)

// dialogTime is how long the system's password dialog may stay open for an answer.
const dialogTime = 3 * time.Minute

// question is one open password dialog. problem is set before done is closed.
type question struct {
	done    chan struct{}
	problem *Problem
	late    atomic.Bool // a caller could not wait for the answer
}

// unlock asks the service to open the keyring and waits for the answer as long as ctx lasts. The dialog outlives the
// call, since typing a password may take longer; it is never opened twice.
func (s *secretService) unlock(ctx context.Context, path dbus.ObjectPath) *Problem {
	s.mu.Lock()
	q := s.asking
	if q == nil {
		if s.life.Err() != nil {
			s.mu.Unlock()
			return failed(errClosed)
		}
		q = &question{done: make(chan struct{})}
		s.asking = q
		s.tasks.Go(func() { s.put(q, path) })
	}
	s.mu.Unlock()
	select {
	case <-q.done:
		return q.problem
	case <-ctx.Done():
		q.late.Store(true)
		return s.lockedNow(path)
	}
}

// lockedNow tells a locked keyring from one whose dialog is open.
func (s *secretService) lockedNow(dbus.ObjectPath) *Problem {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.asking != nil {
		return locked("the keyring is locked, and the system's dialog waits for its password", nil)
	}
	return locked("the keyring is locked", nil)
}

// put opens the dialog and waits until it is answered, closed, too old, or Keytray ends.
func (s *secretService) put(q *question, path dbus.ObjectPath) {
	ctx, cancel := context.WithTimeout(s.life, dialogTime)
	defer cancel()
	q.problem = s.ask(ctx, path)
	s.mu.Lock()
	s.asking = nil
	s.mu.Unlock()
	close(q.done)
	if q.problem == nil && q.late.Load() {
		s.announce()
	}
}

func (s *secretService) ask(ctx context.Context, path dbus.ObjectPath) *Problem {
	conn, p := s.dial(ctx)
	if p != nil {
		return p
	}
	defer conn.Close()
	var unlocked []dbus.ObjectPath
	var prompt dbus.ObjectPath
	service := conn.Object(secretsName, secretsPath)
	if err := service.CallWithContext(ctx, serviceIface+".Unlock", 0, []dbus.ObjectPath{path}).Store(&unlocked, &prompt); err != nil {
		return s.why(ctx, err)
	}
	if prompt == "/" || prompt == "" {
		if slices.Contains(unlocked, path) {
			return nil
		}
		return locked("the keyring is locked", nil)
	}
	if !canAsk(ctx, conn) {
		return locked("the keyring is locked, and there is no dialog to ask for its password with", nil)
	}
	wasDismissed, err := answer(ctx, conn, prompt)
	switch {
	case errors.Is(err, errGone):
		return died(err)
	case ctx.Err() != nil:
		return locked("the keyring is locked, and nobody answered the system's dialog", ctx.Err())
	case err != nil:
		return s.why(ctx, err)
	case wasDismissed && !hasScreen():
		return locked("the keyring is locked, and there is no screen to ask for its password on", nil)
	case wasDismissed:
		return dismissed(nil)
	}
	return nil
}

var errGone = errors.New("the keychain service stopped while its dialog was open")

// answer shows the prompt and waits for what the user does, or for the service to go away.
func answer(ctx context.Context, conn *dbus.Conn, prompt dbus.ObjectPath) (wasDismissed bool, err error) {
	signals := make(chan *dbus.Signal, 8)
	conn.Signal(signals)
	for _, match := range [][]dbus.MatchOption{
		{dbus.WithMatchObjectPath(prompt), dbus.WithMatchInterface(promptIface), dbus.WithMatchMember("Completed")},
		{dbus.WithMatchSender(busIface), dbus.WithMatchMember("NameOwnerChanged"), dbus.WithMatchArg(0, secretsName)},
	} {
		if err := conn.AddMatchSignalContext(ctx, match...); err != nil {
			return false, err
		}
	}
	if err := conn.Object(secretsName, prompt).CallWithContext(ctx, promptIface+".Prompt", 0, "").Err; err != nil {
		return false, err
	}
	for {
		select {
		case <-ctx.Done():
			return false, ctx.Err()
		case signal, ok := <-signals:
			if !ok {
				return false, errGone
			}
			switch signal.Name {
			case promptIface + ".Completed":
				if signal.Path == prompt && len(signal.Body) > 0 {
					wasDismissed, _ = signal.Body[0].(bool)
					return wasDismissed, nil
				}
			case busIface + ".NameOwnerChanged":
				return false, errGone
			default: // signals that every connection gets, such as NameAcquired
			}
		}
	}
}

// canAsk reports whether the service has a dialog: GNOME Keyring needs a prompter beside it, others bring
// their own.
func canAsk(ctx context.Context, conn *dbus.Conn) bool {
	const gnome, prompter = "org.gnome.keyring", "org.gnome.keyring.SystemPrompter"
	bus := conn.BusObject()
	var secrets, keyring string
	if bus.CallWithContext(ctx, busIface+".GetNameOwner", 0, secretsName).Store(&secrets) != nil ||
		bus.CallWithContext(ctx, busIface+".GetNameOwner", 0, gnome).Store(&keyring) != nil || secrets != keyring {
		return true
	}
	for _, method := range []string{"ListNames", "ListActivatableNames"} {
		var names []string
		if bus.CallWithContext(ctx, busIface+"."+method, 0).Store(&names) != nil || slices.Contains(names, prompter) {
			return true
		}
	}
	return false
}

func hasScreen() bool { return os.Getenv("DISPLAY") != "" || os.Getenv("WAYLAND_DISPLAY") != "" }
