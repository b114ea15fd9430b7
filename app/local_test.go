package app

import (
	"net/http/httptest"
	"testing"

	"keytray/proxy/llm"
)

// Local means the same to the switch on offline and to callers without a token,
// who may have no key besides; and the lists show what may be asked for.
func TestLocal(t *testing.T) {
	ollama := &anAPI{}
	ollama.says("GET /api/tags", `{"models":[{"name":"small:latest","size":9},{"name":"big:1t-cloud","remote_host":"https://ollama.com"},{"name":"mine:latest","remote_host":"https://ollama.com"}]}`)
	ollama.says("POST /api/show", `{}`)
	server := httptest.NewServer(ollama)
	t.Cleanup(server.Close)
	const rest = `
  open: {dialect: chat, base_url: http://127.0.0.1:9/v1, models: [m]}
  named: {dialect: chat, base_url: http://localhost:9/v1, models: [m]}
  six: {dialect: messages, base_url: "http://[::1]:9/v1", models: [m]}
  gate: {dialect: chat, base_url: http://127.0.0.1:9/v1, key_env: LAB_KEY, models: [m]}
  shut: {dialect: chat, base_url: http://127.0.0.1:9/v1, key_env: NO_KEY, models: [m]}
  near: {dialect: chat, base_url: http://192.168.1.9/v1, models: [m]}
  trick: {dialect: chat, base_url: http://127.0.0.1.evil.example/v1, models: [m]}
  groq: {base_url: http://127.0.0.1:9/v1}
`
	everywhere := []string{"open/m", "named/m", "six/m", "ollama/small"}
	for _, c := range []struct {
		name, ollama     string
		offline, keyless []string // what answers then, of all below
	}{
		{"as it comes", "", append(everywhere, "gate/m", "shut/m", "groq/llama-3.1-8b-instant"), everywhere},
		{"with a variable for a key of Ollama", ", key_env: LAB_KEY", append(everywhere, "gate/m", "shut/m", "groq/llama-3.1-8b-instant"), everywhere},
	} {
		for _, offline := range []bool{true, false} {
			active, want := "auto", c.keyless
			if offline {
				active, want = "offline", c.offline
			}
			h := open(t, "active: "+active+"\nproviders:\n  ollama: {base_url: "+server.URL+c.ollama+"}"+rest, "LAB_KEY="+canary, "GROQ_API_KEY="+canary, "OPENAI_API_KEY="+canary)
			may := map[string]bool{}
			for _, name := range want {
				may[name] = true
			}
			for _, name := range []string{"open/m", "named/m", "six/m", "gate/m", "shut/m", "near/m", "trick/m", "groq/llama-3.1-8b-instant", "openai/gpt-5", "ollama/small", "ollama/big:1t-cloud", "ollama/mine"} {
				_, err := h.table.Load().Target(&llm.Request{Inbound: client{name: "chat"}, LocalOnly: !offline, Peek: llm.Peek{Model: name}})
				kind := llm.Unauthorized
				if offline {
					kind = llm.Forbidden
				}
				if may[name] != (err == nil) || err != nil && llm.AsError(err).Kind != kind {
					t.Errorf("%s, offline %v: %s: %v", c.name, offline, name, err)
				}
			}
			listed := map[string]bool{}
			for _, m := range h.table.Load().Models("", !offline) {
				if m.Owner != demoProvider {
					listed[m.ID] = true
				}
				if !m.Local && m.Owner != demoProvider {
					t.Errorf("%s, offline %v: %s is listed, and not as local", c.name, offline, m.ID)
				}
			}
			for _, name := range []string{"open/m", "named/m", "six/m", "gate/m", "near/m", "trick/m", "groq/llama-3.1-8b-instant", "openai/gpt-5"} {
				if listed[name] != may[name] {
					t.Errorf("%s, offline %v: %s is listed: %v", c.name, offline, name, listed[name])
				}
			}
			if listed["ollama/small:latest"] != may["ollama/small"] || listed["ollama/mine:latest"] {
				t.Errorf("%s, offline %v: of Ollama's %v", c.name, offline, listed)
			}
		}
	}
}
