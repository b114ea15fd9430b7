package app

import (
	"context"
	"encoding/json"
	"sync/atomic"
	"time"
)

// Strangers are calls with a token that nobody has: an old one, perhaps, or
// somebody who tries.
type Strangers struct {
	Count int64     `json:"count"` // since the start
	Last  time.Time `json:"last"`  // zero: none came
}

// strangers counts them.
type strangers struct {
	count atomic.Int64
	last  atomic.Int64 // Unix nanoseconds
}

func (s *strangers) came(now time.Time) {
	s.last.Store(now.UnixNano())
	s.count.Add(1)
}

func (s *strangers) now() Strangers {
	out := Strangers{Count: s.count.Load()}
	if out.Count > 0 {
		out.Last = time.Unix(0, s.last.Load())
	}
	return out
}

// RunningStrangers are those of the Keytray that runs in this folder, this one
// or another. Its error is fs.ErrNotExist if none runs.
func (a *App) RunningStrangers(ctx context.Context) (Strangers, error) {
	if a.opt.Serve {
		return a.strange.now(), nil
	}
	var s Strangers
	b, err := askRunning(ctx, a.runningFile(), "strangers")
	if err == nil {
		err = json.Unmarshal(b, &s)
	}
	return s, err
}
