package upstream

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"

	"keytray/proxy/dialect/chat"
	"keytray/proxy/dialect/gemini"
	"keytray/proxy/dialect/messages"
	"keytray/proxy/llm"
	"keytray/proxy/proxytest"
	"keytray/proxy/vault"
)

// remembers is a leaf of a provider that answers with these scripts, beside
// others with the same vault.
func remembers(t *testing.T, v *vault.Vault, provider string, out llm.Outbound, scripts ...proxytest.Script) *lab {
	t.Helper()
	l := start(t, scripts...)
	l.Model.Provider, l.Outbound, l.Memory = provider, out, v
	l.Foreign = func(o string) bool { return v.Foreign(provider, o) }
	l.Made = func(o string) { v.Made(provider, o) }
	l.Known = v.Known
	if out.Name() == "gemini" {
		l.Base = strings.TrimSuffix(l.Base, "/v1") + "/v1beta"
	}
	return l
}

// said is the message that a client of the chat dialect gets.
func (l *lab) said(t *testing.T, body string) map[string]any {
	t.Helper()
	r := requestOf(t, body)
	resp := l.good(t, r)
	defer resp.Body.Close()
	stream := r.Stream
	r.Stream = false // of either form, the whole message
	var b bytes.Buffer
	if err := r.Inbound.EncodeResponse(&b, r, resp.Events()); err != nil {
		t.Fatal(err)
	}
	r.Stream = stream
	var answer struct {
		Choices []struct{ Message map[string]any }
	}
	if err := json.Unmarshal(b.Bytes(), &answer); err != nil {
		t.Fatal(err)
	}
	return answer.Choices[0].Message
}

const firstTurn = `{"stream":%t,"model":"m","tools":[{"type":"function","function":{"name":"read"}}],"messages":[{"role":"user","content":%q}]}`

// secondTurn is the conversation with the answer and its tools' results, as a
// client sends it that keeps no more of the answer than the named fields.
func secondTurn(user string, answer map[string]any, keeps ...string) string {
	kept := map[string]any{"role": "assistant"}
	for _, k := range append(keeps, "content", "tool_calls") {
		if v, ok := answer[k]; ok {
			kept[k] = v
		}
	}
	all := []any{map[string]any{"role": "user", "content": user}, kept}
	for _, c := range answer["tool_calls"].([]any) {
		all = append(all, map[string]any{"role": "tool", "tool_call_id": c.(map[string]any)["id"], "content": "done"})
	}
	b, _ := json.Marshal(map[string]any{"model": "m", "messages": all, "tools": json.RawMessage(`[{"type":"function","function":{"name":"read"}}]`)})
	return string(b)
}

// turnSent is the assistant's turn in the last request that a Claude got.
func (l *lab) turnSent(t *testing.T) []map[string]any {
	t.Helper()
	var body struct {
		Messages []struct {
			Role    string
			Content []map[string]any
		}
		Contents []struct {
			Role  string
			Parts []map[string]any
		}
	}
	if err := json.Unmarshal(l.provider.Last().Body, &body); err != nil {
		t.Fatal(err)
	}
	for _, m := range body.Messages {
		if m.Role == "assistant" {
			return m.Content
		}
	}
	for _, m := range body.Contents {
		if m.Role == "model" {
			return m.Parts
		}
	}
	t.Fatalf("no turn of the assistant's in %s", l.provider.Last().Body)
	return nil
}

func kinds(blocks []map[string]any) string {
	var all []string
	for _, b := range blocks {
		all = append(all, fmt.Sprint(b["type"]))
	}
	return strings.Join(all, " ")
}

var thinks = proxytest.Script{Parts: proxytest.Parts(
	proxytest.Thinking("First ", "this."), proxytest.Redacted("cmVkYWN0ZWQ="), proxytest.Text("Let me see."),
	proxytest.Call("toolu_01A09q90qw90lq917835lq9", "read", `{"file":"a"}`),
)}

