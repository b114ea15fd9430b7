package embed

import (
	"strconv"
	"strings"

	"keytray/proxy/llm"
	"keytray/proxy/sse"
)

// EncodeRequest writes the provider's form of a prompt.
func (d Dialect) EncodeRequest(c *llm.Call, p *llm.Prompt) ([]byte, error) {
	e := p.Embed
	if e == nil {
		return nil, &llm.Error{Kind: llm.Internal, Message: "a call that asks for no embeddings came to one that makes them"}
	}
	for _, field := range p.Lost {
		c.Lose(field)
	}
	if p.User != "" && d.Form != OpenAI {
		c.Lose("user")
	}
	if d.Form != OpenAI {
		for i := range e.Inputs {
			if e.Inputs[i].Tokens != nil {
				return nil, llm.Invalid("input", "input holds token numbers, and %s takes text only: send the text itself, or ask for a model whose provider takes OpenAI's tokens", who(c))
			}
		}
	}
	switch d.Form {
	case Gemini:
		return encodeGemini(c, e), nil
	case Ollama:
		return encodeOllama(c, e), nil
	case Cohere:
		return encodeCohere(c, e), nil
	}
	return encodeOpenAI(c, p)
}

func who(c *llm.Call) string {
	if c.Model.Provider == "" {
		return "this provider"
	}
	return c.Model.Provider
}

func encodeOpenAI(c *llm.Call, p *llm.Prompt) ([]byte, error) {
	loseTask(c, p.Embed)
	b := sse.AppendString([]byte(`{"model":`), c.Model.Name)
	b = append(b, `,"input":[`...)
	tokens := p.Embed.Inputs[0].Tokens != nil
	for i, in := range p.Embed.Inputs {
		if i > 0 {
			b = append(b, ',')
		}
		if tokens != (in.Tokens != nil) {
			return nil, llm.Invalid("input", "input mixes texts and tokens; send the one or the other")
		}
		if !tokens {
			b = sse.AppendString(b, in.Text)
			continue
		}
		b = append(b, '[')
		for k, n := range in.Tokens {
			if k > 0 {
				b = append(b, ',')
			}
			b = strconv.AppendInt(b, int64(n), 10)
		}
		b = append(b, ']')
	}
	b = append(b, ']')
	b = appendDimensions(b, `,"dimensions":`, p.Embed)
	if p.User != "" {
		b = sse.AppendString(append(b, `,"user":`...), p.User)
	}
	return append(b, '}'), nil
}

func encodeOllama(c *llm.Call, e *llm.Embed) []byte {
	loseTask(c, e)
	b := sse.AppendString([]byte(`{"model":`), c.Model.Name)
	b = appendTexts(append(b, `,"input":`...), e)
	return append(appendDimensions(b, `,"dimensions":`, e), '}')
}

func encodeGemini(c *llm.Call, e *llm.Embed) []byte {
	model := sse.AppendString(nil, "models/"+geminiName(c.Model.Name))
	b := []byte(`{"requests":[`)
	for i, in := range e.Inputs {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(append(b, `{"model":`...), model...)
		b = sse.AppendString(append(b, `,"content":{"parts":[{"text":`...), in.Text)
		b = append(b, "}]}"...)
		if e.Task != "" {
			b = sse.AppendString(append(b, `,"taskType":`...), taskIn(Gemini, e.Task))
		}
		b = append(appendDimensions(b, `,"outputDimensionality":`, e), '}')
	}
	return append(b, "]}"...)
}

func encodeCohere(c *llm.Call, e *llm.Embed) []byte {
	task := taskIn(Cohere, e.Task)
	if task == "" {
		task = "search_document" // Cohere's models from v3 on want one
		c.Lose("input_type: search_document was taken, since none was said")
	}
	b := sse.AppendString([]byte(`{"model":`), c.Model.Name)
	b = appendTexts(append(b, `,"texts":`...), e)
	b = sse.AppendString(append(b, `,"input_type":`...), task)
	b = append(b, `,"embedding_types":["float"]`...)
	return append(appendDimensions(b, `,"output_dimension":`, e), '}')
}

func appendTexts(b []byte, e *llm.Embed) []byte {
	b = append(b, '[')
	for i, in := range e.Inputs {
		if i > 0 {
			b = append(b, ',')
		}
		b = sse.AppendString(b, in.Text)
	}
	return append(b, ']')
}

func appendDimensions(b []byte, field string, e *llm.Embed) []byte {
	if e.Dimensions == nil {
		return b
	}
	return strconv.AppendInt(append(b, field...), int64(*e.Dimensions), 10)
}

// tasks are the same purposes in Gemini's words and in Cohere's.
var tasks = [...][2]string{
	{"RETRIEVAL_DOCUMENT", "search_document"},
	{"RETRIEVAL_QUERY", "search_query"},
	{"CLASSIFICATION", "classification"},
	{"CLUSTERING", "clustering"},
}

// taskIn is a task in a form's own word; one that the form lacks stays, and
// the provider says what it thinks of it.
func taskIn(f Form, task string) string {
	for _, t := range tasks {
		if task == t[0] || task == t[1] {
			if f == Gemini {
				return t[0]
			}
			return t[1]
		}
	}
	return task
}

// loseTask reports a task toward a form that knows none, in the client's terms.
func loseTask(c *llm.Call, e *llm.Embed) {
	switch {
	case e.Task == "":
	case strings.ToUpper(e.Task) == e.Task:
		c.Lose("taskType")
	default:
		c.Lose("input_type")
	}
}
