package embed

import (
	"encoding/json"
	"strconv"

	"keytray/proxy/dialect/field"
	"keytray/proxy/llm"
)

// DecodeRequest reads the client's body.
func (d Dialect) DecodeRequest(r *llm.Request) (*llm.Prompt, error) {
	p := &llm.Prompt{Embed: &llm.Embed{}}
	var err *llm.Error
	switch d.Form {
	case Gemini:
		err = decodeGemini(p, r)
	default:
		err = d.decode(p, r.Raw)
	}
	if err != nil {
		return nil, err
	}
	if len(p.Embed.Inputs) == 0 {
		return nil, llm.Invalid(d.inputField(r.Form), "%s is missing or empty: send the text to embed", d.inputField(r.Form))
	}
	return p, nil
}

// inputField is where the form has its texts.
func (d Dialect) inputField(form string) string {
	switch {
	case d.Form == Gemini && form == formOne:
		return "content"
	case d.Form == Gemini:
		return "requests"
	case d.Form == Ollama && form == formLegacy:
		return "prompt"
	case d.Form == Cohere:
		return "texts"
	}
	return "input"
}

// decode reads OpenAI's, Ollama's and Cohere's body, whose fields are flat.
func (d Dialect) decode(p *llm.Prompt, body []byte) *llm.Error {
	var bad *llm.Error
	err := llm.Fields(body, func(key, v []byte, _ int) bool {
		if string(v) == "null" {
			return true
		}
		switch string(d.Form) + " " + string(key) {
		case "openai model", "ollama model", "cohere model":
		case "openai input", "ollama input", "ollama prompt", "cohere texts":
			bad = inputs(p.Embed, string(key), v, d.Form == OpenAI)
		case "openai dimensions", "ollama dimensions", "cohere output_dimension":
			p.Embed.Dimensions, bad = positive(string(key), v)
		case "openai user":
			p.User = field.Unquote(v)
		case "openai encoding_format":
			if s := field.Unquote(v); s != "float" && s != "base64" {
				bad = llm.Invalid("encoding_format", "encoding_format must be float or base64")
			}
		case "ollama truncate":
			if string(v) != "true" { // which is the default
				p.Lost = append(p.Lost, "truncate")
			}
		case "cohere input_type":
			p.Embed.Task = field.Unquote(v)
		case "cohere embedding_types":
			bad = cohereTypes(v)
		case "cohere images", "cohere inputs":
			bad = llm.Invalid(string(key), "%s: the provider that serves this model takes texts only; send them in texts", key)
		default:
			p.Lost = append(p.Lost, string(key))
		}
		return bad == nil
	})
	if bad == nil && err != nil {
		bad = field.Unreadable(body)
	}
	return bad
}

// inputs reads a string, an array of strings, or where the form has them, an
// array of tokens or of such arrays (J15).
func inputs(e *llm.Embed, name string, v []byte, tokens bool) *llm.Error {
	if v[0] == '"' {
		e.Inputs = []llm.EmbedInput{{Text: field.Unquote(v)}}
		return nil
	}
	wrong := llm.Invalid(name, "%s must be a string or an array of strings", name)
	if tokens {
		wrong = llm.Invalid(name, "%s must be a string, an array of strings, an array of tokens, or an array of arrays of tokens", name)
		var one []int
		if json.Unmarshal(v, &one) == nil && len(one) > 0 {
			e.Inputs = []llm.EmbedInput{{Tokens: one}}
			return nil
		}
	}
	good := true
	err := llm.Elements(v, func(v []byte, _ int) bool {
		var in llm.EmbedInput
		if v[0] == '"' {
			in.Text = field.Unquote(v)
		} else {
			good = tokens && json.Unmarshal(v, &in.Tokens) == nil && len(in.Tokens) > 0
		}
		e.Inputs = append(e.Inputs, in)
		return good
	})
	if err != nil || !good {
		return wrong
	}
	return nil
}

func positive(name string, v []byte) (*int, *llm.Error) {
	n, err := strconv.Atoi(string(v))
	if err != nil || n < 1 {
		return nil, llm.Invalid(name, "%s must be a whole number of at least 1", name)
	}
	return &n, nil
}

// cohereTypes refuses number formats that no other provider has.
func cohereTypes(v []byte) *llm.Error {
	var types []string
	if json.Unmarshal(v, &types) != nil {
		return llm.Invalid("embedding_types", "embedding_types must be an array of strings")
	}
	for _, t := range types {
		if t != "float" && t != "base64" {
			return llm.Invalid("embedding_types", "embedding_types: %s is had from Cohere's own models alone; ask for float or base64", t)
		}
	}
	return nil
}

// geminiRequest is one text of Gemini's form.
type geminiRequest struct {
	Content struct {
		Parts []map[string]json.RawMessage `json:"parts"`
	} `json:"content"`
	TaskType   string `json:"taskType"`
	TaskSnake  string `json:"task_type"`
	Title      string `json:"title"`
	Dimensions *int   `json:"outputDimensionality"`
	DimSnake   *int   `json:"output_dimensionality"`
}

func decodeGemini(p *llm.Prompt, r *llm.Request) *llm.Error {
	var all []geminiRequest
	var err error
	if r.Form == formOne {
		all = make([]geminiRequest, 1)
		err = json.Unmarshal(r.Raw, &all[0])
	} else {
		var body struct{ Requests []geminiRequest }
		err = json.Unmarshal(r.Raw, &body)
		all = body.Requests
	}
	if err != nil {
		return llm.Invalid("", "the request body cannot be read: %v", err)
	}
	for i, q := range all {
		in, bad := q.text(i)
		if bad != nil {
			return bad
		}
		p.Embed.Inputs = append(p.Embed.Inputs, in)
		if q.TaskType == "" {
			q.TaskType = q.TaskSnake
		}
		if q.Dimensions == nil {
			q.Dimensions = q.DimSnake
		}
		if i > 0 && (q.TaskType != p.Embed.Task || !same(q.Dimensions, p.Embed.Dimensions)) {
			return llm.Invalid("requests", "requests[%d] differs from the first in taskType or outputDimensionality, which this model's provider takes once for all; send them in calls of their own", i)
		}
		p.Embed.Task, p.Embed.Dimensions = q.TaskType, q.Dimensions
		if q.Title != "" && len(p.Lost) == 0 {
			p.Lost = append(p.Lost, "title")
		}
	}
	return nil
}

func same(a, b *int) bool { return a == nil && b == nil || a != nil && b != nil && *a == *b }

// text joins the parts of one request.
func (q *geminiRequest) text(i int) (llm.EmbedInput, *llm.Error) {
	var in llm.EmbedInput
	for _, part := range q.Content.Parts {
		raw, ok := part["text"]
		if !ok {
			return in, llm.Invalid("content", "content %d holds a part that is no text, and this model's provider embeds texts only", i)
		}
		in.Text += field.Unquote(raw)
	}
	if len(q.Content.Parts) == 0 {
		return in, llm.Invalid("content", "content %d has no parts: send the text to embed", i)
	}
	return in, nil
}
