package route

import (
	"fmt"
	"math"
	"testing"

	"keytray/proxy/llm"
)

func conversation(n int) *llm.Request {
	return &llm.Request{Raw: []byte(fmt.Sprintf(`{"messages":[{"role":"user","content":"%d"}]}`, n))}
}

// J14: a conversation stays with its target, so that the provider's cache is hit.
func TestBalance(t *testing.T) {
	a, b := &fake{name: "a"}, &fake{name: "b"}
	s := Balance{targets(a, b), []int{3, 1}}
	const n = 4000
	for i := range n {
		first, err := s.Do(t.Context(), conversation(i))
		if err != nil {
			t.Fatal(err)
		}
		again, _ := s.Do(t.Context(), conversation(i))
		if again.Target != first.Target {
			t.Fatalf("conversation %d went to %s, then to %s", i, first.Target, again.Target)
		}
	}
	if share := float64(a.asked) / (2 * n); math.Abs(share-0.75) > 0.04 {
		t.Errorf("a had %.3f of the conversations, want 0.75", share)
	}
	a.err = busy
	for i := range 20 {
		resp, err := s.Do(t.Context(), conversation(i))
		if err != nil || resp.Target != "b" || resp.Why != "balance: its share is 1 of 4" && resp.Why != "balance: its share is 1 of 4, as the one before failed (overloaded)" {
			t.Errorf("with a down: %+v, %v", resp, err)
		}
	}
}

func BenchmarkBalance(b *testing.B) {
	s := Balance{[]llm.Target{now{}, now{}}, []int{3, 1}}
	r := conversation(1)
	for b.Loop() {
		_, _ = s.Do(b.Context(), r)
	}
}

func BenchmarkRace(b *testing.B) {
	s := Race{Targets: []llm.Target{now{}, now{}}, After: 1e9}
	r := conversation(1)
	for b.Loop() {
		_, _ = s.Do(b.Context(), r)
	}
}
