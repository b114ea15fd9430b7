package app

import (
	"net"
	"net/url"
	"strconv"
	"strings"
)

// ollamaHost reads OLLAMA_HOST as Ollama does (envconfig.Host): a host,
// host:port or URL, in quotes or not, whose port is 11434 unless there is a
// scheme. A server's "any address" is this computer for a client.
func ollamaHost(h string) string {
	h = strings.Trim(strings.TrimSpace(h), "\"'")
	scheme, rest, ok := strings.Cut(h, "://")
	port := "11434"
	switch {
	case !ok && h == "ollama.com":
		scheme, rest, port = "https", h, "443"
	case !ok:
		scheme, rest = "http", h
	case scheme == "http":
		port = "80"
	case scheme == "https":
		port = "443"
	default:
		return ollamaDefault // no client of Ollama can call it either
	}
	rest, path, _ := strings.Cut(rest, "/")
	host, own, err := net.SplitHostPort(rest)
	if err != nil {
		host = strings.Trim(rest, "[]")
	} else if n, err := strconv.ParseUint(own, 10, 16); err == nil {
		port = strconv.FormatUint(n, 10)
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	u := url.URL{Scheme: scheme, Host: net.JoinHostPort(host, port), Path: "/" + path}
	if u.Hostname() == "" || strings.ContainsAny(host, "/?#@ ") {
		return ollamaDefault
	}
	return strings.TrimRight(u.String(), "/")
}
