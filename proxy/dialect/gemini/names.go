package gemini

import (
	"fmt"
	"slices"
	"strings"

	"keytray/proxy/llm"
)

// maxName is the longest function name that Google takes.
const maxName = 64

// names maps the client's tool names to the provider's, where they differ.
type names map[string]string

func (n names) to(client string) string {
	if s, ok := n[client]; ok {
		return s
	}
	return client
}

// name settles how every tool of the prompt is called upstream: names that
// are fine stay, the others are rewritten around them. c.Tools learns the way
// back, and a clash is reported.
func (e *encoder) name() {
	var all []string
	seen := map[string]bool{}
	add := func(name string) {
		if !seen[name] {
			seen[name] = true
			all = append(all, name)
		}
	}
	for _, t := range e.p.Tools {
		add(t.Name)
	}
	for _, m := range e.p.Messages {
		for _, b := range m.Blocks {
			if b.Kind == llm.ToolCall || b.Kind == llm.ToolResult && b.Name != "" {
				add(b.Name)
			}
		}
	}
	e.c.Tools = nil
	taken := map[string]string{}
	for _, name := range all {
		if clean(name) == name {
			taken[name] = name
		}
	}
	for _, name := range all {
		if clean(name) == name {
			continue
		}
		to := clean(name)
		if other, clash := taken[to]; clash {
			base := to
			for i := 2; clash; i++ {
				suffix := fmt.Sprintf("_%d", i)
				to = base[:min(len(base), maxName-len(suffix))] + suffix
				_, clash = taken[to]
			}
			e.c.Lose(fmt.Sprintf("tools: %q and %q are alike to Google; the former is called %s there", name, other, to))
		}
		taken[to] = name
		if e.names == nil {
			e.names, e.c.Tools = names{}, map[string]string{}
		}
		e.names[name], e.c.Tools[to] = to, name
	}
}

// clean is a name of letters, digits, _ and -, that starts with a letter or _.
func clean(name string) string {
	ok := func(b byte) bool {
		return b == '_' || b == '-' || '0' <= b && b <= '9' || 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z'
	}
	s := []byte(strings.ToValidUTF8(name, "_"))
	for i, b := range s {
		if !ok(b) {
			s[i] = '_'
		}
	}
	if len(s) == 0 || s[0] == '-' || '0' <= s[0] && s[0] <= '9' {
		s = slices.Insert(s, 0, '_')
	}
	return string(s[:min(len(s), maxName)])
}
