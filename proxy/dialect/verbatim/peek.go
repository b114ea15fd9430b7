package verbatim

import (
	"net/http"
	"unicode/utf8"

	"keytray/proxy/dialect/field"
	"keytray/proxy/llm"
	"keytray/proxy/sse"
)

// Peek finds the model and the wish for a stream in a JSON body. A form's model
// is found by [Form]; calls that go by no model have nothing to find.
func (d Dialect) Peek(_ *http.Request, body []byte) (llm.Peek, error) {
	var p llm.Peek
	if !d.Named() && d.Kind != Raw {
		return p, nil
	}
	var bad *llm.Error
	err := llm.Fields(body, func(key, v []byte, at int) bool {
		switch field.Name(key) {
		case "model":
			switch {
			case p.ModelAt[1] > 0:
				bad = llm.Invalid("model", "model is given twice")
			case v[0] == 'n':
			case v[0] != '"':
				bad = llm.Invalid("model", "model must be a string")
			default:
				p.Model, p.ModelAt = field.Unquote(v), [2]int{at, at + len(v)}
			}
		case "stream":
			p.Stream = string(v) == "true"
		case "stream_format": // of speech
			p.Stream = p.Stream || field.Unquote(v) == "sse"
		}
		return bad == nil
	})
	if d.Kind == Raw && p.ModelAt[1] == 0 {
		return llm.Peek{Stream: p.Stream}, nil // what is wrong with it is for the provider to say
	}
	if err != nil {
		return llm.Peek{}, llm.Invalid("", "the request body is no JSON object")
	}
	if bad != nil {
		return llm.Peek{}, bad
	}
	if d.Kind == Raw {
		p.ModelAt = [2]int{} // it is sent as it is
	}
	return p, nil
}

// Patch is a body's head with the provider's name of the model in place of the
// client's; form says that it is a form's, where names stand bare.
func Patch(head []byte, at [2]int, name string, form bool) ([][]byte, error) {
	if at[1] <= at[0] {
		return [][]byte{head}, nil
	}
	if at[1] > len(head) {
		return nil, &llm.Error{Kind: llm.Internal, Message: "the place of the model in the request is not known"}
	}
	text := sse.AppendString(nil, name)
	if form {
		text = []byte(name)
		for _, c := range text {
			if c < ' ' {
				return nil, llm.Invalid("model", "a model's name cannot hold control characters")
			}
		}
	}
	return [][]byte{head[:at[0]], text, head[at[1]:]}, nil
}

// Asks is the usage that a request alone tells, for where its answer tells none:
// the text that is to be spoken.
func (d Dialect) Asks(body []byte) llm.Usage {
	if d.Kind != Speech {
		return llm.Usage{}
	}
	n := utf8.RuneCountInString(field.Unquote(field.Of(body, "input")))
	return llm.Usage{Characters: int64(n), Known: n > 0}
}
