package upstream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"keytray/proxy/llm"
	"keytray/proxy/proxytest"
)

func get(n *Network, url string) error {
	req, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := n.RoundTrip(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}

// Promise 6: no byte leaves for a host that is not a configured provider's.
func TestOnlyConfiguredHostsAreCalled(t *testing.T) {
	server := proxytest.Start(t, proxytest.New())
	host := strings.TrimPrefix(server.URL, "http://")
	_, port, err := net.SplitHostPort(host)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		allow []string
		url   string
		want  error
	}{
		"nothing is":          {nil, server.URL, errHost},
		"host and port":       {[]string{host}, server.URL, nil},
		"any port of a host":  {[]string{"127.0.0.1"}, server.URL, nil},
		"capitals":            {[]string{"LOCALHOST:" + port}, "http://LocalHost:" + port, nil},
		"another port":        {[]string{"127.0.0.1:1"}, server.URL, errHost},
		"another name":        {[]string{host}, "http://localhost:" + port, errHost},
		"a longer name":       {[]string{"example.com"}, "http://example.com.evil.test/", errHost},
		"a name as user info": {[]string{"example.com"}, "http://example.com@evil.test/", errHost},
		"a subdomain":         {[]string{"example.com"}, "http://a.example.com/", errHost},
	} {
		n := NewNetwork()
		n.Allow(c.allow)
		if err := get(n, c.url); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
		if refused := c.want != nil; refused && n.Dials() != 0 {
			t.Errorf("%s: %d dials", name, n.Dials())
		}
		n.Close()
	}
}

func TestAllowReplacesTheHosts(t *testing.T) {
	server := proxytest.Start(t, proxytest.New())
	n := NewNetwork()
	defer n.Close()
	n.Allow([]string{strings.TrimPrefix(server.URL, "http://")})
	if err := get(n, server.URL); err != nil {
		t.Fatal(err)
	}
	n.Allow([]string{"example.com"})
	if err := get(n, server.URL); !errors.Is(err, errHost) {
		t.Errorf("a connection that is open was used: %v", err)
	}
}

// Offline, this computer alone may be called, by its address or as localhost.
func TestOffline(t *testing.T) {
	server := proxytest.Start(t, proxytest.New())
	n := NewNetwork()
	defer n.Close()
	n.SetOffline(true)
	if !n.Offline() {
		t.Error("not offline")
	}
	host := strings.TrimPrefix(server.URL, "http://")
	n.Allow([]string{host, "198.51.100.7", "far.test", "127.0.0.1.far.test"})
	if err := get(n, server.URL); err != nil {
		t.Error(err)
	}
	before := n.Dials()
	for _, url := range []string{"http://198.51.100.7/", "http://far.test/", "http://127.0.0.1.far.test/"} {
		if err := get(n, url); !errors.Is(err, errOffline) {
			t.Errorf("%s: %v", url, err)
		}
	}
	if d := n.Dials() - before; d != 0 {
		t.Errorf("%d dials", d)
	}
	n.SetOffline(false)
	if n.Offline() {
		t.Error("still offline")
	}
}

