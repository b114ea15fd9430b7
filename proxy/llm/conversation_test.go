package llm

import (
	"net/http"
	"testing"
)

func TestConversation(t *testing.T) {
	of := func(tool, body string, header ...string) uint64 {
		r := &Request{Tool: tool, Raw: []byte(body), Header: http.Header{}}
		for i := 0; i < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		return r.Conversation()
	}
	const first = `{"model":"m","messages":[{"role":"system","content":"s"},{"role":"user","content":"hi"}]}`
	for name, c := range map[string]struct {
		a, b uint64
		same bool
	}{
		"the next turn": {of("t", first), of("t", `{"model":"n","stream":true,"messages":[{"role":"system","content":"s"},{"role":"user","content":"hi"},{"role":"assistant","content":"yes"},{"role":"user","content":"more"}]}`), true},
		"another tool":  {of("t", first), of("u", first), false},
		"another start": {of("t", first), of("t", `{"messages":[{"role":"system","content":"s"},{"role":"user","content":"ho"}]}`), false},
		"a session's id": {
			of("t", first, "X-Session-Id", "1"), of("t", `{"messages":[]}`, "X-Session-Id", "1"), true,
		},
		"another session": {of("t", first, "X-Session-Id", "1"), of("t", first, "X-Session-Id", "2"), false},
		"a cache key": {
			of("t", `{"input":"a","prompt_cache_key":"k"}`), of("t", `{"prompt_cache_key":"k","input":"b"}`), true,
		},
		"a user of metadata": {of("t", `{"metadata":{"user_id":"a"},"messages":[]}`), of("t", `{"metadata":{"user_id":"b"},"messages":[]}`), false},
		"one text":           {of("t", `{"input":"a"}`), of("t", `{"input":"b"}`), false},
		"the role comes last": {
			of("t", `{"contents":[{"parts":[{"text":"a"}],"role":"user"}]}`),
			of("t", `{"contents":[{"parts":[{"text":"a"}],"role":"user"},{"parts":[{"text":"b"}],"role":"model"}]}`), true,
		},
	} {
		if (c.a == c.b) != c.same {
			t.Errorf("%s: same %v", name, c.a == c.b)
		}
	}
	d := (&Request{Tool: "t", Raw: []byte(first)})
	if d.Derive(&Prompt{}, false).Conversation() != d.Conversation() {
		t.Error("a derived request has left its conversation")
	}
}
