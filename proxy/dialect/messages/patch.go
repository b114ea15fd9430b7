package messages

import (
	"bytes"

	"keytray/proxy/llm"
	"keytray/proxy/sse"
)

// Patch replaces the model's name; every other byte goes on as it came. Usage
// is always reported, so nothing is added.
func (Dialect) Patch(c *llm.Call, r *llm.Request) ([][]byte, error) {
	edits, err := nameModel(c, r)
	if err != nil {
		return nil, err
	}
	pieces := make([][]byte, 0, 2*len(edits)+1)
	at := 0
	for _, e := range edits {
		pieces = append(pieces, r.Raw[at:e.from:e.from])
		if len(e.with) > 0 {
			pieces = append(pieces, e.with)
		}
		at = e.to
	}
	return append(pieces, r.Raw[at:]), nil
}

// edit replaces the bytes [from, to) of a body.
type edit struct {
	from, to int
	with     []byte
}

func nameModel(c *llm.Call, r *llm.Request) ([]edit, error) {
	if edits, ok, err := hostEdits(c, r); ok {
		return edits, err
	}
	start, end := r.ModelAt[0], r.ModelAt[1]
	if 0 < start && start < end && end <= len(r.Raw) {
		return []edit{{start, end, sse.AppendString(nil, c.Model.Name)}}, nil
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
	return []edit{{open, open, model}}, nil
}