// A loopback name that points elsewhere is stopped where its address is known.
func TestOfflineTheDialerRefusesAddresses(t *testing.T) {
	n := NewNetwork()
	n.SetOffline(true)
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	for _, addr := range []string{"198.51.100.7:80", "0.0.0.0:80", "[::ffff:198.51.100.7]:80", "[2001:db8::7]:80"} {
		c, err := n.dial(ctx, "tcp", addr)
		if err == nil {
			_ = c.Close()
		}
		if no6 := strings.HasPrefix(addr, "[2") && errors.Is(err, syscall.EAFNOSUPPORT); !errors.Is(err, errOffline) && !no6 {
			t.Errorf("%s: %v", addr, err)
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c, err := n.dial(t.Context(), "tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	_ = c.Close()
}

// The environment's proxy serves the providers, and nobody offline. The
// environment is read once in a process, so this test runs in one of its own.
func TestTheEnvironmentsProxy(t *testing.T) {
	const far = "http://far.test/v1/models"
	if os.Getenv("KEYTRAY_TEST_PROXY") != "" {
		n := NewNetwork()
		defer n.Close()
		n.Allow([]string{"far.test"})
		fmt.Println("online:", get(n, far))
		n.SetOffline(true)
		fmt.Println("offline:", get(n, far))
		if u, err := n.transport.Proxy(httptest.NewRequest(http.MethodGet, far, nil)); u != nil || err != nil {
			fmt.Println("offline, a proxy is named:", u, err)
		}
		return
	}
	p := proxytest.New()
	server := proxytest.Start(t, p)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, "-test.run", "^TestTheEnvironmentsProxy$", "-test.v")
	cmd.Env = append(os.Environ(), "KEYTRAY_TEST_PROXY=1", "HTTP_PROXY="+server.URL, "http_proxy="+server.URL, "NO_PROXY=", "no_proxy=")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if s := string(out); !strings.Contains(s, "online: <nil>") || !strings.Contains(s, "offline: "+errOffline.Error()) || strings.Contains(s, "named") {
		t.Errorf("%s", s)
	}
	if n := len(p.Requests()); n != 1 || p.Last().Host != "far.test" {
		t.Errorf("the proxy saw %d requests, want the one made online", n)
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	elsewhere := proxytest.New()
	to := proxytest.Start(t, elsewhere).URL
	for _, status := range []int{301, 302, 303, 307, 308} {
		l := start(t, proxytest.Script{Raw: &proxytest.Raw{Status: status, Header: http.Header{"Location": {to + "/v1/chat/completions"}}}})
		l.Network.Allow([]string{strings.TrimPrefix(to, "http://"), strings.TrimSuffix(strings.TrimPrefix(l.Base, "http://"), "/v1")})
		e := l.bad(t, t.Context(), request(t, false))
		if e.HTTPStatus() != http.StatusBadGateway || l.book.only(t).Status != status {
			t.Errorf("%d: %d %v", status, e.HTTPStatus(), e)
		}
	}
	if n := len(elsewhere.Requests()); n != 0 {
		t.Errorf("%d redirects were followed", n)
	}
}

func TestLoopbackHost(t *testing.T) {
	for host, want := range map[string]bool{
		"localhost": true, "LOCALHOST": true, "127.0.0.1": true, "127.9.8.7": true, "::1": true, "::ffff:127.0.0.1": true,
		"": false, "0.0.0.0": false, "::": false, "10.0.0.1": false, "127.0.0.1.far.test": false, "localhost.far.test": false,
		"2130706433": false, "0x7f000001": false, "127.1": false,
	} {
		if LoopbackHost(host) != want {
			t.Errorf("%q: %v", host, !want)
		}
	}
}

func TestExplain(t *testing.T) {
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	for name, c := range map[string]struct {
		ctx      context.Context
		base     string
		err      error
		kind     llm.ErrorKind
		status   int
		provider string
		says     string
	}{
		"cancelled":    {cancelled, "https://api.far.test/v1", errOffline, llm.Canceled, 499, "", "stopped"},
		"offline":      {t.Context(), "https://api.far.test/v1", fmt.Errorf("dial: %w", errOffline), llm.Forbidden, 403, "", "keytray use auto"},
		"no such host": {t.Context(), "https://api.far.test/v1", &net.OpError{Op: "dial", Err: &net.DNSError{Name: "api.far.test", IsNotFound: true}}, llm.Unreachable, 502, "far", "cannot find api.far.test"},
		"timeout":      {t.Context(), "https://api.far.test/v1", &net.OpError{Op: "dial", Err: os.ErrDeadlineExceeded}, llm.Timeout, 504, "far", "in time"},
		"reset":        {t.Context(), "https://api.far.test/v1?key=" + canary, fmt.Errorf("post https://api.far.test/v1?key="+canary+": %w", errors.New("reset by peer")), llm.Unreachable, 502, "far", "reset by peer"},
	} {
		e := Explain(c.ctx, "far", c.base, c.err)
		if e.Kind != c.kind || e.HTTPStatus() != c.status || e.Provider != c.provider || !strings.Contains(e.Message, c.says) || !errors.Is(e, c.err) || strings.Contains(e.Message, canary) {
			t.Errorf("%s: %s %d %q %q", name, e.Kind, e.HTTPStatus(), e.Provider, e.Message)
		}
	}
}
