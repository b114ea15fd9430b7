package gemini

import (
	"bytes"

	"keytray/proxy/dialect/field"
	"keytray/proxy/dialect/splice"
	"keytray/proxy/llm"
	"keytray/proxy/sse"
)

// Patch leaves the body as it is wherever it can: the model and whether the
// answer is streamed are in the URL, and every answer reports its usage. Only
// a model that the body names too is replaced, and signatures that another
// provider made are taken out. The pieces, in order, are the body; they share
// memory with r.Raw.
func (Dialect) Patch(c *llm.Call, r *llm.Request) ([][]byte, error) {
	p := patcher{c: c, raw: r.Raw}
	signed := r.MayHold(c)
	if r.Outline == nil {
		signed = c.Foreign != nil || bytes.Contains(r.Raw, []byte(`"a2V5dHJheTEA`)) // as llm.Seal begins
		signed = signed && (bytes.Contains(r.Raw, []byte("houghtSignature")) || bytes.Contains(r.Raw, []byte("hought_signature")))
	}
	_ = r.Fields(func(k, v []byte, at int) bool { // Peek has seen that it is an object
		p.field(k, v, at, signed)
		return true
	})
	return splice.Apply(r.Raw, p.edits...), nil
}

// patcher gathers what changes in a body, from its start to its end.
type patcher struct {
	c     *llm.Call
	raw   []byte
	edits []splice.Edit
}

// field looks at a field of a request.
func (p *patcher) field(k, v []byte, at int, signed bool) {
	switch fieldName(string(k)) {
	case "model":
		if v[0] == '"' {
			p.edits = append(p.edits, splice.Edit{From: at, To: at + len(v), Text: sse.AppendString(nil, resourceName(p.c))})
		}
	case "generateContentRequest":
		_ = llm.Fields(v, func(k, v []byte, i int) bool { // what is no object is Google's to refuse
			p.field(k, v, at+i, signed)
			return true
		})
	case "contents":
		if signed {
			p.each(at, p.content)
		}
	}
}

func (p *patcher) content(i int) int {
	return llm.Object(p.raw, i, func(k []byte, i int) int {
		if string(k) == "parts" {
			return p.each(i, p.part)
		}
		return llm.Skip(p.raw, i)
	})
}

// each visits the elements of a list, or the one thing that stands for it.
func (p *patcher) each(i int, visit func(i int) int) int {
	if p.raw[i] != '[' {
		return visit(i)
	}
	return llm.Array(p.raw, i, visit)
}

// part takes out a signature that this provider did not make. A call gets the
// one that stands for none, since models from Gemini 3 on want one (E2).
func (p *patcher) part(i int) int {
	call, fields := false, 0
	var sign, value splice.Edit
	start, before := i, 0 // where the field before the signature ends, if there is one
	last := 0
	end := llm.Object(p.raw, i, func(k []byte, i int) int {
		end := llm.Skip(p.raw, i)
		if end < 0 {
			return end
		}
		fields++
		switch fieldName(string(k)) {
		case "functionCall":
			call = true
		case "thoughtSignature":
			if p.raw[i] == '"' {
				value, before = splice.Edit{From: i, To: end}, last
				colon := bytes.LastIndexByte(p.raw[start:i], ':') + start
				key := bytes.LastIndexByte(p.raw[start:colon], '"') + start - len(k) - 1
				sign = splice.Edit{From: key, To: end}
			}
		}
		last = end
		return end
	})
	if end < 0 || value.To == 0 {
		return end
	}
	own, ok := p.owned(p.raw[value.From:value.To])
	switch {
	case ok && own == "":
		return end
	case ok:
		sign = value
		sign.Text = sse.AppendString(nil, own)
	case call:
		p.c.Lose("contents: thoughtSignature of another provider")
		sign = value
		sign.Text = []byte(`"` + bypass + `"`)
	case fields == 1:
		p.c.Lose("contents: thoughtSignature of another provider")
		sign.Text = []byte(`"text":""`)
	default:
		p.c.Lose("contents: thoughtSignature of another provider")
		if before > 0 { // the comma before it goes with it
			sign.From = before
		} else {
			sign.To += bytes.IndexByte(p.raw[sign.To:], ',') + 1
		}
	}
	p.edits = append(p.edits, sign)
	return end
}

// owned tells whether a signature may go to this provider, and what to send
// in its place if it was sealed.
func (p *patcher) owned(v []byte) (own string, ok bool) {
	s, fine := field.Text(v)
	if !fine || isBypass(s) {
		return "", true
	}
	if origin, opaque, sealed := llm.Unseal(s); sealed {
		return opaque, opaque != "" && p.c.Owns(name, origin, opaque)
	}
	return "", p.c.Owns(name, name, s)
}
