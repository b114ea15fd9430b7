package messages

import (
	"bytes"

	"keytray/proxy/llm"
	"keytray/proxy/sse"
)

// Patch replaces the model's name; every other byte goes on as it came. Usage
// is always reported, so nothing is added.
func (Dialect) Patch(c *llm.Call, r *llm.Request) ([][]byte, error) {
	start, end := r.ModelAt[0], r.ModelAt[1]
	if 0 < start && start < end && end <= len(r.Raw) {
		return [][]byte{r.Raw[:start:start], sse.AppendString(nil, c.Model.Name), r.Raw[end:]}, nil
	}
	// A body that leaves the model to its path or route gets one.
	open := bytes.IndexByte(r.Raw, '{') + 1
	if open == 0 || len(bytes.TrimSpace(r.Raw[:open-1])) > 0 {
		return nil, llm.Invalid("", "the request body is not a JSON object")
	}
	model := sse.AppendString([]byte(`"model":`), c.Model.Name)
	if rest := bytes.TrimLeft(r.Raw[open:], " \t\r\n"); len(rest) > 0 && rest[0] != '}' {
		model = append(model, ',')
	}
	return [][]byte{r.Raw[:open:open], model, r.Raw[open:]}, nil
}
