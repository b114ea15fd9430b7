package chat

import (
	"slices"

	"keytray/proxy/dialect/field"
	"keytray/proxy/llm"
)

func (d *decoder) effort(param string, v []byte) *llm.Error {
	s, err := field.String(param, v)
	if s == "default" {
		s = ""
	}
	if err == nil && s != "" && !slices.Contains([]string{"none", "minimal", "low", "medium", "high", "xhigh", "max"}, s) {
		err = llm.Invalid(param, "%s must be one of none, minimal, low, medium, high, xhigh and max, not %q", param, s)
	}
	d.Prompt.Reasoning.Effort = s
	return err
}

// think turns reasoning on, as the model likes, or off.
func (d *decoder) think(on bool) {
	budget := 0
	if on {
		if d.Prompt.Reasoning.Budget != nil || d.Prompt.Reasoning.Effort != "" {
			return
		}
		budget = -1
	}
	d.Prompt.Reasoning.Budget = &budget
}

// reasoning reads OpenRouter's form.
func (d *decoder) reasoning(v []byte) *llm.Error {
	return field.Object("reasoning", v, func(key string, v []byte) (err *llm.Error) {
		param := "reasoning." + key
		if field.Null(v) {
			return nil
		}
		switch key {
		case "effort":
			err = d.effort(param, v)
		case "max_tokens":
			d.Prompt.Reasoning.Budget, err = field.Count(param, v)
		case "enabled":
			var on bool
			if on, err = field.Bool(param, v); err == nil {
				d.think(on)
			}
		default:
			if field.Truthy(v) {
				d.Prompt.Lose(param)
			}
		}
		return err
	})
}

// thinking reads the form of Anthropic, which DeepSeek, Z.AI and others took
// over: {"type": "enabled", "budget_tokens": 4096}.
func (d *decoder) thinking(v []byte) *llm.Error {
	if v[0] == 't' || v[0] == 'f' {
		d.think(v[0] == 't')
		return nil
	}
	return field.Object("thinking", v, func(key string, v []byte) (err *llm.Error) {
		param := "thinking." + key
		switch key {
		case "type":
			switch kind := field.Unquote(v); kind {
			case "enabled", "adaptive", "auto":
				d.think(true)
			case "disabled":
				d.think(false)
			default:
				err = llm.Invalid(param, "thinking.type must be enabled, adaptive or disabled, not %q", kind)
			}
		case "budget_tokens":
			if !field.Null(v) {
				d.Prompt.Reasoning.Budget, err = field.Count(param, v)
			}
		default:
			if field.Truthy(v) {
				d.Prompt.Lose(param)
			}
		}
		return err
	})
}
