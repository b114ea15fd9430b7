package turns

import (
	"strings"
	"testing"

	"keytray/proxy/llm"
)

// Names stay in their alphabet and within their length, and none is given
// twice, whatever the client calls its tools.
func TestFreeNames(t *testing.T) {
	long := strings.Repeat("n", 80)
	for _, a := range []Alphabet{{Marks: "_-", Most: 64, Else: "tool"}, {Marks: "_-.:", Most: 64, Else: "call"}, {Marks: "_-", Else: "call"}} {
		used := map[string]bool{}
		for _, want := range []string{"f", "f", "f_2", "f.x", "f:x", "f x", "ü", "\xff", "", "", long, long, long + "1", long + ".", strings.Repeat("n", 64), strings.Repeat("n", 64)} {
			before := len(used)
			got := a.Free(want, used)
			if len(used) != before+1 || !a.fits(got) {
				t.Errorf("%+v: %q became %q", a, want, got)
			}
		}
	}
}

// A name that needs no change keeps it, though one that becomes like it comes
// first; the way back is known.
func TestNames(t *testing.T) {
	c := &llm.Call{}
	n := NewNames(c, Alphabet{Marks: "_-", Most: 64, Else: "tool"}, []llm.Tool{{Name: "a.b"}, {Name: "a_b"}, {Kind: llm.Hosted, Name: "search"}})
	if n.To("a.b") != "a_b_2" || n.To("a_b") != "a_b" || Restore(c, "a_b_2") != "a.b" || Restore(c, "a_b") != "a_b" {
		t.Errorf("%+v, back %v", n.sent, c.Tools)
	}
	if n.Claim("x", "a_b") || !n.Claim("search", "web") || n.To("search") != "web" {
		t.Errorf("%+v", n.sent)
	}
}

// Blocks never overlap, unless they are calls (G11).
func TestOverlap(t *testing.T) {
	var got []string
	a := Answer{Call: &llm.Call{}, Dialect: "test", Yield: func(e llm.Event, _ error) bool {
		got = append(got, map[llm.EventKind]string{llm.Start: "start", llm.BlockStart: "(", llm.BlockStop: ")", llm.Delta: e.Text, llm.Stop: string(e.Why)}[e.Kind])
		return true
	}}
	a.Add(a.Begin(&Block{Wire: 5}, "", ""), "text")
	one := a.Begin(&Block{Wire: 6, Kind: llm.ToolCall, Input: "{}"}, "1", "f")
	two := a.Begin(&Block{Wire: 9, Kind: llm.ToolCall, Input: "{}"}, "2", "g")
	a.Add(two, "two")
	a.Add(one, "one")
	a.End(two)
	a.Begin(&Block{Wire: 6, Kind: llm.ToolCall, Input: "{}"}, "3", "f") // in the place of the first
	a.Add(a.Begin(&Block{Wire: 10}, "", ""), "more")
	a.Add(a.Begin(&Block{Hidden: true}, "", ""), "hidden")
	a.Why = llm.CallTools
	a.Stop()
	if s := strings.Join(got, " "); s != "start ( text ) ( ( two one ) ) ( {} ) ( more ) tool_calls" {
		t.Error(s)
	}
}
