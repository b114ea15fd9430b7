package messages

import (
	"bytes"
	"encoding/json"
	"slices"

	"keytray/proxy/dialect/field"
	"keytray/proxy/llm"
)

// strictVersion is the first anthropic-version that refuses sampling
// parameters, documents in turns of the assistant and citations in a user's
// text.
const strictVersion = "2026-10-21"

// DecodeRequest reads a client's body. What a prompt cannot hold is in
// Prompt.Lost; what is malformed, or would mean something else without, is an
// [*llm.Error] that names the field.
func (Dialect) DecodeRequest(r *llm.Request) (*llm.Prompt, error) {
	if !json.Valid(r.Raw) {
		return nil, field.Unreadable(r.Raw)
	}
	d := reader{p: &llm.Prompt{}, names: map[string]string{}}
	d.strict = r.Header.Get("Anthropic-Version") >= strictVersion
	if err := field.Object("the request body", r.Raw, d.top); err != nil {
		return nil, err
	}
	if err := d.finish(); err != nil {
		return nil, err
	}
	return d.p, nil
}

// reader is one request on its way in.
type reader struct {
	p      *llm.Prompt
	strict bool // of strictVersion or later

	messages bool
	names    map[string]string // a call's id -> its tool
	mark     string            // of cache_control at the top: the last block's
	thinking string            // its type
	effort   string
	chosen   string // by tool_choice; the client's name
	hosted   map[string]string
	added    []llm.Tool // in mid-conversation
	removed  []string
}

// top reads one field of the body.
func (d *reader) top(key string, v []byte) (err *llm.Error) {
	if field.Null(v) && key != "messages" {
		return nil
	}
	p, l := d.p, &d.p.Limits
	switch key {
	case "model", "stream", "anthropic_version": // the last in bodies of AWS and Google
	case "messages":
		d.messages = true
		err = d.readMessages(v)
	case "system":
		p.System, err = d.instructions(key, v)
	case "max_tokens":
		l.MaxTokens, err = field.Count(key, v)
	case "temperature", "top_p", "top_k":
		err = d.sampling(key, v)
	case "stop_sequences":
		err = field.DottedArray(key, v, func(param string, v []byte) *llm.Error {
			s, err := field.String(param, v)
			l.Stop = append(l.Stop, s)
			return err
		})
	case "tools":
		err = field.DottedArray(key, v, d.tool)
	case "tool_choice":
		err = d.toolChoice(v)
	case "mcp_servers":
		d.mcpServers(v)
	case "thinking":
		err = d.readThinking(v)
	case "output_config":
		err = d.outputConfig(v)
	case "output_format":
		err = d.format(key, v)
	case "metadata":
		err = field.Object(key, v, func(key string, v []byte) (err *llm.Error) {
			if key == "user_id" {
				p.User, err = field.String("metadata.user_id", v)
			} else if field.Truthy(v) {
				d.p.Lose("metadata." + key)
			}
			return err
		})
	case "service_tier":
		if p.Tier, err = field.String(key, v); p.Tier == "standard_only" {
			p.Tier = "default"
		}
	case "cache_control":
		d.mark, err = cacheMark(key, v)
	default:
		err = d.other(key, v)
	}
	return err
}

// other names what no prompt holds, unless it says only the default.
func (d *reader) other(key string, v []byte) *llm.Error {
	switch said := field.Unquote(v); key {
	case "speed":
		if said == "standard" {
			return nil
		}
	case "inference_geo":
		if said != "" && said != "global" && said != "not_available" {
			return llm.Invalid(key, "inference_geo: only Anthropic can be told to keep a request in %q: ask one of its models, or leave the field out", said)
		}
		return nil
	}
	if field.Truthy(v) {
		d.p.Lose(key)
	}
	return nil
}

// sampling reads what newer versions of the API refuse even at its default.
func (d *reader) sampling(key string, v []byte) (err *llm.Error) {
	if d.strict {
		return llm.Invalid(key, "%s is not taken under anthropic-version %s and later: leave it out, or send an earlier version", key, strictVersion)
	}
	l := &d.p.Limits
	switch key {
	case "temperature":
		l.Temperature, err = field.Number(key, v)
	case "top_p":
		l.TopP, err = field.Number(key, v)
	default:
		l.TopK, err = field.Count(key, v)
	}
	return err
}

func (d *reader) readThinking(v []byte) *llm.Error {
	r := &d.p.Reasoning
	return field.Object("thinking", v, func(key string, v []byte) (err *llm.Error) {
		switch param := "thinking." + key; key {
		case "type":
			d.thinking, err = field.String(param, v)
			switch d.thinking {
			case "enabled", "adaptive", "disabled":
			case "between_tools":
				d.p.Lose("thinking: between_tools went as adaptive")
			default:
				err = llm.Invalid(param, "thinking.type must be enabled, adaptive or disabled, not %q", d.thinking)
			}
		case "budget_tokens":
			r.Budget, err = field.Count(param, v)
		case "display":
			switch said, bad := field.String(param, v); said {
			case "omitted":
				r.Show, err = "none", bad
			case "summarized":
				r.Show, err = "auto", bad
			default:
				err = bad
			}
		default:
			if field.Truthy(v) {
				d.p.Lose(param)
			}
		}
		return err
	})
}

