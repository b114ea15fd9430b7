package keys

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
	"github.com/godbus/dbus/v5/prop"
)

// fakeService is a Secret Service whose dialogs are answered by the test. It keeps items in memory.
type fakeService struct {
	conn  *dbus.Conn
	props *prop.Properties

	mu      sync.Mutex
	prompts int
	shown   chan dbus.ObjectPath // gets each dialog's path when it opens
	items   map[string]fakeItem  // by username
	refuse  bool                 // CreateItem asks, the answer is no
}

type fakeItem struct {
	Session     dbus.ObjectPath
	Parameters  []byte
	Value       []byte
	ContentType string
}

const (
	deskPath   = dbus.ObjectPath("/org/freedesktop/secrets/collection/desk")
	sessPath   = dbus.ObjectPath("/org/freedesktop/secrets/session/s1")
	promptPath = dbus.ObjectPath("/org/freedesktop/secrets/prompt/p1")
)

func startFake(t *testing.T, locked bool) *fakeService {
	t.Helper()
	f := &fakeService{conn: testBus(t), shown: make(chan dbus.ObjectPath, 9), items: map[string]fakeItem{}}
	t.Cleanup(func() { _ = f.conn.Close() })
	export := func(v any, path dbus.ObjectPath, iface string) { t.Helper(); must(t, f.conn.Export(v, path, iface)) }
	export(serviceFace{f}, secretsPath, serviceIface)
	export(collectionFace{f}, deskPath, collectionIface)
	export(collectionFace{f}, "/org/freedesktop/secrets/aliases/default", collectionIface)
	export(promptFace{f}, promptPath, promptIface)
	export(sessionFace{}, sessPath, "org.freedesktop.Secret.Session")
	_, err := prop.Export(f.conn, secretsPath, prop.Map{serviceIface: {"Collections": {Value: []dbus.ObjectPath{deskPath}}}})
	must(t, err)
	f.props, err = prop.Export(f.conn, deskPath, prop.Map{collectionIface: {"Locked": {Value: locked}, "Label": {Value: "Desk"}}})
	must(t, err)
	_, err = f.conn.RequestName(secretsName, dbus.NameFlagDoNotQueue)
	must(t, err)
	return f
}

// answerDialog answers the open dialog.
func (f *fakeService) answerDialog(t *testing.T, dismissed bool) {
	t.Helper()
	path := <-f.shown
	if !dismissed {
		f.props.SetMust(collectionIface, "Locked", false)
	}
	must(t, f.conn.Emit(path, promptIface+".Completed", dismissed, dbus.MakeVariant([]dbus.ObjectPath{deskPath})))
}

type serviceFace struct{ f *fakeService }

func (s serviceFace) ReadAlias(string) (dbus.ObjectPath, *dbus.Error) { return deskPath, nil }

func (s serviceFace) Unlock(paths []dbus.ObjectPath) (done []dbus.ObjectPath, prompt dbus.ObjectPath, e *dbus.Error) {
	if s.f.props.GetMust(collectionIface, "Locked").(bool) {
		return []dbus.ObjectPath{}, promptPath, nil
	}
	return paths, "/", nil
}

func (s serviceFace) OpenSession(string, dbus.Variant) (dbus.Variant, dbus.ObjectPath, *dbus.Error) {
	return dbus.MakeVariant(""), sessPath, nil
}

type collectionFace struct{ f *fakeService }

func (c collectionFace) SearchItems(want map[string]string) ([]dbus.ObjectPath, *dbus.Error) {
	c.f.mu.Lock()
	defer c.f.mu.Unlock()
	if _, ok := c.f.items[want["username"]]; ok {
		return []dbus.ObjectPath{itemPath(want["username"])}, nil
	}
	return []dbus.ObjectPath{}, nil
}

func (c collectionFace) CreateItem(props map[string]dbus.Variant, s fakeItem, _ bool) (item, prompt dbus.ObjectPath, e *dbus.Error) {
	c.f.mu.Lock()
	defer c.f.mu.Unlock()
	if c.f.refuse {
		return "/", promptPath, nil
	}
	user := props["org.freedesktop.Secret.Item.Attributes"].Value().(map[string]string)["username"]
	c.f.items[user] = s
	if err := c.f.conn.Export(itemFace{c.f, user}, itemPath(user), "org.freedesktop.Secret.Item"); err != nil {
		return "", "", dbus.MakeFailedError(err)
	}
	return itemPath(user), "/", nil
}