// B5, B12, F9: a chat client that keeps no reasoning_details; the signed and
// the redacted thinking go back to Claude all the same.
func TestSignedThinkingGoesBack(t *testing.T) {
	for _, stream := range []bool{false, true} {
		v := vault.New(vault.Limits{})
		l := remembers(t, v, "anthropic", messages.Dialect{}, thinks, proxytest.Script{})
		answer := l.said(t, fmt.Sprintf(firstTurn, stream, "look"))
		l.said(t, secondTurn("look", answer))
		sent := l.turnSent(t)
		if got := kinds(sent); got != "thinking redacted_thinking text tool_use" {
			t.Fatalf("stream %t: Claude got %s back", stream, got)
		}
		if sent[0]["thinking"] != "First this." || sent[0]["signature"] != "c2lnbmF0dXJl" || sent[1]["data"] != "cmVkYWN0ZWQ=" {
			t.Errorf("stream %t: the thinking came back as %v", stream, sent[:2])
		}
		if calls, size := v.Size(); calls != 1 || size == 0 {
			t.Errorf("the vault holds %d calls in %d bytes", calls, size)
		}
	}
}

// What a client does send back is not doubled, signed or not.
func TestNotDoubled(t *testing.T) {
	for _, keeps := range [][]string{{"reasoning_details", "reasoning_content"}, {"reasoning_details"}, {"reasoning_content"}} {
		l := remembers(t, vault.New(vault.Limits{}), "anthropic", messages.Dialect{}, thinks, proxytest.Script{})
		answer := l.said(t, fmt.Sprintf(firstTurn, false, "look"))
		l.said(t, secondTurn("look", answer, keeps...))
		if got := kinds(l.turnSent(t)); got != "thinking redacted_thinking text tool_use" {
			t.Errorf("a client that keeps %v: Claude got %s back", keeps, got)
		}
		if lost := l.book.rows(t)[1].Lost; len(lost) > 0 {
			t.Errorf("a client that keeps %v: lost %v", keeps, lost)
		}
	}
}

// E2: Gemini's thought signature goes back on its call; toward another
// provider of the same dialect its documented stand-in goes.
func TestThoughtSignatureGoesBack(t *testing.T) {
	v := vault.New(vault.Limits{})
	call := proxytest.Call("", "read", `{"file":"a"}`)
	call.Signature = "Z2VtaW5p"
	l := remembers(t, v, "google", gemini.Dialect{}, proxytest.Script{Parts: proxytest.Parts(call)}, proxytest.Script{})
	answer := l.said(t, fmt.Sprintf(firstTurn, true, "look"))
	l.said(t, secondTurn("look", answer))
	if got := l.turnSent(t)[0]["thoughtSignature"]; got != "Z2VtaW5p" {
		t.Errorf("the provider that made the signature got %v", got)
	}
	for _, keeps := range []string{"", "reasoning_details"} {
		vertex := remembers(t, v, "vertex", gemini.Dialect{}, proxytest.Script{})
		vertex.said(t, secondTurn("look", answer, keeps))
		if got := vertex.turnSent(t)[0]["thoughtSignature"]; got != "c2tpcF90aG91Z2h0X3NpZ25hdHVyZV92YWxpZGF0b3I=" { // in base64
			t.Errorf("another provider got %v from a client that keeps %q", got, keeps)
		}
	}
}