func (d *reader) outputConfig(v []byte) *llm.Error {
	return field.Object("output_config", v, func(key string, v []byte) (err *llm.Error) {
		switch param := "output_config." + key; key {
		case "effort":
			err = d.readEffort(param, v)
		case "format":
			err = d.format(param, v)
		default:
			if field.Truthy(v) {
				d.p.Lose(param)
			}
		}
		return err
	})
}

func (d *reader) readEffort(param string, v []byte) *llm.Error {
	said, err := field.String(param, v)
	if err == nil && said != "" && !slices.Contains([]string{"low", "medium", "high", "xhigh", "max"}, said) {
		err = llm.Invalid(param, "%s must be low, medium, high, xhigh or max, not %q", param, said)
	}
	d.effort = said
	return err
}

// format reads a schema that the answer must match.
func (d *reader) format(param string, v []byte) *llm.Error {
	if field.Null(v) {
		return nil
	}
	kind, schema := field.Unquote(field.Of(v, "type")), bytes.TrimSpace(field.Of(v, "schema"))
	switch {
	case v[0] != '{':
		return llm.Invalid(param, "%s must be an object, not %s", param, field.Kind(v))
	case kind != "json_schema":
		return llm.Invalid(param+".type", "%s.type must be json_schema, not %q", param, kind)
	case len(schema) == 0 || schema[0] != '{':
		return llm.Invalid(param+".schema", "%s.schema must be a JSON Schema, not %s", param, field.Kind(schema))
	}
	d.p.Format = llm.Format{Kind: llm.FormatSchema, Schema: schema}
	if closed(schema) {
		yes := true
		d.p.Format.Strict = &yes
	}
	return nil
}

// finish settles what depends on several fields.
func (d *reader) finish() *llm.Error {
	p := d.p
	if !d.messages {
		return llm.Invalid("messages", "messages is missing: send at least one message")
	}
	if len(p.System) == 0 && len(p.Messages) == 0 {
		return llm.Invalid("messages", "messages is empty: send at least one message")
	}
	if n := len(p.Messages); d.mark != "" && n > 0 {
		if last := p.Messages[n-1].Blocks; len(last) > 0 && last[len(last)-1].Cache == "" {
			last[len(last)-1].Cache = d.mark
		}
	}
	if err := d.settleThinking(); err != nil {
		return err
	}
	d.changeTools()
	if err := d.oneOfEach(); err != nil {
		return err
	}
	return d.settleChoice()
}

// settleThinking joins thinking and effort. Models of others think as much as
// their effort says.
func (d *reader) settleThinking() *llm.Error {
	r := &d.p.Reasoning
	budget := func(n int) { r.Budget = &n }
	switch d.thinking {
	case "disabled":
		if budget(0); d.effort != "" {
			d.p.Lose("output_config.effort: thinking is off")
		}
		return nil
	case "enabled":
		if r.Budget == nil {
			return llm.Invalid("thinking.budget_tokens", "thinking.budget_tokens is missing: say how many tokens thinking may take")
		}
	case "adaptive", "between_tools":
		if r.Budget = nil; d.effort == "" {
			budget(-1)
		}
	default:
		r.Budget = nil
	}
	r.Effort = d.effort
	return nil
}

// closed tells whether a schema leaves nothing open: every object has all its
// properties and no other. That is what other APIs can hold a model to.
func closed(schema json.RawMessage) bool {
	var s any
	return json.Unmarshal(schema, &s) == nil && closedIn(s)
}

func closedIn(v any) bool {
	switch v := v.(type) {
	case []any:
		return !slices.ContainsFunc(v, func(v any) bool { return !closedIn(v) })
	case map[string]any:
		if props, ok := v["properties"].(map[string]any); ok {
			required, _ := v["required"].([]any)
			if v["additionalProperties"] != false || len(required) != len(props) {
				return false
			}
		} else if v["type"] == "object" {
			return false
		}
		for _, inner := range v {
			if !closedIn(inner) {
				return false
			}
		}
	}
	return true
}

func cacheMark(param string, v []byte) (string, *llm.Error) {
	if field.Null(v) {
		return "", nil
	}
	if v[0] != '{' {
		return "", llm.Invalid(param, "%s must be an object, not %s", param, field.Kind(v))
	}
	if kind := field.Unquote(field.Of(v, "type")); kind != "ephemeral" {
		return "", llm.Invalid(param+".type", "%s.type must be ephemeral, not %q", param, kind)
	}
	switch ttl, err := field.String(param+".ttl", field.Of(v, "ttl")); {
	case err != nil:
		return "", err
	case ttl == "" || ttl == "5m":
		return "5m", nil
	case ttl == "1h":
		return ttl, nil
	default:
		return "", llm.Invalid(param+".ttl", "%s.ttl must be 5m or 1h, not %q", param, ttl)
	}
}
