package keys

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/zalando/go-keyring"
)

// fakeVault is an operating system that does what its fields say.
type fakeVault struct {
	Memory
	block   chan struct{} // if not nil, get waits for it to be closed
	getErrs []error       // one for each call of get, while there are any
	deaf    bool          // set and del say yes and do nothing
	gets    atomic.Int32
	looks   atomic.Int32
	sick    atomic.Pointer[Problem] // what look says
}

func (f *fakeVault) vault(canLook bool) vault {
	ctx := context.Background()
	v := vault{
		get: func(account string) (string, error) {
			f.gets.Add(1)
			if f.block != nil {
				<-f.block
			}
			if len(f.getErrs) > 0 {
				err := f.getErrs[0]
				f.getErrs = f.getErrs[1:]
				if err != nil {
					return "", err
				}
			}
			return f.Get(ctx, account)
		},
		set: func(account, value string) error {
			if f.deaf {
				return nil
			}
			return f.Set(ctx, account, value)
		},
		del: func(account string) error {
			if f.deaf {
				return nil
			}
			return f.Delete(ctx, account)
		},
		fits: func(account, value string) *Problem { return fits("windows", "Keytray", account, value) },
		explain: func(err error) *Problem {
			if strings.Contains(err.Error(), "unlock") {
				return locked("locked", err)
			}
			return failed(err)
		},
	}
	if canLook {
		v.look = func(context.Context) *Problem { f.looks.Add(1); return f.sick.Load() }
		v.ready = v.look
	}
	return v
}

func kind(err error) Kind {
	if p := AsProblem(err); p != nil {
		return p.Kind
	}
	return ""
}

func TestGuardWorks(t *testing.T) {
	f := &fakeVault{}
	g := newGuard(t.Context(), f.vault(true), time.Second)
	if _, err := g.Get(t.Context(), "a"); !errors.Is(err, ErrNotFound) {
		t.Errorf("a missing item: %v", err)
	}
	if err := g.Delete(t.Context(), "a"); !errors.Is(err, ErrNotFound) {
		t.Errorf("deleting a missing item: %v", err)
	}
	if err := g.Set(t.Context(), "a", "1"); err != nil {
		t.Error(err)
	}
	if v, err := g.Get(t.Context(), "a"); v != "1" || err != nil {
		t.Errorf("got %q, %v", v, err)
	}
	if err := g.Delete(t.Context(), "a"); err != nil {
		t.Error(err)
	}
	if err := g.Set(t.Context(), "a", strings.Repeat("x", 2561)); kind(err) != TooLarge {
		t.Errorf("a value too large: %v", err)
	}
}

func TestGuardHang(t *testing.T) {
	for _, canLook := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			f := &fakeVault{block: make(chan struct{})}
			g := newGuard(t.Context(), f.vault(canLook), 10*time.Second)
			ready := make(chan struct{}, 9)
			g.OnReady(func() { ready <- struct{}{} })
			start := time.Now()
			if _, err := g.Get(t.Context(), "a"); kind(err) != Hangs {
				t.Fatalf("got %v, want a hang", err)
			}
			if d := time.Since(start); d != 10*time.Second {
				t.Errorf("the hang was noticed after %v", d)
			}
			if canLook {
				f.sick.Store(hangs("still", nil))
			}
			for range 100 {
				if _, err := g.Get(t.Context(), "a"); kind(err) != Hangs {
					t.Fatalf("got %v, want a hang", err)
				}
			}
			if d := time.Since(start); d != 10*time.Second {
				t.Errorf("calls after the hang were not refused at once: %v", d)
			}
			if n := f.gets.Load(); n != 1 {
				t.Errorf("%d calls are stuck, want 1", n)
			}
			f.sick.Store(nil)
			close(f.block)
			synctest.Wait()
			if len(ready) != 1 {
				t.Errorf("told %d times that the keychain is back", len(ready))
			}
			if _, err := g.Get(t.Context(), "a"); !errors.Is(err, ErrNotFound) {
				t.Errorf("after the hang: %v", err)
			}
		})
	}
}

// A service that says it is well gets further calls while one is stuck, but only so many.
func TestGuardHangsInParts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fakeVault{block: make(chan struct{})}
		g := newGuard(t.Context(), f.vault(true), time.Second)
		for range 50 {
			if _, err := g.Get(t.Context(), "a"); kind(err) != Hangs {
				t.Fatalf("got %v, want a hang", err)
			}
		}
		if n := f.gets.Load(); n != maxLost {
			t.Errorf("%d calls are stuck, want %d", n, maxLost)
		}
		close(f.block)
		synctest.Wait()
		if _, err := g.Get(t.Context(), "a"); !errors.Is(err, ErrNotFound) {
			t.Errorf("after the hang: %v", err)
		}
	})
}

func TestGuardCancel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fakeVault{block: make(chan struct{})}
		g := newGuard(t.Context(), f.vault(false), 10*time.Second)
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		start := time.Now()
		if _, err := g.Get(ctx, "a"); !errors.Is(err, context.Canceled) || AsProblem(err) != nil {
			t.Errorf("got %v, want the caller's own end", err)
		}
		if d := time.Since(start); d != time.Second {
			t.Errorf("it took %v", d)
		}
		close(f.block)
	})
}

