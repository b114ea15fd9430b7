package embed

import (
	"io"
	"strconv"

	"keytray/proxy/dialect/field"
	"keytray/proxy/llm"
)

// DecodeResponse reads an answer into one block for each vector.
func (d Dialect) DecodeResponse(c *llm.Call, body io.Reader) llm.Events {
	return func(yield func(llm.Event, error) bool) {
		b, err := io.ReadAll(body)
		if err != nil {
			yield(llm.Event{}, &llm.Error{Kind: llm.Cut, Message: "the answer stopped before its end", Cause: err})
			return
		}
		var t llm.Tally
		d.Tally(c, &t, b)
		vectors, ok := d.vectors(b)
		switch {
		case t.Err != nil:
			yield(llm.Event{}, t.Err)
			return
		case !ok:
			yield(llm.Event{}, &llm.Error{Kind: llm.Garbage, Outbound: d.Name(), Message: "the provider's answer holds no vectors that can be read"})
			return
		}
		if !t.Usage.Known {
			c.Lose("usage: the provider tells none")
		}
		if !yield(llm.Event{Kind: llm.Start, Name: t.Model}, nil) {
			return
		}
		for i, v := range vectors {
			for _, e := range [...]llm.Event{
				{Kind: llm.BlockStart, Block: llm.Vector, Index: i},
				{Kind: llm.Delta, Block: llm.Vector, Index: i, Text: v},
				{Kind: llm.BlockStop, Block: llm.Vector, Index: i},
			} {
				if !yield(e, nil) {
					return
				}
			}
		}
		yield(llm.Event{Kind: llm.Stop, Why: llm.EndTurn, Usage: &t.Usage}, nil)
	}
}

// vectors are those of an answer, in the order of the texts.
func (d Dialect) vectors(body []byte) (out []string, ok bool) {
	ok = true
	add := func(i int, v []byte) {
		s, good := vectorText(v)
		if i < 0 || i > 1<<20 || !good || s == "" {
			ok = false
			return
		}
		for len(out) <= i {
			out = append(out, "")
		}
		out[i] = s
	}
	err := llm.Fields(body, func(key, v []byte, _ int) bool {
		switch string(key) {
		case "embedding": // {"values": []} is Gemini's, an array is Ollama's
			if v[0] == '{' {
				add(0, field.Of(v, "values"))
			} else {
				add(0, v)
			}
		case "embeddings":
			if v[0] == '{' { // by type, Cohere's
				if f := field.Of(v, "float"); f != nil {
					v = f
				} else {
					v = field.Of(v, "base64")
				}
			}
			n := 0
			ok = llm.Elements(v, func(v []byte, _ int) bool {
				if v[0] == '{' {
					v = field.Of(v, "values")
				}
				add(n, v)
				n++
				return ok
			}) == nil && ok
		case "data":
			n := 0
			ok = llm.Elements(v, func(v []byte, _ int) bool {
				at := n
				if i, err := strconv.Atoi(string(field.Of(v, "index"))); err == nil {
					at = i
				}
				add(at, field.Of(v, "embedding"))
				n++
				return ok
			}) == nil && ok
		}
		return ok
	})
	for _, v := range out {
		ok = ok && v != "" // a gap
	}
	return out, ok && err == nil && len(out) > 0
}
