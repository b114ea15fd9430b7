package config

import (
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

func (r *reader) listen(n *node, cfg *Config) {
	if n.kind == isNumber {
		r.add(n, "is a number where host:port is wanted", "such as "+DefaultListen)
		return
	}
	s, ok := r.text(n)
	if !ok {
		return
	}
	host, port, err := net.SplitHostPort(s)
	if err != nil || strings.ContainsAny(s, "/@") {
		r.add(n, "is not host:port", "such as "+DefaultListen)
		return
	}
	if port == "" || !goodPort(port) {
		r.add(n, "has a bad port", "ports go from 1 to 65535; serve --listen 127.0.0.1:0 takes any free one for one run")
		return
	}
	if host == "localhost" {
		cfg.Listen = s
		return
	}
	addr, err := netip.ParseAddr(host)
	if host != "" && err != nil {
		r.add(n, "has a host that is neither an address nor localhost", "such as "+DefaultListen)
		return
	}
	if !addr.IsLoopback() && !cfg.ListenBeyondLoopback {
		r.add(n, "can be reached from other machines", "listen on "+DefaultListen+
			", or add listen_beyond_loopback: true if others are meant to spend your money with a token")
		return
	}
	cfg.Listen = s
}

// goodPort accepts no port at all, too: a web address may leave it out.
func goodPort(s string) bool {
	if s == "" {
		return true
	}
	n, err := strconv.ParseUint(s, 10, 16)
	return err == nil && n > 0
}

var schemeForm = regexp.MustCompile(`^[a-z][a-z0-9+.-]*$`)

// origin reads what a browser sends as Origin (RFC 6454): scheme, host and perhaps a port, nothing more.
func (r *reader) origin(n *node) (string, bool) {
	s, ok := r.text(n)
	if !ok {
		return "", false
	}
	const hint = "write what the browser sends, such as https://app.example.com or http://localhost:3000"
	if strings.Contains(s, "*") {
		r.add(n, "would let any page call with your keys", "list each origin; "+hint)
		return "", false
	}
	scheme, rest, found := strings.Cut(s, "://")
	if !found || !schemeForm.MatchString(scheme) {
		r.add(n, "is not an origin", hint)
		return "", false
	}
	u, err := url.Parse(s)
	if err != nil || rest == "" || u.Host != rest || u.Hostname() == "" || !goodPort(u.Port()) || strings.HasSuffix(rest, ":") {
		r.add(n, "has more or less than a scheme, a host and a port", hint)
		return "", false
	}
	if strings.ToLower(s) != s {
		r.add(n, "has capital letters, which browsers never send", "write it in lower case")
		return "", false
	}
	return s, true
}
