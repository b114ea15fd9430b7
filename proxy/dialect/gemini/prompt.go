package gemini

import (
	"encoding/json"
	"strings"

	"keytray/proxy/dialect/field"
	"keytray/proxy/llm"
)

// DecodeRequest reads a client's body. Fields that a prompt cannot hold are
// in Prompt.Lost; a malformed one is an [*llm.Error] that names it.
func (Dialect) DecodeRequest(r *llm.Request) (*llm.Prompt, error) {
	if !json.Valid(r.Raw) {
		return nil, field.Unreadable(r.Raw)
	}
	d := reader{p: &llm.Prompt{}}
	if err := object("the request body", r.Raw, d.top); err != nil {
		return nil, err
	}
	if err := d.finish(); err != nil {
		return nil, err
	}
	return d.p, nil
}

// reader holds what one field says of another.
type reader struct {
	p        *llm.Prompt
	contents bool
	config   config
	allowed  []string // functions of toolConfig; nil: all
	history
}

// top reads one field of the body, or of the request that countTokens wraps.
func (d *reader) top(key string, v []byte) (err *llm.Error) {
	switch key {
	case "model": // the path has it
	case "generateContentRequest":
		return object(key, v, d.top)
	case "contents":
		d.contents = true
		err = list(key, v, d.content)
	case "systemInstruction":
		err = d.system(key, v)
	case "tools":
		err = list(key, v, d.tool)
	case "toolConfig":
		err = object(key, v, d.toolConfig)
	case "generationConfig":
		err = object(key, v, d.generationConfig)
	case "cachedContent":
		err = llm.Invalid(key, "cachedContent is kept at Google, so no other provider can read it: send the content itself, or ask a model of Google's")
	case "serviceTier":
		d.p.Tier, err = enum(key, "SERVICE_TIER_", v)
		d.p.Tier = strings.ToLower(d.p.Tier)
	default: // safetySettings, labels, store and what is yet to come
		if field.Truthy(v) {
			d.p.Lose(key)
		}
	}
	return err
}

// system reads the leading instructions: a Content, or merely its text.
func (d *reader) system(param string, v []byte) *llm.Error {
	if v[0] == '"' {
		s, err := field.String(param, v)
		d.p.System = append(d.p.System, llm.Block{Text: s})
		return err
	}
	each := func(param string, v []byte) *llm.Error {
		if v[0] == '"' {
			s, err := field.String(param, v)
			d.p.System = append(d.p.System, llm.Block{Text: s})
			return err
		}
		return object(param, v, func(key string, v []byte) *llm.Error {
			if key != "text" {
				d.p.Lose(strings.SplitN(param, ".", 2)[0] + ": " + key)
				return nil
			}
			s, err := field.String(param+".text", v)
			if s != "" {
				d.p.System = append(d.p.System, llm.Block{Text: s})
			}
			return err
		})
	}
	if v[0] == '[' {
		return list(param, v, each)
	}
	return object(param, v, func(key string, v []byte) *llm.Error {
		if key == "parts" {
			return list(param+".parts", v, each)
		}
		return nil // its role says nothing
	})
}

// finish settles what depends on several fields.
func (d *reader) finish() *llm.Error {
	if !d.contents || len(d.p.Messages) == 0 {
		return llm.Invalid("contents", "contents is empty: send at least one content")
	}
	if err := d.settleFormat(); err != nil {
		return err
	}
	return d.settleChoice()
}
