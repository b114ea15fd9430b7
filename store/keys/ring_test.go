package keys

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestRingOrder(t *testing.T) {
	env := map[string]string{"OPENAI_API_KEY": "env-1", "OPENAI_KEY": "env-2\n", "OPENAI_OLD": "env-1", "GEMINI_API_KEY": "two words", "LAB_KEY": "lab"}
	kc := newFake()
	first := NewRing(Options{Keychain: kc})
	must(t, first.Add(t.Context(), "openai", "", secret(t, "stored-1")))
	must(t, first.Add(t.Context(), "openai", "work", secret(t, "stored-2")))
	must(t, first.Add(t.Context(), "anthropic", "", secret(t, "stored-3")))
	r := NewRing(Options{
		Keychain: kc, Flags: map[string]Secret{"openai": secret(t, "flag"), "none": {}},
		Env:     func(n string) string { return env[n] },
		EnvVars: map[string][]string{"openai": {"OPENAI_API_KEY", "OPENAI_UNSET", "OPENAI_KEY", "OPENAI_OLD"}, "gemini": {"GEMINI_API_KEY"}},
	})
	wantKeys(t, r.Cached("openai"), "openai/flag=flag", "openai/OPENAI_API_KEY=env-1", "openai/OPENAI_KEY=env-2")
	got, err := r.Keys(t.Context(), "openai")
	must(t, err)
	wantKeys(t, got, "openai/flag=flag", "openai/OPENAI_API_KEY=env-1", "openai/OPENAI_KEY=env-2", "openai/default=stored-1", "openai/work=stored-2")
	var where []string
	for _, k := range got {
		where = append(where, string(k.Source)+" "+k.Where+" "+k.EnvVar)
	}
	if want := []string{"flag from --key ", "environment from OPENAI_API_KEY OPENAI_API_KEY", "environment from OPENAI_KEY OPENAI_KEY", "keychain in the fake keychain ", "keychain in the fake keychain "}; !slices.Equal(where, want) {
		t.Errorf("got %q, want %q", where, want)
	}
	all, err := r.All(t.Context())
	must(t, err)
	if len(all) != 6 || all[0].Provider != "anthropic" {
		t.Errorf("all are %q", show(all))
	}
	notes := r.Notes()
	if len(notes) != 1 || notes[0].Provider != "gemini" || notes[0].Label != "GEMINI_API_KEY" || !strings.Contains(notes[0].Message, "space") || strings.Contains(notes[0].Message, "words") {
		t.Errorf("notes are %+v", notes)
	}
	changes := 0
	stop := r.Subscribe(func() { changes++ })
	r.SetProviders(map[string][]string{"lab": {"LAB_KEY"}})
	wantKeys(t, r.Cached("lab"), "lab/LAB_KEY=lab")
	wantKeys(t, r.Cached("openai"), "openai/flag=flag", "openai/default=stored-1", "openai/work=stored-2")
	stop()
	r.SetProviders(nil)
	if changes != 1 || len(r.Cached("lab")) != 0 || len(r.Notes()) != 0 {
		t.Errorf("%d changes told, lab has %d keys, %d notes", changes, len(r.Cached("lab")), len(r.Notes()))
	}
}

