package ollama

import (
	"bytes"
	"encoding/json"

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
	r := request{Model: c.Model.Name, Stream: c.Stream}
	var err error
	if r.Messages, err = messages(c, p); err != nil {
		return nil, err
	}
	if r.Tools, err = tools(c, p); err != nil {
		return nil, err
	}
	if r.Options, err = limits(&p.Limits); err != nil {
		return nil, err
	}
	if r.Format, err = format(&p.Format); err != nil {
		return nil, err
	}
	r.Think = think(c, &p.Reasoning)
	if p.User != "" {
		c.Lose("user")
	}
	if p.CacheKey != "" {
		c.Lose("prompt_cache_key")
	}
	if p.Verbosity != "" {
		c.Lose("verbosity")
	}
	switch p.Tier {
	case "", "auto", "default":
	default:
		c.Lose("service_tier: " + p.Tier)
	}
	b, err := marshal(r)
	if err != nil {
		return nil, &llm.Error{Kind: llm.Internal, Message: "the request cannot be written for Ollama: " + err.Error(), Cause: err}
	}
	return b, nil
}

// limits are the options asked for, or nil. H7, A25.
func limits(l *llm.Limits) (*options, error) {
	if l.MaxTokens != nil && *l.MaxTokens < 1 {
		// The runner takes 0 and less as no limit at all.
		return nil, llm.Invalid("max_tokens", "max_tokens must be 1 or more, not %d", *l.MaxTokens)
	}
	o := options{
		NumPredict: l.MaxTokens, Temperature: l.Temperature, TopP: l.TopP, TopK: l.TopK, Stop: l.Stop,
		Seed: l.Seed, FrequencyPenalty: l.FrequencyPenalty, PresencePenalty: l.PresencePenalty,
	}
	if o.NumPredict == nil && o.Temperature == nil && o.TopP == nil && o.TopK == nil && len(o.Stop) == 0 &&
		o.Seed == nil && o.FrequencyPenalty == nil && o.PresencePenalty == nil {
		return nil, nil
	}
	return &o, nil
}

// format is "json" or a schema, to which Ollama holds the model. Any schema
// but an object is an error there.
func format(f *llm.Format) (json.RawMessage, error) {
	switch f.Kind {
	case llm.FormatText:
		return nil, nil
	case llm.FormatJSON:
		return json.RawMessage(`"json"`), nil
	case llm.FormatSchema:
		schema := bytes.TrimSpace(f.Schema)
		switch {
		case len(schema) == 0 || string(schema) == "null":
			return json.RawMessage(`"json"`), nil
		case schema[0] != '{' || !json.Valid(schema):
			return nil, llm.Invalid("response_format", "the schema of the answer must be a JSON object")
		}
		return f.Schema, nil
	default:
		return nil, llm.Invalid("response_format", "Ollama knows no such format of the answer")
	}
}
