package upstream

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"keytray/proxy/llm"
)

// Network is the only way out of the process: one pool of connections, and a
// guard at the dialer. It is safe for concurrent use.
type Network struct {
	transport *http.Transport
	allowed   atomic.Pointer[map[string]bool]
	offline   atomic.Bool
	dials     atomic.Int64
}

var (
	errOffline = errors.New("only this computer may be called while Keytray is offline")
	errHost    = errors.New("this host belongs to no configured provider")
)

// NewNetwork makes a network that reaches nothing yet; see Allow.
func NewNetwork() *Network {
	n := &Network{}
	n.Allow(nil)
	n.transport = &http.Transport{
		Proxy: func(r *http.Request) (*url.URL, error) {
			if n.offline.Load() {
				return nil, nil
			}
			return http.ProxyFromEnvironment(r)
		},
		DialContext:       n.dial,
		ForceAttemptHTTP2: true,
		// A laptop that slept, or changed its network, has connections that
		// nobody answers on.
		HTTP2:                 &http.HTTP2Config{SendPingTimeout: 15 * time.Second, PingTimeout: 10 * time.Second},
		DisableCompression:    true, // the provider's bytes are passed on as they are
		MaxIdleConns:          512,
		MaxIdleConnsPerHost:   128,
		IdleConnTimeout:       90 * time.Second,
		TLSHandshakeTimeout:   15 * time.Second,
		ResponseHeaderTimeout: 30 * time.Minute, // a model may think for long before it answers whole
		ReadBufferSize:        16 << 10,
		WriteBufferSize:       16 << 10,
	}
	return n
}

// Allow replaces the hosts, as host or host:port, that may be called.
func (n *Network) Allow(hosts []string) {
	m := make(map[string]bool, len(hosts))
	for _, h := range hosts {
		m[strings.ToLower(h)] = true
	}
	n.allowed.Store(&m)
}

// SetOffline lets only loopback be dialled. Connections that are open to
// other hosts and idle are closed.
func (n *Network) SetOffline(off bool) {
	n.offline.Store(off)
	if off {
		n.transport.CloseIdleConnections()
	}
}

// Offline tells whether only loopback may be dialled.
func (n *Network) Offline() bool { return n.offline.Load() }

// Dials is how many connections have been opened so far.
func (n *Network) Dials() int64 { return n.dials.Load() }

// RoundTrip sends one request and follows no redirect. The host must be
// allowed, and when offline must be loopback.
func (n *Network) RoundTrip(r *http.Request) (*http.Response, error) {
	allowed := *n.allowed.Load()
	if host := strings.ToLower(r.URL.Host); !allowed[host] && !allowed[strings.ToLower(r.URL.Hostname())] {
		return nil, fmt.Errorf("%w: %s", errHost, r.URL.Host)
	}
	return n.Visit(r)
}

// Visit is RoundTrip for a host that the user has named for this one call.
func (n *Network) Visit(r *http.Request) (*http.Response, error) {
	if n.offline.Load() && !LoopbackHost(r.URL.Hostname()) {
		return nil, errOffline
	}
	return n.transport.RoundTrip(r)
}

// Close drops idle connections.
func (n *Network) Close() { n.transport.CloseIdleConnections() }

func (n *Network) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	d := net.Dialer{Timeout: 15 * time.Second, KeepAlive: 30 * time.Second}
	d.Control = func(_, address string, _ syscall.RawConn) error {
		if !n.offline.Load() {
			return nil
		}
		// The address is resolved by now: a name that points elsewhere
		// cannot slip through.
		if ap, err := netip.ParseAddrPort(address); err != nil || !ap.Addr().Unmap().IsLoopback() {
			return errOffline
		}
		return nil
	}
	n.dials.Add(1)
	return d.DialContext(ctx, network, addr)
}

// LoopbackHost tells whether a host name or address is this computer's loopback.
func LoopbackHost(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.Unmap().IsLoopback()
}

// Explain says why no answer came from a provider, and what to do.
func Explain(ctx context.Context, provider, base string, err error) *llm.Error {
	e := &llm.Error{Kind: llm.Unreachable, Status: http.StatusBadGateway, Provider: provider, Cause: err}
	host := base
	if u, perr := url.Parse(base); perr == nil {
		host = u.Host
	}
	var dns *net.DNSError
	var timeout net.Error
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return &llm.Error{Kind: llm.Canceled, Message: "the client stopped the call", Cause: err}
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		e.Kind, e.Status, e.Message = llm.Timeout, http.StatusGatewayTimeout, host+" did not answer in time"
	case errors.Is(err, errOffline):
		e.Kind, e.Status = llm.Forbidden, http.StatusForbidden
		e.Provider, e.Message = "", "Keytray is offline, so "+host+" is not called; choose a local model, or another setting than Offline in the tray (keytray use auto)"
	case errors.Is(err, errHost):
		e.Kind, e.Status, e.Provider, e.Message = llm.Internal, 0, "", err.Error()
	case errors.As(err, &dns):
		e.Message = fmt.Sprintf("cannot find %s; check the network, or base_url of this provider", host)
	case refusedConnection(err) && LoopbackHost(hostname(host)):
		e.Message = fmt.Sprintf("nothing listens on %s; start it, or correct base_url of this provider", host)
	case errors.As(err, &timeout) && timeout.Timeout():
		e.Kind, e.Status, e.Message = llm.Timeout, http.StatusGatewayTimeout, host+" did not answer in time; try again later"
	default:
		e.Message = fmt.Sprintf("the connection to %s failed (%v); check the network and try again", host, reason(err))
	}
	return e
}

func hostname(hostport string) string {
	if h, _, err := net.SplitHostPort(hostport); err == nil {
		return h
	}
	return hostport
}

// reason is the innermost cause: addresses and URLs, which may carry a key in
// a query, are left out.
func reason(err error) error {
	for {
		next := errors.Unwrap(err)
		if next == nil {
			return err
		}
		err = next
	}
}
