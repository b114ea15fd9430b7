package openai

import (
	"encoding/json"
	"strings"
	"testing"

	"keytray/proxy/llm"
)

// C15: every tool has a name that the provider takes, and one that is its own.
func TestNames(t *testing.T) {
	long := strings.Repeat("x", 65)
	r := Request{Call: &llm.Call{}, Prompt: &llm.Prompt{Tools: []llm.Tool{{Name: "plain_name-1"}, {Name: "a.b"}, {Name: "a/b"}, {Name: long}, {Name: ""}, {Name: "a.b"}, {Name: "web", Kind: llm.Hosted}, {Name: "web", Kind: llm.Hosted, Description: "d"}}}}
	if err := r.NameTools(); err != nil {
		t.Fatal(err)
	}
	if r.Rename("plain_name-1") != "plain_name-1" || len(r.Call.Tools) != 4 {
		t.Errorf("%q", r.Call.Tools)
	}
	for safe, client := range r.Call.Tools {
		if len(safe) > 64 || safe == client || strings.ContainsAny(safe, "./") || r.Rename(client) != safe {
			t.Errorf("%q became %q", client, safe)
		}
	}
	r.Prompt.Tools = []llm.Tool{{Name: "f"}, {Name: "g"}, {Name: "f", Schema: json.RawMessage(`{}`)}}
	if err := llm.AsError(r.NameTools()); err == nil || err.Param != "tools[2]" {
		t.Errorf("two tools of one name: %v", err)
	}
}

func TestChoice(t *testing.T) {
	yes := true
	for mode, want := range map[llm.ChoiceMode]string{
		llm.ChooseUnset: `,"parallel_tool_calls":true`,
		llm.ChooseAuto:  `,"tool_choice":"auto","parallel_tool_calls":true`,
		llm.ChooseNone:  `,"tool_choice":"none","parallel_tool_calls":true`,
		llm.ChooseAny:   `,"tool_choice":"required","parallel_tool_calls":true`,
		llm.ChooseNamed: `,"parallel_tool_calls":true`,
	} {
		r := Request{Call: &llm.Call{}, Prompt: &llm.Prompt{Choice: llm.Choice{Mode: mode, Parallel: &yes}}}
		r.Choice()
		r.Parallel()
		if string(r.Buf) != want {
			t.Errorf("%v: %s, want %s", mode, r.Buf, want)
		}
		must := mode == llm.ChooseAny || mode == llm.ChooseNamed
		if err := r.NoTools(); (err != nil) != must || (len(r.Call.Lost) == 1) == must {
			t.Errorf("%v without tools: %v, lost %q", mode, err, r.Call.Lost)
		}
	}
	r := Request{Call: &llm.Call{}, Prompt: &llm.Prompt{Choice: llm.Choice{Parallel: &yes}}, Flags: llm.Flags{llm.FlagNoParallelControl}}
	if r.Parallel(); len(r.Buf) > 0 || len(r.Call.Lost) != 1 { // C7
		t.Errorf("%s %q", r.Buf, r.Call.Lost)
	}
}
