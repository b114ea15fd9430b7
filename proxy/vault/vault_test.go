package vault

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"keytray/proxy/llm"
)

const claude = "messages:anthropic"

// client is an inbound dialect whose requests are prompts already.
type client struct {
	llm.Inbound
	p *llm.Prompt
}

func (c client) DecodeRequest(*llm.Request) (*llm.Prompt, error) { return c.p, nil }

func asks(tool string, p *llm.Prompt) *llm.Request {
	return &llm.Request{Tool: tool, Inbound: client{p: p}}
}

func user(s string) llm.Message {
	return llm.Message{Role: llm.User, Blocks: []llm.Block{{Text: s}}}
}

func thought(text, sig string) []llm.Event {
	return []llm.Event{
		{Kind: llm.BlockStart, Block: llm.Thinking},
		{Kind: llm.Delta, Block: llm.Thinking, Text: text},
		{Kind: llm.BlockStop, Block: llm.Thinking, Opaque: sig, Origin: claude},
	}
}

func text(s string) []llm.Event {
	return []llm.Event{{Kind: llm.BlockStart}, {Kind: llm.Delta, Text: s}, {Kind: llm.BlockStop}}
}

func calls(index int, id, name, args, sig string) []llm.Event {
	return []llm.Event{
		{Kind: llm.BlockStart, Block: llm.ToolCall, Index: index, ID: id, Name: name},
		{Kind: llm.Delta, Block: llm.ToolCall, Index: index, Text: args},
		{Kind: llm.BlockStop, Block: llm.ToolCall, Index: index, Opaque: sig},
	}
}

// answer has the vault watch an answer to p.
func answer(t testing.TB, v *Vault, c *llm.Call, origin string, r *llm.Request, parts ...[]llm.Event) {
	t.Helper()
	all := []llm.Event{{Kind: llm.Start}}
	for _, p := range parts {
		all = append(all, p...)
	}
	all = append(all, llm.Event{Kind: llm.Stop})
	n := 0
	for e, err := range v.Watch(c, origin, r, func(yield func(llm.Event, error) bool) {
		for _, e := range all {
			if !yield(e, nil) {
				return
			}
		}
	}) {
		if err != nil || e.Kind != all[n].Kind || e.Text != all[n].Text {
			t.Fatalf("event %d went on as %+v, %v", n, e, err)
		}
		n++
	}
	if n != len(all) {
		t.Fatalf("%d events of %d went on", n, len(all))
	}
}

// show writes the assistant's turns of a prompt: t is text, T thinking, R
// redacted, C a call; what is opaque stands in brackets.
func show(p *llm.Prompt) string {
	var out []string
	for _, m := range p.Messages {
		if m.Role != llm.Assistant {
			continue
		}
		for _, b := range m.Blocks {
			s := map[llm.BlockKind]string{llm.Text: "t", llm.Thinking: "T", llm.Redacted: "R", llm.ToolCall: "C"}[b.Kind] + b.Text
			if b.Opaque != "" {
				s += "[" + b.Opaque + "]"
			}
			out = append(out, s)
		}
	}
	return strings.Join(out, " ")
}

const (
	idA = "toolu_01AAAAAAAAAAAA"
	idB = "toolu_01BBBBBBBBBBBB"
)

func call(id, name, args string) llm.Block {
	return llm.Block{Kind: llm.ToolCall, ID: id, Name: name, Text: args}
}

func next(blocks ...llm.Block) *llm.Prompt {
	return &llm.Prompt{Messages: []llm.Message{user("go"), {Role: llm.Assistant, Blocks: blocks}}}
}

