package app

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// doors is a provider with many keys: it answers by what the key is.
func doors(t *testing.T) (url string, asked func() []string) {
	t.Helper()
	var mu sync.Mutex
	var all []string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		key := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		mu.Lock()
		all = append(all, key)
		mu.Unlock()
		w.Header().Set("Content-Type", "application/json")
		switch {
		case strings.Contains(key, "limited"):
			w.Header().Set("Retry-After", "60")
			w.WriteHeader(http.StatusTooManyRequests)
			_, _ = io.WriteString(w, `{"error":{"message":"slow down","type":"rate_limit_error"}}`)
		case strings.Contains(key, "wrong"):
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = io.WriteString(w, `{"error":{"message":"no such key","type":"invalid_request_error"}}`)
		default:
			_ = json.NewEncoder(w).Encode(map[string]any{
				"id": "c", "object": "chat.completion", "model": "m", "usage": map[string]int{"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
				"choices": []any{map[string]any{"index": 0, "finish_reason": "stop", "message": map[string]string{"role": "assistant", "content": "hi"}}},
			})
		}
	}))
	t.Cleanup(s.Close)
	return s.URL + "/v1", func() []string { mu.Lock(); defer mu.Unlock(); out := all; all = nil; return out }
}

// TestKeysTakeOver: when a key is limited or refused the next one is used, and
// the first is left alone for as long as it asked.
func TestKeysTakeOver(t *testing.T) {
	url, asked := doors(t)
	h := open(t, "providers:\n  lab: {dialect: chat, base_url: "+url+", models: [m]}\n")
	for _, label := range []string{"a-limited", "b-wrong", "c-good", "admin"} {
		if err := h.AddKey(t.Context(), "lab", label, "sk-lab-0123456789-"+label); err != nil {
			t.Fatal(err)
		}
	}
	if r := h.chat("lab/m", ""); r.status != 200 {
		t.Fatalf("%d %s", r.status, r.body)
	}
	if got := fmt.Sprint(asked()); got != "[sk-lab-0123456789-a-limited sk-lab-0123456789-b-wrong sk-lab-0123456789-c-good]" {
		t.Errorf("the provider saw %s", got)
	}
	if row := h.last(); row.Key != "c-good" || row.Attempt != 3 {
		t.Errorf("the last row is of key %s, attempt %d", row.Key, row.Attempt)
	}
	if r := h.chat("lab/m", ""); r.status != 200 || len(asked()) != 1 {
		t.Errorf("the limited key was asked again: %d", r.status)
	}
}

// TestKeysRotate: each conversation stays with one key (J14).
func TestKeysRotate(t *testing.T) {
	url, asked := doors(t)
	h := open(t, "providers:\n  lab: {dialect: chat, rotate: true, base_url: "+url+", models: [m]}\n")
	for _, label := range []string{"a", "b", "c"} {
		if err := h.AddKey(t.Context(), "lab", label, "sk-lab-0123456789-"+label); err != nil {
			t.Fatal(err)
		}
	}
	seen := map[string]int{}
	for i := range 30 {
		for range 2 {
			r := h.do("POST", "/v1/chat/completions", fmt.Sprintf(`{"model":"lab/m","messages":[{"role":"user","content":"conversation %d"}]}`, i))
			if r.status != 200 {
				t.Fatalf("%d %s", r.status, r.body)
			}
		}
		keys := asked()
		if len(keys) != 2 || keys[0] != keys[1] {
			t.Errorf("conversation %d had keys %v", i, keys)
		}
		seen[keys[0]]++
	}
	if len(seen) != 3 {
		t.Errorf("30 conversations were spread as %v", seen)
	}
}
