package app

import (
	"context"
	"strings"
	"testing"
	"time"

	"keytray/proxy/proxytest"
)

func TestAskStreams(t *testing.T) {
	h := open(t, "without_token: refuse\n") // its own token gets it in
	var pieces []string
	got, err := h.Ask(t.Context(), "demo/echo", "is anyone there?", func(s string) { pieces = append(pieces, s) })
	if err != nil || !strings.Contains(got.Text, "You said: is anyone there?") {
		t.Fatalf("%q, %v", got.Text, err)
	}
	if len(pieces) < 5 || strings.Join(pieces, "") != got.Text {
		t.Errorf("%d pieces", len(pieces))
	}
	if len(got.Rows) != 1 || got.Rows[0].Status != "ok" || got.Rows[0].Tool != ownTool || got.First == 0 || got.Took < got.First {
		t.Errorf("%+v", got)
	}
	if _, err := h.Ask(t.Context(), "nobody/has-this", "hi", nil); err == nil || !strings.Contains(err.Error(), "nobody/has-this") {
		t.Errorf("a model that there is not: %v", err)
	}
	h.SetPaused(true)
	if _, err := h.Ask(t.Context(), "demo/echo", "and now?", nil); err == nil || !strings.Contains(err.Error(), "paused") {
		t.Errorf("paused: %v", err)
	}
}

// TestAskStops: what came before the stop is kept, and its row has its end.
func TestAskStops(t *testing.T) {
	p := proxytest.NewByModel()
	h, _ := lab(t, proxytest.Chat, p)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	got, err := h.Ask(ctx, "openai/slow", "hi", func(string) { cancel() })
	if err != context.Canceled || got.Text == "" {
		t.Fatalf("%q, %v", got.Text, err)
	}
	if len(got.Rows) != 1 || got.Rows[0].Status != "aborted" {
		t.Errorf("%+v", got.Rows)
	}
}
