package ollama

import (
	"keytray/proxy/dialect/field"
	"keytray/proxy/llm"
)

// option reads one of api.Options. One that says what holds anyway is no
// loss; any other that a prompt cannot hold is named.
func (d *reader) option(key string, v []byte) (bad *llm.Error) {
	if field.Null(v) {
		return nil
	}
	l, param := &d.p.Limits, "options."+key
	switch key {
	case "num_predict":
		n, bad := integer(param, v)
		if n > 0 { // -1 and -2 are no limit, and the runner takes 0 as such too
			l.MaxTokens = small(n)
		}
		return bad
	case "temperature":
		l.Temperature, bad = field.Number(param, v)
	case "top_p":
		l.TopP, bad = field.Number(param, v)
	case "top_k":
		n, bad := integer(param, v)
		if n > 0 { // 0 looks at all tokens
			l.TopK = small(n)
		}
		return bad
	case "seed":
		n, bad := integer(param, v)
		if bad == nil && n >= 0 { // -1 is any
			l.Seed = &n
		}
		return bad
	case "frequency_penalty":
		l.FrequencyPenalty, bad = field.Number(param, v)
	case "presence_penalty":
		l.PresencePenalty, bad = field.Number(param, v)
	case "stop":
		if v[0] == '"' {
			var s string
			s, bad = field.String(param, v)
			l.Stop = []string{s}
			break
		}
		l.Stop = nil
		return field.Array(param, v, func(param string, v []byte) *llm.Error {
			if field.Null(v) {
				return llm.Invalid(param, "%s must be a string, not null", param)
			}
			s, bad := field.String(param, v)
			l.Stop = append(l.Stop, s)
			return bad
		})
	case "repeat_penalty", "typical_p", "min_p", "tfs_z":
		f, bad := field.Number(param, v)
		if bad == nil && *f != neutral(key) {
			d.p.Lose(param)
		}
		return bad
	default: // num_ctx and all that tells the runner where to run
		d.p.Lose(param)
	}
	return bad
}

// neutral is the value at which a sampler changes nothing.
func neutral(key string) float64 {
	if key == "min_p" {
		return 0
	}
	return 1
}

func small(n int64) *int {
	i := int(min(n, 1<<31-1))
	return &i
}
