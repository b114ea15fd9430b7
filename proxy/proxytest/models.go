package proxytest

import (
	"net/http"
	"slices"
	"strings"
)

// about answers what is not a question to a model: lists, details, versions and counts.
func (p *Provider) about(seen *Seen, what call) Script {
	d := seen.Dialect
	body := func(o object) Script {
		return Script{Raw: &Raw{
			Header: http.Header{"Content-Type": {wholeType(d)}}, Pieces: [][]byte{encode(o)},
		}}
	}
	unknown := Script{Fail: &Fail{Status: http.StatusNotFound}}
	switch what {
	case callModels:
		return body(p.list(d))
	case callModel:
		if !slices.Contains(p.Models, seen.Model) {
			return unknown
		}
		return body(modelObject(d, seen.Model))
	case callShow:
		name, _ := strings.CutSuffix(seen.Model, ":latest")
		if !slices.Contains(p.Models, name) {
			return unknown
		}
		return body(object{
			"modelfile", "", "details", ollamaDetails(),
			"model_info",
			object{"general.architecture", "llama", "llama.context_length", 8192},
			"capabilities",
			[]string{"completion", "tools", "thinking", "vision"},
			"modified_at", createdText,
		})
	case callVersion:
		return body(object{"version", "0.17.4"})
	case callCount:
		if d == Gemini {
			return body(object{"totalTokens", 12})
		}
		return body(object{"input_tokens", 12})
	default:
		return unknown
	}
}

func (p *Provider) list(d Dialect) object {
	models := []any{}
	for _, m := range p.Models {
		models = append(models, modelObject(d, m))
	}
	switch d {
	case Messages:
		o := object{"data", models, "has_more", false, "first_id", nil, "last_id", nil}
		if n := len(p.Models); n > 0 {
			o[5], o[7] = p.Models[0], p.Models[n-1]
		}
		return o
	case Gemini, Ollama:
		return object{"models", models}
	default:
		return object{"object", "list", "data", models}
	}
}

func modelObject(d Dialect, name string) object {
	switch d {
	case Messages:
		return object{"type", "model", "id", name, "display_name", name, "created_at", createdText}
	case Gemini:
		return object{
			"name", "models/" + name, "version", "001", "displayName", name,
			"inputTokenLimit", 1048576, "outputTokenLimit", 65536,
			"supportedGenerationMethods",
			[]string{"generateContent", "countTokens"},
		}
	case Ollama:
		return object{
			"name", name + ":latest", "model", name + ":latest", "modified_at", createdText, "size", 455725,
			"digest", strings.Repeat("0", 64), "details", ollamaDetails(),
		}
	default:
		return object{"id", name, "object", "model", "created", createdUnix, "owned_by", "test"}
	}
}

func ollamaDetails() object {
	return object{
		"parent_model", "", "format", "gguf", "family", "llama", "families",
		[]string{"llama"},
		"parameter_size", "112K", "quantization_level", "unknown",
	}
}
