package app

import (
	"errors"
	"log/slog"
	"testing"

	"keytray/proxy/proxytest"
	"keytray/store/keys"
)

// A second Keytray in the same folder is told so, and disturbs nothing.
func TestSecondInTheSameFolder(t *testing.T) {
	h, _ := lab(t, proxytest.Chat, proxytest.New())
	for range 2 {
		second, err := Open(t.Context(), Options{
			Serve: true, Listen: "127.0.0.1:0", Keychain: &keys.Memory{}, Log: slog.New(slog.DiscardHandler),
			Getenv: func(k string) string { return map[string]string{"KEYTRAY_HOME": h.home}[k] },
		})
		if !errors.Is(err, ErrRunning) {
			t.Errorf("%v %v", second, err)
		}
		if r := h.chat("openai/gpt-5", ""); r.status != 200 {
			t.Errorf("the first one: %d %s", r.status, r.body)
		}
	}
	if n := len(h.rows()); n != 2 {
		t.Errorf("%d rows", n)
	}
	// One that serves nothing may read.
	reader, err := Open(t.Context(), Options{
		Keychain: &keys.Memory{}, Log: slog.New(slog.DiscardHandler),
		Getenv: func(k string) string { return map[string]string{"KEYTRAY_HOME": h.home}[k] },
	})
	if err != nil {
		t.Fatal(err)
	}
	rows := 0
	err = reader.EachRequest(t.Context(), RowFilter{}, func(Row) error { rows++; return nil })
	if err := errors.Join(err, reader.Close()); err != nil || rows != 2 {
		t.Errorf("the reader saw %d rows, %v", rows, err)
	}
}
