package route

import (
	"context"
	"time"

	"keytray/proxy/llm"
)

// Race asks its targets one after another without waiting for an answer: the
// next one starts After the last, or at once when one fails. The first good
// first frame wins; the others are cancelled, and their rows say that they lost
// and what they cost. Targets that should be left alone for now start last: once
// all others have failed, or have said nothing for a while.
type Race struct {
	Targets []llm.Target
	After   time.Duration // 0 starts all at once
	// Go runs f beside its caller: losers' calls end after the answer has begun,
	// and their rows should not be cut off. nil is a goroutine of nobody's.
	Go func(f func())
}

// silence is how long the others may say nothing before targets that should be
// left alone are asked all the same.
const silence = 10 * time.Second

// finish is how one target's attempt went.
type finish struct {
	at   int
	resp *llm.Response
	err  error
}

// Do answers r; see llm.Target. It returns when one target has begun a good
// answer, or all have failed: the losers' calls may still be ending.
func (s Race) Do(ctx context.Context, r *llm.Request) (*llm.Response, error) {
	if len(s.Targets) == 0 {
		return nil, errNoTargets("race")
	}
	all, ready := readyFirst(s.Targets)
	if ready == 0 {
		ready = len(all) // none is better than another
	}
	done := make(chan finish, len(all))
	var contest llm.Contest
	stop := make([]context.CancelCauseFunc, 0, len(all))
	wait := time.NewTimer(s.After)
	defer wait.Stop()
	start := func() {
		at := len(stop)
		own, cancel := context.WithCancelCause(ctx)
		stop = append(stop, cancel)
		own = contest.Enter(llm.WithNote(own, llm.Note{Reason: "race: " + place(at, len(all)) + " to be asked"}), at)
		s.beside(func() {
			resp, err := all[at].Do(own, r)
			if err == nil && !contest.Win(at) { // it is made of others' answers, which have not claimed it
				_ = resp.Body.Close()
				err = llm.Lost()
			}
			done <- finish{at, resp, err}
		})
		if len(stop) < ready {
			wait.Reset(s.After)
		} else {
			wait.Reset(max(s.After, silence))
		}
	}
	var last error
	over := false // nobody else would answer this request either
	for ended := 0; ; {
		if ended == len(stop) { // all that were asked have failed
			if over || len(stop) == len(all) {
				return nil, last
			}
			start()
		}
		var next <-chan time.Time
		if len(stop) < len(all) && !over {
			next = wait.C
		}
		select {
		case <-next:
			start()
		case f := <-done:
			ended++
			if f.err == nil {
				s.settle(stop, f.at, ended, done)
				f.resp.Attempts = r.Attempts()
				return f.resp, nil // whose context ends with the client's
			}
			stop[f.at](nil)
			if last = f.err; ctx.Err() != nil {
				s.settle(stop, -1, ended, done)
				return nil, last
			}
			if over = over || !llm.AsError(last).Retryable(); len(stop) < ready && !over {
				start()
			}
		}
	}
}

// settle cancels all but the winner, and ends what they may still begin.
func (s Race) settle(stop []context.CancelCauseFunc, winner, ended int, done <-chan finish) {
	for i, cancel := range stop {
		if i != winner {
			cancel(llm.ErrLost)
		}
	}
	left := len(stop) - ended
	s.beside(func() {
		for range left {
			if f := <-done; f.err == nil {
				_ = f.resp.Body.Close() // its row is finished by that
			}
		}
	})
}

func (s Race) beside(f func()) {
	if s.Go == nil {
		go f()
		return
	}
	s.Go(f)
}
