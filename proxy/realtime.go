package proxy

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/coder/websocket"

	"keytray/proxy/dialect/verbatim"
	"keytray/proxy/llm"
)

// Talker is a Target that can hold a session over a WebSocket. It calls accept
// once the provider has answered, with the subprotocol that it chose; an error
// means that accept was not called, or has failed.
type Talker interface {
	Talk(ctx context.Context, r *llm.Request, protocols []string, accept func(protocol string) (*websocket.Conn, error)) error
}

// keyProtocol is how browsers, which can set no header, send a key to OpenAI's
// Realtime API: as a subprotocol.
const keyProtocol = "openai-insecure-api-key."

// protocolKey is the token in a WebSocket's subprotocols, or "".
func protocolKey(r *http.Request) string {
	if len(r.Header["Sec-Websocket-Protocol"]) == 0 {
		return ""
	}
	for _, p := range subprotocols(r) {
		if key, ok := strings.CutPrefix(p, keyProtocol); ok {
			return key
		}
	}
	return ""
}

func subprotocols(r *http.Request) []string {
	var all []string
	for _, v := range r.Header["Sec-Websocket-Protocol"] {
		for p := range strings.SplitSeq(v, ",") {
			if p = strings.TrimSpace(p); p != "" {
				all = append(all, p)
			}
		}
	}
	return all
}

// realtime relays a session between the client's WebSocket and the provider's.
func (h *Handler) realtime(d verbatim.Dialect) http.Handler {
	return h.safely(d, func(w http.ResponseWriter, hr *http.Request, id string) {
		if !strings.EqualFold(hr.Header.Get("Upgrade"), "websocket") {
			h.fail(w, d, &llm.Error{Kind: llm.BadRequest, Status: http.StatusUpgradeRequired, Message: "realtime is a WebSocket: connect to it as ws://, with Upgrade: websocket"})
			return
		}
		c, _ := hr.Context().Value(callerKey{}).(caller)
		r := &llm.Request{
			ID: id, Tool: c.tool, LocalOnly: c.localOnly, Inbound: d, Header: hr.Header, Start: time.Now(),
			Method: hr.Method, Path: hr.URL.Path, Query: hr.URL.RawQuery,
			Peek: llm.Peek{Model: hr.URL.Query().Get("model"), Stream: true},
		}
		if r.Model == "" {
			h.fail(w, d, llm.Invalid("model", "model is missing: name it in the query, as in /v1/realtime?model=gpt-realtime"))
			return
		}
		target, err := h.Table().Target(r)
		if err != nil {
			h.fail(w, d, err)
			return
		}
		talker, ok := target.(Talker)
		if !ok {
			h.fail(w, d, llm.Invalid("model", "%s leads to several models, and a session can have only one; name that one", r.Model))
			return
		}
		var protocols []string
		for _, p := range subprotocols(hr) {
			if !strings.HasPrefix(p, keyProtocol) {
				protocols = append(protocols, p)
			}
		}
		accepted := false
		err = talker.Talk(hr.Context(), r, protocols, func(protocol string) (*websocket.Conn, error) {
			accepted = true
			o := &websocket.AcceptOptions{InsecureSkipVerify: true} // guard has looked at the origin
			if protocol != "" {
				o.Subprotocols = []string{protocol}
			}
			return websocket.Accept(w, hr, o)
		})
		if err != nil && !accepted {
			h.fail(w, d, err)
		}
	})
}
