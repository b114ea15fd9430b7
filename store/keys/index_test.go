package keys

import (
	"fmt"
	"strings"
	"testing"
)

func TestRingSplitIndex(t *testing.T) {
	kc := newFake()
	r := NewRing(Options{Keychain: kc})
	var want []string
	for i := range 120 {
		label := fmt.Sprintf("%03d-%s", i, strings.Repeat("é", 20))
		must(t, r.Add(t.Context(), "openai", label, secret(t, fmt.Sprint("s", i))))
		want = append(want, "openai/"+label+"="+fmt.Sprint("s", i))
	}
	for account := range kc.values {
		value, _ := kc.Memory.Get(t.Context(), account)
		for _, goos := range []string{"windows", "darwin"} {
			if p := fits(goos, DefaultService, account, value); p != nil {
				t.Errorf("%s: %v", goos, p)
			}
		}
	}
	next := NewRing(Options{Keychain: kc})
	got, err := next.Keys(t.Context(), "openai")
	must(t, err)
	wantKeys(t, got, want...)
	// A crash while the parts are written leaves the old list.
	kc.after = 2
	if err := next.Add(t.Context(), "openai", "late", secret(t, "late")); err == nil {
		t.Error("the power cut was not noticed")
	}
	kc.after = -1
	must(t, next.Load(t.Context()))
	wantKeys(t, next.Cached("openai"), want...)
	for i := range 119 {
		must(t, next.Remove(t.Context(), "openai", fmt.Sprintf("%03d-%s", i, strings.Repeat("é", 20))))
	}
	must(t, next.Load(t.Context()))
	wantKeys(t, next.Cached("openai"), want[119])
	if index, _ := kc.Memory.Get(t.Context(), "index"); !strings.Contains(index, "119") {
		t.Errorf("the index did not come together again: %s", index)
	}
	many := make([]name, 3000)
	for i := range many {
		many[i] = name{"openai", fmt.Sprintf("%060d", i)}
	}
	if _, _, err := (index{}).plan(many); kind(err) != TooLarge {
		t.Errorf("3000 keys: %v", err)
	}
}

func TestRingDamagedIndex(t *testing.T) {
	for _, text := range []string{"", "no JSON", `{"v":0}`, `{"v":1,"parts":-1}`, `{"v":1,"gen":4,"parts":2}`, "[]"} {
		t.Run(text, func(t *testing.T) {
			kc := newFake()
			r := NewRing(Options{Keychain: kc})
			must(t, r.Add(t.Context(), "openai", "", secret(t, "s1")))
			must(t, r.Add(t.Context(), "openai", "work", secret(t, "s2")))
			must(t, kc.Memory.Set(t.Context(), "index", text))
			if err := r.Load(t.Context()); kind(err) != Damaged || r.Health().Kind != Damaged {
				t.Fatalf("got %v", err)
			}
			wantKeys(t, r.Cached("openai"), "openai/default=s1", "openai/work=s2") // from memory
			next := NewRing(Options{Keychain: kc, EnvVars: map[string][]string{"openai": {}, "groq": {}}})
			if _, err := next.Keys(t.Context(), "openai"); kind(err) != Damaged {
				t.Fatalf("got %v", err)
			}
			wantKeys(t, next.Cached("openai"), "openai/default=s1") // a default key can be guessed
			must(t, next.Add(t.Context(), "openai", "third", secret(t, "s3")))
			if next.Health() != nil {
				t.Errorf("health stays %v", next.Health())
			}
			wantKeys(t, next.Cached("openai"), "openai/default=s1", "openai/third=s3")
			if kept, _ := kc.Memory.Get(t.Context(), "index/damaged"); kept != text {
				t.Errorf("kept %q", kept)
			}
		})
	}
	kc := newFake()
	must(t, kc.Memory.Set(t.Context(), "index", `{"v":2,"keys":["openai/default"]}`))
	r := NewRing(Options{Keychain: kc})
	if err := r.Add(t.Context(), "openai", "", secret(t, "s1")); kind(err) != Damaged || !strings.Contains(err.Error(), "newer") || len(kc.writes()) != 0 {
		t.Errorf("a newer list was changed: %v", err)
	}
	must(t, kc.Memory.Set(t.Context(), "index", `{"v":1,"keys":["openai/default","nonsense","openai/default"]}`))
	must(t, kc.Memory.Set(t.Context(), "openai/default", "s1"))
	must(t, r.Load(t.Context()))
	wantKeys(t, r.Cached("openai"), "openai/default=s1")
	if n := r.Notes(); len(n) != 1 || n[0].Label != "nonsense" {
		t.Errorf("notes are %+v", n)
	}
}
