package llm

import (
	"context"
	"testing"
)

func TestNotesNest(t *testing.T) {
	ctx := WithNote(context.Background(), Note{Part: PartShare, Reason: "smart: short", Instead: "a/large"})
	ctx = WithNote(ctx, Note{Reason: "cheapest of 3"})
	if got, want := NoteOf(ctx), (Note{PartShare, "smart: short; cheapest of 3", "a/large"}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	if got := NoteOf(WithNote(ctx, Note{Part: PartJudge, Instead: "b/small"})); got.Part != PartJudge || got.Instead != "b/small" {
		t.Errorf("%+v: the inner note does not win", got)
	}
	if got := NoteOf(context.Background()); got != (Note{}) {
		t.Errorf("%+v from nowhere", got)
	}
}

func TestDerive(t *testing.T) {
	r := &Request{ID: "kt-1", Tool: "codex", Peek: Peek{Model: "m"}}
	r.NextAttempt()
	p := &Prompt{User: "x"}
	d := r.Derive(p, true)
	if got, err := d.Prompt(); got != p || err != nil {
		t.Errorf("prompt %v, %v", got, err)
	}
	if n := d.Derive(p, false).NextAttempt(); n != 2 || r.Attempts() != 2 || d.ID != "kt-1" || !d.Stream || !d.Derived {
		t.Errorf("attempt %d of %d, %+v", n, r.Attempts(), d)
	}
}
