package cli

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"keytray/store/keys"
)

// soon bounds every wait of a script.
const soon = 20 * time.Second

// world is what lives around one script.
type world struct {
	mu        sync.Mutex
	values    map[string]string // the keychain
	providers map[string]*fake
	running   map[string]*service
	pending   chan reply // of begin
}

type worldKey struct{}

func of(ts *testscript.TestScript) *world { return ts.Value(worldKey{}).(*world) }

func (w *world) end() {
	for _, s := range w.running {
		_ = s.cmd.Process.Kill()
		<-s.ended
	}
	for _, p := range w.providers {
		p.Close()
	}
}

// serveKeychain is a keychain that several processes share and no file holds.
func (w *world) serveKeychain() *httptest.Server {
	return httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.mu.Lock()
		defer w.mu.Unlock()
		account := r.URL.Query().Get("account")
		value, ok := w.values[account]
		switch {
		case r.Method == http.MethodPut:
			b, _ := io.ReadAll(r.Body)
			w.values[account] = string(b)
		case !ok:
			rw.WriteHeader(http.StatusNotFound)
		case r.Method == http.MethodDelete:
			delete(w.values, account)
		default:
			_, _ = io.WriteString(rw, value)
		}
	}))
}

// remoteKeychain is the other end of serveKeychain.
type remoteKeychain string

func (k remoteKeychain) Get(ctx context.Context, account string) (string, error) {
	return k.do(ctx, http.MethodGet, account, "")
}

func (k remoteKeychain) Set(ctx context.Context, account, value string) error {
	_, err := k.do(ctx, http.MethodPut, account, value)
	return err
}

func (k remoteKeychain) Delete(ctx context.Context, account string) error {
	_, err := k.do(ctx, http.MethodDelete, account, "")
	return err
}

func (k remoteKeychain) Place() string { return "in the test keyring" }

func (k remoteKeychain) do(ctx context.Context, method, account, value string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, method, string(k)+"?account="+url.QueryEscape(account), strings.NewReader(value))
	if err != nil {
		return "", err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if resp.StatusCode == http.StatusNotFound {
		return "", keys.ErrNotFound
	}
	return string(b), err
}

// service is a Keytray that runs beside the script.
type service struct {
	cmd   *exec.Cmd
	out   *watched
	log   *watched
	ended chan struct{}
	err   error
	asked bool // to end
}

// watched is output that can be waited for.
type watched struct {
	mu   sync.Mutex
	b    bytes.Buffer
	more chan struct{} // closed and made anew at each write
}

func (w *watched) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	close(w.more)
	w.more = make(chan struct{})
	return w.b.Write(p)
}

func (w *watched) now() (string, <-chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.b.String(), w.more
}

// find waits until the output matches.
func (w *watched) find(re *regexp.Regexp, ended <-chan struct{}) ([]string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), soon)
	defer cancel()
	for {
		text, more := w.now()
		if m := re.FindStringSubmatch(text); m != nil {
			return m, nil
		}
		select {
		case <-more:
		case <-ended:
			if text, _ := w.now(); !re.MatchString(text) {
				return nil, fmt.Errorf("it ended, and %q is not in %q", re, text)
			}
		case <-ctx.Done():
			return nil, fmt.Errorf("no %q in %q", re, text)
		}
	}
}

// start [-name NAME] ARGS... starts a Keytray and waits until serve or the window
// is ready. Of serve, the address comes to be $URL and $ADDR.
func start(ts *testscript.TestScript, neg bool, args []string) {
	w, name := of(ts), "serve"
	if len(args) > 1 && args[0] == "-name" {
		name, args = args[1], args[2:]
	}
	path := ""
	for _, dir := range strings.Split(ts.Getenv("PATH"), string(os.PathListSeparator)) {
		if p, err := exec.LookPath(dir + string(os.PathSeparator) + "keytray"); err == nil && path == "" {
			path = p
		}
	}
	cmd := exec.Command(path, args...)
	for _, k := range strings.Fields(ts.Getenv("PASS") + " PATH HOME TMPDIR SystemRoot KEYTRAY_HOME KEYTRAY_TOKEN OLLAMA_HOST TEST_KEYCHAIN TEST_SAID TEST_WINDOW TZ DISPLAY LAB_KEY OPENAI_API_KEY GORACE GOCOVERDIR") {
		if v := ts.Getenv(k); v != "" {
			cmd.Env = append(cmd.Env, k+"="+v)
		}
	}
	s := &service{
		cmd: cmd, ended: make(chan struct{}),
		out: &watched{more: make(chan struct{})}, log: &watched{more: make(chan struct{})},
	}
	cmd.Stdout, cmd.Stderr, cmd.Dir = s.out, s.log, ts.MkAbs(".")
	ts.Check(cmd.Start())
	go func() {
		s.err = cmd.Wait()
		close(s.ended)
	}()
	if w.running == nil {
		w.running = map[string]*service{}
	}
	w.running[name] = s
	switch {
	case len(args) > 0 && args[0] != "serve":
		return
	case len(args) == 0: // the window
		_, err := s.log.find(regexp.MustCompile(`window open\n`), s.ended)
		ts.Check(err)
		return
	}
	m, err := s.out.find(regexp.MustCompile(`^listening (http://(127\.0\.0\.1:\d+))\n`), s.ended)
	if err != nil {
		said, _ := s.log.now()
		ts.Fatalf("serve: %v\n%s", err, said)
	}
	ts.Setenv("URL", m[1])
	ts.Setenv("ADDR", m[2])
}

// logged [-name NAME] PATTERN waits until the log of a started Keytray matches.
func logged(ts *testscript.TestScript, _ bool, args []string) {
	name := "serve"
	if len(args) > 1 && args[0] == "-name" {
		name, args = args[1], args[2:]
	}
	s := of(ts).running[name]
	_, err := s.log.find(regexp.MustCompile(args[0]), s.ended)
	ts.Check(err)
}

// awaits -name NAME PATTERN waits until the output of a started one matches.
func awaits(ts *testscript.TestScript, _ bool, args []string) {
	s := of(ts).running[args[1]]
	_, err := s.out.find(regexp.MustCompile(args[2]), s.ended)
	ts.Check(err)
}

// signal asks serve to end, as a service manager would, and goes on.
func signalled(ts *testscript.TestScript, _ bool, _ []string) {
	s := of(ts).running["serve"]
	s.asked = true
	ts.Check(s.cmd.Process.Signal(syscall.SIGTERM))
}

// halt [-name NAME] asks a started Keytray to end, unless that was done, and
// wants code 0. Its output comes to be the script's.
func halt(ts *testscript.TestScript, _ bool, args []string) {
	w, name := of(ts), "serve"
	if len(args) > 1 && args[0] == "-name" {
		name = args[1]
	}
	s := w.running[name]
	delete(w.running, name)
	if !s.asked {
		ts.Check(s.cmd.Process.Signal(syscall.SIGTERM))
	}
	ctx, cancel := context.WithTimeout(context.Background(), soon)
	defer cancel()
	select {
	case <-s.ended:
	case <-ctx.Done():
		_ = s.cmd.Process.Kill()
		ts.Fatalf("it does not end")
	}
	out, _ := s.out.now()
	log, _ := s.log.now()
	_, _ = io.WriteString(ts.Stdout(), out)
	_, _ = io.WriteString(ts.Stderr(), log)
	if s.err != nil {
		ts.Fatalf("it ended with %v", s.err)
	}
}
