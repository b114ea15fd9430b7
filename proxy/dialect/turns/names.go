package turns

import (
	"bytes"
	"fmt"
	"hash/fnv"
	"strconv"
	"strings"

	"keytray/proxy/llm"
)

// An Alphabet is what a provider takes for a name: ASCII letters, digits and
// Marks, and at most Most bytes; 0 is any number.
type Alphabet struct {
	Marks string
	Most  int
	Else  string // stands in for an empty name
}

// Safe replaces what is not in the alphabet.
func (a Alphabet) Safe(s string) string {
	return strings.Map(func(r rune) rune {
		if 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune(a.Marks, r) {
			return r
		}
		return '_'
	}, s)
}

// fits tells a name that needs no change.
func (a Alphabet) fits(s string) bool {
	return s != "" && s == a.Safe(s) && (a.Most == 0 || len(s) <= a.Most)
}

// Free is a name like want that is not used yet, and is from now on. A long
// one is cut and told from others that begin alike; those that become alike
// are told apart by a number.
func (a Alphabet) Free(want string, used map[string]bool) string {
	s := a.Safe(want)
	if s == "" {
		s = a.Else
	}
	if a.Most > 0 && len(s) > a.Most {
		h := fnv.New32a()
		_, _ = h.Write([]byte(s)) // a hash's Write returns no error
		s = fmt.Sprintf("%s_%08x", s[:a.Most-9], h.Sum32())
	}
	free := s
	for n := 2; used[free]; n++ {
		suffix := "_" + strconv.Itoa(n)
		free = s + suffix
		if a.Most > 0 {
			free = s[:min(len(s), a.Most-len(suffix))] + suffix
		}
	}
	used[free] = true
	return free
}

// Names maps the client's tool names to the provider's.
type Names struct {
	alphabet Alphabet
	call     *llm.Call
	sent     map[string]string    // client's -> provider's
	used     map[string]bool      // provider's
	declared map[string]*llm.Tool // by the client's name
}

// NewNames names tools; call.Tools learns the way back. Names of the client's
// own tools that need no change are given first, so that they keep theirs.
func NewNames(c *llm.Call, a Alphabet, tools []llm.Tool) *Names {
	n := &Names{alphabet: a, call: c, sent: map[string]string{}, used: map[string]bool{}, declared: map[string]*llm.Tool{}}
	for i := range tools {
		if tools[i].Kind != llm.Hosted && a.fits(tools[i].Name) {
			n.To(tools[i].Name)
		}
	}
	return n
}

// To is the provider's name for a client's tool, the same each time.
func (n *Names) To(client string) string {
	if s, ok := n.sent[client]; ok {
		return s
	}
	s := n.Free(client)
	n.sent[client] = s
	if s != client {
		if n.call.Tools == nil {
			n.call.Tools = map[string]string{}
		}
		n.call.Tools[s] = client
	}
	return s
}

// Free is a name for a tool of Keytray's own.
func (n *Names) Free(want string) string { return n.alphabet.Free(want, n.used) }

// Claim gives a client's tool a name that the provider chose; false: another
// tool has it.
func (n *Names) Claim(client, name string) bool {
	if n.used[name] {
		return false
	}
	n.sent[client], n.used[name] = name, true
	return true
}

// First tells that t is the first tool of its name. One that comes twice is to
// be left out; two that differ are refused (C15).
func (n *Names) First(t *llm.Tool) (bool, *llm.Error) {
	first := n.declared[t.Name]
	switch {
	case first == nil:
		n.declared[t.Name] = t
		return true, nil
	case first.Description != t.Description || !bytes.Equal(first.Schema, t.Schema):
		return false, llm.Invalid("tools", "two different tools are called %q", t.Name)
	}
	return false, nil
}

// Restore is the client's name of a provider's tool.
func Restore(c *llm.Call, name string) string {
	if was, ok := c.Tools[name]; ok {
		return was
	}
	return name
}
