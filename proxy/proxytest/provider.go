package proxytest

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"
)

// Provider is an http.Handler that answers as a provider of models, in whichever dialect it is asked. The
// zero Provider answers everything with a short text. Its fields are not to be changed once it serves; its
// methods may be called at any time.
type Provider struct {
	// Choose picks the script for a request; nil is the zero Script. It may be called from several
	// goroutines.
	Choose func(*Seen) Script
	// Key, if set, is the only key that the provider accepts, for lists of models too.
	Key string
	// Models are the names that a list of models has.
	Models []string
	// Unread makes the provider answer before it reads the request's body, as a fast refusal does. The
	// model and whether to stream are then unknown, and a client that goes away may stay unnoticed.
	Unread bool

	mu      sync.Mutex
	seen    []*Seen
	arrived chan struct{} // closed, and replaced, when a request arrives
}

// New returns a provider that plays the scripts in order, one for each answer asked for, and the last one
// again and again.
func New(scripts ...Script) *Provider {
	var mu sync.Mutex
	next := 0
	return &Provider{Choose: func(*Seen) Script {
		mu.Lock()
		defer mu.Unlock()
		if len(scripts) == 0 {
			return Script{}
		}
		s := scripts[min(next, len(scripts)-1)]
		next++
		return s
	}}
}

// Requests returns what has arrived so far, in order, lists of models included.
func (p *Provider) Requests() []*Seen {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.seen)
}

// Last returns the request that arrived last, or nil.
func (p *Provider) Last() *Seen {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.seen) == 0 {
		return nil
	}
	return p.seen[len(p.seen)-1]
}

// Await returns request number n (from 1) once it has arrived.
func (p *Provider) Await(ctx context.Context, n int) (*Seen, error) {
	for {
		p.mu.Lock()
		if len(p.seen) >= n {
			defer p.mu.Unlock()
			return p.seen[n-1], nil
		}
		if p.arrived == nil {
			p.arrived = make(chan struct{})
		}
		arrived := p.arrived
		p.mu.Unlock()
		select {
		case <-arrived:
		case <-ctx.Done():
			return nil, fmt.Errorf("wait for request %d to the test provider: %w", n, context.Cause(ctx))
		}
	}
}

// ServeHTTP answers a request and keeps it.
func (p *Provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	seen, what := p.see(r)
	if seen == nil {
		return // the client went before its body was read
	}
	defer close(seen.done)
	if p.Unread {
		// Else the answer would wait until the rest of the request is there.
		_ = http.NewResponseController(w).EnableFullDuplex() // only HTTP/1 knows it, and needs it
	}
	play(w, r, seen, p.script(seen, what))
}

// see reads the request and keeps it.
func (p *Provider) see(r *http.Request) (*Seen, call) {
	d, what, model, stream := route(r)
	s := &Seen{
		Dialect: d, Method: r.Method, Path: r.URL.Path, Query: r.URL.Query(), Header: r.Header.Clone(), Host: r.Host,
		Model: model, Stream: stream, Key: keyOf(d, r), At: time.Now(), done: make(chan struct{}),
	}
	if !p.Unread {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, what
		}
		s.Body = body
		s.readBody()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.seen = append(p.seen, s)
	s.Number = len(p.seen)
	if p.arrived != nil {
		close(p.arrived)
		p.arrived = nil
	}
	return s, what
}

// readBody takes the model and the wish for a stream from the body, where the path does not have them.
func (s *Seen) readBody() {
	var a asked
	if s.Dialect == Gemini || json.Unmarshal(s.Body, &a) != nil {
		return
	}
	if s.Model == "" {
		s.Model = a.Model
	}
	if a.Stream != nil {
		s.Stream = *a.Stream
	} else {
		s.Stream = s.Dialect == Ollama
	}
}

// script chooses what a request gets: the key and the path are looked at before Choose is asked.
func (p *Provider) script(seen *Seen, what call) Script {
	d := seen.Dialect
	if p.Key != "" && seen.Key != p.Key {
		if d == Gemini {
			return Script{Fail: &Fail{
				Status: http.StatusBadRequest, Message: "API key not valid. Please pass a valid API key.", Reason: "API_KEY_INVALID",
			}}
		}
		return Script{Fail: &Fail{Status: http.StatusUnauthorized}}
	}
	switch what {
	case callAnswer:
		if p.Choose == nil {
			return Script{}
		}
		return p.Choose(seen)
	case callUnknown:
		return Script{Fail: &Fail{Status: http.StatusNotFound, Message: "Not found: " + seen.Path}}
	default:
		return p.about(seen, what)
	}
}
