package responses

import (
	"encoding/json"
	"strconv"
	"strings"

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
	e := encoder{c: c, p: p, flags: c.Model.Flags}
	if p.Embed != nil {
		return nil, llm.Invalid("model", "%s cannot make embeddings in this API: choose an embedding model", c.Model.Name)
	}
	if err := e.nameTools(); err != nil {
		return nil, err
	}
	e.buf = make([]byte, 0, size(p))
	e.buf = sse.AppendString(append(e.buf, `{"model":`...), c.Model.Name)
	if err := e.conversation(); err != nil {
		return nil, err
	}
	if err := e.tools(); err != nil {
		return nil, err
	}
	e.text()
	e.limits()
	e.reasoning()
	e.identity()
	if c.Stream {
		e.buf = append(e.buf, `,"stream":true`...)
	}
	e.buf = append(e.buf, `,"store":false`...)
	if !e.flags.Has(llm.FlagNoReasoning) {
		e.buf = append(e.buf, `,"include":["reasoning.encrypted_content"]`...)
	}
	return append(e.buf, '}'), nil
}

// encoder writes one request.
type encoder struct {
	c      *llm.Call
	p      *llm.Prompt
	flags  llm.Flags
	buf    []byte
	wrote  bool            // some item is written
	custom map[string]bool // tools whose calls hold free text
	texts  map[string]bool // ids of such calls
}

// size guesses the request's, so that its buffer seldom grows.
func size(p *llm.Prompt) int {
	n := 1024
	add := func(blocks []llm.Block) {
		for i := range blocks {
			b := &blocks[i]
			n += 96 + len(b.Text) + len(b.Text)/16 + len(b.Media.Data) + len(b.Media.URL) + len(b.Opaque)
			for j := range b.Content {
				n += 64 + len(b.Content[j].Text) + len(b.Content[j].Media.Data)
			}
		}
	}
	add(p.System)
	for i := range p.Messages {
		n += 64
		add(p.Messages[i].Blocks)
	}
	for i := range p.Tools {
		n += 128 + len(p.Tools[i].Description) + len(p.Tools[i].Schema) + len(p.Tools[i].Raw)
	}
	return n + len(p.Format.Schema)
}

func (e *encoder) key(k string) { e.buf = append(append(append(e.buf, `,"`...), k...), '"', ':') }

func (e *encoder) str(k, s string) {
	e.key(k)
	e.buf = sse.AppendString(e.buf, s)
}

func (e *encoder) bool(k string, b bool) {
	e.key(k)
	e.buf = strconv.AppendBool(e.buf, b)
}

// leastTokens is the least that OpenAI takes as max_output_tokens.
const leastTokens = 16

func (e *encoder) limits() {
	l := &e.p.Limits
	if l.MaxTokens != nil {
		n := *l.MaxTokens
		if most := e.c.Model.MaxOutput; most > 0 && n > most {
			e.c.Lose("max_tokens: this model writes at most " + strconv.Itoa(most))
			n = most
		}
		if n < leastTokens {
			e.c.Lose("max_tokens: this API takes no less than " + strconv.Itoa(leastTokens))
			n = leastTokens
		}
		e.key("max_output_tokens")
		e.buf = appendInt(e.buf, int64(n))
	}
	e.number("temperature", l.Temperature)
	e.number("top_p", l.TopP)
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
			e.c.Lose(lost.field)
		}
	}
}

// number keeps an explicit zero (A25), and drops what the model rejects (A24).
func (e *encoder) number(k string, f *float64) {
	if f == nil {
		return
	}
	if e.flags.Has(llm.FlagNoSampling) {
		e.c.Lose(k + ": this model takes none")
		return
	}
	b, err := json.Marshal(*f)
	if err != nil { // NaN, which no JSON body can have held
		return
	}
	e.key(k)
	e.buf = append(e.buf, b...)
}

