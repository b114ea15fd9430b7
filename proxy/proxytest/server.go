package proxytest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"testing"
)

// errClosed is why requests end when their server is closed.
var errClosed = errors.New("the test server is closed")

// Server serves a handler on a loopback port.
type Server struct {
	URL string // http://127.0.0.1:PORT, without a slash at the end

	server  *http.Server
	end     context.CancelCauseFunc
	serving sync.WaitGroup

	mu     sync.Mutex
	idle   sync.Cond
	active int
	closed bool
}

// Start serves the handler on a free port until the test ends.
func Start(tb testing.TB, h http.Handler) *Server {
	tb.Helper()
	s, err := Listen("127.0.0.1:0", h)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(s.Close)
	return s
}

// Listen serves the handler on the address until Close.
func Listen(address string, h http.Handler) (*Server, error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("start the test server: %w", err)
	}
	ctx, end := context.WithCancelCause(context.Background())
	s := &Server{URL: "http://" + listener.Addr().String(), end: end}
	s.idle.L = &s.mu
	s.server = &http.Server{
		Handler:     s.counted(h),
		BaseContext: func(net.Listener) context.Context { return ctx },
	}
	s.serving.Go(func() { _ = s.server.Serve(listener) }) // returns ErrServerClosed
	return s, nil
}

// Close ends the requests that are being answered, and waits for their handlers.
func (s *Server) Close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.end(errClosed)
	_ = s.server.Close() // the listener and the connections; nothing that could be done about an error
	s.serving.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.active > 0 {
		s.idle.Wait()
	}
}

// counted lets Close know which handlers are at work.
func (s *Server) counted(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		if s.closed {
			s.mu.Unlock()
			return
		}
		s.active++
		s.mu.Unlock()
		defer func() {
			s.mu.Lock()
			s.active--
			s.idle.Broadcast()
			s.mu.Unlock()
		}()
		h.ServeHTTP(w, r)
	})
}
