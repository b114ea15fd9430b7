package llm

import (
	"context"
	"errors"
)

// Note is what a strategy says of the calls it makes, for their rows.
type Note struct {
	Part   Part
	Reason string // why this target, for people, on one line; never content
	// Instead is the provider/model that would have been asked without the
	// strategy, if it chose another to save money.
	Instead string
}

// Part is what a call is for in its request's answer.
type Part string

// The parts. PartAnswer is what calls have of which nothing else is said.
const (
	PartAnswer Part = ""
	PartLost   Part = "lost"  // another was faster
	PartShare  Part = "part"  // its answer is one of several
	PartJudge  Part = "judge" // it judges answers
	PartKept   Part = "kept"  // answered from the cache
)

type noteKey struct{}

// WithNote has the leaves called with the context write n into their rows. Where
// strategies nest, the inner part and Instead win, and reasons are joined.
func WithNote(ctx context.Context, n Note) context.Context {
	outer := NoteOf(ctx)
	if n.Part != PartAnswer {
		ctx = context.WithValue(ctx, contestKey{}, (*entry)(nil))
	} else {
		n.Part = outer.Part
	}
	if n.Instead == "" {
		n.Instead = outer.Instead
	}
	switch {
	case n.Reason == "":
		n.Reason = outer.Reason
	case outer.Reason != "":
		n.Reason = outer.Reason + "; " + n.Reason
	}
	return context.WithValue(ctx, noteKey{}, n)
}

// NoteOf is the context's note.
func NoteOf(ctx context.Context) Note {
	n, _ := ctx.Value(noteKey{}).(Note)
	return n
}

// ErrLost is the cause with which a strategy cancels a call whose answer is no
// longer wanted, because another was faster.
var ErrLost = errors.New("another answer was faster")
