package ollama

import (
	"encoding/json"
	"strings"

	"github.com/ollama/ollama/api"

	"keytray/proxy/llm"
	"keytray/proxy/sse"
)

func quote(s string) []byte { return sse.AppendString(nil, s) }

// EncodeRequest writes a prompt as a chat request. What Ollama knows no field
// for is named in c.Lost; what would change the meaning is refused.
func (Dialect) EncodeRequest(c *llm.Call, p *llm.Prompt) ([]byte, error) {
	for _, f := range p.Lost {
		c.Lose(f)
	}
	r := request{Model: c.Model.Name, Stream: c.Stream, Options: limits(&p.Limits)}
	var err error
	if r.Messages, err = messages(c, p); err != nil {
		return nil, err
	}
	r.Tools = tools(c, p)
	r.Think = think(c, &p.Reasoning)
	switch p.Format.Kind {
	case llm.FormatText:
	case llm.FormatJSON:
		r.Format = json.RawMessage(`"json"`)
	case llm.FormatSchema:
		r.Format = p.Format.Schema
		if len(r.Format) == 0 {
			r.Format = json.RawMessage(`"json"`)
		}
	}
	if p.Tier != "" {
		c.Lose("service_tier")
	}
	b, err := marshal(r)
	if err != nil {
		return nil, llm.Invalid("", "the request cannot be written for Ollama: %v", err)
	}
	return b, nil
}

// limits are the options asked for, or nil. H7.
func limits(l *llm.Limits) *options {
	o := options{
		NumPredict: l.MaxTokens, Temperature: l.Temperature, TopP: l.TopP, TopK: l.TopK, Stop: l.Stop,
		Seed: l.Seed, FrequencyPenalty: l.FrequencyPenalty, PresencePenalty: l.PresencePenalty,
	}
	if o.NumPredict == nil && o.Temperature == nil && o.TopP == nil && o.TopK == nil && len(o.Stop) == 0 &&
		o.Seed == nil && o.FrequencyPenalty == nil && o.PresencePenalty == nil {
		return nil
	}
	return &o
}

// tools lists the functions. Ollama cannot be made to call one.
func tools(c *llm.Call, p *llm.Prompt) []tool {
	switch p.Choice.Mode {
	case llm.ChooseUnset, llm.ChooseAuto:
	case llm.ChooseNone:
		return nil // a model that is shown no tools calls none
	case llm.ChooseAny, llm.ChooseNamed:
		c.Lose("tool_choice: Ollama cannot force a call")
	}
	if par := p.Choice.Parallel; par != nil && !*par && len(p.Tools) > 0 {
		c.Lose("parallel_tool_calls: Ollama cannot limit calls")
	}
	if len(p.Tools) > 0 && c.Model.Flags.Has(llm.FlagNoTools) {
		c.Lose("tools: " + c.Model.Name + " takes none")
		return nil
	}
	var out []tool
	for _, t := range p.Tools {
		w := tool{Type: "function"}
		w.Function.Name, w.Function.Description, w.Function.Parameters = t.Name, t.Description, t.Schema
		if len(t.Schema) == 0 {
			w.Function.Parameters = json.RawMessage(`{"type":"object","properties":{}}`)
		}
		if t.Strict != nil && *t.Strict {
			c.Lose("tools.strict")
		}
		out = append(out, w)
	}
	return out
}

// think asks for thought. Ollama takes on, off or three efforts; a model that
// is known not to think is not asked to, which would be refused. H11.
func think(c *llm.Call, r *llm.Reasoning) *api.ThinkValue {
	effort := strings.ToLower(r.Effort)
	if effort == "" && r.Budget == nil {
		return nil
	}
	if c.Model.Flags.Has(llm.FlagNoReasoning) {
		if effort != "none" {
			c.Lose("reasoning_effort: " + c.Model.Name + " does not think")
		}
		return nil
	}
	if effort == "" {
		if *r.Budget == 0 {
			return &api.ThinkValue{Value: false}
		}
		c.Lose("reasoning budget: Ollama has none, so thinking is merely on")
		return &api.ThinkValue{Value: true}
	}
	switch effort {
	case "none":
		return &api.ThinkValue{Value: false}
	case "low", "medium", "high":
		return &api.ThinkValue{Value: effort}
	case "minimal":
		c.Lose("reasoning_effort: minimal becomes low")
		return &api.ThinkValue{Value: "low"}
	default:
		c.Lose("reasoning_effort: " + effort + " becomes high")
		return &api.ThinkValue{Value: "high"}
	}
}
