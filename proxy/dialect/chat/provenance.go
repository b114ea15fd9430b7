package chat

import (
	"bytes"
	"cmp"
	"slices"
	"strings"

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
	choices := field(frame, "choices")
	_ = llm.Elements(choices, func(v []byte, _ int) bool { // nothing there has nothing to note
		m := field(v, "delta")
		if m == nil {
			m = field(v, "message")
		}
		_ = llm.Elements(field(m, "reasoning_details"), func(v []byte, _ int) bool {
			c.Mark(unquote(field(v, "signature")))
			c.Mark(unquote(field(v, "data")))
			return true
		})
		_ = llm.Elements(field(m, "tool_calls"), func(v []byte, _ int) bool {
			c.Mark(signatureOf(field(v, "extra_content")))
			return true
		})
		return true
	})
}

func signatureOf(extra []byte) string {
	return unquote(field(field(extra, "google"), "thought_signature"))
}

// strangers takes out of a client's body what another provider made, and says
// so.
func strangers(c *llm.Call, body []byte) []edit {
	if !bytes.Contains(body, detailsKey) && (c.Foreign == nil || !bytes.Contains(body, signatureKey)) {
		return nil
	}
	foreign := func(s string) bool { return s != "" && c.Foreign != nil && c.Foreign(s) }
	var gone []edit
	within(body, 0, "messages", func(v []byte, at int) {
		_ = llm.Elements(v, func(m []byte, i int) bool { // a bad body is refused elsewhere
			message := at + i
			within(m, message, "reasoning_details", func(v []byte, at int) {
				other := false
				_ = llm.Elements(v, func(d []byte, _ int) bool {
					other = strings.HasPrefix(unquote(field(d, "format")), ownFormat) ||
						foreign(unquote(field(d, "signature"))) || foreign(unquote(field(d, "data")))
					return !other
				})
				if other {
					gone = append(gone, remove(body, edit{at: [2]int{at, at + len(v)}}))
				}
			})
			within(m, message, "tool_calls", func(v []byte, at int) {
				_ = llm.Elements(v, func(call []byte, i int) bool {
					within(call, at+i, "extra_content", func(v []byte, at int) {
						if foreign(signatureOf(v)) {
							gone = append(gone, remove(body, edit{at: [2]int{at, at + len(v)}}))
						}
					})
					return true
				})
			})
			return true
		})
	})
	if len(gone) > 0 {
		c.Lose("reasoning of earlier turns")
	}
	return gone
}

// within visits a field of an object that starts at base in the whole body.
func within(object []byte, base int, name string, visit func(v []byte, at int)) {
	_ = llm.Fields(object, func(key, v []byte, at int) bool { // what is no object has no fields
		if string(key) == name {
			visit(v, base+at)
			return false
		}
		return true
	})
}

// applyAll is apply for edits in no order.
func applyAll(body []byte, edits, more []edit) [][]byte {
	if len(more) > 0 {
		edits = append(edits, more...)
		slices.SortFunc(edits, func(a, b edit) int { return cmp.Compare(a.at[0], b.at[0]) })
	}
	return apply(body, edits)
}
