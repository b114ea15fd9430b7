package gemini

import (
	"encoding/json"
	"strings"

	"keytray/proxy/dialect/field"
	"keytray/proxy/llm"
)

// config is what generationConfig says of the answer's form, until all of it
// has been read.
type config struct {
	mime   string
	schema json.RawMessage
}

// generationConfig reads one field of generationConfig.
func (d *reader) generationConfig(key string, v []byte) (err *llm.Error) {
	param := "generationConfig." + key
	l := &d.p.Limits
	switch key {
	case "maxOutputTokens":
		l.MaxTokens, err = integer(param, v)
	case "temperature":
		l.Temperature, err = decimal(param, v)
	case "topP":
		l.TopP, err = decimal(param, v)
	case "topK":
		l.TopK, err = integer(param, v)
	case "seed":
		var n *int
		if n, err = integer(param, v); n != nil {
			seed := int64(*n)
			l.Seed = &seed
		}
	case "frequencyPenalty":
		l.FrequencyPenalty, err = decimal(param, v)
	case "presencePenalty":
		l.PresencePenalty, err = decimal(param, v)
	case "stopSequences":
		err = list(param, v, func(param string, v []byte) *llm.Error {
			s, err := field.String(param, v)
			l.Stop = append(l.Stop, s)
			return err
		})
	case "candidateCount":
		var n *int
		if n, err = integer(param, v); n != nil && *n > 1 {
			err = llm.Invalid(param, "%s: a translated answer has one candidate, not %d: ask as often as you need, or a model of Google's", param, *n)
		}
	case "responseMimeType":
		d.config.mime, err = field.String(param, v)
	case "responseSchema":
		if v, err = jsonSchema(param, v); err == nil && d.config.schema == nil {
			d.config.schema = v
		}
	case "responseJsonSchema":
		if v[0] != '{' {
			return llm.Invalid(param, "%s must be a JSON Schema, not %s", param, field.Kind(v))
		}
		d.config.schema = json.RawMessage(v)
	case "thinkingConfig":
		err = object(param, v, d.thinkingConfig)
	case "responseModalities":
		err = d.modalities(param, v)
	default: // speechConfig, imageConfig, mediaResolution, logprobs, responseLogprobs ...
		if field.Truthy(v) {
			d.p.Lose(param)
		}
	}
	return err
}

func (d *reader) thinkingConfig(key string, v []byte) (err *llm.Error) {
	param := "generationConfig.thinkingConfig." + key
	r := &d.p.Reasoning
	switch key {
	case "includeThoughts":
		var on bool
		on, err = field.Bool(param, v)
		r.Show = "none"
		if on {
			r.Show = "auto"
		}
	case "thinkingBudget":
		r.Budget, err = integer(param, v)
		if err == nil && *r.Budget < -1 {
			err = llm.Invalid(param, "%s must be 0 (off), -1 (as the model likes) or a number of tokens, not %d", param, *r.Budget)
		}
	case "thinkingLevel":
		var level string
		level, err = enum(param, "THINKING_LEVEL_", v)
		r.Effort = strings.ToLower(level) // minimal, low, medium, high
	default:
		if field.Truthy(v) {
			d.p.Lose(param)
		}
	}
	return err
}

// modalities refuses what would change the answer's kind.
func (d *reader) modalities(param string, v []byte) *llm.Error {
	text, lost, n := false, "", 0
	err := list(param, v, func(param string, v []byte) *llm.Error {
		m, err := enum(param, "MODALITY_", v)
		switch m {
		case "", "TEXT":
			text = true
		default:
			lost = m
		}
		n++
		return err
	})
	switch {
	case err != nil || lost == "":
		return err
	case !text:
		return llm.Invalid(param, "%s: an answer of %s alone cannot be translated: ask a model of Google's for it", param, lost)
	}
	d.p.Lose(param + ": " + lost)
	return nil
}

// settleFormat puts MIME type and schema together (E16).
func (d *reader) settleFormat() *llm.Error {
	const param = "generationConfig.responseMimeType"
	mime, _, _ := strings.Cut(d.config.mime, ";")
	switch strings.ToLower(strings.TrimSpace(mime)) {
	case "application/json":
		d.p.Format.Kind = llm.FormatJSON
	case "", "text/plain":
	default:
		return llm.Invalid(param, "%s: %q cannot be asked of another provider: use application/json with a schema", param, d.config.mime)
	}
	if d.config.schema != nil {
		d.p.Format = llm.Format{Kind: llm.FormatSchema, Schema: d.config.schema}
	}
	return nil
}