// F10, D13: a switch of provider in between removes, also what the client
// itself sends back; the way back restores.
func TestAnotherProvidersData(t *testing.T) {
	v := vault.New(vault.Limits{})
	claude := remembers(t, v, "anthropic", messages.Dialect{}, thinks, proxytest.Script{})
	other := remembers(t, v, "deepseek", messages.Dialect{}, proxytest.Script{})
	answer := claude.said(t, fmt.Sprintf(firstTurn, true, "look"))
	for _, keeps := range []string{"", "reasoning_details", "native"} {
		turn := secondTurn("look", answer, keeps)
		if keeps == "native" { // what tells no more than the dialect, as a client of that dialect would
			turn = strings.ReplaceAll(secondTurn("look", answer, "reasoning_details"), "keytray-messages:anthropic", "anthropic-claude-v1")
			if !strings.Contains(turn, "anthropic-claude-v1") {
				t.Fatalf("there is no native form in %s", turn)
			}
		}
		other.said(t, turn)
		if body := string(other.provider.Last().Body); kinds(other.turnSent(t)) != "text tool_use" || strings.Contains(body, "c2lnbmF0dXJl") || strings.Contains(body, "signature") {
			t.Errorf("from a client that keeps %q another provider got %s", keeps, body)
		}
	}
	claude.said(t, secondTurn("look", answer))
	if got := kinds(claude.turnSent(t)); got != "thinking redacted_thinking text tool_use" {
		t.Errorf("back at Claude: %s", got)
	}
}

// Conversations at the same time keep their own, even where the provider
// numbers the calls of each anew.
func TestConversationsDoNotMix(t *testing.T) {
	v := vault.New(vault.Limits{})
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			signature := fmt.Sprintf("c2ln%04d", i)
			thought := proxytest.Thinking(fmt.Sprint("thought ", i))
			thought.Signature = signature
			script := proxytest.Script{Parts: proxytest.Parts(thought, proxytest.Call("functions.read:0", "read", `{"file":"a"}`))}
			l := remembers(t, v, "anthropic", messages.Dialect{}, script, proxytest.Script{})
			user := fmt.Sprint("question ", i)
			answer := l.said(t, fmt.Sprintf(firstTurn, i%2 == 0, user))
			l.said(t, secondTurn(user, answer))
			if sent := l.turnSent(t); kinds(sent) != "thinking tool_use" || sent[0]["signature"] != signature {
				t.Errorf("conversation %d got %v back", i, sent)
			}
		})
	}
	all.Wait()
}

// A prompt is shared between attempts: what one provider gets back must not be
// in it for the next.
func TestPromptStaysAsItIs(t *testing.T) {
	v := vault.New(vault.Limits{})
	l := remembers(t, v, "anthropic", messages.Dialect{}, thinks, proxytest.Script{})
	answer := l.said(t, fmt.Sprintf(firstTurn, false, "look"))
	r := requestOf(t, secondTurn("look", answer))
	p, err := r.Prompt()
	if err != nil {
		t.Fatal(err)
	}
	before := fmt.Sprint(p.Messages)
	l.good(t, r).Body.Close()
	if after := fmt.Sprint(p.Messages); after != before {
		t.Errorf("the prompt was changed from %s to %s", before, after)
	}
}

// BenchmarkTranslated is a translated stream of text, with a memory and
// without.
func BenchmarkTranslated(b *testing.B) {
	body := []byte(`{"model":"asked","stream":true,"messages":[{"role":"user","content":"hi"}]}`)
	for _, name := range []string{"none", "memory"} {
		b.Run(name, func(b *testing.B) {
			server := proxytest.Start(b, proxytest.NewFast(proxytest.Messages, 500))
			n := NewNetwork()
			defer n.Close()
			n.Allow([]string{strings.TrimPrefix(server.URL, "http://")})
			l := &Leaf{Model: llm.Model{Provider: "lab", Name: "m1"}, Outbound: messages.Dialect{}, Base: server.URL + "/v1", Network: n, Record: null{}}
			if name == "memory" {
				l.Memory = vault.New(vault.Limits{})
			}
			b.ReportAllocs()
			for b.Loop() {
				r := &llm.Request{Inbound: chat.Dialect{}, Raw: body, Peek: llm.Peek{Model: "asked", Stream: true}}
				resp, err := l.Do(b.Context(), r)
				if err != nil {
					b.Fatal(err)
				}
				for _, err := range resp.Events() {
					if err != nil {
						b.Fatal(err)
					}
				}
				resp.Body.Close()
			}
		})
	}
}
