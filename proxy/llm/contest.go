package llm

import (
	"context"
	"sync/atomic"
)

// Contest is won by whoever first has a good answer: the others have lost, even
// those whose answers have come whole. The zero Contest is open.
type Contest struct{ winner atomic.Int64 }

// Enter is a context whose calls compete for the contestant of that index.
func (c *Contest) Enter(ctx context.Context, at int) context.Context {
	outer, _ := ctx.Value(contestKey{}).(*entry)
	return context.WithValue(ctx, contestKey{}, &entry{c, at, outer})
}

// Win tells whether the contest is the contestant's, now or before.
func (c *Contest) Win(at int) bool {
	return c.winner.CompareAndSwap(0, int64(at)+1) || c.winner.Load() == int64(at)+1
}

// Claim tells whether a good answer that has begun is still wanted: it has won
// all contests that the context was entered for. An answer that is only a part
// of one (see [WithNote]) is in no contest.
func Claim(ctx context.Context) bool {
	e, _ := ctx.Value(contestKey{}).(*entry)
	for ; e != nil; e = e.outer {
		if !e.contest.Win(e.at) {
			return false
		}
	}
	return true
}

// Lost is the error of an answer that came after another.
func Lost() *Error {
	return &Error{Kind: Canceled, Message: ErrLost.Error(), Cause: ErrLost}
}

type contestKey struct{}

type entry struct {
	contest *Contest
	at      int
	outer   *entry
}
