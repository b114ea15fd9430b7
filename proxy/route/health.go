package route

import (
	"math"
	"sync"
	"time"

	"keytray/proxy/llm"
)

// Health remembers how calls of late went, by provider, key and model: who asked
// to be left alone and until when, who keeps failing, and how fast each model
// answers. It outlives changes of the settings. The zero value is ready, and its
// methods may be called at once from many goroutines.
type Health struct {
	mu    sync.Mutex
	state map[subject]*state
}

// subject is what a state is of: a provider, one of its keys ("" is all), and
// one of its models ("" is all).
type subject struct{ provider, key, model string }

type state struct {
	rest     time.Time     // not to be called before
	why      llm.ErrorKind // the failure that the rest is for
	since    time.Time     // when that was
	failures int           // in a row
	seen     time.Time

	first  float64 // seconds to the first good frame, decayed; 0: not measured
	speed  float64 // tokens of output a second after it, decayed; 0: not measured
	timing time.Time
}

const (
	manyFailures = 3 // in a row, until somebody is left alone
	firstRest    = 10 * time.Second
	longestRest  = 5 * time.Minute
	longestAsked = time.Hour // that a provider may ask for
	badKeyRest   = 5 * time.Minute
	limitRest    = 5 * time.Second // after a limit that names no time
	mostStates   = 4096
	// halfLife is after how long an older measurement counts half.
	halfLife = 10 * time.Minute
)

// Note takes in how an attempt ended.
func (h *Health) Note(a *llm.Attempt) {
	now := a.End
	model := subject{a.Provider, "", a.Model}
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case a.Outcome == llm.OK:
		for _, s := range []subject{{a.Provider, "", ""}, model, {a.Provider, a.Key, ""}, {a.Provider, a.Key, a.Model}} {
			if st := h.state[s]; st != nil && !a.Start.Before(st.since) { // else it says nothing of the time after
				st.failures, st.rest = 0, time.Time{}
			}
		}
		h.measure(h.of(model, now), a, now)
	case a.Err == nil, a.Err.Kind == llm.Canceled:
	default:
		h.failed(a, now)
	}
}

// failed finds out whose failure it was, and leaves them alone if need be.
func (h *Health) failed(a *llm.Attempt, now time.Time) {
	asked := min(a.Err.RetryAfter, longestAsked)
	rest := func(s subject, d time.Duration) { h.of(s, now).leave(a.Err.Kind, d, now) }
	switch a.Err.Kind {
	case llm.RateLimited:
		if asked == 0 {
			asked = limitRest
		}
		rest(subject{a.Provider, a.Key, a.Model}, asked)
	case llm.Unauthorized, llm.NoCredit:
		if a.Key == "" {
			return // no key was refused: there is none, and one may be added at any time
		}
		rest(subject{a.Provider, a.Key, ""}, max(asked, badKeyRest))
	case llm.Overloaded, llm.ServerError, llm.Timeout, llm.Cut, llm.Garbage:
		h.strike(subject{a.Provider, "", a.Model}, a.Err.Kind, asked, now)
	case llm.Unreachable:
		h.strike(subject{a.Provider, "", ""}, a.Err.Kind, asked, now)
	default: // the request's own fault, or nobody's
	}
}

// strike counts a failure; from the third on, each doubles the rest.
func (h *Health) strike(s subject, why llm.ErrorKind, asked time.Duration, now time.Time) {
	st := h.of(s, now)
	st.failures++
	d := asked
	if over := st.failures - manyFailures; over >= 0 {
		d = max(d, min(longestRest, firstRest<<min(over, 10)))
	}
	st.leave(why, d, now)
}

// leave has somebody left alone for a while, if they are not for longer already.
func (st *state) leave(why llm.ErrorKind, d time.Duration, now time.Time) {
	if d > 0 && now.Add(d).After(st.rest) {
		st.rest, st.why, st.since = now.Add(d), why, now
	}
}

// measure mixes an attempt's times into those before; old ones count less.
func (h *Health) measure(st *state, a *llm.Attempt, now time.Time) {
	if a.FirstByte.IsZero() || a.FirstByte.Before(a.Start) {
		return
	}
	old := 0.7 // of what is known, at least this much is kept from one call to the next
	if !st.timing.IsZero() {
		old *= math.Exp2(-float64(now.Sub(st.timing)) / float64(halfLife))
	}
	mix := func(to *float64, v float64) {
		if *to == 0 {
			*to = v
		} else {
			*to = old**to + (1-old)*v
		}
	}
	mix(&st.first, a.FirstByte.Sub(a.Start).Seconds())
	if took := a.End.Sub(a.FirstByte); a.Streamed && took > 50*time.Millisecond && a.Tally.Usage.Completion() > 0 {
		mix(&st.speed, float64(a.Tally.Usage.Completion())/took.Seconds())
	}
	st.timing = now
}

// of is the state of a subject, made if need be.
func (h *Health) of(s subject, now time.Time) *state {
	st := h.state[s]
	if st == nil {
		if h.state == nil {
			h.state = map[subject]*state{}
		}
		if len(h.state) >= mostStates {
			h.forget()
		}
		st = &state{}
		h.state[s] = st
	}
	st.seen = now
	return st
}

// forget drops the half that was not heard of for longest, roughly.
func (h *Health) forget() {
	var sum float64
	for _, st := range h.state {
		sum += float64(st.seen.Unix())
	}
	middle := int64(sum / float64(len(h.state)))
	for s, st := range h.state {
		if st.seen.Unix() <= middle {
			delete(h.state, s)
		}
	}
}

// Rest is for how long a model should not be called with a key; 0 is not at
// all. An empty key is any.
func (h *Health) Rest(provider, key, model string) time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.state) == 0 {
		return 0
	}
	var until time.Time
	for _, s := range [...]subject{{provider, "", ""}, {provider, "", model}, {provider, key, ""}, {provider, key, model}} {
		if st := h.state[s]; st != nil && st.rest.After(until) {
			until = st.rest
		}
	}
	if until.IsZero() {
		return 0
	}
	return max(0, time.Until(until))
}

// Resting is who is left alone, until when and why. An empty Key is all of the
// provider's, and an empty Model all of its models.
type Resting struct {
	Provider, Key, Model string
	Until                time.Time
	Why                  llm.ErrorKind
}

// Resting lists all that rest now, in no order.
func (h *Health) Resting(now time.Time) []Resting {
	h.mu.Lock()
	defer h.mu.Unlock()
	var out []Resting
	for s, st := range h.state {
		if st.rest.After(now) {
			out = append(out, Resting{s.provider, s.key, s.model, st.rest, st.why})
		}
	}
	return out
}

// Speed is how fast a model answered of late: the time to its first good frame,
// and tokens of output a second; 0 is not known.
func (h *Health) Speed(provider, model string) (first time.Duration, perSecond float64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	st := h.state[subject{provider, "", model}]
	if st == nil {
		return 0, 0
	}
	return time.Duration(st.first * float64(time.Second)), st.speed
}
