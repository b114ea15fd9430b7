package keys

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

func scenarios() map[string]scenario {
	return map[string]scenario{
		"persistence":       {run: realPersistence},
		"tokens":            {run: realTokens},
		"locked":            {run: realLocked},
		"no keyring":        {run: realNoKeyring},
		"nobody":            {run: realNobody},
		"no bus":            {run: realNoBus, noBus: true},
		"bus found":         {run: realBusFound},
		"started by bus":    {run: realStarted, services: "Exec=/bin/sh -c 'exec gnome-keyring-daemon --start --foreground --components=secrets'\n"},
		"cannot be started": {run: realNotStarted, services: "Exec=/bin/false\n"},
		"stopped":           {run: realStopped},
		"killed":            {run: realKilled},
		"bus killed":        {run: realBusKilled},
		"dialog dismissed":  {run: dialogDismissed},
		"dialog answered":   {run: dialogAnswered},
		"dialog late":       {run: dialogLate},
		"dialog dies":       {run: dialogDies},
		"write refused":     {run: writeRefused},
		"denied":            {run: realDenied},
	}
}

// system gives the real keychain, and a ring on it.
func system(t *testing.T, timeout time.Duration) (*SystemKeychain, *Ring) {
	t.Helper()
	kc := System("Keytray test", timeout)
	t.Cleanup(func() { must(t, kc.Close()) })
	return kc, NewRing(Options{Keychain: kc, Timeout: 20 * time.Second, Flags: map[string]Secret{"openai": secret(t, "flag")}})
}

// wantProblem checks the kind, that message and remedy are there, and that the ring works on without the keychain.
func wantProblem(t *testing.T, r *Ring, err error, want ...Kind) {
	t.Helper()
	p := AsProblem(err)
	if p == nil {
		t.Fatalf("got %v, want %v", err, want)
	}
	t.Logf("%s: %s. %s (%v)", p.Kind, p.Message, p.Remedy, p.Err)
	found := false
	for _, k := range want {
		found = found || p.Kind == k
	}
	if !found || p.Message == "" || !strings.Contains(p.Remedy, ". "+carryOn) {
		t.Errorf("got %s (%s), want %v", p.Kind, p.Message, want)
	}
	if strings.Contains(fmt.Sprintf("%v %+v %#v", err, p, p.Err), "CANARY") {
		t.Error("the secret is in the error")
	}
	if r.Health() == nil || r.Health().Kind != p.Kind {
		t.Errorf("health is %v", r.Health())
	}
	if list := r.Cached("openai"); len(list) == 0 || list[0].Source != FromFlag {
		t.Errorf("the flag's key is gone: %v", list)
	}
}

func realPersistence(t *testing.T) {
	d := startDaemon(t, password)
	kc, r := system(t, 0)
	must(t, r.Add(t.Context(), "openai", "", secret(t, canary)))
	must(t, r.Add(t.Context(), "openai", "Büro 2", secret(t, canary+"2")))
	must(t, r.Add(t.Context(), "groq", "", secret(t, canary+"3")))
	must(t, r.Replace(t.Context(), "groq", "", secret(t, canary+"4")))
	must(t, r.Rename(t.Context(), "openai", "default", "home"))
	if err := r.Add(t.Context(), "openai", "x", secret(t, canary)); !errors.Is(err, ErrExists) {
		t.Errorf("got %v", err)
	}
	if kc.Place() != "in the login keyring" || r.Cached("groq")[0].Where != kc.Place() {
		t.Errorf("kept %s", kc.Place())
	}
	d.kill()
	startDaemon(t, password)
	_, next := system(t, 0)
	got, err := next.Keys(t.Context(), "openai")
	must(t, err)
	wantKeys(t, got, "openai/flag=flag", "openai/home="+canary, "openai/Büro 2="+canary+"2")
	wantKeys(t, next.Cached("groq"), "groq/default="+canary+"4")
	must(t, next.Remove(t.Context(), "openai", "home"))
	must(t, next.Remove(t.Context(), "groq", ""))
	must(t, r.Load(t.Context()))
	if got := show(r.CachedAll()); len(got) != 2 {
		t.Errorf("%d keys are left", len(got))
	}
	for _, account := range []string{"openai/default", "openai/home", "groq/default"} {
		if _, err := kc.Get(t.Context(), account); !errors.Is(err, ErrNotFound) {
			t.Errorf("%s is still there: %v", account, err)
		}
	}
	files, err := filepath.Glob(os.Getenv("HOME") + "/.local/share/keyrings/*")
	must(t, err)
	for _, f := range files {
		if text, err := os.ReadFile(f); err != nil || strings.Contains(string(text), "CANARY") {
			t.Errorf("%s holds the key in plain text, or %v", f, err)
		}
	}
	if len(files) == 0 {
		t.Error("no keyring file was written")
	}
}

