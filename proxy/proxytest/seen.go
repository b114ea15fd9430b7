package proxytest

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"time"
)

// Seen is a request that a Provider got. The fields do not change after it was given out.
type Seen struct {
	Number  int // from 1, in the order of arrival
	Dialect Dialect
	Method  string
	Path    string
	Query   url.Values
	Header  http.Header
	Host    string
	Body    []byte // nil if the provider answers unread
	Model   string // from the body or the path
	Stream  bool   // whether a stream was asked for
	Key     string // the provider key, wherever the dialect puts it
	At      time.Time

	done chan struct{}

	mu    sync.Mutex
	sent  int
	gone  time.Time
	bills []Bill
	// between is the bills at the frames of a stream that is cut elsewhere.
	between []Bill
}

// Done is closed when the provider has finished with the request, in whatever way.
func (s *Seen) Done() <-chan struct{} { return s.done }

// Sent returns how many writes of the answer have been made.
func (s *Seen) Sent() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sent
}

// Cancelled returns when the client went away before the whole answer was written, if it did.
func (s *Seen) Cancelled() (at time.Time, yes bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.gone, !s.gone.IsZero()
}

// AwaitCancel waits until the provider has finished with the request, and fails if the client did not
// cancel it or the context ends first.
func (s *Seen) AwaitCancel(ctx context.Context) (at time.Time, err error) {
	select {
	case <-s.done:
	case <-ctx.Done():
		return time.Time{}, fmt.Errorf("wait for the client to cancel request %d: %w", s.Number, context.Cause(ctx))
	}
	at, yes := s.Cancelled()
	if !yes {
		return time.Time{}, fmt.Errorf("request %d was not cancelled: the answer was written to its end", s.Number)
	}
	return at, nil
}

func (s *Seen) wrote() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sent++
}

// lost notes that the client is gone, unless it is this server that ends.
func (s *Seen) lost(ctx context.Context) {
	if context.Cause(ctx) == errClosed {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gone = time.Now()
}
