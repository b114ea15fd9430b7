package chat

import (
	"bytes"

	"keytray/proxy/dialect/field"
	"keytray/proxy/llm"
	"keytray/proxy/sse"
)

// Patch replaces the model's name, and asks a stream for its usage if the
// client did not: c.OwnUsage is set, so that the extra frame goes no further
// (I20). A provider that takes no stream_options gets none. Nothing else
// changes, but that what another provider made is left out; the pieces share
// r.Raw.
func (Dialect) Patch(c *llm.Call, r *llm.Request) ([][]byte, error) {
	if r.ModelAt[1] <= r.ModelAt[0] || r.ModelAt[1] > len(r.Raw) {
		return nil, &llm.Error{Kind: llm.Internal, Message: "the place of the model in the request is not known"}
	}
	model := edit{at: r.ModelAt, text: sse.AppendString(nil, c.Model.Name)}
	others := strangers(c, r)
	refused := c.Model.Flags.Has(llm.FlagNoStreamOptions)
	if !r.Stream || r.IncludeUsage && !refused {
		return applyAll(r.Raw, []edit{model}, others), nil
	}
	options, err := streamOptions(r)
	if err != nil {
		return nil, err
	}
	if refused {
		for i := range options {
			options[i] = remove(r.Raw, options[i])
		}
		return applyAll(r.Raw, merge(options, model), others), nil
	}
	c.OwnUsage = true
	if len(options) == 0 {
		model.text = append(model.text, `,"stream_options":{"include_usage":true}`...)
		return applyAll(r.Raw, []edit{model}, others), nil
	}
	for i := range options {
		if options[i], err = includeUsage(r.Raw, options[i]); err != nil {
			return nil, err
		}
	}
	return applyAll(r.Raw, merge(options, model), others), nil
}

// edit replaces the bytes at [start, end).
type edit struct {
	at   [2]int
	text []byte
}

// streamOptions finds the values of stream_options, of which a sloppy client
// may send several.
func streamOptions(r *llm.Request) ([]edit, error) {
	var found []edit
	err := r.Fields(func(key, v []byte, at int) bool {
		if field.Name(key) == "stream_options" {
			found = append(found, edit{at: [2]int{at, at + len(v)}})
		}
		return true
	})
	if err != nil {
		return nil, field.Unreadable(r.Raw)
	}
	return found, nil
}

// includeUsage makes one value of stream_options ask for usage.
func includeUsage(body []byte, e edit) (edit, error) {
	v := body[e.at[0]:e.at[1]]
	if field.Null(v) {
		e.text = []byte(`{"include_usage":true}`)
		return e, nil
	}
	out := []byte(`{"include_usage":true`)
	err := llm.Fields(v, func(key, v []byte, _ int) bool {
		if field.Name(key) != "include_usage" {
			out = append(append(append(out, `,"`...), key...), `":`...)
			out = append(out, v...)
		}
		return true
	})
	if err != nil {
		return e, llm.Invalid("stream_options", "stream_options must be an object, not %s", field.Kind(v))
	}
	e.text = append(out, '}')
	return e, nil
}

// remove takes a field out of the object with its key and one comma.
func remove(body []byte, e edit) edit {
	start := bytes.LastIndexByte(body[:e.at[0]], ':')
	start = bytes.LastIndexByte(body[:start], '"')
	for start = start - 1; body[start] != '"'; start-- {
	}
	end := skipSpace(body, e.at[1])
	if body[end] == ',' {
		return edit{at: [2]int{start, end + 1}}
	}
	for start--; body[start] == ' ' || body[start] == '\n' || body[start] == '\t' || body[start] == '\r'; start-- {
	}
	if body[start] != ',' { // it is the only field
		start++
	}
	return edit{at: [2]int{start, e.at[1]}}
}

func skipSpace(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\n' || b[i] == '\t' || b[i] == '\r') {
		i++
	}
	return i
}

// merge puts the model's edit in its place among the others.
func merge(edits []edit, model edit) []edit {
	i := 0
	for i < len(edits) && edits[i].at[0] < model.at[0] {
		i++
	}
	out := make([]edit, 0, len(edits)+1)
	out = append(append(out, edits[:i]...), model)
	return append(out, edits[i:]...)
}

func apply(body []byte, edits []edit) [][]byte {
	pieces := make([][]byte, 0, 2*len(edits)+1)
	at := 0
	for _, e := range edits {
		if e.at[0] > at {
			pieces = append(pieces, body[at:e.at[0]])
		}
		if len(e.text) > 0 {
			pieces = append(pieces, e.text)
		}
		at = e.at[1]
	}
	return append(pieces, body[at:])
}