func realTokens(t *testing.T) {
	startDaemon(t, password)
	kc, _ := system(t, 0)
	path := filepath.Join(t.TempDir(), "tokens.json")
	token := create(t, openTokens(t, path, kc), "codex")
	if got, err := openTokens(t, path, kc).Show(t.Context(), "codex"); err != nil || got.Reveal() != token {
		t.Errorf("showing: %v", err)
	}
}

func realLocked(t *testing.T) {
	startDaemon(t, password)
	_, r := system(t, 0)
	must(t, r.Add(t.Context(), "openai", "", secret(t, canary)))
	lockLogin(t)
	t.Setenv("DISPLAY", ":99") // a screen alone is not a dialog
	_, next := system(t, 0)
	_, err := next.Keys(t.Context(), "openai")
	wantProblem(t, next, err, Locked)
	err = r.Add(t.Context(), "groq", "", secret(t, canary+"2"))
	wantProblem(t, r, err, Locked)
	wantKeys(t, r.Cached("openai"), "openai/flag=flag", "openai/default="+canary) // memory stays
	unlockLogin(t, password)
	must(t, next.Load(t.Context()))
	wantKeys(t, next.Cached("openai"), "openai/flag=flag", "openai/default="+canary)
	must(t, r.Add(t.Context(), "groq", "", secret(t, canary+"2")))
	if r.Health() != nil || next.Health() != nil {
		t.Errorf("health is %v, %v", r.Health(), next.Health())
	}
}

func realNoKeyring(t *testing.T) {
	d := startDaemon(t, "")
	_, r := system(t, 0)
	wantProblem(t, r, r.Load(t.Context()), NoKeyring)
	wantProblem(t, r, r.Add(t.Context(), "openai", "", secret(t, canary)), NoKeyring)
	d.kill()
	startDaemon(t, password) // makes one
	must(t, r.Add(t.Context(), "openai", "", secret(t, canary)))
}

func realNobody(t *testing.T) {
	_, r := system(t, 0)
	wantProblem(t, r, r.Load(t.Context()), NoService)
	wantProblem(t, r, r.Add(t.Context(), "openai", "", secret(t, canary)), NoService)
	startDaemon(t, password)
	must(t, r.Add(t.Context(), "openai", "", secret(t, canary)))
}

func realNoBus(t *testing.T) {
	if ownBus(t) {
		return
	}
	for _, address := range []string{"", "autolaunch:", "unix:path=" + t.TempDir() + "/gone", "nonsense"} {
		t.Setenv("DBUS_SESSION_BUS_ADDRESS", address)
		_, r := system(t, 0)
		wantProblem(t, r, r.Load(t.Context()), NoService)
		wantProblem(t, r, r.Add(t.Context(), "openai", "", secret(t, canary)), NoService)
		wantProblem(t, r, r.Remove(t.Context(), "openai", ""), NoService)
	}
}

// ownBus reports whether this machine has a session bus at the place where the library always looks. It is a
// person's own and must not be touched.
func ownBus(t *testing.T) bool {
	for _, name := range []string{"bus", "dbus-session"} {
		if _, err := os.Stat(fmt.Sprintf("/run/user/%d/%s", os.Getuid(), name)); err == nil {
			t.Log("this machine has a session bus of its own: not touched")
			return true
		}
	}
	return false
}

// realBusFound: the bus is at its usual place, and no variable says so.
func realBusFound(t *testing.T) {
	if ownBus(t) {
		return
	}
	startDaemon(t, password)
	path, ok := strings.CutPrefix(os.Getenv("DBUS_SESSION_BUS_ADDRESS"), "unix:path=")
	if !ok {
		t.Fatalf("the bus is at %s", os.Getenv("DBUS_SESSION_BUS_ADDRESS"))
	}
	path, _, _ = strings.Cut(path, ",")
	must(t, os.Rename(path, filepath.Join(os.Getenv("XDG_RUNTIME_DIR"), "bus")))
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", "")
	_, r := system(t, 0)
	must(t, r.Add(t.Context(), "openai", "", secret(t, canary)))
}

