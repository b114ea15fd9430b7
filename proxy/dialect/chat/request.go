package chat

import (
	"encoding/json"
	"strconv"
	"strings"

	"keytray/proxy/llm"
	"keytray/proxy/sse"
)

// EncodeRequest writes a prompt as a provider of this dialect reads it. The
// same prompt gives the same bytes, and schemas keep theirs (A17).
func (Dialect) EncodeRequest(c *llm.Call, p *llm.Prompt) ([]byte, error) {
	for _, f := range p.Lost {
		c.Lose(f)
	}
	p, err := c.ClientTools(p)
	if err != nil {
		return nil, err
	}
	e := encoder{c: c, p: p, flags: c.Model.Flags}
	if err := e.nameTools(); err != nil {
		return nil, err
	}
	e.buf = make([]byte, 0, size(p))
	e.buf = sse.AppendString(append(e.buf, `{"model":`...), c.Model.Name)
	if err := e.messages(); err != nil {
		return nil, err
	}
	if err := e.tools(); err != nil {
		return nil, err
	}
	e.format()
	e.limits()
	e.reasoning()
	e.identity()
	if c.Stream {
		e.buf = append(e.buf, `,"stream":true`...)
		if !e.flags.Has(llm.FlagNoStreamOptions) {
			e.buf = append(e.buf, `,"stream_options":{"include_usage":true}`...)
		}
	}
	return append(e.buf, '}'), nil
}

// encoder writes one request.
type encoder struct {
	c     *llm.Call
	p     *llm.Prompt
	flags llm.Flags
	buf   []byte

	extras []byte // parts that wait for the next user message
	wrote  bool   // some message is written
}

// size guesses the request's, so that its buffer seldom grows.
func size(p *llm.Prompt) int {
	n := 1024
	add := func(blocks []llm.Block) {
		for i := range blocks {
			b := &blocks[i]
			n += 64 + len(b.Text) + len(b.Text)/16 + len(b.Media.Data) + len(b.Media.URL)
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
		n += 128 + len(p.Tools[i].Description) + len(p.Tools[i].Schema)
	}
	return n + len(p.Format.Schema)
}

func (e *encoder) key(k string) { e.buf = append(append(append(e.buf, `,"`...), k...), '"', ':') }

func (e *encoder) str(k, s string) {
	e.key(k)
	e.buf = sse.AppendString(e.buf, s)
}

func (e *encoder) int(k string, n int64) {
	e.key(k)
	e.buf = appendInt(e.buf, n)
}

func (e *encoder) float(k string, f float64) {
	b, err := json.Marshal(f)
	if err != nil { // NaN, which no JSON body can have held
		return
	}
	e.key(k)
	e.buf = append(e.buf, b...)
}

func (e *encoder) bool(k string, b bool) {
	e.key(k)
	e.buf = strconv.AppendBool(e.buf, b)
}

func (e *encoder) limits() {
	l := &e.p.Limits
	if l.MaxTokens != nil {
		k := "max_tokens"
		if e.flags.Has(llm.FlagMaxCompletionTokens) {
			k = "max_completion_tokens"
		}
		n := *l.MaxTokens
		if most := e.c.Model.MaxOutput; most > 0 && n > most {
			e.c.Lose("max_tokens: this model writes at most " + strconv.Itoa(most))
			n = most
		}
		e.int(k, int64(n))
	}
	e.number("temperature", l.Temperature, llm.FlagNoSampling)
	e.number("top_p", l.TopP, llm.FlagNoSampling)
	if l.TopK != nil {
		if e.flags.Has(llm.FlagTopK) && !e.flags.Has(llm.FlagNoSampling) {
			e.int("top_k", int64(*l.TopK))
		} else {
			e.c.Lose("top_k")
		}
	}
	if len(l.Stop) > 0 {
		e.key("stop")
		e.buf = append(e.buf, '[')
		for i, s := range l.Stop {
			if i > 0 {
				e.buf = append(e.buf, ',')
			}
			e.buf = sse.AppendString(e.buf, s)
		}
		e.buf = append(e.buf, ']') // C8
	}
	if l.Seed != nil {
		e.int("seed", *l.Seed)
	}
	e.number("frequency_penalty", l.FrequencyPenalty, llm.FlagNoPenalties)
	e.number("presence_penalty", l.PresencePenalty, llm.FlagNoPenalties)
}

// number keeps an explicit zero (A25), and drops what the model rejects (A24).
func (e *encoder) number(k string, f *float64, rejected string) {
	switch {
	case f == nil:
	case e.flags.Has(rejected):
		e.c.Lose(k + ": this model takes none")
	default:
		e.float(k, *f)
	}
}

// reasoning maps a budget to an effort (C5). Thinking turned off is "none"
// only for models that are known to think: others reject the field.
func (e *encoder) reasoning() {
	r := &e.p.Reasoning
	effort := r.Effort
	if effort == "" && r.Budget != nil {
		switch n := *r.Budget; {
		case n < 0:
			return
		case n == 0:
			if !e.flags.Has(llm.FlagReasoning) {
				return
			}
			effort = "none"
		default:
			effort = effortOf(n)
			if !e.flags.Has(llm.FlagNoReasoning) {
				e.c.Lose("thinking budget: sent as reasoning_effort " + effort)
			}
		}
	}
	switch {
	case effort == "":
	case e.flags.Has(llm.FlagNoReasoning):
		if effort != "none" {
			e.c.Lose("reasoning_effort: this model does not think")
		}
	default:
		e.str("reasoning_effort", e.c.TakenEffort(effort))
	}
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

func (e *encoder) format() {
	f := &e.p.Format
	switch {
	case f.Kind == llm.FormatJSON, f.Kind == llm.FormatSchema && e.flags.Has(llm.FlagNoJSONSchema):
		e.key("response_format")
		e.buf = append(e.buf, `{"type":"json_object"}`...)
	case f.Kind == llm.FormatSchema:
		formatName := f.Name
		if formatName == "" {
			formatName = "answer"
		}
		e.key("response_format")
		e.buf = append(e.buf, `{"type":"json_schema","json_schema":{"name":`...)
		e.buf = sse.AppendString(e.buf, formatName)
		e.key("schema")
		e.buf = append(e.buf, f.Schema...)
		if f.Strict != nil {
			e.bool("strict", *f.Strict)
		}
		e.buf = append(e.buf, "}}"...)
	}
}

// instructions is the text of all leading system blocks. It is one message:
// the chat templates of many open models refuse a second one.
func (e *encoder) instructions() string {
	var b strings.Builder
	for i := range e.p.System {
		if b.Len() > 0 {
			b.WriteString("\n\n")
		}
		b.WriteString(e.p.System[i].Text)
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
