package app

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"keytray/proxy/upstream"
	"keytray/store/config"
)

// controlPath is where a second Keytray talks to the running one. It takes the
// proof of a secret that only this user can read from the running one's file.
const controlPath = "/keytray/"

// running is what the running Keytray writes down for a second one.
type running struct {
	Address string `json:"address"`
	Secret  string `json:"secret"`
	PID     int    `json:"pid"`
}

func (a *App) runningFile() string { return filepath.Join(a.paths.DataFolder, "running.json") }

// announce writes the file by which a second Keytray finds this one.
func (a *App) announce(addr string) error {
	r := running{addr, rand.Text(), os.Getpid()}
	b, err := json.Marshal(r)
	if err != nil {
		return err
	}
	a.changes.mu.Lock()
	a.controlSecret = r.Secret // before anybody can read it and ask
	a.changes.mu.Unlock()
	file := a.runningFile()
	// Written aside and renamed, so that nobody reads half of it.
	if err = os.WriteFile(file+".new", b, 0o600); err == nil {
		err = config.Rename(file+".new", file)
	}
	if err != nil {
		_ = os.Remove(file + ".new")
		_ = os.Remove(file) // of an address that is given up
		return fmt.Errorf("write %s: %w", file, err)
	}
	a.server.file = file
	return nil
}

func readRunning(file string) (running, error) {
	var r running
	b, err := os.ReadFile(file)
	if err != nil {
		return r, err
	}
	if err := json.Unmarshal(b, &r); err != nil {
		return r, fmt.Errorf("read %s: %w", file, err)
	}
	return r, nil
}

func (s *serving) withdraw() {
	if s.file != "" {
		_ = os.Remove(s.file) // a stale file is recognised: nobody answers
	}
}

// OnShow sets what happens when a second start asks this one to show itself.
func (a *App) OnShow(f func()) {
	a.changes.mu.Lock()
	defer a.changes.mu.Unlock()
	a.show = f
}

// control serves the running one's side.
func (a *App) control(w http.ResponseWriter, r *http.Request) {
	a.changes.mu.Lock()
	secret, show := a.controlSecret, a.show
	a.changes.mu.Unlock()
	nonce := r.Header.Get(nonceHeader)
	host, _, err := net.SplitHostPort(r.Host)
	if err != nil || !upstream.LoopbackHost(host) || r.Method != http.MethodPost || r.Header.Get("Origin") != "" ||
		!proved(r.Header, secret, askedHeader, questionOf(r), nonce) {
		http.Error(w, "forbidden", http.StatusForbidden)
		return
	}
	w.Header().Set(answeredHeader, prove(secret, answeredHeader, questionOf(r), nonce))
	switch r.URL.Path[len(controlPath):] {
	case "here": // the proof is all that is wanted
	case "strangers":
		_ = json.NewEncoder(w).Encode(a.strange.now()) // who asked has gone, or has it
		return
	case "holdings":
		_ = json.NewEncoder(w).Encode(a.holdings())
		return
	case "test":
		_ = json.NewEncoder(w).Encode(a.testFor(r))
		return
	case "reprice":
		a.repriceFor(w, r)
		return
	case "show":
		if show == nil {
			http.Error(w, "no window", http.StatusConflict)
			return
		}
		show()
	case "keys":
		a.loadKeys(r.Context())
	case "config":
		_ = a.config.Reload() // Status says what is wrong with it
	case "prices":
		a.takePrices()
	case "tokens":
		// Who asks may want to read when each was used last.
		if err := errors.Join(a.tokens.Reload(), a.tokens.Flush()); err != nil {
			a.log.Warn("tokens", "err", err)
		}
	default:
		http.NotFound(w, r)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// loadKeys reads the keychain anew, and waits for it a little: it may be
// locked.
func (a *App) loadKeys(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	loaded := make(chan struct{})
	runs := a.crew.Go(func() {
		defer close(loaded)
		if err := a.ring.Load(a.ctx); err != nil {
			a.log.Debug("the keychain cannot be read", "err", err) // Status says so
		}
		a.rebuild() // a host may have been confirmed, with no key changed
		a.changed()
	})
	if !runs {
		return // Keytray is stopping
	}
	select {
	case <-loaded:
	case <-ctx.Done():
	}
}

// tellOther lets a Keytray that runs beside this command take up a change of a
// file now. It would find it by itself within a second or so.
func (a *App) tellOther(ctx context.Context, what string) {
	if a.opt.Serve {
		return
	}
	if err := a.tell(ctx, what); err != nil {
		a.log.Debug("the running Keytray was not told", "what", what, "err", err)
	}
}

// errNoWindow is the running one's answer when it has no window to show.
var errNoWindow = errors.New("it runs without a window (keytray serve)")

// tell asks the running Keytray for something. fs.ErrNotExist: none runs.
func (a *App) tell(ctx context.Context, what string) error { return tell(ctx, a.runningFile(), what) }

func tell(ctx context.Context, file, what string) error {
	_, err := askRunning(ctx, file, what)
	return err
}

// askRunning is tell for what has an answer.
func askRunning(ctx context.Context, file, what string) ([]byte, error) {
	r, err := readRunning(file)
	if err != nil {
		return nil, err
	}
	return r.ask(ctx, what)
}

// ask gives the answer of the Keytray at r, within 3 s unless ctx says
// otherwise. Whatever else answers there is an impostor, and learns nothing.
func (r running) ask(ctx context.Context, what string) ([]byte, error) {
	if _, limited := ctx.Deadline(); !limited {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, 3*time.Second)
		defer cancel()
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+r.Address+controlPath+what, nil)
	if err != nil {
		return nil, err
	}
	nonce := rand.Text()
	req.Header.Set(nonceHeader, nonce)
	req.Header.Set(askedHeader, prove(r.Secret, askedHeader, questionOf(req), nonce))
	// Never through a proxy, since this is loopback, and never to where somebody points.
	client := &http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	resp, err := client.Do(req)
	var dial *net.OpError
	switch {
	case err == nil:
	case errors.Is(err, context.Canceled):
		return nil, err
	case errors.As(err, &dial) && dial.Op == "dial":
		return nil, fs.ErrNotExist // a file left behind by one that died
	default:
		return nil, impostor{r.Address, errors.Is(err, context.DeadlineExceeded)}
	}
	defer resp.Body.Close()
	if !proved(resp.Header, r.Secret, answeredHeader, questionOf(req), nonce) {
		return nil, impostor{address: r.Address}
	}
	switch resp.StatusCode {
	case http.StatusNoContent:
		return nil, nil
	case http.StatusOK:
		return io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	case http.StatusConflict:
		return nil, errNoWindow
	default:
		return nil, fmt.Errorf("the running Keytray answered %s", resp.Status)
	}
}

// ShowRunning asks the Keytray that runs in the same folder to show its window.
func ShowRunning(ctx context.Context, dataFolder string) error {
	return tell(ctx, filepath.Join(dataFolder, "running.json"), "show")
}
