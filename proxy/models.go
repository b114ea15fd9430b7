package proxy

import (
	"encoding/json"
	"net/http"

	"github.com/gorilla/mux"

	"keytray/proxy/llm"
)

// modelObject is an entry of OpenAI's model list.
type modelObject struct {
	ID      string `json:"id"`
	Object  string `json:"object"`
	Created int64  `json:"created"`
	OwnedBy string `json:"owned_by"`
}

func object(m Model) modelObject { return modelObject{m.ID, "model", m.Created, m.Owner} }

// models lists what can be asked for.
func (h *Handler) models(w http.ResponseWriter, r *http.Request) {
	c, _ := r.Context().Value(callerKey{}).(caller)
	list := struct {
		Object string        `json:"object"`
		Data   []modelObject `json:"data"`
	}{"list", []modelObject{}}
	for _, m := range h.Table().Models(c.localOnly) {
		list.Data = append(list.Data, object(m))
	}
	h.json(w, list)
}

// model answers for one of them.
func (h *Handler) model(w http.ResponseWriter, r *http.Request) {
	c, _ := r.Context().Value(callerKey{}).(caller)
	id := mux.Vars(r)["id"]
	for _, m := range h.Table().Models(c.localOnly) {
		if m.ID == id {
			h.json(w, object(m))
			return
		}
	}
	h.fail(w, inbounds[0], &llm.Error{Kind: llm.NotFound, Code: "model_not_found", Param: "model", Message: "no key of yours and no local model answers to " + id + "; GET /v1/models lists what does"})
}

func (h *Handler) json(w http.ResponseWriter, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		h.fail(w, inbounds[0], err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(b) // the client may be gone
}
