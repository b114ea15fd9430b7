package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"keytray/proxy/proxytest"
)

const (
	frames = 200
	pace   = 10 * time.Millisecond
	token  = "kt-bench"
)

// serveProvider answers as cheaply as can be, each frame of a stream sent by
// itself: without a pause, but under /paced/v1 one every 10 ms. Chat is under
// /v1, messages under /a/v1, responses under /r/v1.
func serveProvider() error {
	fast := func(d proxytest.Dialect) *proxytest.Fast {
		f := proxytest.NewFast(d, frames)
		f.Flush = true
		return f
	}
	paced := proxytest.NewFast(proxytest.Chat, frames)
	paced.Every = pace
	mux := http.NewServeMux()
	mux.Handle("/v1/", fast(proxytest.Chat))
	mux.Handle("/paced/", paced)
	mux.Handle("/a/", fast(proxytest.Messages))
	mux.Handle("/r/", newCanned())
	return serve(mux)
}

// serveProxy is the plain reverse proxy that Keytray is measured against.
func serveProxy(to string) error {
	u, err := url.Parse(to)
	if err != nil {
		return err
	}
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConnsPerHost = 256
	t.DisableCompression = true
	p := &httputil.ReverseProxy{
		Rewrite:       func(r *httputil.ProxyRequest) { r.SetURL(u) },
		Transport:     t,
		FlushInterval: -1,
	}
	return serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// Read whole first: a provider that answers while the body is still
		// being sent would have its answer cut off by Go's transport.
		b := make([]byte, max(r.ContentLength, 0))
		if _, err := io.ReadFull(r.Body, b); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(b)), int64(len(b))
		p.ServeHTTP(w, r)
	}))
}

func serve(h http.Handler) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Printf("listening http://%s\n", l.Addr())
	return http.Serve(l, h)
}

// process is a started part.
type process struct {
	cmd *exec.Cmd
	url string
}

// parts are all that is measured.
type parts struct {
	provider, proxy, keytray *process
	home                     string
}

func startAll(keytray string) (*parts, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	t := &parts{}
	if t.provider, err = start(exec.Command(self, "-role", "provider")); err != nil {
		return nil, err
	}
	if t.proxy, err = start(exec.Command(self, "-role", "proxy", "-to", t.provider.url)); err != nil {
		return nil, err
	}
	if t.home, err = os.MkdirTemp("", "keytray-bench-"); err != nil {
		return nil, err
	}
	config := fmt.Sprintf(`providers:
  lab: {dialect: chat, base_url: %[1]s/v1, key_env: LAB_KEY, models: [m, n]}
  paced: {dialect: chat, base_url: %[1]s/paced/v1, key_env: LAB_KEY, models: [m]}
  other: {dialect: messages, base_url: %[1]s/a/v1, key_env: LAB_KEY, models: [m]}
  resp: {dialect: responses, base_url: %[1]s/r/v1, key_env: LAB_KEY, models: [m]}
routes:
  nested: {fallback: [{balance: [lab/m, {fastest: [lab/n, lab/m]}]}, other/m]}
  cached: {cache: lab/m}
`, t.provider.url)
	if err := os.WriteFile(filepath.Join(t.home, "config.yaml"), []byte(config), 0o600); err != nil {
		return nil, err
	}
	t.keytray, err = start(serveCommand(keytray, t.home))
	return t, err
}

// serveCommand is Keytray as a user has it, ledger and all, in a folder of its
// own and without the user's keychain.
func serveCommand(keytray, home string) *exec.Cmd {
	cmd := exec.Command(keytray, "serve", "--listen", "127.0.0.1:0")
	cmd.Env = []string{
		"KEYTRAY_HOME=" + home, "KEYTRAY_TOKEN=" + token, "LAB_KEY=sk-bench-0123456789abcdef",
		"OLLAMA_HOST=127.0.0.1:1", "HOME=" + home, "PATH=" + os.Getenv("PATH"),
	}
	return cmd
}

func start(cmd *exec.Cmd) (*process, error) {
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", cmd.Path, err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	u, ok := strings.CutPrefix(strings.TrimSpace(line), "listening ")
	if err != nil || !ok {
		_ = cmd.Process.Kill()
		return nil, fmt.Errorf("%s said %q instead of where it listens", cmd.Path, line)
	}
	return &process{cmd, u}, nil
}

func (p *process) stop() {
	if p != nil {
		_ = p.cmd.Process.Kill() // nothing is to be saved
		_ = p.cmd.Wait()
	}
}

// pin gives what is measured a processor to itself, as far as nothing else runs.
func (t *parts) pin() error {
	for pid, cpu := range map[int]string{
		t.keytray.cmd.Process.Pid: "0", t.proxy.cmd.Process.Pid: "0", t.provider.cmd.Process.Pid: "1", os.Getpid(): "1",
	} {
		if out, err := exec.Command("taskset", "-a", "-c", "-p", cpu, strconv.Itoa(pid)).CombinedOutput(); err != nil {
			return fmt.Errorf("taskset: %w: %s", err, out)
		}
	}
	return nil
}

func (t *parts) stop() {
	t.keytray.stop()
	t.proxy.stop()
	t.provider.stop()
	os.RemoveAll(t.home)
}