func TestRingEdit(t *testing.T) {
	kc := newFake()
	r := NewRing(Options{Keychain: kc, LockFile: filepath.Join(t.TempDir(), "keys.lock"), Env: func(string) string { return "from-env" }, EnvVars: map[string][]string{"groq": {"GROQ_API_KEY"}}})
	must(t, r.Add(t.Context(), "openai", "", secret(t, "s1")))
	if got, want := kc.writes(), []string{"set openai/default", "set index"}; !slices.Equal(got, want) {
		t.Errorf("adding writes %q, want %q", got, want)
	}
	must(t, r.Add(t.Context(), "openai", "Work", secret(t, "s2")))
	must(t, r.Add(t.Context(), "groq", "x", secret(t, "s2")))
	wantKeys(t, r.Cached("openai"), "openai/default=s1", "openai/Work=s2")
	for _, tc := range []struct {
		name string
		err  error
		is   error
		says string
	}{
		{"label twice", r.Add(t.Context(), "openai", "default", secret(t, "s9")), ErrExists, `labelled "default" already`},
		{"label twice but for case", r.Add(t.Context(), "openai", "wOrk", secret(t, "s9")), ErrExists, `labelled "Work" already`},
		{"secret twice", r.Add(t.Context(), "openai", "third", secret(t, "s1")), ErrExists, `already, labelled "default"`},
		{"empty secret", r.Add(t.Context(), "openai", "third", Secret{}), nil, "empty"},
		{"bad provider", r.Add(t.Context(), "Open AI", "third", secret(t, "s9")), nil, "provider"},
		{"reserved provider", r.Add(t.Context(), "token", "third", secret(t, "s9")), nil, "Keytray uses it itself"},
		{"bad label", r.Add(t.Context(), "openai", "a/b", secret(t, "s9")), nil, "label"},
		{"replace unknown", r.Replace(t.Context(), "openai", "nope", secret(t, "s9")), ErrUnknown, `no key labelled "nope"`},
		{"replace by another's", r.Replace(t.Context(), "openai", "default", secret(t, "s2")), ErrExists, `labelled "Work"`},
		{"replace by nothing", r.Replace(t.Context(), "openai", "default", Secret{}), nil, "empty"},
		{"remove unknown", r.Remove(t.Context(), "openai", "nope"), ErrUnknown, "no key"},
		{"remove from the environment", r.Remove(t.Context(), "groq", "GROQ_API_KEY"), ErrUnknown, "comes from GROQ_API_KEY"},
		{"rename unknown", r.Rename(t.Context(), "openai", "nope", "x"), ErrUnknown, "no key"},
		{"rename to one that is there", r.Rename(t.Context(), "openai", "default", "work"), ErrExists, `labelled "Work" already`},
		{"rename in case alone", r.Rename(t.Context(), "openai", "Work", "work"), ErrExists, "case alone"},
		{"rename to a bad label", r.Rename(t.Context(), "openai", "Work", "a\tb"), nil, "label"},
	} {
		if tc.err == nil || tc.is != nil && !errors.Is(tc.err, tc.is) || !strings.Contains(tc.err.Error(), tc.says) {
			t.Errorf("%s: %v", tc.name, tc.err)
		}
		if tc.is != nil && strings.Contains(tc.err.Error(), tc.is.Error()) {
			t.Errorf("%s: a person reads the sentinel's words too: %v", tc.name, tc.err)
		}
	}
	if got := kc.writes(); len(got) != 4 {
		t.Errorf("refused changes wrote: %q", got)
	}
	must(t, r.Replace(t.Context(), "openai", "work", secret(t, "s3")))
	must(t, r.Rename(t.Context(), "openai", "default", "home"))
	wantKeys(t, r.Cached("openai"), "openai/home=s1", "openai/Work=s3")
	if got, want := kc.writes(), []string{"set openai/Work", "set openai/home", "set index", "delete openai/default"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	must(t, r.Remove(t.Context(), "openai", "work"))
	if got, want := kc.writes(), []string{"delete openai/Work", "set index"}; !slices.Equal(got, want) {
		t.Errorf("removing writes %q, want %q", got, want)
	}
	other := NewRing(Options{Keychain: kc})
	got, err := other.All(t.Context())
	must(t, err)
	wantKeys(t, got, "groq/x=s2", "openai/home=s1")
	if index, _ := kc.Memory.Get(t.Context(), "index"); index != `{"v":1,"keys":["openai/home","groq/x"]}` {
		t.Errorf("the index is %s", index)
	}
}

// A crash between any two writes of any change loses no key that was there before.
func TestRingCrash(t *testing.T) {
	changes := map[string]func(context.Context, *Ring) error{
		"add":     func(ctx context.Context, r *Ring) error { return r.Add(ctx, "openai", "new", secret(t, "new")) },
		"replace": func(ctx context.Context, r *Ring) error { return r.Replace(ctx, "openai", "default", secret(t, "new")) },
		"rename":  func(ctx context.Context, r *Ring) error { return r.Rename(ctx, "openai", "default", "new") },
		"remove":  func(ctx context.Context, r *Ring) error { return r.Remove(ctx, "openai", "work") },
	}
	for name, change := range changes {
		for after := range 5 {
			t.Run(fmt.Sprint(name, after), func(t *testing.T) {
				kc := newFake()
				r := NewRing(Options{Keychain: kc})
				must(t, r.Add(t.Context(), "openai", "", secret(t, "s1")))
				must(t, r.Add(t.Context(), "openai", "work", secret(t, "s2")))
				must(t, r.Add(t.Context(), "groq", "", secret(t, "s3")))
				kc.after = after
				err := change(t.Context(), r)
				kc.after = -1
				next := NewRing(Options{Keychain: kc})
				all, loadErr := next.All(t.Context())
				must(t, loadErr)
				values := map[string]bool{}
				for _, k := range all {
					values[k.Secret.Reveal()] = true
				}
				if !values["s3"] || !values["s1"] && !values["new"] || !values["s2"] && name != "remove" {
					t.Errorf("keys are lost: %q after %v", show(all), err)
				}
				if len(next.Notes()) > 0 && name != "remove" {
					t.Errorf("notes: %+v", next.Notes())
				}
				if err != nil {
					if err := change(t.Context(), next); err != nil && !errors.Is(err, ErrUnknown) {
						t.Errorf("the change cannot be made again: %v", err)
					}
				}
				if len(next.Notes()) > 0 {
					t.Errorf("notes stay: %+v", next.Notes())
				}
			})
		}
	}
}

func TestRingMissingItem(t *testing.T) {
	kc := newFake()
	r := NewRing(Options{Keychain: kc})
	must(t, r.Add(t.Context(), "openai", "", secret(t, "s1")))
	must(t, r.Add(t.Context(), "openai", "work", secret(t, "s2")))
	must(t, r.Add(t.Context(), "openai", "bad", secret(t, "s3")))
	must(t, kc.Memory.Delete(t.Context(), "openai/default"))
	must(t, kc.Memory.Set(t.Context(), "openai/bad", "two words"))
	must(t, r.Load(t.Context()))
	wantKeys(t, r.Cached("openai"), "openai/work=s2")
	notes := r.Notes()
	if len(notes) != 2 || notes[0].Label != "default" || !strings.Contains(notes[0].Message, "no longer holds") || notes[1].Label != "bad" || !strings.Contains(notes[1].Message, "space") {
		t.Errorf("notes are %+v", notes)
	}
	must(t, r.Add(t.Context(), "openai", "default", secret(t, "s4"))) // its name is free again
	must(t, r.Replace(t.Context(), "openai", "bad", secret(t, "s5")))
	if got := r.Notes(); len(got) != 0 {
		t.Errorf("notes stay: %+v", got)
	}
	must(t, r.Load(t.Context()))
	wantKeys(t, r.Cached("openai"), "openai/work=s2", "openai/bad=s5", "openai/default=s4")
}

func TestRingWithoutKeychain(t *testing.T) {
	problems := []*Problem{noService("x", nil), noKeyring(nil), locked("x", nil), dismissed(nil), hangs("x", nil), died(nil), denied(nil), failed(errors.New("x"))}
	for _, p := range problems {
		kc := newFake()
		good := NewRing(Options{Keychain: kc})
		must(t, good.Add(t.Context(), "openai", "", secret(t, "stored")))
		r := NewRing(Options{Keychain: kc, Env: func(string) string { return "env" }, EnvVars: map[string][]string{"openai": {"OPENAI_API_KEY"}}})
		kc.fail = func(string, string) error { return fmt.Errorf("calling: %w", p) }
		got, err := r.Keys(t.Context(), "openai")
		if AsProblem(err) != p || r.Health() != p {
			t.Errorf("%s: got %v, health %v", p.Kind, err, r.Health())
		}
		wantKeys(t, got, "openai/OPENAI_API_KEY=env")
		calls := len(kc.log)
		if _, err := r.Keys(t.Context(), "openai"); AsProblem(err) != p || len(kc.log) != calls {
			t.Errorf("%s: a second look asked the keychain again, or said %v", p.Kind, err)
		}
		if err := r.Add(t.Context(), "openai", "x", secret(t, canary)); AsProblem(err) != p || strings.Contains(err.Error(), "CANARY") {
			t.Errorf("%s: adding says %v", p.Kind, err)
		}
		kc.fail = nil
		must(t, r.Add(t.Context(), "openai", "x", secret(t, "new"))) // it has come back, and all is loaded
		wantKeys(t, r.Cached("openai"), "openai/OPENAI_API_KEY=env", "openai/default=stored", "openai/x=new")
		if r.Health() != nil {
			t.Errorf("%s: health stays", p.Kind)
		}
		kc.fail = func(_, account string) error {
			if account == "openai/x" {
				return p
			}
			return nil
		}
		if err := r.Load(t.Context()); AsProblem(err) != p {
			t.Errorf("%s: got %v", p.Kind, err)
		}
		wantKeys(t, r.Cached("openai"), "openai/OPENAI_API_KEY=env", "openai/default=stored", "openai/x=new") // memory stays
	}
	r := NewRing(Options{Keychain: None{}})
	if _, err := r.All(t.Context()); kind(err) != NoService || r.Health().Kind != NoService {
		t.Errorf("None: %v", err)
	}
}

// A keychain that breaks the contract and returns plain errors still becomes a problem.
func TestRingPlainErrors(t *testing.T) {
	kc := newFake()
	r := NewRing(Options{Keychain: kc})
	kc.fail = func(string, string) error { return errors.New("odd") }
	if err := r.Load(t.Context()); kind(err) != Failed {
		t.Errorf("got %v", err)
	}
	kc.fail = func(string, string) error { return context.DeadlineExceeded }
	if err := r.Load(t.Context()); kind(err) != Hangs {
		t.Errorf("got %v", err)
	}
}

// hanging is a keychain that answers nothing before ctx ends.
type hanging struct{ None }

func (hanging) Get(ctx context.Context, _ string) (string, error) {
	<-ctx.Done()
	return "", ctx.Err()
}

func TestRingHangingKeychain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := NewRing(Options{Keychain: hanging{}, Timeout: 3 * time.Second, Flags: map[string]Secret{"openai": secret(t, "flag")}})
		start := time.Now()
		done := make(chan error)
		go func() { done <- r.Load(t.Context()) }()
		synctest.Wait()
		wantKeys(t, r.Cached("openai"), "openai/flag=flag") // without waiting
		if r.Health() != nil || len(r.CachedAll()) != 1 || time.Since(start) != 0 {
			t.Error("a cached read waited")
		}
		if err := r.Add(t.Context(), "openai", "", secret(t, "s")); err == nil || time.Since(start) > 6*time.Second {
			t.Errorf("adding meanwhile: %v after %v", err, time.Since(start))
		}
		if err := <-done; kind(err) != Hangs {
			t.Errorf("got %v", err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := r.Load(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	})
}

func TestRingConcurrent(t *testing.T) {
	kc := newFake()
	lock := filepath.Join(t.TempDir(), "keys.lock")
	rings := []*Ring{NewRing(Options{Keychain: kc, LockFile: lock}), NewRing(Options{Keychain: kc, LockFile: lock})}
	var group sync.WaitGroup
	for i := range 20 {
		group.Go(func() {
			r := rings[i%2]
			if err := r.Add(t.Context(), "openai", fmt.Sprint(i), secret(t, fmt.Sprint("s", i))); err != nil {
				t.Error(err)
			}
			r.Cached("openai")
			r.SetProviders(map[string][]string{"openai": {"X"}})
			stop := r.Subscribe(func() { r.CachedAll() })
			if err := r.Load(t.Context()); err != nil {
				t.Error(err)
			}
			stop()
		})
	}
	group.Wait()
	for _, r := range rings {
		must(t, r.Load(t.Context()))
		if n := len(r.Cached("openai")); n != 20 {
			t.Errorf("%d keys, want 20", n)
		}
	}
}

func TestRingCachedAllocatesNothing(t *testing.T) {
	r := NewRing(Options{Keychain: None{}, Flags: map[string]Secret{"openai": secret(t, "flag")}})
	if n := testing.AllocsPerRun(100, func() { r.Cached("openai"); r.Health() }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkCached(b *testing.B) {
	r := NewRing(Options{Keychain: None{}, Flags: map[string]Secret{"openai": secret(b, "flag")}})
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			r.Cached("openai")
		}
	})
}