func TestPlaces(t *testing.T) {
	for name, x := range map[string]struct {
		answer [][]llm.Event
		back   []llm.Block
		want   string
	}{
		"before text": {
			[][]llm.Event{thought("a", "1"), text("x"), calls(2, idA, "f", "{}", "")},
			[]llm.Block{{Text: "x"}, call(idA, "f", "{}")},
			"Ta[1] tx C{}",
		},
		"interleaved": {
			[][]llm.Event{thought("a", "1"), text("x"), thought("b", "2"), calls(3, idA, "f", "{}", ""), thought("c", "3"), calls(5, idB, "f", "{}", "")},
			[]llm.Block{{Text: "x"}, call(idA, "f", "{}"), call(idB, "f", "{}")},
			"Ta[1] tx Tb[2] C{} Tc[3] C{}",
		},
		"behind": {
			[][]llm.Event{calls(0, idA, "f", "{}", ""), thought("c", "3")},
			[]llm.Block{call(idA, "f", "{}")},
			"C{} Tc[3]",
		},
		"on the call": {
			[][]llm.Event{calls(0, idA, "f", "{}", "s"), calls(1, idB, "f", "{}", "")},
			[]llm.Block{call(idA, "f", "{}"), call(idB, "f", "{}")},
			"C{}[s] C{}",
		},
		"on the text": {
			[][]llm.Event{{{Kind: llm.BlockStart}, {Kind: llm.Delta, Text: "x"}, {Kind: llm.BlockStop, Opaque: "s"}}, calls(1, idA, "f", "{}", "")},
			[]llm.Block{{Text: "x"}, call(idA, "f", "{}")},
			"tx[s] C{}",
		},
		"a text that the client left out": {
			[][]llm.Event{{{Kind: llm.BlockStart}, {Kind: llm.BlockStop, Opaque: "s"}}, calls(1, idA, "f", "{}", "")},
			[]llm.Block{call(idA, "f", "{}")},
			"C{}",
		},
		"unsigned thoughts of the client's": {
			[][]llm.Event{thought("a", "1"), calls(1, idA, "f", "{}", "")},
			[]llm.Block{{Kind: llm.Thinking, Text: "a"}, call(idA, "f", "{}")},
			"Ta[1] C{}",
		},
		"signed thoughts of the client's": {
			[][]llm.Event{thought("a", "1"), calls(1, idA, "f", "{}", "")},
			[]llm.Block{{Kind: llm.Thinking, Text: "a", Opaque: "1"}, call(idA, "f", "{}")},
			"Ta[1] C{}",
		},
		"unsigned answers are not kept": {
			[][]llm.Event{thought("a", ""), calls(1, idA, "f", "{}", "")},
			[]llm.Block{call(idA, "f", "{}")},
			"C{}",
		},
		"without calls nothing is kept": {
			[][]llm.Event{thought("a", "1"), text("x")},
			[]llm.Block{{Text: "x"}},
			"tx",
		},
	} {
		v := New(Limits{})
		answer(t, v, &llm.Call{}, claude, asks("tool", &llm.Prompt{Messages: []llm.Message{user("go")}}), x.answer...)
		p := next(x.back...)
		before := show(p)
		if got := show(v.Restore(claude, asks("tool", p), p)); got != x.want {
			t.Errorf("%s: %q, want %q", name, got, x.want)
		}
		if show(p) != before {
			t.Errorf("%s: the client's own prompt was changed", name)
		}
	}
}

// A client may send one turn in several messages.
func TestSeveralMessages(t *testing.T) {
	v := New(Limits{})
	answer(t, v, &llm.Call{}, claude, asks("tool", &llm.Prompt{Messages: []llm.Message{user("go")}}),
		thought("a", "1"), text("x"), thought("b", "2"), calls(3, idA, "f", "{}", ""))
	p := &llm.Prompt{Messages: []llm.Message{
		user("go"),
		{Role: llm.Assistant, Blocks: []llm.Block{{Text: "x"}}},
		{Role: llm.Assistant, Blocks: []llm.Block{call(idA, "f", "{}")}},
	}}
	if got := show(v.Restore(claude, asks("tool", p), p)); got != "Ta[1] tx Tb[2] C{}" {
		t.Error(got)
	}
}

// Models that want unsigned reasoning back get it, unless the client sent it.
func TestReasoningHistory(t *testing.T) {
	c := &llm.Call{Model: llm.Model{Flags: llm.Flags{llm.FlagReasoningHistory}}}
	v := New(Limits{})
	answer(t, v, c, "chat:deepseek", asks("tool", &llm.Prompt{Messages: []llm.Message{user("go")}}), thought("a", ""), calls(1, idA, "f", "{}", ""))
	for back, want := range map[string]string{"": "Ta C{}", "a": "Ta C{}"} {
		p := next(call(idA, "f", "{}"))
		if back != "" {
			p = next(llm.Block{Kind: llm.Thinking, Text: back}, call(idA, "f", "{}"))
		}
		if got := show(v.Restore("chat:deepseek", asks("tool", p), p)); got != want {
			t.Errorf("the client sent %q: %q, want %q", back, got, want)
		}
	}
}

