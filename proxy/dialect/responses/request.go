package responses

import (
	"strconv"

	"keytray/proxy/dialect/openai"
	"keytray/proxy/llm"
	"keytray/proxy/sse"
)

// EncodeRequest writes a prompt as a provider of this dialect reads it. The
// same prompt gives the same bytes, and schemas keep theirs (A17). Nothing is
// asked to be kept at the provider: its reasoning comes back encrypted, and
// goes to it again with the conversation.
func (Dialect) EncodeRequest(c *llm.Call, p *llm.Prompt) ([]byte, error) {
	for _, f := range p.Lost {
		c.Lose(f)
	}
	e := encoder{Request: openai.Request{Call: c, Prompt: p, Flags: c.Model.Flags}}
	if p.Embed != nil {
		return nil, llm.Invalid("model", "%s cannot make embeddings in this API: choose an embedding model", c.Model.Name)
	}
	if err := e.NameTools(); err != nil {
		return nil, err
	}
	e.custom, e.texts = map[string]bool{}, map[string]bool{}
	for i := range p.Tools {
		if t := &p.Tools[i]; t.Kind != llm.Hosted {
			e.custom[t.Name] = t.Kind == llm.Custom && !e.Flags.Has(llm.FlagNoCustomTools)
		}
	}
	e.Begin()
	if err := e.conversation(); err != nil {
		return nil, err
	}
	if err := e.tools(); err != nil {
		return nil, err
	}
	e.text()
	effort := e.Effort("reasoning effort")
	e.limits(effort)
	e.reasoning(effort)
	e.User()
	if p.CacheKey != "" {
		e.Str("prompt_cache_key", openai.Short(p.CacheKey, openai.MaxKey))
	}
	e.Tier()
	if c.Stream {
		e.Buf = append(e.Buf, `,"stream":true`...)
	}
	e.Buf = append(e.Buf, `,"store":false`...)
	if !e.Flags.Has(llm.FlagNoReasoning) {
		e.Buf = append(e.Buf, `,"include":["reasoning.encrypted_content"]`...)
	}
	return append(e.Buf, '}'), nil
}

// encoder writes one request.
type encoder struct {
	openai.Request
	wrote  bool            // some item is written
	custom map[string]bool // tools whose calls hold free text
	texts  map[string]bool // ids of such calls
}

// leastTokens is the least that OpenAI takes as max_output_tokens.
const leastTokens = 16

func (e *encoder) limits(effort string) {
	l := &e.Prompt.Limits
	if n, set := e.MaxTokens(); set {
		if n < leastTokens {
			e.Call.Lose("max_tokens: this API takes no less than " + strconv.Itoa(leastTokens))
			n = leastTokens
		}
		e.Int("max_output_tokens", int64(n))
	}
	e.Samplers(effort)
	for _, lost := range []struct {
		field string
		set   bool
	}{
		{"top_k", l.TopK != nil},
		{"stop", len(l.Stop) > 0},
		{"seed", l.Seed != nil},
		{"frequency_penalty", l.FrequencyPenalty != nil && *l.FrequencyPenalty != 0},
		{"presence_penalty", l.PresencePenalty != nil && *l.PresencePenalty != 0},
	} {
		if lost.set { // the API has no such field
			e.Call.Lose(lost.field)
		}
	}
}

// reasoning writes how much to think, and whether to show it.
func (e *encoder) reasoning(effort string) {
	show := e.Prompt.Reasoning.Show
	if show == "none" || e.Flags.Has(llm.FlagNoReasoning) {
		show = ""
	}
	if effort == "" && show == "" {
		return
	}
	e.Key("reasoning")
	e.Buf = append(e.Buf, '{')
	if effort != "" {
		e.Buf = sse.AppendString(append(e.Buf, `"effort":`...), effort)
	}
	if show != "" {
		if effort != "" {
			e.Buf = append(e.Buf, ',')
		}
		e.Buf = sse.AppendString(append(e.Buf, `"summary":`...), show)
	}
	e.Buf = append(e.Buf, '}')
}

// text writes the wanted format and length of the answer's text (F6).
func (e *encoder) text() {
	format, verbosity := e.Format(), e.Prompt.Verbosity
	if verbosity != "" && e.Flags.Has(llm.FlagNoReasoning) { // it takes medium alone
		e.Call.Lose("text.verbosity: this model takes none")
		verbosity = ""
	}
	if format == "" && verbosity == "" {
		return
	}
	e.Key("text")
	e.Buf = append(e.Buf, '{')
	switch format {
	case "json_object":
		e.Buf = append(e.Buf, `"format":{"type":"json_object"}`...)
	case "json_schema":
		e.Buf = append(e.Buf, `"format":{"type":"json_schema",`...)
		e.Schema()
		e.Buf = append(e.Buf, '}')
	}
	if verbosity != "" {
		if format != "" {
			e.Buf = append(e.Buf, ',')
		}
		e.Buf = sse.AppendString(append(e.Buf, `"verbosity":`...), verbosity)
	}
	e.Buf = append(e.Buf, '}')
}

func appendInt(dst []byte, n int64) []byte { return strconv.AppendInt(dst, n, 10) }
