package proxy

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"strings"

	"keytray/proxy/llm"
)

// caller is who is calling, found by guard.
type caller struct {
	tool      string
	localOnly bool
}

type callerKey struct{}

// guard lets a call through only if it was meant for this computer, comes from
// no foreign web page, and carries a token of ours or, where the user allows
// that, none. It reads nothing of the body.
func (h *Handler) guard(in llm.Inbound, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !h.hostAllowed(r.Host) {
			// A name that a hostile page has pointed at 127.0.0.1.
			h.fail(w, in, &llm.Error{Kind: llm.Forbidden, Code: "foreign_host", Message: "this Host is not Keytray's; call it as 127.0.0.1 or localhost"})
			return
		}
		if !h.originAllowed(w, r) {
			h.fail(w, in, &llm.Error{
				Kind: llm.Forbidden, Code: "foreign_origin",
				Message: "web pages may not call Keytray; an app you trust can be named under origins in config.yaml",
			})
			return
		}
		if r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != "" {
			w.WriteHeader(http.StatusNoContent) // an allowed origin's preflight
			return
		}
		c, err := h.identify(r)
		if err != nil {
			h.fail(w, in, err)
			return
		}
		if h.Paused != nil && h.Paused() {
			h.fail(w, in, &llm.Error{Kind: llm.Overloaded, Code: "paused", Message: "Keytray is paused; resume it from the tray or its window"})
			return
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), callerKey{}, c)))
	})
}

// identify finds the tool that a call's token belongs to.
func (h *Handler) identify(r *http.Request) (caller, *llm.Error) {
	sent := false
	for _, t := range [...]string{
		bearer(r.Header.Get("Authorization")), r.Header.Get("X-Api-Key"), r.Header.Get("X-Goog-Api-Key"), queryKey(r), protocolKey(r),
	} {
		if t == "" {
			continue
		}
		sent = true
		if tool, ok := h.Token(t); ok {
			return caller{tool: tool}, nil
		}
	}
	switch access := h.Without(); {
	case access == Any:
		return caller{tool: "unknown"}, nil
	case sent:
		return caller{}, &llm.Error{
			Kind: llm.Unauthorized, Code: "invalid_api_key",
			Message: "this is no token of Keytray's: make one with `keytray token TOOL` and give it to the tool as its API key (a provider's own key belongs in Keytray, not in the tool)",
		}
	case access == Local:
		return caller{tool: "unknown", localOnly: true}, nil
	default:
		return caller{}, &llm.Error{
			Kind: llm.Unauthorized, Code: "missing_api_key",
			Message: "Keytray needs a token: make one with `keytray token TOOL` and give it to the tool as its API key",
		}
	}
}

func bearer(v string) string {
	const prefix = "bearer "
	if len(v) > len(prefix) && strings.EqualFold(v[:len(prefix)], prefix) {
		return strings.TrimSpace(v[len(prefix):])
	}
	return ""
}

func queryKey(r *http.Request) string {
	if r.URL.RawQuery == "" {
		return ""
	}
	return r.URL.Query().Get("key")
}

// hostAllowed tells whether the Host header names this computer.
func (h *Handler) hostAllowed(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.ToLower(strings.TrimSuffix(strings.Trim(host, "[]"), "."))
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	if a, err := netip.ParseAddr(host); err == nil && a.Unmap().IsLoopback() {
		return true
	}
	return h.Host != nil && h.Host(host)
}

// originAllowed tells whether the call may come from where it comes, and tells
// an allowed origin so. Programs send no Origin; browsers do.
func (h *Handler) originAllowed(w http.ResponseWriter, r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if origin == "" {
		switch r.Header.Get("Sec-Fetch-Site") {
		case "cross-site", "same-site":
			return false
		}
		return true
	}
	if h.Origin == nil || !h.Origin(origin) {
		return false
	}
	hd := w.Header()
	hd.Set("Access-Control-Allow-Origin", origin)
	hd.Set("Access-Control-Allow-Headers", "*, Authorization")
	hd.Set("Access-Control-Allow-Methods", "GET, HEAD, POST, DELETE, OPTIONS")
	hd.Set("Access-Control-Expose-Headers", "Keytray-Request-Id, Keytray-Target, Keytray-Attempts, Keytray-Lost, Keytray-Why")
	hd.Add("Vary", "Origin")
	return true
}
