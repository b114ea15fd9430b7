package embed

import (
	"strings"

	"keytray/proxy/dialect/field"
	"keytray/proxy/llm"
	"keytray/proxy/sse"
)

// Patch puts the provider's name of the model in place of the client's, in
// Gemini's form wherever it stands in the body; nothing else changes.
func (d Dialect) Patch(c *llm.Call, r *llm.Request) ([][]byte, error) {
	if d.Form == Gemini {
		return patchGemini(c, r)
	}
	if r.ModelAt[1] <= r.ModelAt[0] || r.ModelAt[1] > len(r.Raw) {
		return nil, &llm.Error{Kind: llm.Internal, Message: "the place of the model in the request is not known"}
	}
	return [][]byte{r.Raw[:r.ModelAt[0]], sse.AppendString(nil, c.Model.Name), r.Raw[r.ModelAt[1]:]}, nil
}

func patchGemini(c *llm.Call, r *llm.Request) ([][]byte, error) {
	name := geminiName(c.Model.Name)
	if name == geminiName(r.Model) {
		return [][]byte{r.Raw}, nil
	}
	var at [][2]int
	err := models(r.Raw, 0, &at)
	if r.Form != formOne && err == nil {
		err = llm.Fields(r.Raw, func(key, v []byte, from int) bool {
			if string(key) != "requests" {
				return true
			}
			_ = llm.Elements(v, func(v []byte, i int) bool { // the provider tells what is wrong with it
				_ = models(v, from+i, &at)
				return true
			})
			return true
		})
	}
	if err != nil {
		return nil, field.Unreadable(r.Raw)
	}
	var pieces [][]byte
	from := 0
	for _, m := range at {
		prefix := ""
		if strings.HasPrefix(field.Unquote(r.Raw[m[0]:m[1]]), "models/") {
			prefix = "models/"
		}
		pieces = append(pieces, r.Raw[from:m[0]], sse.AppendString(nil, prefix+name))
		from = m[1]
	}
	return append(pieces, r.Raw[from:]), nil
}

// models notes where an object at a place in the body names its model.
func models(object []byte, base int, at *[][2]int) error {
	return llm.Fields(object, func(key, v []byte, i int) bool {
		if string(key) == "model" && v[0] == '"' {
			*at = append(*at, [2]int{base + i, base + i + len(v)})
		}
		return true
	})
}
