package chat

import (
	"bytes"
	"strings"

	"keytray/proxy/dialect/field"
	"keytray/proxy/dialect/splice"
	"keytray/proxy/llm"
)

// Signatures and encrypted reasoning are for the provider that made them: what
// a client sends back to another would at best be refused. In a byte copy they
// are told apart by having been seen on their way to the client.

// The ends of the keys that opaque data stands under: a search is fast where
// its first byte is rare.
var (
	detailsKey   = []byte(`_details"`)
	signatureKey = []byte(`_signature"`)
)

// mark notes the opaque data of a frame of this provider's.
func mark(c *llm.Call, frame []byte) {
	if c.Made == nil || !bytes.Contains(frame, detailsKey) && !bytes.Contains(frame, signatureKey) {
		return
	}
	choices := field.Of(frame, "choices")
	_ = llm.Elements(choices, func(v []byte, _ int) bool { // nothing there has nothing to note
		m := field.Of(v, "delta")
		if m == nil {
			m = field.Of(v, "message")
		}
		_ = llm.Elements(field.Of(m, "reasoning_details"), func(v []byte, _ int) bool {
			c.Mark(field.Unquote(field.Of(v, "signature")))
			c.Mark(field.Unquote(field.Of(v, "data")))
			return true
		})
		_ = llm.Elements(field.Of(m, "tool_calls"), func(v []byte, _ int) bool {
			c.Mark(signatureOf(field.Of(v, "extra_content")))
			return true
		})
		return true
	})
}

func signatureOf(extra []byte) string {
	return field.Unquote(field.Of(field.Of(extra, "google"), "thought_signature"))
}

// strangers takes out of a client's body what another provider made, and says
// so.
func strangers(c *llm.Call, r *llm.Request) []splice.Edit {
	if o := r.Outline; o != nil && o.Opaque == llm.OpaqueNone {
		return nil
	}
	body := r.Raw
	if !bytes.Contains(body, detailsKey) && (c.Foreign == nil || !bytes.Contains(body, signatureKey)) {
		return nil
	}
	foreign := func(s string) bool { return s != "" && c.Foreign != nil && c.Foreign(s) }
	var gone []splice.Edit
	field := func(at int, other func(v []byte) bool) int {
		end := llm.Skip(body, at)
		if end > 0 && other(body[at:end]) {
			gone = append(gone, splice.Remove(body, at, end))
		}
		return end
	}
	details := func(v []byte) (other bool) {
		_ = llm.Elements(v, func(d []byte, _ int) bool { // what is no list has none
			other = anothers(d, foreign)
			return !other
		})
		return other
	}
	extra := func(v []byte) bool { return foreign(signatureOf(v)) }
	call := func(key []byte, at int) int {
		if string(key) == "extra_content" {
			return field(at, extra)
		}
		return llm.Skip(body, at)
	}
	message := func(key []byte, at int) int {
		switch string(key) {
		case "reasoning_details":
			return field(at, details)
		case "tool_calls":
			return llm.Array(body, at, func(at int) int { return llm.Object(body, at, call) })
		}
		return llm.Skip(body, at)
	}
	_ = r.Fields(func(key, _ []byte, at int) bool { // a bad body is refused elsewhere
		if string(key) == "messages" {
			llm.Array(body, at, func(at int) int { return llm.Object(body, at, message) })
		}
		return true
	})
	if len(gone) > 0 {
		c.Lose("reasoning of earlier turns")
	}
	return gone
}

// anothers tells whether one of the reasoning_details is for another provider.
func anothers(detail []byte, foreign func(string) bool) bool {
	return strings.HasPrefix(field.Unquote(field.Of(detail, "format")), ownFormat) ||
		foreign(field.Unquote(field.Of(detail, "signature"))) || foreign(field.Unquote(field.Of(detail, "data")))
}
