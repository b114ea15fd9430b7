package ollama

import (
	"bytes"
	"net/http"
	"strconv"
	"time"

	"keytray/proxy/dialect/field"
	"keytray/proxy/llm"
)

// Peek finds the model, the form and how the answer is wanted: as a stream,
// unless the client says otherwise. The error is an [*llm.Error] for the
// client.
func (Dialect) Peek(r *http.Request, body []byte) (llm.Peek, error) {
	p := llm.Peek{Stream: true, IncludeUsage: true}
	if r != nil {
		p.Form = form(r.URL.Path)
	}
	says := false
	var bad *llm.Error
	outline, err := llm.Scan(body, func(key, v []byte, at int) bool {
		switch field.Name(key) {
		case "model":
			if string(v) != `""` { // as good as none
				bad = field.Model(&p, v, at)
			}
		case "stream":
			if field.Null(v) {
				break
			}
			p.Stream, bad = field.Bool("stream", v)
		case subject(p.Form):
			says = !empty(v)
		}
		return bad == nil
	})
	switch {
	case err != nil:
		return llm.Peek{}, unreadable(body)
	case bad != nil:
		return llm.Peek{}, bad
	case p.Model == "":
		return llm.Peek{}, llm.Invalid("model", "model is required: name the model to use")
	}
	p.Outline = outline
	if !says {
		p.Stream = false // Ollama itself answers a load whole, whatever is asked for
	}
	return p, nil
}

// subject is the field that holds what the model is to answer.
func subject(form string) string {
	if form == Generate {
		return "prompt"
	}
	return "messages"
}

// Loads tells whether r says nothing to the model: Ollama's way to have it
// loaded into memory, or with a keep_alive of 0 out of it. why is what the
// answer's done_reason then is.
func Loads(r *llm.Request) (why llm.Why, ok bool) {
	if r.Inbound == nil || r.Inbound.Name() != name {
		return "", false
	}
	why, ok = load, true
	want := subject(r.Form)
	err := r.Fields(func(key, v []byte, _ int) bool {
		switch field.Name(key) {
		case want:
			ok = empty(v)
		case "keep_alive":
			if unloads(v) {
				why = unload
			}
		}
		return true
	})
	return why, ok && err == nil
}

// The done_reasons of a call that loads.
const (
	load   llm.Why = "load"
	unload llm.Why = "unload"
)

// unloads tells a keep_alive of zero: seconds, or a duration (api.Duration).
func unloads(v []byte) bool {
	if v[0] == '"' {
		d, err := time.ParseDuration(field.Unquote(v))
		return err == nil && d == 0
	}
	f, err := strconv.ParseFloat(string(v), 64)
	return err == nil && f == 0
}

// empty tells a value that says nothing.
func empty(v []byte) bool {
	if field.Null(v) || string(v) == `""` {
		return true
	}
	return len(v) > 1 && v[0] == '[' && len(bytes.TrimSpace(v[1:len(v)-1])) == 0
}

// unreadable says what is wrong with a body that is no JSON object.
func unreadable(body []byte) *llm.Error {
	if len(bytes.TrimSpace(body)) == 0 {
		return llm.Invalid("", "missing request body: send a JSON object") // in Ollama's words
	}
	return field.Unreadable(body)
}