// Another provider, another tool and another conversation get nothing.
func TestNobodyElse(t *testing.T) {
	v := New(Limits{})
	first := &llm.Prompt{Messages: []llm.Message{user("go")}}
	const numbered = "functions.f:0"
	answer(t, v, &llm.Call{}, claude, asks("tool", first), thought("a", "1"), calls(1, idA, "f", "{}", ""))
	answer(t, v, &llm.Call{}, claude, asks("tool", first), thought("b", "2"), calls(1, numbered, "f", `{"x": 1}`, ""))
	for _, x := range []struct{ origin, tool, user, id, args, want string }{
		{claude, "tool", "go", idA, "{}", "Ta[1] C{}"},
		{claude, "tool", "went", idA, "{ }", "Ta[1] C{ }"}, // its id tells
		{"messages:deepseek", "tool", "go", idA, "{}", "C{}"},
		{claude, "other", "go", idA, "{}", "C{}"},
		{claude, "tool", "go", idB, "{}", "C{}"},
		{claude, "tool", "go", numbered, `{"x":1}`, `Tb[2] C{"x":1}`},
		{claude, "tool", "go", "", `{"x":1}`, `Tb[2] C{"x":1}`}, // a dialect without ids
		{claude, "tool", "went", numbered, `{"x":1}`, `C{"x":1}`},
		{claude, "tool", "go", numbered, `{"x":2}`, `C{"x":2}`},
		{claude, "other", "go", numbered, `{"x":1}`, `C{"x":1}`},
	} {
		p := next(call(x.id, "f", x.args))
		p.Messages[0] = user(x.user)
		if got := show(v.Restore(x.origin, asks(x.tool, p), p)); got != x.want {
			t.Errorf("%+v: %q", x, got)
		}
	}
}

func TestRandom(t *testing.T) {
	for id, want := range map[string]bool{
		"toolu_01A09q90qw90lq917835lq9": true, "call_9x8Yz0AbCdEf": true, "D681PevKs": true, "DabcPevKs": true,
		"chatcmpl-tool-0e6d1c2b-1111-2222-3333-444455556666": true, "function-call-1234567890123456789": true, "call_MFRGGZDFMZTWQ2LK": true,
		"": false, "0": false, "call_1": false, "call_10_12": false, "call_10_12_9": false, "functions": false, "function-calling-0": false, "CALLABLE_1": false,
		"call_MFRGGZDFMZTWQALK": false, // drawn by lot, but who knows; its history tells
	} {
		if random(id) != want {
			t.Errorf("%q", id)
		}
	}
}

func TestCutAnswersAreNotKept(t *testing.T) {
	v := New(Limits{})
	for range v.Watch(&llm.Call{}, claude, asks("tool", &llm.Prompt{}), func(yield func(llm.Event, error) bool) {
		for _, e := range append(thought("a", "1"), calls(1, idA, "f", "{}", "")...) {
			yield(e, nil)
		}
		yield(llm.Event{}, errors.New("cut"))
	}) {
	}
	if n, _ := v.Size(); n != 0 {
		t.Errorf("%d calls are kept", n)
	}
}

// keep puts one call into the vault.
func keep(t testing.TB, v *Vault, id, sig string) {
	answer(t, v, &llm.Call{}, claude, asks("tool", &llm.Prompt{}), thought("a", sig), calls(1, id, "f", "{}", ""))
}

func kept(v *Vault, id string) bool {
	p := next(call(id, "f", "{}"))
	return strings.Contains(show(v.Restore(claude, asks("tool", p), p)), "[")
}

