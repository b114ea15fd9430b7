package ledger

import (
	"time"
	"unicode/utf8"
)

// Status says how an attempt stands or ended.
type Status string

const (
	StatusRunning     Status = "running"     // begun, not ended
	StatusOK          Status = "ok"          // the whole answer came
	StatusError       Status = "error"       // the provider or the way to it failed
	StatusAborted     Status = "aborted"     // the client went away
	StatusCut         Status = "cut"         // the answer stopped in the middle
	StatusInterrupted Status = "interrupted" // Keytray itself stopped; found at the next start
)

// failed reports whether the status counts as an error in sums. A client that goes away is no error.
func (s Status) failed() bool {
	return s == StatusError || s == StatusCut || s == StatusInterrupted
}

// CostKind says how much a cost can be trusted.
type CostKind string

const (
	CostExact     CostKind = "exact"     // reported usage times a known price
	CostStated    CostKind = "stated"    // the provider's own charge
	CostEstimated CostKind = "estimated" // from counts that the provider did not report
	CostAtLeast   CostKind = "at_least"  // a part of the usage has no known price
	CostUnpriced  CostKind = "unpriced"  // unknown; the cost is nil
)

// Role is the part that an attempt has in its request's answer.
type Role string

const (
	RoleAnswer Role = ""      // it answers, or was to
	RoleLost   Role = "lost"  // another was faster
	RolePart   Role = "part"  // its answer is one of several that were asked for
	RoleJudge  Role = "judge" // it judges answers
	RoleKept   Role = "kept"  // the cache answered, and nobody was called
)

// Usage counts tokens (and what else is billed) in buckets that never overlap, but for Reasoning, which is a part of Output. Counts
// are kept between 0 and a million million.
type Usage struct {
	Input        int64
	CacheRead    int64
	CacheWrite5m int64
	CacheWrite1h int64
	Output       int64
	Reasoning    int64

	AudioInput     int64
	AudioCacheRead int64
	AudioOutput    int64

	ImageInput     int64
	ImageCacheRead int64
	ImageOutput    int64

	Searches int64

	Images     int64
	Characters int64 // of text that was spoken
	AudioMS    int64 // milliseconds of sound that was heard
}

// Row is one attempt: one call of one model at one provider. It never holds any content of a prompt or an answer,
// nor a secret. Money is in pico-USD (1e-12 USD); nil means unknown.
type Row struct {
	ID        int64     // given by Begin, growing; a later row has a greater one whatever the clock says
	RequestID string    // the client's request, which may have several attempts
	Attempt   int       // 1 for the first attempt of the request
	Time      time.Time // start, UTC, kept to the microsecond

	Tool    string // who called
	Inbound string // the dialect it spoke
	Asked   string // the model as asked
	Route   string
	Role    Role   // in which part of the route it was asked
	Reason  string // why the route asked it, for people; cut like Error

	Provider string
	Model    string
	Key      string // the key's label, never the key

	Status     Status
	HTTPStatus int    // the provider's, 0 if it sent none
	Error      string // cut after 1,000 bytes
	Streamed   bool
	FirstByte  time.Duration // from start; -1 if no byte came
	Duration   time.Duration
	Lost       []string // what the translation could not carry

	Usage        Usage
	CostPico     *int64
	CostKind     CostKind
	StatedPico   *int64 // what the provider says it charges
	ComputedPico *int64 // what its price list says
	SavedPico    *int64 // what the usual way would have cost more; nil: nothing known
	Price        string // the price used, as JSON text
	// Was is what it was said to cost before it was priced anew, the first figure first; it is read, and never written.
	Was []Former

	// EstimateInput and EstimatePico are set at Begin, and used only if the process dies before Finish: they become
	// the row's input tokens and cost. They are read back for running rows alone.
	EstimateInput int64
	EstimatePico  *int64
}

const (
	errorLimit = 1000
	countLimit = 1_000_000_000_000 // so that no provider's nonsense makes a sum overflow
)

// normalise makes what a caller may leave open or get wrong definite, without losing the row.
func (r *Row) normalise(now func() time.Time) {
	if r.Time.IsZero() {
		r.Time = now()
	}
	r.Time = r.Time.UTC().Truncate(time.Microsecond)
	r.Attempt = max(r.Attempt, 1)
	// The wall clock may jump back between two readings; a time span never does.
	r.Duration = max(r.Duration, 0).Truncate(time.Microsecond)
	if r.FirstByte < 0 {
		r.FirstByte = -1
	} else {
		r.FirstByte = r.FirstByte.Truncate(time.Microsecond)
	}
	r.Error, r.Reason = shorten(r.Error), shorten(r.Reason)
	for _, n := range r.Usage.counts() {
		*n = min(max(*n, 0), countLimit)
	}
	r.EstimateInput = min(max(r.EstimateInput, 0), countLimit)
	switch {
	case r.CostPico == nil:
		r.CostKind = CostUnpriced
	case r.CostKind == "", r.CostKind == CostUnpriced:
		r.CostKind = CostEstimated // a cost of unknown origin claims no more than that
	}
}

func shorten(s string) string {
	if len(s) <= errorLimit {
		return s
	}
	cut := errorLimit
	for cut > errorLimit-utf8.UTFMax && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "…"
}

// interrupt turns a row that was found running into what is known of it.
func (r *Row) interrupt() {
	r.Status = StatusInterrupted
	r.Error = "Keytray stopped before the answer ended"
	r.FirstByte = -1
	r.Usage = Usage{Input: r.EstimateInput}
	switch {
	case r.EstimatePico != nil:
		r.CostPico, r.CostKind = r.EstimatePico, CostEstimated
	case r.CostPico != nil:
		r.CostKind = CostAtLeast
	default:
		r.CostKind = CostUnpriced
	}
}
