package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"
)

// serving is the listening half of an App.
type serving struct {
	// drain is how long answers under way may take when Keytray stops; 0 is
	// 10 s. Tests shorten it.
	drain time.Duration
	calls crew // calls under way

	starts sync.Mutex // held while Start or close is at work
	closed bool
	file   string // where a second Keytray finds this one

	mu   sync.Mutex // guards what follows, and is never held for long
	on   string     // the address asked for
	addr string     // the address in use, with its port
	err  error      // why nothing listens there
	port *port
}

// port is one address that is served.
type port struct {
	http     *http.Server
	listener net.Listener
	done     chan struct{} // closed when nothing is accepted any more
	failed   func(error)   // told why, if nobody closed it
}

// errStopping is what Start says once Close has begun.
var errStopping = errors.New("this Keytray is stopping")

// Start listens on the configured address and serves in the background. A taken
// port is an error that says what to do; the App stays usable, and Start may be
// called again.
func (a *App) Start() error {
	want := a.opt.Listen
	if want == "" {
		want = a.config.Current().Listen
	}
	s := &a.server
	s.starts.Lock()
	defer s.starts.Unlock()
	if s.closed {
		return errStopping
	}
	s.mu.Lock()
	on, old := s.on, s.port
	s.mu.Unlock()
	if old != nil && on == want {
		a.listens(func() { s.err = nil }) // a move may have failed meanwhile
		return nil
	}
	l, err := listen(want, old)
	if err != nil {
		err = listenError(want, err)
		a.listens(func() {
			if s.err = err; s.port != nil {
				s.err = fmt.Errorf("%w; still listening on %s", err, s.addr)
			}
			err = s.err
		})
		return err
	}
	p := a.openPort(l)
	addr := l.Addr().String()
	if err := a.announce(loopback(addr)); err != nil {
		a.log.Warn("other commands do not find this Keytray until it is started again", "err", err)
	}
	a.listens(func() { s.on, s.addr, s.err, s.port = want, addr, nil, p })
	if old != nil {
		// New settings run before the old ones stop.
		a.crew.Go(func() { s.shut(old) })
	}
	return nil
}

// listens notes how the listening stands, and tells the faces.
func (a *App) listens(note func()) {
	a.server.mu.Lock()
	note()
	a.server.mu.Unlock()
	a.changed()
}

// listen takes an address. Keytray itself may be in the way: a move from
// 127.0.0.1:5397 to 0.0.0.0:5397 lets go of the port first, and takes it back
// if the move fails.
func listen(want string, old *port) (net.Listener, error) {
	l, err := net.Listen("tcp", want)
	if err == nil || old == nil || !inUse(err) {
		return l, err
	}
	before := old.listener.Addr().String()
	_, port, _ := net.SplitHostPort(want) // Listen has parsed it
	if _, own, _ := net.SplitHostPort(before); own != port {
		return nil, err
	}
	_ = old.listener.Close() // it can only be closed already
	<-old.done
	if l, err = net.Listen("tcp", want); err == nil {
		return l, nil
	}
	again, lost := net.Listen("tcp", before)
	if lost != nil {
		return nil, errors.Join(err, lost)
	}
	old.serve(again)
	return nil, err
}

// openPort serves what comes in at l.
func (a *App) openPort(l net.Listener) *port {
	p := &port{http: &http.Server{
		Handler:           a,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       5 * time.Minute,
		MaxHeaderBytes:    64 << 10,
	}}
	p.failed = func(err error) {
		a.log.Error("the front door failed", "err", err)
		a.listens(func() {
			if s := &a.server; s.port == p {
				s.port, s.addr, s.err = nil, "", fmt.Errorf("listening on %s has failed: %w; start Keytray again", s.on, err)
			}
		})
	}
	p.serve(l)
	return p
}

// serve accepts at l until l is closed; who closes it waits for done.
func (p *port) serve(l net.Listener) {
	done := make(chan struct{})
	p.listener, p.done = l, done
	go func() {
		defer close(done)
		if err := p.http.Serve(l); !errors.Is(err, http.ErrServerClosed) && !errors.Is(err, net.ErrClosed) {
			p.failed(err)
		}
	}()
}

// relisten follows a changed listen address.
func (a *App) relisten() {
	a.server.mu.Lock()
	serves := a.server.port != nil || a.server.err != nil
	a.server.mu.Unlock()
	if serves && a.opt.Listen == "" {
		if err := a.Start(); err != nil {
			a.log.Error("cannot listen", "err", err)
		}
	}
}

// Addr is the address in use, "" while nothing listens, and why.
func (a *App) Addr() (string, error) {
	a.server.mu.Lock()
	defer a.server.mu.Unlock()
	return a.server.addr, a.server.err
}

// close stops listening, for good, once answers under way have ended or been cut.
func (s *serving) close() {
	s.starts.Lock()
	defer s.starts.Unlock()
	s.closed = true
	s.mu.Lock()
	p := s.port
	s.port, s.addr = nil, ""
	s.mu.Unlock()
	if p != nil {
		s.withdraw()
		s.shut(p)
	}
}

// shut lets answers end, for a while, and then cuts them: each still gets its
// row, as aborted.
func (s *serving) shut(p *port) {
	limit := s.drain
	if limit == 0 {
		limit = 10 * time.Second
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	if p.http.Shutdown(ctx) != nil {
		_ = p.http.Close() // its calls end, as their clients are gone
	}
	<-p.done
}

func listenError(addr string, err error) error {
	switch {
	case inUse(err):
		return fmt.Errorf("another program uses %s already: stop it, or choose another port under listen in config.yaml (or --listen 127.0.0.1:0 for any free one)", addr)
	case errors.Is(err, errForbidden):
		return fmt.Errorf("this user may not listen on %s: choose a port above 1023 under listen in config.yaml", addr)
	case errors.Is(err, errNotOurAddr):
		return fmt.Errorf("%s is no address of this computer: correct listen in config.yaml", addr)
	}
	return fmt.Errorf("listen on %s: %w", addr, err)
}

func inUse(err error) bool {
	return errors.Is(err, errTaken)
}
