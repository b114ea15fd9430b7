package proxy

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"runtime/debug"
	"time"

	"keytray/proxy/llm"
)

// handle answers the calls of one dialect.
func (h *Handler) handle(in llm.Inbound) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, hr *http.Request) {
		start := time.Now()
		id := newID()
		w.Header()["Keytray-Request-Id"] = []string{id}
		out := &begun{ResponseWriter: w}
		w = out
		defer func() {
			if p := recover(); p != nil {
				if p == http.ErrAbortHandler {
					panic(p)
				}
				// The value may quote a request, so only its type is logged.
				h.Log.Error("a call failed inside Keytray", "request", id, "panic", fmt.Sprintf("%T", p), "stack", string(debug.Stack()))
				if out.yes {
					panic(http.ErrAbortHandler) // a cut answer never ends cleanly
				}
				h.fail(w, in, &llm.Error{Kind: llm.Internal, Message: "Keytray failed on this call; its log says where (request " + id + ")"})
			}
		}()
		c, _ := hr.Context().Value(callerKey{}).(caller)
		body, err := readBody(hr, h.MaxBody)
		if err != nil {
			h.fail(w, in, err)
			return
		}
		peek, err := in.Peek(hr, body)
		if err != nil {
			h.fail(w, in, err)
			return
		}
		r := &llm.Request{
			ID: id, Tool: c.tool, LocalOnly: c.localOnly, Inbound: in,
			Raw: body, Header: hr.Header, Start: start, Peek: peek,
		}
		target, err := h.Table().Target(r)
		if err != nil {
			h.fail(w, in, err)
			return
		}
		var keep *keeping
		if in.Name() == responsesName {
			if keep, err = h.begin(hr.Context(), r, target); err != nil {
				h.fail(w, in, err)
				return
			}
		}
		resp, err := target.Do(hr.Context(), r)
		if err != nil {
			w.Header()["Keytray-Attempts"] = []string{fmt.Sprint(r.Attempts())}
			h.fail(w, in, err)
			return
		}
		if keep != nil {
			w = keep.watch(w, resp)
		}
		h.relay(w, r, resp)
	})
}

func newID() string { return "kt-" + rand.Text()[:20] }

// begun knows whether an answer has begun.
type begun struct {
	http.ResponseWriter
	yes bool
}

func (b *begun) WriteHeader(status int) {
	b.yes = true
	b.ResponseWriter.WriteHeader(status)
}

func (b *begun) Write(p []byte) (int, error) {
	b.yes = true
	return b.ResponseWriter.Write(p)
}

// Unwrap is for http.ResponseController.
func (b *begun) Unwrap() http.ResponseWriter { return b.ResponseWriter }
