package openai

import (
	"slices"

	"keytray/proxy/dialect/field"
	"keytray/proxy/llm"
)

// Settings reads the fields of a request that its APIs have in common.
type Settings struct {
	Prompt *llm.Prompt
	// MaxTokens is what an older name of the limit said, for requests that do
	// not use the newer one.
	MaxTokens *int

	safetyID   string
	restricted bool     // to the tools of tool_choice.allowed_tools
	allowed    []string // which are these
}

// Read reads one field of the body; known is false if it is none of these.
func (s *Settings) Read(key string, v []byte) (known bool, err *llm.Error) {
	p, l := s.Prompt, &s.Prompt.Limits
	switch key {
	case "temperature":
		l.Temperature, err = field.Number(key, v)
	case "top_p":
		l.TopP, err = field.Number(key, v)
	case "top_k":
		l.TopK, err = field.Count(key, v)
	case "frequency_penalty":
		l.FrequencyPenalty, err = field.Number(key, v)
	case "presence_penalty":
		l.PresencePenalty, err = field.Number(key, v)
	case "seed":
		l.Seed, err = field.Integer(key, v)
	case "stop":
		err = s.stop(key, v)
	case "parallel_tool_calls":
		p.Choice.Parallel, err = field.OptionalBool(key, v)
	case "user":
		p.User, err = field.String(key, v)
	case "safety_identifier":
		s.safetyID, err = field.String(key, v)
	case "service_tier":
		p.Tier, err = field.String(key, v)
	default:
		return false, nil
	}
	return true, err
}

func (s *Settings) stop(key string, v []byte) *llm.Error {
	l := &s.Prompt.Limits
	if v[0] == '"' {
		l.Stop = []string{field.Unquote(v)}
		return nil
	}
	if v[0] != '[' {
		return llm.Invalid(key, "%s must be a string or an array of strings, not %s", key, field.Kind(v))
	}
	l.Stop = nil
	return field.Array(key, v, func(param string, v []byte) *llm.Error {
		one, err := field.String(param, v)
		l.Stop = append(l.Stop, one)
		return err
	})
}

// ChoiceMode is the mode of that name; false if it is none.
func ChoiceMode(s string) (mode llm.ChoiceMode, ok bool) {
	switch s {
	case "none":
		return llm.ChooseNone, true
	case "auto":
		return llm.ChooseAuto, true
	case "required", "any":
		return llm.ChooseAny, true
	}
	return llm.ChooseUnset, false
}

// Choice reads a tool_choice that is a word; known is false for an object,
// which the APIs write in ways of their own.
func (s *Settings) Choice(v []byte) (known bool, err *llm.Error) {
	switch v[0] {
	case '{':
		return false, nil
	case '"':
		mode, ok := ChoiceMode(field.Unquote(v))
		if !ok {
			err = llm.Invalid("tool_choice", "tool_choice must be none, auto, required or an object, not %q", field.Unquote(v))
		}
		s.Prompt.Choice.Mode = mode
	default:
		err = llm.Invalid("tool_choice", "tool_choice must be a string or an object, not %s", field.Kind(v))
	}
	return true, err
}

// Allow reads tool_choice.allowed_tools: its mode, and a list of the only tools
// that may be called, whose names name finds.
func (s *Settings) Allow(param string, v []byte, name func(v []byte) string) *llm.Error {
	s.Prompt.Choice.Mode, _ = ChoiceMode(field.Unquote(field.Of(v, "mode")))
	s.restricted = true
	return field.Array(param, field.Of(v, "tools"), func(param string, v []byte) *llm.Error {
		one := name(v)
		if one == "" {
			return llm.Invalid(param, "%s must name a tool", param)
		}
		s.allowed = append(s.allowed, one)
		return nil
	})
}

// Settle settles what depends on several fields, once all are read.
func (s *Settings) Settle() *llm.Error {
	p := s.Prompt
	if p.Limits.MaxTokens == nil {
		p.Limits.MaxTokens = s.MaxTokens
	}
	switch {
	case p.User == "":
		p.User = s.safetyID
	case s.safetyID != "" && s.safetyID != p.User:
		p.Lose("safety_identifier")
	}
	if s.restricted {
		p.Tools = slices.DeleteFunc(p.Tools, func(t llm.Tool) bool { return !slices.Contains(s.allowed, t.Name) })
		p.Lose("tool_choice.allowed_tools: the other tools are left out")
	}
	if len(p.Tools) == 0 && (p.Choice.Mode == llm.ChooseAny || p.Choice.Mode == llm.ChooseNamed) {
		p.Choice = llm.Choice{} // A26
		p.Lose("tool_choice: there are no tools")
	}
	named := func(t llm.Tool) bool { return t.Name == p.Choice.Name }
	if p.Choice.Mode == llm.ChooseNamed && !slices.ContainsFunc(p.Tools, named) {
		return llm.Invalid("tool_choice", "tool_choice names %q, which is not among the tools", p.Choice.Name)
	}
	return nil
}
