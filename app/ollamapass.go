package app

import (
	"io"
	"net/http"
	"time"

	"keytray/proxy/llm"
	"keytray/proxy/upstream"
	"keytray/store/config"
)

// Ollama sends r on to the user's Ollama, with the key that the user may have
// for it, but never for callers without a token. See proxy.Table.
func (t *table) Ollama(r *http.Request, localOnly bool) (*http.Response, error) {
	p, ok := t.catalog.Provider(ollamaProvider)
	if !ok || !t.usable[ollamaProvider] {
		return nil, &llm.Error{Kind: llm.Forbidden, Code: "provider_off", Message: "ollama is turned off; turn it on in the window or under providers in config.yaml"}
	}
	base := t.app.baseURL(p)
	here := isLoopback(base)
	signed := t.app.takesKey(p)
	switch {
	case localOnly && (!here || signed):
		return nil, &llm.Error{
			Kind: llm.Unauthorized, Code: "missing_api_key",
			Message: "this Ollama may not be used without a token: make one with `keytray token TOOL` and give it to the tool as its API key",
		}
	case t.config.Active == config.ActiveOffline && !here:
		return nil, &llm.Error{Kind: llm.Forbidden, Code: "offline", Message: "Keytray is offline, and Ollama is on another computer: switch with `keytray use auto`"}
	}
	req, err := http.NewRequestWithContext(r.Context(), r.Method, base+r.URL.EscapedPath(), r.Body)
	if err != nil {
		return nil, &llm.Error{Kind: llm.Internal, Message: "the base URL of ollama cannot be used: " + err.Error(), Cause: err}
	}
	req.ContentLength = r.ContentLength
	if r.ContentLength == 0 {
		req.Body = http.NoBody
	}
	req.Header = headers(p, t.config)
	for _, k := range []string{"Content-Type", "Content-Encoding", "Accept"} { // no token, no cookie
		if v := r.Header[k]; v != nil {
			req.Header[k] = v
		}
	}
	if signed {
		if _, err := t.app.signer(p)(r.Context(), req); err != nil {
			return nil, err
		}
	}
	resp, err := t.app.network.RoundTrip(req)
	if err != nil {
		return nil, upstream.Explain(r.Context(), ollamaProvider, base, err)
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		resp.Body = &changing{resp.Body, t.app.ollama}
	}
	return resp, nil
}

// changing is the answer to a call that may change what Ollama has: the list
// in memory is out of date before the client can know of it.
type changing struct {
	io.ReadCloser
	ollama *ollama
}

func (c *changing) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	c.ollama.forget()
	return n, err
}

// forget has the next caller ask for the models anew.
func (o *ollama) forget() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.changes++
	o.asked = time.Time{}
}
