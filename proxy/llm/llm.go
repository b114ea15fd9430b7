// Package llm is the vocabulary of the proxy: what a client asked, what a
// provider answers, and the two interfaces that stand between them.
//
// Start with three names. A [Request] is one client call, its bytes untouched.
// A [Target] answers it; a strategy is a Target made of Targets, and a leaf
// makes one HTTP call. A [Response] hands over the provider's bytes at once,
// and neutral [Events] only to whoever asks for them.
//
// The package translates nothing, opens no connection and holds no secret:
// dialects live in proxy/dialect, calls in proxy/upstream, keys in store/keys.
package llm

import (
	"context"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// A Target answers a request. A nil error means that a good answer has begun:
// the first good frame is in hand and the caller must close Response.Body.
// Do never changes the request, and several Targets may hold the same one.
// Cancelling ctx stops the provider. A failure is an [*Error], whose
// Retryable method tells whether another target may help.
type Target interface {
	Do(ctx context.Context, r *Request) (*Response, error)
}

// Request is one client call. It is immutable once handed to a Target.
type Request struct {
	ID      string  // Keytray's own id, sent back as Keytray-Request-Id
	Tool    string  // the local program, from its token
	Route   string  // the route or switch position that chose the target, if any
	Inbound Inbound // the dialect the client speaks
	// LocalOnly is set for callers without a token where the user lets them
	// use only what runs on this computer.
	LocalOnly bool
	Method    string      // "" is POST
	Path      string      // the client's, decoded, without a version prefix
	Query     string      // the client's, raw; it may hold the token
	Raw       []byte      // the client's body, byte for byte
	Rest      io.Reader   // what follows Raw of a body too large to read first; nil: nothing
	Header    http.Header // the client's headers; nil is allowed
	Start     time.Time   // when the call arrived

	Peek // what was read from the body without decoding it

	// Derived is set in a request that a strategy made; see [Request.Derive].
	Derived bool

	parent   *Request
	once     sync.Once
	prompt   *Prompt
	err      error
	attempts atomic.Int32
}

// Peek is what routing must know of a request, found by scanning the body.
type Peek struct {
	Model        string // as the client named it
	Stream       bool
	IncludeUsage bool // a stream's usage was asked for
	Counts       bool // only the size of the prompt is asked for: no answer, no cost
	// Form is which of its dialect's forms the client uses, in the dialect's
	// own word ("generate" of ollama); "" is the usual one.
	Form string

	// ModelAt is where the model's JSON string, quotes included, lies in the
	// body as [start, end); both are 0 where the body does not name the model.
	ModelAt [2]int
	// Outline is what else the scan found; nil: nothing is known.
	Outline *Outline
}

// Prompt decodes the request into its neutral form, once; later calls return
// the same value, which must not be changed. The error is an [*Error] that
// names the field at fault.
func (r *Request) Prompt() (*Prompt, error) {
	r.once.Do(func() { r.prompt, r.err = r.Inbound.DecodeRequest(r) })
	return r.prompt, r.err
}

// NextAttempt counts the calls made for this request: 1 for the first.
func (r *Request) NextAttempt() int { return int(r.root().attempts.Add(1)) }

// Attempts is how many calls have been made for this request so far.
func (r *Request) Attempts() int { return int(r.root().attempts.Load()) }

// Derive makes a request of a strategy's own for the same client call: p takes
// the place of what the client sent. It is always translated, and its calls
// count as r's.
func (r *Request) Derive(p *Prompt, stream bool) *Request {
	d := &Request{
		ID: r.ID, Tool: r.Tool, Route: r.Route, Inbound: r.Inbound, LocalOnly: r.LocalOnly,
		Header: r.Header, Start: r.Start, Peek: Peek{Model: r.Model, Stream: stream, IncludeUsage: true},
		Derived: true, parent: r.root(),
	}
	d.once.Do(func() { d.prompt = p })
	return d
}

func (r *Request) root() *Request {
	if r.parent != nil {
		return r.parent
	}
	return r
}
