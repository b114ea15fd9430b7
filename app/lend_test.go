package app

import (
	"log/slog"
	"strings"
	"testing"

	"keytray/store/keys"
)

// Where there is no keychain, `keytray run` can start a tool again, while one
// that was started before goes on; revoking the tool's token ends both.
func TestLaunchWithoutKeychain(t *testing.T) {
	h := open(t, "")
	beside, err := Open(t.Context(), Options{
		Keychain: keys.None{}, Log: slog.New(slog.DiscardHandler),
		Getenv: func(k string) string { return map[string]string{"KEYTRAY_HOME": h.home}[k] },
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := beside.Close(); err != nil {
			t.Error(err)
		}
	}()
	var given []string
	for range 3 {
		l, err := beside.Launch(t.Context(), "script.py", "http://127.0.0.1:1")
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range l.Env {
			if token, ok := strings.CutPrefix(v, "OPENAI_API_KEY="); ok {
				given = append(given, token)
			}
		}
	}
	if len(given) != 3 || given[0] == given[1] || given[1] != given[2] {
		t.Fatalf("%d tokens, not one that is kept and the same one lent twice", len(given))
	}
	for _, h.token = range given {
		if r := h.chat("demo/echo", ""); r.status != 200 {
			t.Errorf("%d %s", r.status, r.body)
		}
	}
	for _, row := range h.rows() {
		if row.Tool != "script.py" {
			t.Errorf("a row of %q", row.Tool)
		}
	}
	if err := beside.RevokeToken(t.Context(), "script.py"); err != nil {
		t.Fatal(err)
	}
	for _, h.token = range given {
		if r := h.chat("demo/echo", ""); r.status != 401 {
			t.Errorf("after the revocation: %d %s", r.status, r.body)
		}
	}
}
