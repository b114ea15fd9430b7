package keys

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
)

// fakeKeychain is a Memory that fails on demand and writes down what was asked of it.
type fakeKeychain struct {
	Memory
	mu    sync.Mutex
	log   []string
	fail  func(op, account string) error
	after int // writes that go through before power is cut; -1 for all
}

var errPower = errors.New("power cut")

func (f *fakeKeychain) ask(op, account string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.log = append(f.log, op+" "+account)
	if f.fail != nil {
		if err := f.fail(op, account); err != nil {
			return err
		}
	}
	if op != "get" && f.after >= 0 {
		if f.after == 0 {
			return errPower
		}
		f.after--
	}
	return nil
}

func (f *fakeKeychain) Get(ctx context.Context, account string) (string, error) {
	if err := f.ask("get", account); err != nil {
		return "", err
	}
	return f.Memory.Get(ctx, account)
}

func (f *fakeKeychain) Set(ctx context.Context, account, value string) error {
	if err := f.ask("set", account); err != nil {
		return err
	}
	return f.Memory.Set(ctx, account, value)
}

func (f *fakeKeychain) Delete(ctx context.Context, account string) error {
	if err := f.ask("delete", account); err != nil {
		return err
	}
	return f.Memory.Delete(ctx, account)
}

func (*fakeKeychain) Place() string { return "in the fake keychain" }

func (f *fakeKeychain) writes() (out []string) {
	for _, line := range f.log {
		if !strings.HasPrefix(line, "get ") {
			out = append(out, line)
		}
	}
	f.log = nil
	return out
}

func newFake() *fakeKeychain { return &fakeKeychain{after: -1} }

func show(list []Key) (out []string) {
	for _, k := range list {
		out = append(out, k.Provider+"/"+k.Label+"="+k.Secret.Reveal())
	}
	return out
}

func wantKeys(t *testing.T, got []Key, want ...string) {
	t.Helper()
	if g := show(got); !slices.Equal(g, want) {
		t.Errorf("got %q, want %q", g, want)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
