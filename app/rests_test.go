package app

import (
	"fmt"
	"slices"
	"testing"
)

// TestRests: keys that were refused are told, and a provider without a key does
// not rest for lack of it, since one may be added at any time.
func TestRests(t *testing.T) {
	url, _ := doors(t)
	h := open(t, "providers:\n  lab: {dialect: chat, base_url: "+url+", key_env: KEYTRAY_TEST_NO_KEY, models: [m]}\n")
	if r := h.chat("lab/m", ""); r.status != 401 {
		t.Fatalf("without a key: %d %s", r.status, r.body)
	}
	if all := h.Rests(); len(all) != 0 {
		t.Errorf("without a key there rests %+v", all)
	}
	for _, label := range []string{"a-limited", "b-wrong", "c-good"} {
		if err := h.AddKey(t.Context(), "lab", label, "sk-lab-0123456789-"+label); err != nil {
			t.Fatal(err)
		}
	}
	if r := h.chat("lab/m", ""); r.status != 200 {
		t.Fatalf("%d %s", r.status, r.body)
	}
	var told []string
	for _, r := range h.Rests() {
		told = append(told, fmt.Sprintf("%s/%s %s %s", r.Provider, r.Key, r.Model, r.Why))
	}
	slices.Sort(told)
	if got := fmt.Sprint(told); got != "[lab/a-limited m rate_limit lab/b-wrong  authentication]" {
		t.Errorf("there rests %s", got)
	}
}
