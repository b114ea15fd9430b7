package chat

import (
	"keytray/proxy/dialect/field"
	"keytray/proxy/dialect/splice"
	"keytray/proxy/llm"
)

// Patch replaces the model's name, and asks a stream for its usage if the
// client did not: c.OwnUsage is set, so that the extra frame goes no further
// (I20). A provider that takes no stream_options gets none. Nothing else
// changes, but that what another provider made is left out; the pieces share
// r.Raw.
func (Dialect) Patch(c *llm.Call, r *llm.Request) ([][]byte, error) {
	model, err := splice.Model(c, r)
	if err != nil {
		return nil, err
	}
	edits := strangers(c, r)
	refused := c.Model.Flags.Has(llm.FlagNoStreamOptions)
	if !r.Stream || r.IncludeUsage && !refused {
		return splice.Apply(r.Raw, append(edits, model)...), nil
	}
	options, err := streamOptions(r)
	if err != nil {
		return nil, err
	}
	if refused {
		for _, at := range options {
			edits = append(edits, splice.Remove(r.Raw, at[0], at[1]))
		}
		return splice.Apply(r.Raw, append(edits, model)...), nil
	}
	c.OwnUsage = true
	if len(options) == 0 {
		model.Text = append(model.Text, `,"stream_options":{"include_usage":true}`...)
	}
	for _, at := range options {
		asks, err := includeUsage(r.Raw[at[0]:at[1]])
		if err != nil {
			return nil, err
		}
		edits = append(edits, splice.Edit{From: at[0], To: at[1], Text: asks})
	}
	return splice.Apply(r.Raw, append(edits, model)...), nil
}

// streamOptions finds where the values of stream_options lie, of which a
// sloppy client may send several.
func streamOptions(r *llm.Request) ([][2]int, error) {
	var found [][2]int
	err := r.Fields(func(key, v []byte, at int) bool {
		if field.Name(key) == "stream_options" {
			found = append(found, [2]int{at, at + len(v)})
		}
		return true
	})
	if err != nil {
		return nil, field.Unreadable(r.Raw)
	}
	return found, nil
}

// includeUsage is a value of stream_options that asks for usage.
func includeUsage(v []byte) ([]byte, error) {
	if field.Null(v) {
		return []byte(`{"include_usage":true}`), nil
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
		return nil, llm.Invalid("stream_options", "stream_options must be an object, not %s", field.Kind(v))
	}
	return append(out, '}'), nil
}
