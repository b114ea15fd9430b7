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

// drain is how long answers under way may take when Keytray stops.
const drain = 10 * time.Second

// serving is the listening half of an App.
type serving struct {
	mu   sync.Mutex
	on   string // the address asked for
	addr string // the address in use, with its port
	err  error  // why nothing listens
	http *http.Server
	done chan struct{}
	file string // where a second Keytray finds this one
}

// Start listens on the configured address and serves in the background. A taken
// port is an error that says what to do; the App stays usable, and Start may be
// called again.
func (a *App) Start() error {
	want := a.opt.Listen
	if want == "" {
		want = a.config.Current().Listen
	}
	s := &a.server
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.http != nil && s.on == want {
		return nil
	}
	l, err := net.Listen("tcp", want)
	if err != nil {
		s.err = listenError(want, err)
		if s.http != nil {
			s.err = fmt.Errorf("%w; still listening on %s", s.err, s.addr)
		}
		a.changed()
		return s.err
	}
	old, oldDone := s.http, s.done
	s.on, s.addr, s.err = want, l.Addr().String(), nil
	s.http = &http.Server{
		Handler:           a,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       5 * time.Minute,
		MaxHeaderBytes:    64 << 10,
	}
	server, done := s.http, make(chan struct{})
	s.done = done
	a.wait.Go(func() {
		defer close(done)
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			a.log.Error("the front door failed", "err", err)
		}
	})
	if err := a.announce(s.addr); err != nil {
		a.log.Warn("another Keytray may not find this one", "err", err)
	}
	if old != nil {
		// New settings run before the old ones stop.
		a.wait.Go(func() { shutdown(old, oldDone) })
	}
	a.changed()
	return nil
}

// relisten follows a changed listen address.
func (a *App) relisten() {
	a.server.mu.Lock()
	serves := a.server.http != nil || a.server.err != nil
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

func (s *serving) close() error {
	s.mu.Lock()
	server, done := s.http, s.done
	s.http, s.addr = nil, ""
	s.mu.Unlock()
	if server == nil {
		return nil
	}
	s.withdraw()
	shutdown(server, done)
	return nil
}

// shutdown lets answers end, for a while, and then cuts them: each still gets
// its row, as aborted.
func shutdown(server *http.Server, done <-chan struct{}) {
	ctx, cancel := context.WithTimeout(context.Background(), drain)
	defer cancel()
	if server.Shutdown(ctx) != nil {
		_ = server.Close() // nothing else can be done with it
	}
	<-done
}

func listenError(addr string, err error) error {
	switch {
	case errors.Is(err, errTaken):
		return fmt.Errorf("another program uses %s already: stop it, or choose another port under listen in config.yaml (or --listen 127.0.0.1:0 for any free one)", addr)
	case errors.Is(err, errForbidden):
		return fmt.Errorf("this user may not listen on %s: choose a port above 1023 under listen in config.yaml", addr)
	case errors.Is(err, errNotOurAddr):
		return fmt.Errorf("%s is no address of this computer: correct listen in config.yaml", addr)
	}
	return fmt.Errorf("listen on %s: %w", addr, err)
}
