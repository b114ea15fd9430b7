package responses

import (
	"bytes"
	"encoding/json"
	"slices"

	"keytray/proxy/dialect/field"
	"keytray/proxy/llm"
)

// textConfig reads text: the answer's format and length.
func (d *decoder) textConfig(param string, v []byte) *llm.Error {
	return field.Object(param, v, func(key string, v []byte) (err *llm.Error) {
		switch {
		case field.Null(v):
		case key == "format":
			err = d.format(param+".format", v)
		case key == "verbosity":
			d.Prompt.Verbosity, err = field.String(param+".verbosity", v)
		case field.Truthy(v):
			d.Prompt.Lose(param + "." + key)
		}
		return err
	})
}

// format reads text.format, and chat's response_format, which has the schema
// one level deeper (F6).
func (d *decoder) format(param string, v []byte) *llm.Error {
	f := &d.Prompt.Format
	if v[0] != '{' {
		return llm.Invalid(param, "%s must be an object, not %s", param, field.Kind(v))
	}
	switch kind := field.Unquote(field.Of(v, "type")); kind {
	case "text", "":
		f.Kind = llm.FormatText
		return nil
	case "json_object":
		f.Kind = llm.FormatJSON
		return nil
	case "json_schema":
		f.Kind = llm.FormatSchema
	default:
		return llm.Invalid(param+".type", "%s.type must be text, json_object or json_schema, not %q", param, kind)
	}
	if deep := field.Of(v, "json_schema"); !field.Null(deep) {
		v, param = deep, param+".json_schema"
	}
	err := field.Object(param, v, func(key string, v []byte) (err *llm.Error) {
		switch {
		case field.Null(v) || key == "type":
		case key == "name":
			f.Name, err = field.String(param+".name", v)
		case key == "schema":
			f.Schema = json.RawMessage(bytes.TrimSpace(v))
		case key == "strict":
			f.Strict, err = field.OptionalBool(param+".strict", v)
		default:
			d.Prompt.Lose(param + "." + key)
		}
		return err
	})
	if err == nil && (len(f.Schema) == 0 || f.Schema[0] != '{') {
		err = llm.Invalid(param+".schema", "%s.schema must be a JSON Schema", param)
	}
	return err
}

// reasoning reads how much thought is asked for.
func (d *decoder) reasoning(param string, v []byte) *llm.Error {
	r := &d.Prompt.Reasoning
	return field.Object(param, v, func(key string, v []byte) (err *llm.Error) {
		at := param + "." + key
		switch {
		case field.Null(v):
		case key == "effort":
			r.Effort, err = effort(at, v)
		case key == "summary", key == "generate_summary": // its older name
			if r.Show, err = field.String(at, v); err == nil && !slices.Contains([]string{"", "auto", "concise", "detailed", "none"}, r.Show) {
				err = llm.Invalid(at, "%s must be auto, concise or detailed, not %q", at, r.Show)
			}
		case key == "max_tokens": // OpenRouter's
			r.Budget, err = field.Count(at, v)
		case field.Truthy(v):
			d.Prompt.Lose(at)
		}
		return err
	})
}

func effort(param string, v []byte) (string, *llm.Error) {
	s, err := field.String(param, v)
	if s == "default" {
		s = ""
	}
	if err == nil && s != "" && !slices.Contains([]string{"none", "minimal", "low", "medium", "high", "xhigh", "max"}, s) {
		err = llm.Invalid(param, "%s must be one of none, minimal, low, medium, high, xhigh and max, not %q", param, s)
	}
	return s, err
}
