package gemini

import (
	"bytes"

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
	signed := c.Foreign != nil || bytes.Contains(r.Raw, []byte(`"a2V5dHJheTEA`)) // as llm.Seal begins
	signed = signed && (bytes.Contains(r.Raw, []byte("houghtSignature")) || bytes.Contains(r.Raw, []byte("hought_signature")))
	named := bytes.Contains(r.Raw, []byte(`"model"`)) // a role, mostly
	if !signed && !named {
		return [][]byte{r.Raw}, nil
	}
	p.request(r.Raw, 0, signed)
	if len(p.edits) == 0 {
		return [][]byte{r.Raw}, nil
	}
	return p.pieces(), nil
}

// patcher gathers what changes in a body, from its start to its end.
type patcher struct {
	c     *llm.Call
	raw   []byte
	edits []edit
}

// edit replaces the bytes at [start, end).
type edit struct {
	start, end int
	text       string
}

func (p *patcher) pieces() [][]byte {
	var all [][]byte
	at := 0
	for _, e := range p.edits {
		all = append(all, p.raw[at:e.start])
		if e.text != "" {
			all = append(all, []byte(e.text))
		}
		at = e.end
	}
	return append(all, p.raw[at:])
}

// request looks at the fields of a request that starts at base.
func (p *patcher) request(b []byte, base int, signed bool) {
	_ = llm.Fields(b, func(k, v []byte, at int) bool { // Peek has seen that it is an object
		at += base
		switch fieldName(k) {
		case "model":
			if v[0] == '"' {
				p.edits = append(p.edits, edit{at, at + len(v), string(sse.AppendString(nil, resourceName(p.c)))})
			}
		case "generateContentRequest":
			p.request(v, at, signed)
		case "contents":
			if signed {
				p.contents(v, at)
			}
		}
		return true
	})
}

func (p *patcher) contents(v []byte, base int) {
	each(v, base, func(v []byte, base int) {
		_ = llm.Fields(v, func(k, v []byte, at int) bool { // what is no object is Google's to refuse
			if string(k) == "parts" {
				each(v, base+at, p.part)
			}
			return true
		})
	})
}

// each visits the elements of a list, or the one thing that stands for it.
func each(v []byte, base int, visit func(v []byte, base int)) {
	if v[0] != '[' {
		visit(v, base)
		return
	}
	_ = llm.Elements(v, func(v []byte, at int) bool { // as above
		visit(v, base+at)
		return true
	})
}

// part takes out a signature that this provider did not make. A call gets the
// one that stands for none, since models from Gemini 3 on want one (E2).
func (p *patcher) part(b []byte, base int) {
	call, fields := false, 0
	var sign, before, value edit
	last := 1                                          // where the field before ends, or the object begins
	_ = llm.Fields(b, func(k, v []byte, at int) bool { // as above
		fields++
		switch fieldName(k) {
		case "functionCall":
			call = true
		case "thoughtSignature":
			if v[0] == '"' {
				value = edit{at, at + len(v), ""}
				before = edit{last, last, ""}
				colon := bytes.LastIndexByte(b[:at], ':')
				key := bytes.LastIndexByte(b[:colon], '"') - len(k) - 1
				sign = edit{key, at + len(v), ""}
			}
		}
		last = at + len(v)
		return true
	})
	if value.end == 0 {
		return
	}
	own, ok := p.owned(b[value.start:value.end])
	switch {
	case ok && own == "":
		return
	case ok:
		sign = edit{value.start, value.end, string(sse.AppendString(nil, own))}
	case call:
		p.c.Lose("contents: thoughtSignature of another provider")
		sign = edit{value.start, value.end, `"` + bypass + `"`}
	case fields == 1:
		p.c.Lose("contents: thoughtSignature of another provider")
		sign.text = `"text":""`
	default:
		p.c.Lose("contents: thoughtSignature of another provider")
		if before.start > 1 { // the comma before it goes with it
			sign.start = before.start
		} else {
			sign.end += bytes.IndexByte(b[sign.end:], ',') + 1
		}
	}
	sign.start, sign.end = sign.start+base, sign.end+base
	p.edits = append(p.edits, sign)
}

// owned tells whether a signature may go to this provider, and what to send
// in its place if it was sealed.
func (p *patcher) owned(v []byte) (own string, ok bool) {
	s, fine := str(v)
	if !fine || isBypass(s) {
		return "", true
	}
	if origin, opaque, sealed := llm.Unseal(s); sealed {
		return opaque, opaque != "" && p.c.Owns(name, origin, opaque)
	}
	return "", p.c.Owns(name, name, s)
}
