// Package proxy is the front door: the HTTP handler that local tools talk to.
//
// A call passes guard (who is calling, and from where), handle (which model,
// which target) and relay (the answer, as bytes where dialects match and as
// translated events where they do not). The package holds no key and knows no
// provider: [Table] answers for both.
package proxy

import (
	"log/slog"
	"net/http"
	"net/url"
	"path"
	"strings"

	"github.com/gorilla/mux"

	"keytray/proxy/llm"
)

// Table says who answers. It is immutable: a change of settings makes a new
// one, and a call uses the one it started with.
type Table interface {
	// Target finds who answers r, by r.Model. The error is an *llm.Error
	// that tells the client what it may ask for instead.
	Target(r *llm.Request) (llm.Target, error)
	// Models lists what a tool may ask for, in a sensible order.
	Models(tool string, localOnly bool) []Model
	// May tells whether a tool may ask for a model by that name. PROVIDER/ is
	// all that a provider has.
	May(tool, model string) bool
	// Ollama sends r to the user's own Ollama: its method, path, body, and of
	// its header what says what the body is. The caller closes the answer's
	// body. The error is an *llm.Error.
	Ollama(r *http.Request, localOnly bool) (*http.Response, error)
}

// Access is what a caller without a token may use.
type Access uint8

// The kinds of access.
const (
	Refuse Access = iota // nothing
	Local                // models that run on this computer and need no key
	Any                  // everything
)

// Options are what the front door needs to know. Token, Table and Without must
// be set; all functions may be called at once from many goroutines.
type Options struct {
	Table   func() Table
	Token   func(token string) (tool string, ok bool)
	Without func() Access
	// Origin tells whether a web page of this origin may call; nil: none may.
	Origin func(origin string) bool
	// Host tells whether a name other than loopback's may stand in the Host
	// header; nil: none may.
	Host func(host string) bool
	// Paused tells whether the user has paused Keytray; nil: never.
	Paused func() bool
	// KeepResponses tells whether answers of the responses dialect are kept in
	// memory, to be continued and fetched again; nil: they are not.
	KeepResponses func() bool
	// MaxBody bounds a request, in bytes, unpacked; 0 is 128 MiB.
	MaxBody int64
	// Log gets what goes wrong, never content or keys; nil: nowhere.
	Log *slog.Logger
}

// Handler is the front door. Make it with New.
type Handler struct {
	Options
	router  *mux.Router
	kept    *shelf // answers of the responses dialect
	sockets sockets
}

// New builds the handler. Who stops serving calls its Close.
func New(o Options) *Handler {
	if o.MaxBody == 0 {
		o.MaxBody = 128 << 20
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	h := &Handler{Options: o, router: mux.NewRouter(), kept: newResponses()}
	for _, in := range inbounds {
		for _, p := range in.Patterns() {
			h.router.Handle(p.Path, h.guard(in, h.handle(in))).Methods(p.Method)
		}
		if in.Name() == responsesName {
			h.keptRoutes(in)
		}
	}
	h.routePassed(h.router)
	h.routeModels()
	h.routeOllama()
	first := inbounds[0]
	h.router.HandleFunc("/healthz", h.health).Methods(http.MethodGet, http.MethodHead)
	h.router.NotFoundHandler = h.guard(first, http.HandlerFunc(h.notFound))
	h.router.MethodNotAllowedHandler = h.guard(first, http.HandlerFunc(h.wrongMethod))
	return h
}

// ServeHTTP answers one call. The path's /v1 may be missing or doubled, and its
// slashes too: base URLs are typed by hand.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r.URL.Path, r.URL.RawPath = bare(r.URL.Path), ""
	h.router.ServeHTTP(w, r)
}

// bare is a path without /v1 and without slashes that say nothing. The router
// would redirect to the path without those, and clients turn a redirected POST
// into a GET.
func bare(p string) string {
	if !strings.HasPrefix(p, "/") {
		p = "/" + p
	}
	p = path.Clean(p)
	for p == "/v1" || strings.HasPrefix(p, "/v1/") {
		p = p[len("/v1"):]
	}
	if p == "" {
		return "/"
	}
	return p
}

func (h *Handler) health(w http.ResponseWriter, r *http.Request) {
	if !h.hostAllowed(r.Host) || !h.originAllowed(w, r) {
		w.WriteHeader(http.StatusForbidden)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.Write([]byte("ok\n")) // the caller may be gone; nothing to do then
}

func (h *Handler) notFound(w http.ResponseWriter, r *http.Request) {
	h.fail(w, near(r), &llm.Error{
		Kind: llm.NotFound, Code: "unknown_url",
		Message: "Keytray serves no " + asked(r) + "; it serves " + served() + ". Check the tool's base URL",
	})
}

// near is the dialect that a path of no dialect's comes closest to.
func near(r *http.Request) llm.Inbound {
	if strings.HasPrefix(r.URL.Path, "/api/") {
		return inbound("ollama")
	}
	return inbounds[0]
}

// inbound is the dialect of that name, or the first one.
func inbound(name string) llm.Inbound {
	for _, in := range inbounds {
		if in.Name() == name {
			return in
		}
	}
	return inbounds[0]
}

// asked is the path as the client wrote it, before bare; never its query, which
// may hold a token.
func asked(r *http.Request) string {
	u, err := url.ParseRequestURI(r.RequestURI)
	if err != nil || u.Path == "" || len(u.Path) > 200 {
		return r.URL.Path
	}
	return u.Path
}

func (h *Handler) wrongMethod(w http.ResponseWriter, r *http.Request) {
	h.fail(w, near(r), &llm.Error{
		Kind: llm.BadRequest, Status: http.StatusMethodNotAllowed, Code: "method_not_allowed",
		Message: r.Method + " is not a method of " + asked(r) + "; Keytray serves " + served(),
	})
}

// served names the endpoints, for error messages.
func served() string {
	plain := strings.NewReplacer("{model:.+}", "MODEL", "{model:.+/.+}", "PUBLISHER/MODEL")
	var all []string
	for _, in := range inbounds {
		for _, p := range in.Patterns() {
			at := p.Path
			if !strings.HasPrefix(at, "/api/") && !strings.HasPrefix(at, "/v1") {
				at = "/v1" + at
			}
			all = append(all, p.Method+" "+plain.Replace(at))
		}
	}
	return strings.Join(append(all, "GET /v1/models", "and OpenAI's images, audio, moderations, rerank, files, batches and realtime, and /p/PROVIDER/ for anything else"), ", ")
}