func TestGuardRetriesOnce(t *testing.T) {
	spurious := errors.New("failed to unlock correct collection '/x'")
	for _, tc := range []struct {
		name string
		errs []error
		want Kind
		gets int32
	}{
		{"spurious", []error{spurious}, "", 2},
		{"locked", []error{spurious, spurious, spurious}, Locked, 2},
		{"other", []error{errors.New("odd"), errors.New("odd"), errors.New("odd")}, Failed, 2},
		{"not found is an answer", []error{ErrNotFound}, "", 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := &fakeVault{getErrs: tc.errs}
			g := newGuard(t.Context(), f.vault(true), time.Second)
			_, err := g.Get(t.Context(), "a")
			if kind(err) != tc.want || tc.want == "" && !errors.Is(err, ErrNotFound) {
				t.Errorf("got %v", err)
			}
			if n := f.gets.Load(); n != tc.gets {
				t.Errorf("%d calls, want %d", n, tc.gets)
			}
		})
	}
}

func TestGuardRefusedWrites(t *testing.T) {
	f := &fakeVault{deaf: true}
	g := newGuard(t.Context(), f.vault(true), time.Second)
	if err := g.Set(t.Context(), "a", canary); kind(err) != Denied || strings.Contains(err.Error(), "CANARY") {
		t.Errorf("a write that was not done: %v", err)
	}
	if err := g.Delete(t.Context(), "a"); kind(err) != Denied {
		t.Errorf("a removal that was not done: %v", err)
	}
}

func TestGuardPanic(t *testing.T) {
	v := (&fakeVault{}).vault(true)
	v.get = func(string) (string, error) { panic(canary) }
	g := newGuard(t.Context(), v, time.Second)
	if _, err := g.Get(t.Context(), "a"); kind(err) != Died || strings.Contains(err.Error(), "CANARY") {
		t.Errorf("got %v", err)
	}
}

func TestGuardProblemsBeforeACall(t *testing.T) {
	for _, p := range []*Problem{noService("gone", nil), noKeyring(nil), locked("shut", nil), dismissed(nil), denied(nil)} {
		f := &fakeVault{}
		f.sick.Store(p)
		g := newGuard(t.Context(), f.vault(true), time.Second)
		if _, err := g.Get(t.Context(), "a"); AsProblem(err) != p {
			t.Errorf("%s: got %v", p.Kind, err)
		}
		if f.gets.Load() != 0 {
			t.Errorf("%s: the call went out all the same", p.Kind)
		}
		if p.Message == "" || !strings.HasSuffix(p.Remedy, ".") {
			t.Errorf("%s: message %q, remedy %q", p.Kind, p.Message, p.Remedy)
		}
	}
}

func TestGuardClosed(t *testing.T) {
	life, end := context.WithCancel(t.Context())
	g := newGuard(life, (&fakeVault{}).vault(true), time.Second)
	end()
	if _, err := g.Get(t.Context(), "a"); err == nil || !errors.Is(err, errClosed) {
		t.Errorf("got %v", err)
	}
}

func TestFits(t *testing.T) {
	// macOS: what go-keyring writes for service Keytray and account openai/default must be 4,096 bytes at most.
	line := func(n int) int {
		return len("add-generic-password -U -s Keytray -a openai/default -w 'go-keyring-base64:'\n") + (n+2)/3*4
	}
	for _, tc := range []struct {
		goos    string
		account string
		size    int
		want    bool
	}{
		{"windows", "openai/default", 2560, true},
		{"windows", "openai/default", 2561, false},
		{"linux", "openai/default", 32 << 10, true},
		{"linux", "openai/default", 32<<10 + 1, false},
		{"darwin", "openai/default", 2900, true},
		{"darwin", "openai/default", 3100, false},
		{"darwin", "openai/" + strings.Repeat("ü", 32), indexSize + 100, true},
	} {
		if got := fits(tc.goos, "Keytray", tc.account, strings.Repeat("x", tc.size)) == nil; got != tc.want {
			t.Errorf("%s, %d bytes: %v", tc.goos, tc.size, got)
		}
	}
	for n := 2800; n < 3200; n++ {
		if fits("darwin", "Keytray", "openai/default", strings.Repeat("x", n)) == nil && line(n) > macLine {
			t.Fatalf("%d bytes are let through, and make a line of %d", n, line(n))
		}
	}
}

// The mock of go-keyring stands for the platform: what System adds around it works.
func TestSystemLimits(t *testing.T) {
	k := System("", 0)
	defer k.Close()
	if k.timeout != DefaultTimeout || k.Place() == "" {
		t.Errorf("timeout %v, place %q", k.timeout, k.Place())
	}
	if got := k.explain(keyring.ErrSetDataTooBig); got.Kind != TooLarge {
		t.Errorf("too big is %s", got.Kind)
	}
	if got := k.explain(keyring.ErrUnsupportedPlatform); got.Kind != NoService {
		t.Errorf("unsupported is %s", got.Kind)
	}
	if !errors.Is(missing(keyring.ErrNotFound), ErrNotFound) || missing(nil) != nil {
		t.Error("a missing item is not told")
	}
}
