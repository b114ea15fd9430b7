package proxy

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"keytray/proxy/llm"
)

// routeOllama serves Ollama's small endpoints: what is there, and what runs.
// What changes the user's Ollama goes to it, for callers with a token.
func (h *Handler) routeOllama() {
	in := inbound("ollama")
	serve := func(path string, f http.HandlerFunc, methods ...string) {
		h.router.Handle(path, h.guard(in, f)).Methods(methods...)
	}
	serve("/", h.running, http.MethodGet, http.MethodHead)
	h.router.Handle("/", h.guard(in, http.HandlerFunc(h.notFound)))
	serve("/api/version", h.version, http.MethodGet, http.MethodHead)
	serve("/api/tags", h.tags, http.MethodGet, http.MethodHead)
	serve("/api/show", h.show, http.MethodPost)
	serve("/api/ps", h.ps, http.MethodGet)
	serve("/api/pull", h.pull, http.MethodPost)
	for _, path := range []string{"/api/copy", "/api/create", "/api/push"} {
		serve(path, h.change, http.MethodPost)
	}
	serve("/api/delete", h.change, http.MethodDelete)
	serve("/api/blobs/{digest}", h.change, http.MethodPost, http.MethodHead)
}

// running is how clients of Ollama see whether it is there.
func (h *Handler) running(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = io.WriteString(w, "Ollama is running") // the client may be gone
}

const (
	// ollamaVersion is whose API is served here, where no Ollama says its own.
	ollamaVersion = "0.17.4"
	// soon is how long a question to Ollama may take that has an answer without it.
	soon = 2 * time.Second
)

// version is the real Ollama's, if it is one that clients accept. H4.
func (h *Handler) version(w http.ResponseWriter, r *http.Request) {
	var v struct {
		Version string `json:"version"`
	}
	if !h.asks(r, &v) || !recent(v.Version) {
		v.Version = ollamaVersion
	}
	h.json(w, inbound("ollama"), v)
}

// recent tells a version from 0.6.4 on. A build from source is 0.0.0.
func recent(version string) bool {
	for i, least := range []int{0, 6, 4} {
		parts := strings.SplitN(version, ".", 3)
		if i >= len(parts) {
			return false
		}
		digits := parts[i]
		if end := strings.IndexFunc(digits, func(c rune) bool { return c < '0' || c > '9' }); end >= 0 {
			digits = digits[:end] // of 1-rc2
		}
		n, err := strconv.Atoi(digits)
		if err != nil || n != least {
			return err == nil && n > least
		}
	}
	return true
}

// asks puts r's question to the real Ollama, and reads its answer into v.
func (h *Handler) asks(r *http.Request, v any) bool {
	ctx, cancel := context.WithTimeout(r.Context(), soon)
	defer cancel()
	get := r.Clone(ctx)
	get.Method, get.Body, get.ContentLength = http.MethodGet, http.NoBody, 0
	resp, err := h.Table().Ollama(get, who(r).localOnly)
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	return resp.StatusCode == http.StatusOK && json.NewDecoder(io.LimitReader(resp.Body, 8<<20)).Decode(v) == nil
}

// ps lists what is in the real Ollama's memory, of the models that the caller may
// ask for: nothing, where there is none.
func (h *Handler) ps(w http.ResponseWriter, r *http.Request) {
	list := struct {
		Models []json.RawMessage `json:"models"`
	}{}
	if !h.asks(r, &list) {
		list.Models = nil
	}
	tool, table := who(r).tool, h.Table()
	list.Models = slices.DeleteFunc(list.Models, func(m json.RawMessage) bool {
		var loaded struct{ Name, Model string }
		_ = json.Unmarshal(m, &loaded) // one without a name is nobody's
		return !table.May(tool, "ollama/"+cmp.Or(loaded.Name, loaded.Model))
	})
	if list.Models == nil {
		list.Models = []json.RawMessage{}
	}
	h.json(w, inbound("ollama"), list)
}

// pull of a model that a cloud serves is done at once; any other is Ollama's.
func (h *Handler) pull(w http.ResponseWriter, r *http.Request) {
	in := inbound("ollama")
	body, err := readBody(r, maxSmall)
	if err != nil {
		h.fail(w, in, err)
		return
	}
	var ask struct {
		Model, Name string
		Stream      *bool
	}
	_ = json.Unmarshal(body, &ask) // Ollama says what is wrong with it
	if ask.Model == "" {
		ask.Model = ask.Name
	}
	m, ok := lookup(h.listed(r), ask.Model)
	if !ok || m.Ollama != nil {
		h.changes(w, withBody(r, body), ask.Model)
		return
	}
	w.Header().Set("Content-Type", "application/x-ndjson")
	if ask.Stream != nil && !*ask.Stream {
		w.Header().Set("Content-Type", "application/json")
	}
	_, _ = io.WriteString(w, "{\"status\":\"success\"}\n") // the client may be gone
}

// maxSmall bounds the body of a call that only names a model.
const maxSmall = 1 << 20

// withBody is r with a body that was read, and unpacked, before.
func withBody(r *http.Request, body []byte) *http.Request {
	r = r.Clone(r.Context())
	r.Header.Del("Content-Encoding")
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	return r
}

// change passes a call on that changes what the user's Ollama holds, in ways that
// only a caller who may use all of it is free to: a copy can have any name.
func (h *Handler) change(w http.ResponseWriter, r *http.Request) { h.changes(w, r, "") }

// changes is change of a single model.
func (h *Handler) changes(w http.ResponseWriter, r *http.Request, model string) {
	in, c, table := inbound("ollama"), who(r), h.Table()
	switch {
	case c.localOnly:
		h.fail(w, in, &llm.Error{
			Kind: llm.Forbidden, Code: "token_needed",
			Message: "without a token the models in Ollama may be used but not changed: call Ollama itself, or send a token of Keytray's (`keytray token TOOL` makes one)",
		})
		return
	case !table.May(c.tool, "ollama/") && (model == "" || !table.May(c.tool, "ollama/"+model)):
		h.fail(w, in, &llm.Error{
			Kind: llm.Forbidden, Code: "model_not_allowed",
			Message: c.tool + " may use some models only, and so not change what Ollama holds: call Ollama itself, or allow it all of them (ollama/) with `keytray token " + c.tool + " --models`",
		})
		return
	}
	h.pass(w, r)
}

// pass gives the client the real Ollama's answer, byte for byte as it comes.
func (h *Handler) pass(w http.ResponseWriter, r *http.Request) {
	bothWays(w)
	resp, err := h.Table().Ollama(r, who(r).localOnly)
	if err != nil {
		h.fail(w, inbound("ollama"), err)
		return
	}
	defer resp.Body.Close()
	hd := w.Header()
	for _, k := range []string{"Content-Type", "Content-Length"} {
		if v := resp.Header[k]; v != nil {
			hd[k] = v
		}
	}
	w.WriteHeader(resp.StatusCode)
	out := &flushing{w: w, control: http.NewResponseController(w)}
	if _, err := io.Copy(out, resp.Body); err != nil && !out.gone {
		panic(http.ErrAbortHandler) // a cut answer never ends cleanly
	}
}
