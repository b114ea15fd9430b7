package keys

import "testing"

// A stored key labelled admin is listed last and given by Admin; it is never
// among the keys that sign. A variable of that name is no such key.
func TestAdmin(t *testing.T) {
	kc := &Memory{}
	r := NewRing(Options{Keychain: kc, Env: func(string) string { return "sk-env" }, EnvVars: map[string][]string{"mistral": {"ADMIN"}}})
	t.Cleanup(func() { _ = r.Close() })
	must(t, r.Add(t.Context(), "openai", "Admin", secret(t, canary)))
	if list := r.Cached("openai"); len(list) != 0 {
		t.Errorf("%d keys sign", len(list))
	}
	must(t, r.Add(t.Context(), "openai", "work", secret(t, "sk-work")))
	wantKeys(t, r.Cached("openai"), "openai/work=sk-work")
	wantKeys(t, r.CachedAll(), "mistral/ADMIN=sk-env", "openai/work=sk-work", "openai/Admin="+canary)
	k, ok, err := r.Admin(t.Context(), "openai")
	if err != nil || !ok || !k.Admin() || k.Secret.Reveal() != canary {
		t.Errorf("%s, %v, %v", k.Label, ok, err)
	}
	if _, ok, _ := r.Admin(t.Context(), "mistral"); ok {
		t.Error("a variable is an admin key")
	}
	// The next process reads it so, too.
	next := NewRing(Options{Keychain: kc})
	t.Cleanup(func() { _ = next.Close() })
	if _, ok, err := next.Admin(t.Context(), "openai"); !ok || err != nil {
		t.Errorf("read anew: %v, %v", ok, err)
	}
	wantKeys(t, next.Cached("openai"), "openai/work=sk-work")
	must(t, r.Remove(t.Context(), "openai", "admin"))
	if _, ok, _ := r.Admin(t.Context(), "openai"); ok {
		t.Error("it is still there")
	}
}
