package chat

import (
	"encoding/json"

	"keytray/proxy/dialect/field"
	"keytray/proxy/dialect/openai"
	"keytray/proxy/llm"
)

// DecodeRequest reads a client's body. Fields that a prompt cannot hold are
// in Prompt.Lost; a malformed one is an [*llm.Error] that names it.
func (Dialect) DecodeRequest(r *llm.Request) (*llm.Prompt, error) {
	if !json.Valid(r.Raw) {
		return nil, field.Unreadable(r.Raw)
	}
	if r.Form == completions {
		return decodeCompletion(r.Raw)
	}
	d := decoder{Settings: openai.Settings{Prompt: &llm.Prompt{}}, turns: turns{names: map[string]string{}}}
	if err := field.Object("the request body", r.Raw, d.top); err != nil {
		return nil, err
	}
	if err := d.finish(); err != nil {
		return nil, err
	}
	return d.Prompt, nil
}

// decoder holds what one field says of another.
type decoder struct {
	messages bool
	openai.Settings
	turns
}

// top reads one field of the body.
func (d *decoder) top(key string, v []byte) (err *llm.Error) {
	if field.Null(v) && key != "messages" {
		return nil
	}
	if known, err := d.Read(key, v); known {
		return err
	}
	p := d.Prompt
	switch key {
	case "model", "stream":
	case "stream_options":
		return field.Object(key, v, func(key string, v []byte) *llm.Error {
			if key != "include_usage" && field.Truthy(v) {
				d.Prompt.Lose("stream_options." + key)
			}
			return nil
		})
	case "messages":
		d.messages = true
		err = d.readMessages(v)
	case "tools":
		err = d.tools(v)
	case "functions":
		err = field.Array(key, v, func(param string, v []byte) *llm.Error { return d.function(param, v) })
	case "tool_choice":
		err = d.toolChoice(v)
	case "function_call":
		err = d.functionChoice(v)
	case "response_format":
		err = d.format(v)
	case "max_completion_tokens":
		p.Limits.MaxTokens, err = field.Count(key, v)
	case "max_tokens":
		d.MaxTokens, err = field.Count(key, v)
	case "reasoning_effort":
		err = d.effort(key, v)
	case "reasoning":
		err = d.reasoning(v)
	case "thinking":
		err = d.thinking(v)
	case "enable_thinking":
		var on bool
		if on, err = field.Bool(key, v); err == nil {
			d.think(on)
		}
	case "thinking_budget":
		p.Reasoning.Budget, err = field.Count(key, v)
	case "modalities":
		err = d.modalities(v)
	default:
		d.other(key, v)
	}
	return err
}

// other names what no prompt holds, unless it says only the default.
func (d *decoder) other(key string, v []byte) {
	switch key {
	case "n":
		if string(v) == "1" {
			return
		}
	case "include_reasoning": // reasoning is always shown
		if string(v) == "true" {
			return
		}
	case "logprobs", "store", "top_logprobs", "logit_bias", "metadata":
		if !field.Truthy(v) {
			return
		}
	}
	d.Prompt.Lose(key)
}

// modalities refuses what would change the answer's kind.
func (d *decoder) modalities(v []byte) *llm.Error {
	return field.Array("modalities", v, func(param string, v []byte) *llm.Error {
		m, err := field.String(param, v)
		switch {
		case err != nil || m == "text":
			return err
		case m == "audio":
			return llm.Invalid(param, "%s: audio answers cannot be translated: ask a provider that speaks this dialect itself", param)
		}
		d.Prompt.Lose("modalities: " + m)
		return nil
	})
}

// finish settles what depends on several fields.
func (d *decoder) finish() *llm.Error {
	p := d.Prompt
	if !d.messages {
		return llm.Invalid("messages", "messages is missing: send at least one message")
	}
	d.endTools()
	if len(p.System) == 0 && len(p.Messages) == 0 {
		return llm.Invalid("messages", "messages is empty: send at least one message")
	}
	return d.Settle()
}
