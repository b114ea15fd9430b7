package ollama

import (
	"encoding/json"

	"keytray/proxy/dialect/field"
	"keytray/proxy/llm"
)

// DecodeRequest reads a client's body, of either form. Fields that a prompt
// cannot hold are in Prompt.Lost; a malformed one, or one whose loss would
// change the answer's meaning, is an [*llm.Error] that names it.
func (Dialect) DecodeRequest(r *llm.Request) (*llm.Prompt, error) {
	if !json.Valid(r.Raw) {
		return nil, unreadable(r.Raw)
	}
	d := reader{p: &llm.Prompt{}}
	visit := d.chat
	if r.Form == Generate {
		visit = d.generate
	}
	bad := field.Object("the request body", r.Raw, func(key string, v []byte) *llm.Error {
		if field.Null(v) {
			return nil
		}
		return visit(key, v)
	})
	if bad != nil {
		return nil, bad
	}
	if r.Form == Generate {
		d.endGenerate()
	}
	if len(d.p.System) == 0 && len(d.p.Messages) == 0 {
		return nil, llm.Invalid(subject(r.Form), "the request says nothing to the model: give it some text")
	}
	return d.p, nil
}

// reader holds what one field says of another.
type reader struct {
	p *llm.Prompt

	calls   []pending // of the last assistant message
	started bool      // some message other than a system message was read

	system, prompt string // of generate
	images         []llm.Block
}

// chat reads one field of a chat request.
func (d *reader) chat(key string, v []byte) *llm.Error {
	switch key {
	case "messages":
		return d.messages(v)
	case "tools":
		return field.Array(key, v, d.tool)
	}
	return d.either(key, v)
}

// generate reads one field of a generate request. What makes the text other
// than an answer to its prompt is refused.
func (d *reader) generate(key string, v []byte) (bad *llm.Error) {
	switch key {
	case "prompt":
		d.prompt, bad = field.String(key, v)
	case "system":
		d.system, bad = field.String(key, v)
	case "images":
		d.images, bad = images(key, v)
	case "suffix":
		if !empty(v) {
			return llm.Invalid(key, "suffix asks for the text between two others, which only a model in Ollama fills in: leave it out, or choose such a model")
		}
	case "raw":
		on, err := field.Bool(key, v)
		if on {
			return llm.Invalid(key, "raw sends the prompt without a template, which only Ollama can: leave it out, or choose a model in Ollama")
		}
		return err
	case "context":
		if !empty(v) {
			return llm.Invalid(key, "context holds an earlier answer in the tokens of the model in Ollama that gave it, which no other model reads: leave it out, and send the conversation to /api/chat")
		}
	case "template":
		if !empty(v) {
			d.p.Lose("template: this model has its own")
		}
	case "width", "height", "steps":
		if string(v) != "0" {
			d.p.Lose(key)
		}
	default:
		return d.either(key, v)
	}
	return bad
}

// endGenerate makes messages of a prompt.
func (d *reader) endGenerate() {
	if d.system != "" {
		d.p.System = []llm.Block{{Text: d.system}}
	}
	var blocks []llm.Block
	if d.prompt != "" {
		blocks = append(blocks, llm.Block{Text: d.prompt})
	}
	if blocks = append(blocks, d.images...); len(blocks) > 0 {
		d.p.Messages = []llm.Message{{Role: llm.User, Blocks: blocks}}
	}
}

// either reads a field that both forms have.
func (d *reader) either(key string, v []byte) *llm.Error {
	switch key {
	case "model", "stream":
	case "format":
		return d.format(v)
	case "options":
		return field.Object(key, v, d.option)
	case "think":
		return d.think(v)
	case "keep_alive":
		d.p.Lose("keep_alive: this model is not in Ollama's memory")
	case "truncate", "shift": // what is too long is an error elsewhere
		if string(v) != "true" {
			d.p.Lose(key)
		}
	case "logprobs":
		if string(v) != "false" {
			d.p.Lose(key)
		}
	case "top_logprobs":
		if string(v) != "0" {
			d.p.Lose(key)
		}
	case "_debug_render_only":
		if string(v) != "false" {
			return llm.Invalid(key, "%s asks for Ollama's template, which this model has none of: leave it out", key)
		}
	default:
		d.p.Lose(key)
	}
	return nil
}

// format is "json", a schema, or "" for text.
func (d *reader) format(v []byte) *llm.Error {
	switch {
	case string(v) == `""`:
	case string(v) == `"json"`:
		d.p.Format = llm.Format{Kind: llm.FormatJSON}
	case v[0] == '{':
		d.p.Format = llm.Format{Kind: llm.FormatSchema, Schema: v}
	default:
		return llm.Invalid("format", `format must be "json" or a JSON Schema object`)
	}
	return nil
}

// think is a bool or a level (api.ThinkValue); either asks for thoughts that
// are shown.
func (d *reader) think(v []byte) *llm.Error {
	r := &d.p.Reasoning
	asLiked, off := -1, 0
	switch string(v) {
	case "true":
		r.Budget, r.Show = &asLiked, "auto"
		return nil
	case "false", `"none"`:
		r.Budget = &off
		return nil
	case `""`:
		return nil
	}
	switch level := field.Unquote(v); level {
	case "minimal", "low", "medium", "high", "xhigh", "max":
		r.Effort, r.Show = level, "auto"
		return nil
	}
	return llm.Invalid("think", `think must be true, false, "low", "medium" or "high"`)
}

// tool reads one definition.
func (d *reader) tool(param string, v []byte) *llm.Error {
	var t llm.Tool
	bad := field.Object(param, v, func(key string, v []byte) *llm.Error {
		switch {
		case key == "type" && string(v) != `"function"` && !empty(v):
			return llm.Invalid(param+".type", `%s.type must be "function": Ollama has no other tools`, param)
		case key == "function":
			return field.Object(param+".function", v, func(key string, v []byte) (bad *llm.Error) {
				switch {
				case field.Null(v):
				case key == "name":
					t.Name, bad = field.String(param+".function.name", v)
				case key == "description":
					t.Description, bad = field.String(param+".function.description", v)
				case key == "parameters" && v[0] != '{':
					bad = llm.Invalid(param+".function.parameters", "%s.function.parameters must be a JSON Schema object, not %s", param, field.Kind(v))
				case key == "parameters":
					t.Schema = v
				case key == "strict":
					var strict bool
					strict, bad = field.Bool(param+".function.strict", v)
					t.Strict = &strict
				default:
					d.p.Lose("tools: " + key)
				}
				return bad
			})
		}
		return nil
	})
	if bad == nil && t.Name == "" {
		bad = llm.Invalid(param+".function.name", "%s.function.name is missing: name the function", param)
	}
	d.p.Tools = append(d.p.Tools, t)
	return bad
}
