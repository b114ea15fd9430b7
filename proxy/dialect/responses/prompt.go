package responses

import (
	"encoding/json"

	"keytray/proxy/dialect/field"
	"keytray/proxy/dialect/openai"
	"keytray/proxy/llm"
)

// DecodeRequest reads a client's body. Fields that a prompt cannot hold are
// in Prompt.Lost; a malformed one, or one that asks for what only its own
// provider could do, is an [*llm.Error] that names it.
func (Dialect) DecodeRequest(r *llm.Request) (*llm.Prompt, error) {
	if !json.Valid(r.Raw) {
		return nil, field.Unreadable(r.Raw)
	}
	d := decoder{Settings: openai.Settings{Prompt: &llm.Prompt{}}, box: readToolbox(r.Raw), names: map[string]string{}}
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
	openai.Settings
	box      *toolbox
	input    []byte
	inputKey bool
	system   []llm.Block // of instructions
	effort   string      // reasoning_effort, if reasoning is not given

	names map[string]string // call id -> function
	turn  llm.Message       // the turn that is being gathered
}

// top reads one field of the body.
func (d *decoder) top(key string, v []byte) (err *llm.Error) {
	if field.Null(v) {
		return nil
	}
	if known, err := d.Read(key, v); known {
		return err
	}
	p := d.Prompt
	switch key {
	case "model", "stream", "metadata": // metadata comes back with the answer
	case "store": // who keeps answers does it with the bytes
	case "input":
		d.input, d.inputKey = v, true
	case "instructions":
		var s string
		if s, err = field.String(key, v); s != "" {
			d.system = []llm.Block{{Kind: llm.Text, Text: s}}
		}
	case "tools":
		err = d.tools(key, v)
	case "tool_choice":
		err = d.toolChoice(v)
	case "text":
		err = d.textConfig(key, v)
	case "response_format": // F6, F18: chat's name for text.format
		err = d.format(key, v)
	case "verbosity":
		p.Verbosity, err = field.String(key, v)
	case "reasoning":
		err = d.reasoning(key, v)
	case "reasoning_effort":
		d.effort, err = effort(key, v)
	case "max_output_tokens":
		p.Limits.MaxTokens, err = field.Count(key, v)
	case "max_tokens", "max_completion_tokens":
		d.MaxTokens, err = field.Count(key, v)
	case "prompt_cache_key":
		p.CacheKey, err = field.String(key, v)
	case "include":
		err = d.include(v)
	default:
		err = d.other(key, v)
	}
	return err
}

// other refuses what must not be left out, and names the rest unless it says
// only the default.
func (d *decoder) other(key string, v []byte) *llm.Error {
	switch key {
	case "previous_response_id":
		return llm.Invalid(key, "%s: the earlier answer is not kept here, so it cannot be continued: send the whole conversation in input, with store set to false", key) // F15
	case "conversation":
		return llm.Invalid(key, "%s: conversations are kept at OpenAI and cannot be continued elsewhere: send the whole conversation in input, with store set to false", key)
	case "background":
		if field.Truthy(v) {
			return llm.Invalid(key, "%s: an answer cannot be made in the background by another provider: leave it out and wait for the answer", key)
		}
		return nil
	case "prompt":
		return llm.Invalid(key, "%s: a prompt template is kept at OpenAI and cannot be read elsewhere: send its text in instructions and input", key)
	case "stream_options": // F18: usage always comes, padding never does
		return nil
	case "truncation":
		if field.Unquote(v) == "disabled" {
			return nil
		}
	}
	if field.Truthy(v) {
		d.Prompt.Lose(key)
	}
	return nil
}

func (d *decoder) include(v []byte) *llm.Error {
	return field.Array("include", v, func(param string, v []byte) *llm.Error {
		what, err := field.String(param, v)
		if err == nil && what != "reasoning.encrypted_content" { // which is always there
			d.Prompt.Lose("include: " + what)
		}
		return err
	})
}

// finish settles what depends on several fields.
func (d *decoder) finish() *llm.Error {
	p := d.Prompt
	p.System = d.system
	if !d.inputKey && len(d.system) == 0 {
		return llm.Invalid("input", "input is missing: send a text, or a list of items")
	}
	if err := d.readInput(d.input); err != nil {
		return err
	}
	if len(p.System) == 0 && len(p.Messages) == 0 {
		return llm.Invalid("input", "input is empty: send a text, or a list of items")
	}
	if p.Reasoning.Effort == "" {
		p.Reasoning.Effort = d.effort
	}
	return d.Settle()
}
