package config

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/token"
)

func textOf(s string) *node { return &node{kind: isText, text: s} }

func numberOf(s string) *node { return &node{kind: isNumber, text: s} }

func truthOf(b bool) *node { return &node{kind: isBool, text: strconv.FormatBool(b)} }

func listOf(texts []string) *node {
	n := &node{kind: isList}
	for _, s := range texts {
		n.items = append(n.items, textOf(s))
	}
	return n
}

func tableOf(entries ...entry) *node { return &node{kind: isTable, entries: entries} }

// put appends an entry unless its value is nil.
func (n *node) put(key string, value *node) {
	if value != nil {
		n.entries = append(n.entries, entry{key: key, value: value})
	}
}

// render writes a value on one line.
func (n *node) render(b *strings.Builder) {
	switch n.kind {
	case isText:
		b.WriteString(scalar(n.text, n.quote))
	case isNumber, isBool:
		b.WriteString(n.text)
	case isList:
		b.WriteByte('[')
		for i, item := range n.items {
			if i > 0 {
				b.WriteString(", ")
			}
			item.render(b)
		}
		b.WriteByte(']')
	case isTable:
		b.WriteByte('{')
		for i, e := range n.entries {
			if i > 0 {
				b.WriteString(", ")
			}
			b.WriteString(keyed(e.key) + ": ")
			e.value.render(b)
		}
		b.WriteByte('}')
	case isNull:
		b.WriteString("null")
	}
}

func (n *node) String() string {
	var b strings.Builder
	n.render(&b)
	return b.String()
}

// plainForm is text that needs no quotes inside brackets either.
var plainForm = regexp.MustCompile(`^[A-Za-z0-9/][A-Za-z0-9._/@+-]*(:[A-Za-z0-9._/@+-]+)*$`)

// scalar writes text in the quotes that the user chose before, or in the least that it needs.
func scalar(s string, quote byte) string {
	printable := !strings.ContainsFunc(s, func(c rune) bool { return !strconv.IsPrint(c) })
	switch {
	case quote == '\'' && printable:
		return "'" + strings.ReplaceAll(s, "'", "''") + "'"
	case quote == 0 && !token.IsNeedQuoted(s) && name(s) == s:
		return s
	}
	return strconv.Quote(s)
}

// name writes the name of a setting. Older YAML takes off for a truth value, so as a value it gets quotes, but
// people write it bare as a name.
func name(s string) string {
	if plainForm.MatchString(s) && token.New(s, s, &token.Position{}).Type == token.StringType {
		return s
	}
	return strconv.Quote(s)
}

// keyed is name for a table in brackets, where a colon in a name ends it.
func keyed(s string) string {
	if strings.Contains(s, ":") {
		return strconv.Quote(s)
	}
	return name(s)
}

// same compares two values as settings: quotes, brackets and empty tables make no difference.
func (n *node) same(m *node) bool {
	if n.empty() || m.empty() {
		return n.empty() && m.empty()
	}
	if n.kind != m.kind || n.text != m.text || len(n.items) != len(m.items) {
		return false
	}
	for i := range n.items {
		if !n.items[i].same(m.items[i]) {
			return false
		}
	}
	return n.within(m) && m.within(n)
}

// within says whether every entry of n that is not empty stands in m with the same value.
func (n *node) within(m *node) bool {
	for _, e := range n.entries {
		if !e.value.empty() && !e.value.same(m.get(e.key)) {
			return false
		}
	}
	return true
}

func (n *node) empty() bool {
	if n == nil || n.kind == isNull {
		return true
	}
	if n.kind != isTable {
		return false
	}
	for _, e := range n.entries {
		if !e.value.empty() {
			return false
		}
	}
	return true
}
