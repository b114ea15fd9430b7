package proxy

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/gorilla/mux"

	"keytray/proxy/llm"
)

// Model is an entry of the model list.
type Model struct {
	ID        string // as a client asks for it: provider/name, or a route's name
	Owner     string // who runs it
	Created   int64  // Unix seconds; 0 if unknown
	Name      string // for people; "" is the ID
	Context   int    // tokens of prompt and answer; 0 is unknown
	MaxOutput int    // tokens; 0 is unknown
	Flags     llm.Flags
	Local     bool   // called at an address of this computer, and not passed on from there
	Host      string // whose URL is called for it; "" of a route, and of what runs inside Keytray
	// Ollama is what the user's Ollama lists of a model of its own
	// (api.ListModelResponse); nil of all others.
	Ollama json.RawMessage
}

// own is the model's name without its owner's.
func (m *Model) own() string {
	if _, name, ok := strings.Cut(m.ID, "/"); ok {
		return name
	}
	return m.ID
}

// title is the model's name for people.
func (m *Model) title() string {
	if m.Name != "" {
		return m.Name
	}
	return m.ID
}

// A lister writes the model list, and one model, in one dialect's shape.
type lister struct {
	in   llm.Inbound
	list func(h *Handler, w http.ResponseWriter, r *http.Request, all []Model)
	one  func(m Model) any
}

// routeModels serves the model list. OpenAI's, Anthropic's and Google's
// clients ask for it at the same path, and are told apart by their headers.
func (h *Handler) routeModels() {
	const one = "/{id:.+}"
	google := lister{inbound("gemini"), (*Handler).listGoogle, googleModel}
	anthropic := lister{inbound("messages"), (*Handler).listAnthropic, anthropicModel}
	openAI := lister{inbounds[0], (*Handler).listOpenAI, openAIModel}
	for _, at := range []struct {
		path, header string
		lister
	}{
		{"/v1beta/models", "", google},
		{"/models", "X-Goog-Api-Key", google},
		{"/models", "Anthropic-Version", anthropic},
		{"/models", "", openAI},
	} {
		list := h.router.Handle(at.path, h.guard(at.in, h.models(at.lister))).Methods(http.MethodGet)
		single := h.router.Handle(at.path+one, h.guard(at.in, h.model(at.lister))).Methods(http.MethodGet)
		if at.header != "" {
			list.Headers(at.header, "")
			single.Headers(at.header, "")
		}
	}
}

// models lists what can be asked for.
func (h *Handler) models(l lister) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		l.list(h, w, r, h.listed(r))
	})
}

// model answers for one of them.
func (h *Handler) model(l lister) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := strings.TrimPrefix(mux.Vars(r)["id"], "models/")
		all := h.listed(r)
		if i := slices.IndexFunc(all, func(m Model) bool { return m.ID == id }); i >= 0 {
			h.json(w, l.in, l.one(all[i]))
			return
		}
		e := &llm.Error{Kind: llm.NotFound, Code: "model_not_found", Param: "model", Message: "no key of yours and no local model answers to " + id + "; GET /v1/models lists what does"}
		if c := who(r); !h.Table().May(c.tool, id) {
			e.Message = c.tool + " may not use " + id + "; GET /v1/models lists what it may use, and `keytray token " + c.tool + " --models` changes that"
		}
		h.fail(w, l.in, e)
	})
}

// listed are the models that a caller may ask for.
func (h *Handler) listed(r *http.Request) []Model {
	c := who(r)
	return h.Table().Models(c.tool, c.localOnly)
}

// who is the caller that guard found.
func who(r *http.Request) caller {
	c, _ := r.Context().Value(callerKey{}).(caller)
	return c
}

// modelObject is an entry of OpenAI's model list.
type modelObject struct {
	ID      string `json:"id"`
	Object  string `json:"object"`
	Created int64  `json:"created"`
	OwnedBy string `json:"owned_by"`
}

func openAIModel(m Model) any { return modelObject{m.ID, "model", m.Created, m.Owner} }

func (h *Handler) listOpenAI(w http.ResponseWriter, _ *http.Request, all []Model) {
	h.json(w, inbounds[0], struct {
		Object string `json:"object"`
		Data   []any  `json:"data"`
	}{"list", shaped(all, openAIModel)})
}

// shaped gives each model a dialect's shape.
func shaped(all []Model, one func(Model) any) []any {
	out := make([]any, 0, len(all))
	for _, m := range all {
		out = append(out, one(m))
	}
	return out
}

func (h *Handler) json(w http.ResponseWriter, in llm.Inbound, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		h.fail(w, in, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(b) // the client may be gone
}
