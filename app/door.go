package app

import (
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"keytray/proxy"
	"keytray/store/config"
)

func (a *App) checkToken(token string) (string, bool) {
	if a.isOwnToken(token) {
		return ownTool, true
	}
	if tool, ok := a.lentTo(token); ok {
		return tool, true
	}
	tool, ok := a.tokens.Check(token)
	if !ok {
		a.strange.came(time.Now())
		a.changed()
	}
	return tool, ok
}

func (a *App) withoutToken() proxy.Access {
	switch a.config.Current().WithoutToken {
	case config.TokenAny:
		return proxy.Any
	case config.TokenRefuse:
		return proxy.Refuse
	default:
		return proxy.Local
	}
}

func (a *App) originAllowed(origin string) bool {
	return slices.Contains(a.config.Current().Origins, origin)
}

// hostAllowed lets other machines in where the user listens beyond loopback:
// they call this one by the address it listens on.
func (a *App) hostAllowed(host string) bool {
	c := a.config.Current()
	if !c.ListenBeyondLoopback {
		return false
	}
	own, _, err := net.SplitHostPort(c.Listen) // an address, so that no name can be rebound to it
	if err != nil {
		return false
	}
	ip := net.ParseIP(own)
	everywhere := own == "" || ip != nil && ip.IsUnspecified()
	return own == host || host == "host.docker.internal" || everywhere && net.ParseIP(host) != nil
}

// ServeHTTP is the front door, with the few paths by which a second Keytray
// talks to the running one.
func (a *App) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !a.server.calls.join() {
		http.Error(w, errStopping.Error(), http.StatusServiceUnavailable)
		return
	}
	defer a.server.calls.leave()
	if strings.HasPrefix(r.URL.Path, controlPath) {
		a.control(w, r)
		return
	}
	a.door.ServeHTTP(w, r)
}
