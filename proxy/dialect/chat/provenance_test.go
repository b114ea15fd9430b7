package chat

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"keytray/proxy/llm"
)

// F10: what a provider of this dialect made goes back to it, and to no other.
func TestStrangers(t *testing.T) {
	made := map[string]bool{}
	c := &llm.Call{Stream: true, Made: func(o string) { made[o] = true }}
	for _, f := range []string{
		`{"choices":[{"index":0,"delta":{"role":"assistant","content":"","reasoning":"a","reasoning_details":[{"type":"reasoning.text","text":"a","signature":null}]}}]}`,
		`{"choices":[{"index":0,"delta":{"content":"","reasoning_details":[{"type":"reasoning.text","signature":"sig\/1"},{"type":"reasoning.encrypted","data":"data1"}]}}]}`,
		`{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"c","extra_content":{"google":{"thought_signature":"sig2"}},"function":{"name":"f","arguments":"{}"}}]}}]}`,
	} {
		Dialect{}.Tally(c, &llm.Tally{}, []byte(f))
	}
	c.Stream = false
	Dialect{}.Tally(c, &llm.Tally{}, []byte(`{"choices":[{"message":{"content":"x","reasoning_details":[{"signature":"sig3"}]},"finish_reason":"stop"}]}`))
	for _, s := range []string{"sig/1", "data1", "sig2", "sig3"} {
		if !made[s] {
			t.Errorf("%s was not noted", s)
		}
	}
	if len(made) != 4 {
		t.Errorf("noted %v", made)
	}

	const body = `{"messages":[{"role":"assistant","reasoning_details":[{"type":"reasoning.text","text":"a","signature":"sig/1"}],"content":"x"},
		{"role":"assistant","content":null,"tool_calls":[{"id":"c","extra_content":{"google":{"thought_signature":"sig2"}},"function":{"name":"f","arguments":"{}"}}],"reasoning_details" : [{"data":"data1"}] },
		{"role":"assistant","content":"reasoning_details\"","reasoning_details":[{"signature":"fine"}]}],"model":"m","stream":true}`
	patched := func(c *llm.Call, body string) string {
		t.Helper()
		p, err := Dialect{}.Peek(nil, []byte(body))
		if err != nil {
			t.Fatal(err)
		}
		pieces, err := Dialect{}.Patch(c, &llm.Request{Raw: []byte(body), Peek: p})
		if err != nil {
			t.Fatal(err)
		}
		got := string(bytes.Join(pieces, nil))
		if !json.Valid([]byte(got)) {
			t.Fatalf("no JSON: %s", got)
		}
		return got
	}
	usage := strings.Replace(body, `"model":"m"`, `"model":"n","stream_options":{"include_usage":true}`, 1)
	own := &llm.Call{Model: llm.Model{Name: "n"}, Foreign: func(string) bool { return false }}
	if got := patched(own, body); got != usage || len(own.Lost) > 0 {
		t.Errorf("its maker gets %s; lost %v", got, own.Lost)
	}
	other := &llm.Call{Model: llm.Model{Name: "n"}, Foreign: func(o string) bool { return made[o] }}
	got := patched(other, body)
	want := strings.NewReplacer(
		`"reasoning_details":[{"type":"reasoning.text","text":"a","signature":"sig/1"}],`, "",
		`"extra_content":{"google":{"thought_signature":"sig2"}},`, "",
		`,"reasoning_details" : [{"data":"data1"}]`, "",
	).Replace(usage)
	if got != want || !slices.Equal(other.Lost, []string{"reasoning of earlier turns"}) {
		t.Errorf("another gets %s, want %s; lost %v", got, want, other.Lost)
	}
	// What Keytray itself wrote for another dialect's provider goes to none of this.
	sealed := `{"model":"n","messages":[{"role":"assistant","content":"x","reasoning_details":[{"type":"reasoning.text","signature":"s","format":"keytray-messages:anthropic"}]}]}`
	if got := patched(&llm.Call{Model: llm.Model{Name: "n"}}, sealed); strings.Contains(got, "reasoning_details") {
		t.Errorf("a provider of chat gets %s", got)
	}
}
