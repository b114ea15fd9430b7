package llm

import "time"

// Outcome is how an attempt ended.
type Outcome string

// The outcomes.
const (
	OK      Outcome = "ok"
	Failed  Outcome = "error"   // refused or broken, before or during the answer
	Aborted Outcome = "aborted" // the client stopped it
	Broken  Outcome = "cut"     // the provider stopped in mid-answer
)

// Attempt is one call of one leaf: what the ledger writes down.
type Attempt struct {
	Row      int64 // the ledger's id, set when the attempt was begun
	Request  *Request
	Number   int // within its request, from 1
	Provider string
	Model    string // the provider's own name for it
	Key      string // the key's label; never the key
	Streamed bool

	Start     time.Time
	FirstByte time.Time // zero: nothing came
	End       time.Time

	Outcome Outcome
	Status  int // HTTP status; 0: no answer
	Tally   Tally
	Err     *Error
	Lost    []string
	Note    Note // of the strategy that made the call
	// SentBytes is the size of the request body, to estimate what an answer
	// without usage cost.
	SentBytes int64
	// Unmetered is set where the sizes of request and answer say nothing of
	// the cost: what does not state its usage is then unpriced.
	Unmetered bool
	// Reserved is what the attempt was expected to cost when it began; it is set
	// by who keeps the budgets.
	Reserved Pico
}
