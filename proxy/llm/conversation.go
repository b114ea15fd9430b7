package llm

import (
	"bytes"
	"hash/maphash"
)

// Conversation is a number that the turns of one conversation have in common,
// so that a choice made for the first turn can be kept and the provider's prompt
// cache is hit. It goes by what clients send for the purpose (a session's id, a
// prompt_cache_key, metadata.user_id), else by the tool and all messages up to
// the user's first. It holds for this run of the program only.
func (r *Request) Conversation() uint64 {
	var h maphash.Hash
	h.SetSeed(conversations)
	_, _ = h.WriteString(r.Tool) // a hash's Write never fails
	_ = h.WriteByte(0)
	for _, name := range [...]string{"X-Session-Id", "Session_id", "Session-Id", "X-Claude-Code-Session-Id"} {
		if v := r.Header[name]; len(v) == 1 && v[0] != "" {
			_, _ = h.WriteString(v[0])
			return h.Sum64()
		}
	}
	var messages, key []byte
	_ = Fields(r.root().Raw, func(name, value []byte, _ int) bool { // a body that is no object has no messages
		switch string(name) {
		case "messages", "input", "contents", "prompt":
			messages = value
		case "prompt_cache_key":
			key = value
		case "metadata":
			_ = Fields(value, func(name, value []byte, _ int) bool {
				if string(name) == "user_id" {
					key = value
				}
				return true
			})
		}
		return true
	})
	if len(key) > 2 { // more than quotes
		_, _ = h.Write(key)
		return h.Sum64()
	}
	first := true
	if Elements(messages, func(m []byte, _ int) bool {
		_, _ = h.Write(m)
		first = false
		return !bytes.Contains(m[:min(len(m), 200)], []byte(`"user"`)) && !bytes.Contains(m[max(0, len(m)-40):], []byte(`"user"`))
	}) != nil && first {
		_, _ = h.Write(messages) // one text
	}
	return h.Sum64()
}

var conversations = maphash.MakeSeed()
