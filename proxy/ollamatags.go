package proxy

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"keytray/proxy/llm"
)

// listed is api.ListModelResponse, of a model that is not in Ollama.
type listed struct {
	Name        string  `json:"name"`
	Model       string  `json:"model"`
	RemoteModel string  `json:"remote_model,omitempty"`
	RemoteHost  string  `json:"remote_host,omitempty"`
	ModifiedAt  string  `json:"modified_at"`
	Size        int64   `json:"size"`
	Digest      string  `json:"digest"`
	Details     details `json:"details"`
}

// details is api.ModelDetails.
type details struct {
	Parent       string   `json:"parent_model"`
	Format       string   `json:"format"`
	Family       string   `json:"family"`
	Families     []string `json:"families"`
	Parameters   string   `json:"parameter_size"`
	Quantization string   `json:"quantization_level"`
}

func detailsOf(m *Model) details { return details{Family: m.Owner, Families: []string{m.Owner}} }

// tags lists the models as Ollama does: its own in its own words, and others
// as it lists those of its cloud. H4.
func (h *Handler) tags(w http.ResponseWriter, r *http.Request) {
	list := struct {
		Models []any `json:"models"`
	}{shaped(h.listed(r), ollamaModel)}
	h.json(w, inbound("ollama"), list)
}

func ollamaModel(m Model) any {
	if m.Ollama != nil {
		return m.Ollama
	}
	sum := sha256.Sum256([]byte(m.ID))
	l := listed{
		Name: m.ID, Model: m.ID, ModifiedAt: day(m), Digest: hex.EncodeToString(sum[:]), Details: detailsOf(&m),
	}
	if m.Host != "" {
		l.RemoteModel, l.RemoteHost = m.own(), m.Host
	}
	return l
}

// lookup finds a model as Ollama's clients name it: by its id, or by its own
// name alone, with ":latest" or without.
func lookup(all []Model, name string) (Model, bool) {
	bare := strings.TrimSuffix(name, ":latest")
	for _, is := range []func(m *Model) bool{
		func(m *Model) bool { return m.ID == name },
		func(m *Model) bool { return strings.TrimSuffix(m.ID, ":latest") == bare },
		func(m *Model) bool { return m.own() == name },
		func(m *Model) bool { return strings.TrimSuffix(m.own(), ":latest") == bare },
	} {
		if i := slices.IndexFunc(all, func(m Model) bool { return is(&m) }); i >= 0 {
			return all[i], name != ""
		}
	}
	return Model{}, false
}

// shown is api.ShowResponse, of a model that is not in Ollama.
type shown struct {
	Modelfile    string         `json:"modelfile"`
	Parameters   string         `json:"parameters"`
	Template     string         `json:"template"`
	Details      details        `json:"details"`
	RemoteModel  string         `json:"remote_model,omitempty"`
	RemoteHost   string         `json:"remote_host,omitempty"`
	ModelInfo    map[string]any `json:"model_info"`
	Capabilities []string       `json:"capabilities"`
	ModifiedAt   string         `json:"modified_at"`
}

// show tells of one model: the real Ollama of its own, the catalog of others.
func (h *Handler) show(w http.ResponseWriter, r *http.Request) {
	in := inbound("ollama")
	body, err := readBody(r, maxSmall)
	if err != nil {
		h.fail(w, in, err)
		return
	}
	var ask struct{ Model, Name string }
	if err := json.Unmarshal(body, &ask); err != nil {
		h.fail(w, in, llm.Invalid("", "the request body cannot be read: %v", err))
		return
	}
	name := cmp.Or(ask.Model, ask.Name)
	if name == "" {
		h.fail(w, in, llm.Invalid("model", "model is required: name the model to show"))
		return
	}
	m, ok := lookup(h.listed(r), name)
	switch {
	case !ok:
		h.fail(w, in, &llm.Error{Kind: llm.NotFound, Code: "model_not_found", Message: "model '" + headerSafe(name) + "' not found"})
	case m.Ollama != nil:
		h.pass(w, withBody(r, renamed(body, m.own())))
	default:
		h.json(w, in, showModel(&m))
	}
}

// renamed is a body whose model is called as Ollama calls it.
func renamed(body []byte, name string) []byte {
	quoted, err := json.Marshal(name)
	if err != nil {
		return body
	}
	out := body
	_ = llm.Fields(body, func(key, v []byte, at int) bool { // it was read before
		if k := string(key); (k == "model" || k == "name") && len(v) > 2 {
			out = bytes.Join([][]byte{body[:at], quoted, body[at+len(v):]}, nil)
			return false
		}
		return true
	})
	return out
}

func showModel(m *Model) shown {
	s := shown{
		Modelfile: "# " + m.title() + ", through Keytray\nFROM " + m.ID + "\n",
		Details:   detailsOf(m), ModifiedAt: day(*m),
		ModelInfo:    map[string]any{"general.architecture": m.Owner, "general.basename": m.title()},
		Capabilities: []string{"completion"},
	}
	if m.Host != "" {
		s.RemoteModel, s.RemoteHost = m.own(), m.Host
	}
	if m.Context > 0 {
		s.ModelInfo[m.Owner+".context_length"] = m.Context
	}
	if !m.Flags.Has(llm.FlagNoTools) { // not known to take none
		s.Capabilities = append(s.Capabilities, "tools")
	}
	if m.Flags.Has(llm.FlagVision) {
		s.Capabilities = append(s.Capabilities, "vision")
	}
	if m.Flags.Has(llm.FlagReasoning) {
		s.Capabilities = append(s.Capabilities, "thinking")
	}
	return s
}
