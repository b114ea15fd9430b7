package keys

import (
	"fmt"
	"strings"
	"testing"
)

func accounts(m *Memory) (all []string) {
	for account := range m.values {
		all = append(all, account)
	}
	return all
}

// TestForget: nothing is left in the keychain, long lists and a damaged one included.
func TestForget(t *testing.T) {
	kc := &Memory{}
	r := NewRing(Options{Keychain: kc})
	defer r.Close()
	for i := range 80 { // more than one item holds
		secret, err := NewSecret(fmt.Sprint("sk-0123456789abcdef-", i))
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Add(t.Context(), "openai", fmt.Sprintf("a label that is rather long - number %d", i), secret); err != nil {
			t.Fatal(err)
		}
	}
	for _, account := range []string{toolAccount("editor"), "index/damaged"} {
		if err := kc.Set(t.Context(), account, "x"); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.Forget(t.Context(), []string{"editor", "never there"}); err != nil {
		t.Fatal(err)
	}
	if left := accounts(kc); len(left) != 0 {
		t.Errorf("left: %s", strings.Join(left, ", "))
	}
	if len(r.CachedAll()) != 0 {
		t.Error("keys are still in memory")
	}
	if err := r.Forget(t.Context(), nil); err != nil {
		t.Errorf("again: %v", err)
	}
	if err := kc.Set(t.Context(), indexAccount, "{"); err != nil {
		t.Fatal(err)
	}
	if err := r.Forget(t.Context(), nil); err != nil || len(accounts(kc)) != 0 {
		t.Errorf("a damaged list: %v, left %v", err, accounts(kc))
	}
}

// A keychain that cannot be asked is no empty one.
func TestForgetWithoutKeychain(t *testing.T) {
	none := NewRing(Options{Keychain: None{}})
	defer none.Close()
	if err := none.Forget(t.Context(), []string{"editor"}); err != nil {
		t.Errorf("no keychain: %v", err)
	}
	kc := &Memory{}
	if err := kc.Set(t.Context(), indexAccount, `{"v":9}`); err != nil {
		t.Fatal(err)
	}
	newer := NewRing(Options{Keychain: kc})
	defer newer.Close()
	if err := newer.Forget(t.Context(), nil); err == nil || len(accounts(kc)) != 1 {
		t.Errorf("a list of a newer Keytray: %v, left %v", err, accounts(kc))
	}
}