func TestBounds(t *testing.T) {
	id := func(i int) string { return fmt.Sprintf("toolu_%012d", i) }
	v := New(Limits{Count: 3})
	for i := range 3 {
		keep(t, v, id(i), "s")
	}
	kept(v, id(0)) // used, so that the next oldest goes
	keep(t, v, id(3), "s")
	if n, _ := v.Size(); n != 3 || !kept(v, id(0)) || kept(v, id(1)) || !kept(v, id(3)) {
		t.Errorf("of 3 calls at most, %d are kept", n)
	}
	v = New(Limits{Bytes: 10_000})
	for i := range 9 {
		keep(t, v, id(i), strings.Repeat("s", 2000))
	}
	if n, size := v.Size(); n != 4 || size > 10_000 || !kept(v, id(8)) || kept(v, id(4)) {
		t.Errorf("%d calls are kept in %d bytes", n, size)
	}
	keep(t, v, id(99), strings.Repeat("s", 3000))
	if kept(v, id(99)) || !kept(v, id(8)) {
		t.Error("one large call pushed the others out")
	}
	v.Clear()
	if n, size := v.Size(); n != 0 || size != 0 || kept(v, id(8)) || len(v.byKey) != 0 {
		t.Errorf("cleared, %d calls in %d bytes are kept", n, size)
	}
}

func TestLifetime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := New(Limits{Lifetime: time.Hour})
		keep(t, v, idA, "s")
		keep(t, v, idB, "s")
		time.Sleep(50 * time.Minute)
		if !kept(v, idA) {
			t.Error("gone before its time")
		}
		time.Sleep(50 * time.Minute)
		if !kept(v, idA) || kept(v, idB) {
			t.Error("a use does not lengthen the lifetime, or what is not used stays")
		}
		if n, _ := v.Size(); n != 1 {
			t.Errorf("%d calls are kept", n)
		}
	})
}

// Nothing in memory can be read without the key, and ids are hashed.
func TestSealed(t *testing.T) {
	v := New(Limits{})
	keep(t, v, idA, "the-signature-in-the-clear")
	for el := v.byUse.Front(); el != nil; el = el.Next() {
		e := el.Value.(*entry)
		if bytes.Contains(e.sealed, []byte("signature")) || bytes.Contains(e.keys[0][:], []byte(idA[:8])) {
			t.Error("an entry is in the clear")
		}
	}
	if !kept(v, idA) {
		t.Error("it is not kept at all")
	}
	if other := New(Limits{}); other.byID("tool", idA, "f") == v.byID("tool", idA, "f") {
		t.Error("two processes hash an id alike")
	}
}

// F10
func TestForeign(t *testing.T) {
	v := New(Limits{Known: 4})
	if v.Known() {
		t.Error("something is known from the start")
	}
	c := &llm.Call{Made: func(o string) { v.Made("anthropic", o) }}
	answer(t, v, c, claude, asks("tool", &llm.Prompt{}), thought("a", "mine"), text("no call at all"))
	if !v.Known() || v.Foreign("anthropic", "mine") || !v.Foreign("deepseek", "mine") || v.Foreign("deepseek", "unknown") {
		t.Error("who made it is not known")
	}
	for i := range 100 {
		v.Made("x", fmt.Sprint(i))
		v.Foreign("x", "mine") // in use, so it stays
		if n := len(v.makers.young) + len(v.makers.old); n > 4 {
			t.Fatalf("%d makers are known, of 4 at most", n)
		}
	}
	if !v.Foreign("deepseek", "mine") || v.Foreign("y", "1") {
		t.Error("the wrong ones were forgotten")
	}
	v.Clear()
	if v.Foreign("deepseek", "mine") || v.Known() {
		t.Error("known after Clear")
	}
}

func BenchmarkRestore(b *testing.B) {
	v := New(Limits{})
	p := &llm.Prompt{Messages: []llm.Message{user("go")}}
	for i := range 200 {
		p.Messages = append(p.Messages, llm.Message{Role: llm.Assistant, Blocks: []llm.Block{call(fmt.Sprintf("toolu_%012d", i), "f", "{}")}}, user(strings.Repeat("result ", 500)))
	}
	r := asks("tool", p)
	for _, n := range []int{0, 1, 200} {
		for i := range n {
			keep(b, v, fmt.Sprintf("toolu_%012d", i), strings.Repeat("s", 500))
		}
		b.Run(fmt.Sprint("kept", n), func(b *testing.B) {
			for b.Loop() {
				v.Restore(claude, r, p)
			}
		})
	}
}