func realStarted(t *testing.T) {
	_, r := system(t, 0)
	err := r.Load(t.Context())
	pid := owner(t, secretsName)
	t.Cleanup(func() { _ = syscall.Kill(int(pid), syscall.SIGKILL) })
	if pid == 0 {
		t.Error("the bus did not start the service")
	}
	wantProblem(t, r, err, NoKeyring)
}

func realNotStarted(t *testing.T) {
	_, r := system(t, 0)
	wantProblem(t, r, r.Load(t.Context()), NoService)
}

func realStopped(t *testing.T) {
	d := startDaemon(t, password)
	_, r := system(t, 400*time.Millisecond)
	must(t, r.Add(t.Context(), "openai", "", secret(t, canary)))
	d.signal(t, syscall.SIGSTOP)
	before := runtime.NumGoroutine()
	for range 5 {
		wantProblem(t, r, r.Load(t.Context()), Hangs)
	}
	wantProblem(t, r, r.Add(t.Context(), "groq", "", secret(t, canary+"2")), Hangs)
	if n := runtime.NumGoroutine(); n > before+8 {
		t.Errorf("%d goroutines, before %d", n, before)
	}
	wantKeys(t, r.Cached("openai"), "openai/flag=flag", "openai/default="+canary)
	d.signal(t, syscall.SIGCONT)
	waitFor(t, func() bool { return r.Load(t.Context()) == nil })
	must(t, r.Add(t.Context(), "groq", "", secret(t, canary+"2")))
}

// realKilled: the service dies while a call of go-keyring itself is under way.
func realKilled(t *testing.T) {
	d := startDaemon(t, password)
	kc, r := system(t, 5*time.Second)
	must(t, r.Add(t.Context(), "openai", "", secret(t, canary)))
	get := kc.get
	kc.get = func(account string) (string, error) { // the guard has looked; now it goes out
		if d.cmd.ProcessState == nil {
			d.signal(t, syscall.SIGSTOP)
			defer context.AfterFunc(expire(100*time.Millisecond), d.kill)()
		}
		return get(account)
	}
	wantProblem(t, r, r.Load(t.Context()), Died)
	wantProblem(t, r, r.Load(t.Context()), NoService)
	startDaemon(t, password)
	must(t, r.Load(t.Context()))
	wantKeys(t, r.Cached("openai"), "openai/flag=flag", "openai/default="+canary)
}

// expire gives a context that ends by itself.
func expire(after time.Duration) context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(after, cancel)
	return ctx
}

func realBusKilled(t *testing.T) {
	startDaemon(t, password)
	_, r := system(t, 5*time.Second)
	must(t, r.Add(t.Context(), "openai", "", secret(t, canary)))
	bus := int(owner(t, busIface))
	must(t, syscall.Kill(bus, syscall.SIGSTOP))
	wantProblem(t, r, func() error {
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		return r.Load(ctx)
	}(), Hangs)
	must(t, syscall.Kill(bus, syscall.SIGKILL))
	for range 2 {
		wantProblem(t, r, r.Load(t.Context()), NoService, Died)
	}
	wantKeys(t, r.Cached("openai"), "openai/flag=flag", "openai/default="+canary)
}

func realDenied(t *testing.T) {
	if os.Getuid() == 0 {
		t.Log("root may open everything: only the classification is checked")
		for _, err := range []error{&os.PathError{Op: "open", Err: syscall.EACCES}} {
			if explain(err).Kind != Denied {
				t.Errorf("%v is %s", err, explain(err).Kind)
			}
		}
		return
	}
	path, _, _ := strings.Cut(strings.TrimPrefix(os.Getenv("DBUS_SESSION_BUS_ADDRESS"), "unix:path="), ",")
	must(t, os.Chmod(path, 0))
	defer os.Chmod(path, 0o600)
	_, r := system(t, 0)
	wantProblem(t, r, r.Load(t.Context()), Denied)
}
