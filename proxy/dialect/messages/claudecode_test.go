package messages_test

import (
	"strings"
	"testing"

	"keytray/proxy/llm"
)

// claudeCode has the form of what Claude Code 2.1 sends: system blocks with
// marks, a system message in the midst, deferred tools, thinking that is not
// shown, an effort, and settings of its context.
const claudeCode = `{"model":"claude-x","max_tokens":32000,"stream":true,
"system":[{"type":"text","text":"x-anthropic-billing-header: cc_version=2.1"},{"type":"text","text":"You are a coding agent.","cache_control":{"type":"ephemeral"}},{"type":"text","text":"Work in /repo.","cache_control":{"type":"ephemeral","ttl":"1h"}}],
"messages":[{"role":"user","content":[{"type":"text","text":"<system-reminder>today</system-reminder>"},{"type":"text","text":"Fix the test."}]},
{"role":"system","content":"The working folder has changed."},
{"role":"assistant","content":[{"type":"thinking","thinking":"","signature":"EqQBCgIYAhIM"},{"type":"text","text":"I look."},{"type":"tool_use","id":"toolu_1","name":"Bash","input":{"command":"go test"},"caller":{"type":"direct"}},{"type":"tool_use","id":"toolu_2","name":"ToolSearch","input":{"query":"web"}}]},
{"role":"user","content":[{"type":"tool_result","tool_use_id":"toolu_1","content":"FAIL","is_error":true},{"type":"tool_result","tool_use_id":"toolu_2","content":[{"type":"tool_reference","tool_name":"WebFetch"}]},{"type":"text","text":"Go on.","cache_control":{"type":"ephemeral"}}]}],
"tools":[{"name":"Bash","description":"Runs a command","input_schema":{"type":"object","properties":{"command":{"type":"string"}},"required":["command"]},"eager_input_streaming":true},
{"name":"ToolSearch","description":"Finds tools","input_schema":{"type":"object","properties":{"query":{"type":"string"}}}},
{"name":"WebFetch","description":"Fetches","input_schema":{"type":"object","properties":{"url":{"type":"string"}}},"defer_loading":true}],
"thinking":{"type":"adaptive","display":"omitted"},"output_config":{"effort":"high"},
"context_management":{"edits":[{"type":"clear_thinking_20251015","keep":"all"}]},
"metadata":{"user_id":"{\"device_id\":\"d\"}"}}`

func TestClaudeCodeEverywhere(t *testing.T) {
	p := prompt(t, claudeCode)
	if len(p.System) != 3 || p.System[1].Cache != "5m" || p.System[2].Cache != "1h" || len(p.Messages) != 4 || p.Messages[1].Role != llm.System {
		t.Fatalf("%+v", p)
	}
	want := map[string][]string{
		"messages": {`"role":"assistant"`, `"display":"omitted"`, `"effort":"high"`, `"type":"tool_use","id":"toolu_1","name":"Bash","input":{"command":"go test"}`, `"cache_control":{"type":"ephemeral","ttl":"1h"}`},
		"chat":     {`{"role":"system","content":"The working folder has changed."},{"role":"assistant","content":"I look."`, `"reasoning_effort":"high"`, `"tool_call_id":"toolu_1","content":"Error: FAIL"`, `"name":"WebFetch"`, `"max_tokens":32000`},
		"gemini":   {`The working folder has changed.`, `"functionCall":{"id":"toolu_1","name":"Bash"`, `"error":"FAIL"`, `"maxOutputTokens":32000`},
		"ollama":   {`The working folder has changed.`, `"name":"Bash"`, `FAIL`, `"num_predict":32000`},
	}
	for _, out := range outbounds {
		c := &llm.Call{Model: llm.Model{Provider: "test", Name: "far", Flags: llm.Flags{llm.FlagReasoning}}, Stream: true}
		body, err := out.EncodeRequest(c, p)
		if err != nil {
			t.Errorf("%s: %v", out.Name(), err)
			continue
		}
		for _, w := range want[out.Name()] {
			if !strings.Contains(string(body), w) {
				t.Errorf("%s lacks %s\n%s", out.Name(), w, body)
			}
		}
		// C12, C5: nothing of this dialect's own goes where it is not known.
		if out.Name() != "messages" {
			for _, own := range []string{"cache_control", "EqQB", "adaptive", "context_management", "defer_loading", "eager_input_streaming", "tool_reference", "output_config"} {
				if strings.Contains(string(body), own) {
					t.Errorf("%s got %s\n%s", out.Name(), own, body)
				}
			}
		}
		lost := strings.Join(c.Lost, "; ")
		for _, l := range []string{"context_management", "tools[].defer_loading"} {
			if !strings.Contains(lost, l) {
				t.Errorf("%s: %s is not told: %s", out.Name(), l, lost)
			}
		}
	}
	// Twice the same bytes, so that others' caches hit (A17).
	for _, out := range outbounds {
		one, _ := out.EncodeRequest(&llm.Call{}, prompt(t, claudeCode))
		two, _ := out.EncodeRequest(&llm.Call{}, prompt(t, claudeCode))
		if string(one) != string(two) || len(one) == 0 {
			t.Errorf("%s: other bytes", out.Name())
		}
	}
}