// reasoning maps a budget to an effort (C5). Thinking turned off is "none"
// only for models that are known to think: others reject the field.
func (e *encoder) reasoning() {
	r := &e.p.Reasoning
	effort := r.Effort
	if effort == "" && r.Budget != nil {
		switch n := *r.Budget; {
		case n < 0:
		case n == 0:
			if e.flags.Has(llm.FlagReasoning) {
				effort = "none"
			}
		default:
			effort = effortOf(n)
			if !e.flags.Has(llm.FlagNoReasoning) {
				e.c.Lose("thinking budget: sent as reasoning effort " + effort)
			}
		}
	}
	show := r.Show
	if show == "none" {
		show = ""
	}
	if e.flags.Has(llm.FlagNoReasoning) {
		if effort != "" && effort != "none" {
			e.c.Lose("reasoning_effort: this model does not think")
		}
		return
	}
	if effort == "" && show == "" {
		return
	}
	e.key("reasoning")
	e.buf = append(e.buf, '{')
	if effort != "" {
		e.buf = sse.AppendString(append(e.buf, `"effort":`...), e.c.TakenEffort(effort))
	}
	if show != "" {
		if effort != "" {
			e.buf = append(e.buf, ',')
		}
		e.buf = sse.AppendString(append(e.buf, `"summary":`...), show)
	}
	e.buf = append(e.buf, '}')
}

func effortOf(budget int) string {
	switch {
	case budget <= 4096:
		return "low"
	case budget <= 16384:
		return "medium"
	}
	return "high"
}

func (e *encoder) identity() {
	if e.p.User != "" {
		e.str("user", e.c.TakenUser(e.p.User))
	}
	if e.p.CacheKey != "" {
		e.str("prompt_cache_key", e.p.CacheKey)
	}
	switch e.p.Tier {
	case "":
	case "auto", "default", "flex", "priority", "scale":
		e.str("service_tier", e.p.Tier)
	case "standard_only", "standard": // Anthropic's and Google's words
		e.str("service_tier", "default")
	default:
		e.c.Lose("service_tier: " + e.p.Tier)
	}
}

// text writes the wanted format and length of the answer's text (F6).
func (e *encoder) text() {
	f := &e.p.Format
	if f.Kind == llm.FormatText && e.p.Verbosity == "" {
		return
	}
	e.key("text")
	e.buf = append(e.buf, '{')
	switch {
	case f.Kind == llm.FormatJSON, f.Kind == llm.FormatSchema && e.flags.Has(llm.FlagNoJSONSchema):
		e.buf = append(e.buf, `"format":{"type":"json_object"}`...)
	case f.Kind == llm.FormatSchema:
		formatName := f.Name
		if formatName == "" {
			formatName = "answer"
		}
		e.buf = append(e.buf, `"format":{"type":"json_schema","name":`...)
		e.buf = sse.AppendString(e.buf, formatName)
		e.key("schema")
		e.buf = append(e.buf, f.Schema...)
		if f.Strict != nil {
			e.bool("strict", *f.Strict)
		}
		e.buf = append(e.buf, '}')
	}
	if e.p.Verbosity != "" {
		if f.Kind != llm.FormatText {
			e.buf = append(e.buf, ',')
		}
		e.buf = sse.AppendString(append(e.buf, `"verbosity":`...), e.p.Verbosity)
	}
	e.buf = append(e.buf, '}')
}

// instructions is the text of all leading system blocks.
func (e *encoder) instructions() string {
	var b strings.Builder
	for i := range e.p.System {
		if b.Len() > 0 {
			b.WriteString("\n\n")
		}
		b.WriteString(e.p.System[i].Text)
		e.cacheOff(&e.p.System[i])
	}
	if f := &e.p.Format; f.Kind == llm.FormatSchema && e.flags.Has(llm.FlagNoJSONSchema) { // A22
		if b.Len() > 0 {
			b.WriteString("\n\n")
		}
		b.WriteString("Answer with one JSON object and nothing else. It must follow this JSON Schema:\n")
		b.Write(f.Schema)
		e.c.Lose("response_format.json_schema: sent as an instruction")
	}
	return b.String()
}

func appendInt(dst []byte, n int64) []byte { return strconv.AppendInt(dst, n, 10) }