func itemPath(user string) dbus.ObjectPath {
	path := []byte("/org/freedesktop/secrets/item/")
	for _, b := range []byte(user) {
		path = append(path, 'a'+b>>4, 'a'+b&15)
	}
	return dbus.ObjectPath(path)
}

type itemFace struct {
	f    *fakeService
	user string
}

func (i itemFace) GetSecret(dbus.ObjectPath) (fakeItem, *dbus.Error) {
	i.f.mu.Lock()
	defer i.f.mu.Unlock()
	s := i.f.items[i.user]
	s.Session = sessPath
	return s, nil
}

func (i itemFace) Delete() (dbus.ObjectPath, *dbus.Error) {
	i.f.mu.Lock()
	defer i.f.mu.Unlock()
	delete(i.f.items, i.user)
	return "/", nil
}

type sessionFace struct{}

func (sessionFace) Close() *dbus.Error { return nil }

type promptFace struct{ f *fakeService }

func (p promptFace) Prompt(string) *dbus.Error {
	p.f.mu.Lock()
	p.f.prompts++
	p.f.mu.Unlock()
	p.f.shown <- promptPath
	return nil
}

func (f *fakeService) wantDialogs(t *testing.T, want int) {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.prompts != want {
		t.Errorf("%d dialogs, want %d", f.prompts, want)
	}
}

func dialogDismissed(t *testing.T) {
	f := startFake(t, true)
	_, r := system(t, 0)
	t.Setenv("DISPLAY", ":99")
	go f.answerDialog(t, true)
	wantProblem(t, r, r.Load(t.Context()), Dismissed)
	t.Setenv("DISPLAY", "")
	go f.answerDialog(t, true)
	wantProblem(t, r, r.Load(t.Context()), Locked)
	f.wantDialogs(t, 2)
}

func dialogAnswered(t *testing.T) {
	f := startFake(t, true)
	kc, r := system(t, 0)
	go f.answerDialog(t, false)
	must(t, r.Add(t.Context(), "openai", "", secret(t, canary)))
	if kc.Place() != "in the “Desk” keyring" || r.Cached("openai")[1].Where != kc.Place() {
		t.Errorf("kept %s", kc.Place())
	}
	must(t, r.Remove(t.Context(), "openai", ""))
	f.wantDialogs(t, 1)
}

// dialogLate: the user takes longer than a call may, and the keys appear by themselves afterwards.
func dialogLate(t *testing.T) {
	f := startFake(t, false)
	_, r := system(t, 0)
	must(t, r.Add(t.Context(), "openai", "", secret(t, canary)))
	f.props.SetMust(collectionIface, "Locked", true)
	_, next := system(t, 200*time.Millisecond)
	came := make(chan struct{}, 9)
	for range 3 {
		wantProblem(t, next, next.Load(t.Context()), Locked)
	}
	f.wantDialogs(t, 1)
	next.Subscribe(func() {
		if next.Health() == nil {
			came <- struct{}{}
		}
	})
	f.answerDialog(t, false)
	<-came
	wantKeys(t, next.Cached("openai"), "openai/flag=flag", "openai/default="+canary)
}

func dialogDies(t *testing.T) {
	f := startFake(t, true)
	_, r := system(t, 0)
	go func() {
		<-f.shown
		_ = f.conn.Close()
	}()
	wantProblem(t, r, r.Load(t.Context()), Died, NoService)
	// And Keytray can end while a dialog is open.
	next := startFake(t, true)
	kc := System("Keytray test", time.Minute)
	go func() {
		<-next.shown
		if err := kc.Close(); err != nil {
			t.Error(err)
		}
	}()
	if _, err := kc.Get(t.Context(), "a"); !errors.Is(err, errClosed) {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := kc.Get(ctx, "a"); err == nil {
		t.Error("a closed keychain answers")
	}
}

// writeRefused: the service asks about a write, the user says no, and go-keyring takes that for a yes.
func writeRefused(t *testing.T) {
	f := startFake(t, false)
	f.refuse = true
	_, r := system(t, 0)
	go f.answerDialog(t, true)
	err := r.Add(t.Context(), "openai", "", secret(t, canary))
	wantProblem(t, r, err, Denied)
	if list := r.Cached("openai"); len(list) != 1 {
		t.Errorf("a key that is not stored is listed: %d", len(list))
	}
}
