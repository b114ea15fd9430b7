package chat

import (
	"keytray/proxy/dialect/openai"
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
	e := encoder{Request: openai.Request{Call: c, Prompt: p, Flags: c.Model.Flags}}
	if err := e.NameTools(); err != nil {
		return nil, err
	}
	e.Begin()
	if err := e.messages(); err != nil {
		return nil, err
	}
	if err := e.tools(); err != nil {
		return nil, err
	}
	e.format()
	e.limits()
	if effort := e.Effort("reasoning_effort"); effort != "" {
		e.Str("reasoning_effort", effort)
	}
	e.User()
	e.Tier()
	if c.Stream {
		e.Buf = append(e.Buf, `,"stream":true`...)
		if !e.Flags.Has(llm.FlagNoStreamOptions) {
			e.Buf = append(e.Buf, `,"stream_options":{"include_usage":true}`...)
		}
	}
	return append(e.Buf, '}'), nil
}

// encoder writes one request.
type encoder struct {
	openai.Request
	extras []byte // parts that wait for the next user message
	wrote  bool   // some message is written
}

func (e *encoder) limits() {
	l := &e.Prompt.Limits
	if n, set := e.MaxTokens(); set {
		k := "max_tokens"
		if e.Flags.Has(llm.FlagMaxCompletionTokens) {
			k = "max_completion_tokens"
		}
		e.Int(k, int64(n))
	}
	e.Number("temperature", l.Temperature, llm.FlagNoSampling)
	e.Number("top_p", l.TopP, llm.FlagNoSampling)
	if l.TopK != nil {
		if e.Flags.Has(llm.FlagTopK) && !e.Flags.Has(llm.FlagNoSampling) {
			e.Int("top_k", int64(*l.TopK))
		} else {
			e.Call.Lose("top_k")
		}
	}
	if len(l.Stop) > 0 {
		e.Key("stop")
		e.Buf = append(e.Buf, '[')
		for i, s := range l.Stop {
			if i > 0 {
				e.Buf = append(e.Buf, ',')
			}
			e.Buf = sse.AppendString(e.Buf, s)
		}
		e.Buf = append(e.Buf, ']') // C8
	}
	if l.Seed != nil {
		e.Int("seed", *l.Seed)
	}
	e.Number("frequency_penalty", l.FrequencyPenalty, llm.FlagNoPenalties)
	e.Number("presence_penalty", l.PresencePenalty, llm.FlagNoPenalties)
}

func (e *encoder) format() {
	f := &e.Prompt.Format
	switch {
	case f.Kind == llm.FormatJSON, f.Kind == llm.FormatSchema && e.Flags.Has(llm.FlagNoJSONSchema):
		e.Key("response_format")
		e.Buf = append(e.Buf, `{"type":"json_object"}`...)
	case f.Kind == llm.FormatSchema:
		e.Key("response_format")
		e.Buf = append(e.Buf, `{"type":"json_schema","json_schema":{`...)
		e.Schema()
		e.Buf = append(e.Buf, "}}"...)
	}
}
