package llm

import "testing"

func TestSeal(t *testing.T) {
	for _, c := range [][2]string{{"messages:anthropic", "EqQB+/="}, {"chat", ""}, {"", "x\x00y"}} {
		s := Seal(c[0], c[1])
		origin, opaque, ok := Unseal(s)
		if !ok || !IsSealed(s) || origin != c[0] || opaque != c[1] {
			t.Errorf("Unseal(Seal(%q, %q)) = %q, %q, %v", c[0], c[1], origin, opaque, ok)
		}
	}
	for _, s := range []string{"", "EqQB", sealedBase64 + "!", sealedBase64} {
		if _, _, ok := Unseal(s); ok {
			t.Errorf("Unseal(%q) took it for its own", s)
		}
	}
}

func TestOwns(t *testing.T) {
	c := Call{Model: Model{Provider: "anthropic"}, Foreign: func(o string) bool { return o == "stray" }}
	for _, x := range []struct {
		origin, opaque string
		want           bool
	}{
		{"messages:anthropic", "a", true},
		{"messages:deepseek", "a", false},
		{"messages", "a", true},
		{"messages", "stray", false},
		{"gemini", "a", false},
		{"", "a", false},
	} {
		if got := c.Owns("messages", x.origin, x.opaque); got != x.want {
			t.Errorf("Owns(%q, %q) = %v", x.origin, x.opaque, got)
		}
	}
}
