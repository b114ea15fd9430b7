package embed

import (
	"strconv"

	"keytray/proxy/dialect/field"
	"keytray/proxy/llm"
)

// Tally reads the usage of a whole answer; the vectors are passed over.
func (d Dialect) Tally(_ *llm.Call, t *llm.Tally, body []byte) llm.Verdict {
	var failed []byte
	err := llm.Fields(body, func(key, v []byte, _ int) bool {
		switch string(key) {
		case "data", "embeddings", "embedding":
			t.Good = v[0] == '[' || v[0] == '{'
		case "model":
			t.Model = field.Unquote(v)
		case "usage", "usageMetadata", "meta":
			d.usage(&t.Usage, v)
		case "prompt_eval_count":
			if d.Form == Ollama {
				t.Usage = llm.Usage{Known: true, Input: integer(v)}
			}
		case "error":
			failed = v
		}
		return true
	})
	switch {
	case err != nil:
		return llm.Last // what it is instead is for the leaf to say
	case len(failed) > 0 && failed[0] != 'n' && !t.Good:
		t.Err = d.refusal(502, nil, body)
	case t.Good:
		t.Done, t.Why = true, llm.EndTurn
	}
	return llm.Last
}

// usage reads what the forms call usage, usageMetadata, and meta.
func (d Dialect) usage(u *llm.Usage, v []byte) {
	switch d.Form {
	case OpenAI:
		prompt, total := int64(-1), int64(-1)
		_ = llm.Fields(v, func(key, v []byte, _ int) bool { // what cannot be read is not known
			switch string(key) {
			case "prompt_tokens":
				prompt = integer(v)
			case "total_tokens": // Voyage tells no other
				total = integer(v)
			case "cost": // OpenRouter
				if p, err := llm.ParsePico(string(v)); err == nil && p >= 0 {
					u.Stated, u.HasStated = p, true
				}
			}
			return true
		})
		if prompt < 0 {
			prompt = total
		}
		if prompt >= 0 {
			u.Known, u.Input = true, prompt
		}
	case Gemini:
		_ = llm.Fields(v, func(key, v []byte, _ int) bool {
			switch string(key) {
			case "promptTokenCount":
				u.Known = true
				u.Input += integer(v)
			case "promptTokenDetails", "promptTokensDetails":
				modalities(u, v)
			}
			return true
		})
	case Cohere:
		_ = llm.Fields(v, func(key, v []byte, _ int) bool {
			if string(key) == "billed_units" {
				_ = llm.Fields(v, func(key, v []byte, _ int) bool {
					switch string(key) {
					case "input_tokens":
						u.Known, u.Input = true, integer(v)
					case "image_tokens":
						u.Known, u.ImageInput = true, integer(v)
					}
					return true
				})
			}
			return true
		})
	}
}

// modalities moves the tokens of pictures and sounds out of Input, which has
// them all, whichever of the two fields comes first.
func modalities(u *llm.Usage, v []byte) {
	_ = llm.Elements(v, func(v []byte, _ int) bool {
		var kind string
		var n int64
		_ = llm.Fields(v, func(key, v []byte, _ int) bool {
			switch string(key) {
			case "modality":
				kind = field.Unquote(v)
			case "tokenCount":
				n = max(0, integer(v))
			}
			return true
		})
		switch kind {
		case "IMAGE":
			u.ImageInput, u.Input = u.ImageInput+n, u.Input-n
		case "AUDIO":
			u.AudioInput, u.Input = u.AudioInput+n, u.Input-n
		}
		return true
	})
}

// integer takes 5.0 for 5, as some providers write it; -1 is no number.
func integer(v []byte) int64 {
	f, err := strconv.ParseFloat(string(v), 64)
	if err != nil || f < 0 {
		return -1
	}
	return int64(f)
}
