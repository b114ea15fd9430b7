package chat

import (
	"slices"
	"strconv"

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
	effort := e.effort()
	e.limits(effort)
	if effort != "" {
		e.Str("reasoning_effort", effort)
	}
	e.whom()
	e.hints()
	e.tier()
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
	role   string // of the last one
}

// effort is how much to think: not at all beside functions, where a model takes
// them in no other way.
func (e *encoder) effort() string {
	if !e.Flags.Has(llm.FlagNoToolThought) || len(e.Prompt.Tools) == 0 {
		return e.taken(e.Effort("reasoning_effort"))
	}
	if r := &e.Prompt.Reasoning; r.Effort != "none" && (r.Effort != "" || r.Budget == nil || *r.Budget != 0) {
		e.Call.Lose("reasoning_effort: in this API the model takes no tools while it thinks")
	}
	return "none"
}

// hints writes what OpenAI's newer models take beside the prompt, and others
// would refuse.
func (e *encoder) hints() {
	for _, hint := range [...]struct{ key, said string }{
		{"prompt_cache_key", openai.Short(e.Prompt.CacheKey, openai.MaxKey)}, {"verbosity", e.Prompt.Verbosity},
	} {
		switch {
		case hint.said == "":
		case e.Flags.Has(llm.FlagMaxCompletionTokens):
			e.Str(hint.key, hint.said)
		default:
			e.Call.Lose(hint.key)
		}
	}
}

// maxStops is how many stop sequences OpenAI and those after it take.
const maxStops = 4

func (e *encoder) limits(effort string) {
	l := &e.Prompt.Limits
	if n, set := e.MaxTokens(); set {
		k := "max_tokens"
		if e.Flags.Has(llm.FlagMaxCompletionTokens) {
			k = "max_completion_tokens"
		}
		e.Int(k, int64(n))
	}
	e.Samplers(effort)
	if l.TopK != nil {
		if e.Flags.Has(llm.FlagTopK) && !e.Flags.Has(llm.FlagNoSampling) {
			e.Int("top_k", int64(*l.TopK))
		} else {
			e.Call.Lose("top_k")
		}
	}
	e.stop()
	e.seed()
	e.Number("frequency_penalty", l.FrequencyPenalty, llm.FlagNoPenalties)
	e.Number("presence_penalty", l.PresencePenalty, llm.FlagNoPenalties)
}

// stop writes the stop sequences as an array (C8).
func (e *encoder) stop() {
	stops := slices.DeleteFunc(slices.Clone(e.Prompt.Limits.Stop), func(s string) bool { return s == "" })
	switch {
	case len(stops) == 0:
		return
	case e.Flags.Has(llm.FlagNoStop):
		e.Call.Lose("stop: this model takes none")
		return
	case len(stops) > maxStops:
		e.Call.Lose("stop: only the first " + strconv.Itoa(maxStops) + " sequences are taken")
		stops = stops[:maxStops]
	}
	e.Key("stop")
	for i, s := range stops {
		e.Buf = sse.AppendString(append(e.Buf, "[,"[min(i, 1)]), s)
	}
	e.Buf = append(e.Buf, ']')
}

func (e *encoder) format() {
	switch e.Format() {
	case "json_object":
		e.Key("response_format")
		e.Buf = append(e.Buf, `{"type":"json_object"}`...)
	case "json_schema":
		e.Key("response_format")
		e.Buf = append(e.Buf, `{"type":"json_schema","json_schema":{`...)
		e.Schema()
		e.Buf = append(e.Buf, "}}"...)
	}
}
