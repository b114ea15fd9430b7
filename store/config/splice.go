package config

import (
	"bytes"
	"errors"
	"slices"
	"strings"
)

// splice replaces raw[start:end] by text.
type splice struct {
	start, end int
	text       string
}

func apply(raw []byte, splices []splice) []byte {
	slices.SortStableFunc(splices, func(a, b splice) int { return a.start - b.start })
	var out bytes.Buffer
	at := 0
	for _, s := range splices {
		out.Write(raw[at:s.start])
		out.WriteString(s.text)
		at = s.end
	}
	out.Write(raw[at:])
	return out.Bytes()
}

var errLayout = errors.New("this setting is laid out in a way that cannot be changed without touching the rest; change it by hand")

// document is a text that is being changed. Each change touches the bytes of one value and nothing else.
type document struct {
	file string
	raw  []byte
}

func (d *document) tree() (*source, *node, error) {
	src, problems := newSource(d.file, d.raw)
	if problems != nil {
		return nil, nil, problems
	}
	root, problems := src.parse()
	if problems != nil {
		return nil, nil, problems
	}
	return src, root, nil
}

// set gives the setting at path a value; nil removes it. Tables are changed entry by entry, so that the comments
// inside them stay.
func (d *document) set(value *node, path ...string) error {
	_, root, err := d.tree()
	if err != nil {
		return err
	}
	old := root
	for _, name := range path {
		if old != nil {
			old = old.get(name)
		}
	}
	if value == nil {
		if old == nil {
			return nil
		}
		return d.change(root, path, nil)
	}
	// An empty section in the middle of commented examples is filled line by line, too.
	section := len(path) == 1 && old != nil && old.kind == isNull && old.start == old.end && !root.flow
	if old != nil && value.kind == isTable && (old.kind == isTable || section) {
		for _, e := range old.entries {
			if value.get(e.key) == nil {
				if err := d.set(nil, append(slices.Clone(path), e.key)...); err != nil {
					return err
				}
			}
		}
		for _, e := range value.entries {
			if err := d.set(e.value, append(slices.Clone(path), e.key)...); err != nil {
				return err
			}
		}
		return nil
	}
	if old != nil && old.same(value) || old == nil && len(path) == 1 && value.empty() {
		return nil
	}
	return d.change(root, path, value)
}

// change makes one change to the text, and believes it only when the new text reads as intended.
func (d *document) change(root *node, path []string, value *node) error {
	src, problems := newSource(d.file, d.raw)
	if problems != nil {
		return problems
	}
	splices, err := src.splices(root, path, value)
	if err != nil {
		return err
	}
	next := &document{file: d.file, raw: apply(d.raw, splices)}
	_, got, err := next.tree()
	if err != nil || !got.same(root.with(path, value)) {
		return errLayout
	}
	d.raw = next.raw
	return nil
}

// with is the tree after a change.
func (n *node) with(path []string, value *node) *node {
	if len(path) == 0 {
		return value
	}
	out := &node{kind: isTable}
	if n != nil {
		for _, e := range n.entries {
			if e.key != path[0] {
				out.put(e.key, e.value)
			}
		}
		out.put(path[0], n.get(path[0]).with(path[1:], value))
		return out
	}
	if v := (*node)(nil).with(path[1:], value); v != nil {
		out.put(path[0], v)
	}
	return out
}

// splices finds the deepest table on the path that exists and changes there.
func (s *source) splices(root *node, path []string, value *node) ([]splice, error) {
	parent, depth := root, 0
	inFlow := false
	for depth < len(path)-1 {
		next := parent.get(path[depth])
		if next == nil {
			break
		}
		inFlow = parent.flow
		parent, depth = next, depth+1
	}
	key := path[depth]
	if value == nil {
		return s.remove(parent, key)
	}
	for i := len(path) - 1; i > depth; i-- {
		value = tableOf(entry{key: path[i], value: value})
	}
	if old := parent.get(key); old != nil {
		return s.replace(old, value), nil
	}
	switch {
	case parent.kind == isTable && parent.flow:
		return s.insertFlow(parent, key, value), nil
	case parent.kind == isTable:
		return s.insertBlock(parent, depth == 0, key, value), nil
	case parent == root:
		return s.appendLine(0, key, value), nil
	case parent.kind == isNull && (inFlow || parent.start < parent.end):
		return s.replace(parent, tableOf(entry{key: key, value: value})), nil
	case parent.kind == isNull:
		return s.insertUnder(parent, root, key, value)
	}
	return nil, errLayout
}

// replace writes over a value, and keeps the user's kind of quotes.
func (s *source) replace(old, value *node) []splice {
	if old.start == old.end {
		return []splice{{old.start, old.end, " " + value.String()}}
	}
	if old.kind == isList && value.kind == isList && len(old.items) > 0 {
		if changes := s.replaceItems(old, value); changes != nil {
			return changes
		}
	}
	if value.kind == isText && old.kind == isText {
		value = &node{kind: isText, text: value.text, quote: old.quote}
	}
	start := old.start
	if old.after > 0 && start > s.lineEnd(old.after) && strings.TrimSpace(string(s.raw[old.after:start])) == "" {
		return []splice{{old.after, old.end, " " + value.String()}}
	}
	return []splice{{start, old.end, value.String()}}
}

func (s *source) insertFlow(parent *node, key string, value *node) []splice {
	pair := keyed(key) + ": " + value.String()
	if len(parent.entries) == 0 {
		return []splice{{parent.start + 1, parent.start + 1, pair}}
	}
	end := parent.entries[len(parent.entries)-1].value.end
	return []splice{{end, end, ", " + pair}}
}

// insertBlock adds a line after the last one of a table; at the top level, at the end of the file, so that the
// comments after the last setting stay with it.
func (s *source) insertBlock(parent *node, top bool, key string, value *node) []splice {
	indent := parent.entries[0].col - 1
	if top {
		return s.appendLine(indent, key, value)
	}
	return s.line(s.nextLine(parent.end), indent, key, value)
}

func (s *source) appendLine(indent int, key string, value *node) []splice {
	return s.line(len(s.raw), indent, key, value)
}

// insertUnder adds the first line of a table that is still empty, below its name and indented as the file is.
func (s *source) insertUnder(parent, root *node, key string, value *node) ([]splice, error) {
	start := s.lineStart(parent.start)
	indent := 0
	for start+indent < len(s.raw) && s.raw[start+indent] == ' ' {
		indent++
	}
	return s.line(s.nextLine(parent.start), indent+root.step(), key, value), nil
}

// step is the indentation that the file uses.
func (n *node) step() int {
	for _, e := range n.entries {
		if v := e.value; v.kind == isTable && !v.flow && v.col > e.col {
			return v.col - e.col
		}
	}
	return 2
}

// line inserts a whole line at the byte at, which starts a line or ends the file.
func (s *source) line(at, indent int, key string, value *node) []splice {
	var b strings.Builder
	if at > s.lines[0] && s.raw[at-1] != '\n' {
		b.WriteString(s.newline)
	}
	b.WriteString(strings.Repeat(" ", indent) + name(key) + ":")
	if indent == 0 && value.kind == isTable && value.nested() {
		for _, e := range value.entries {
			b.WriteString(s.newline + "  " + name(e.key) + ": " + e.value.String())
		}
	} else {
		b.WriteString(" " + value.String())
	}
	b.WriteString(s.newline)
	return []splice{{at, at, b.String()}}
}

// nested says whether a table holds more than single values and so deserves lines of its own.
func (n *node) nested() bool {
	return len(n.entries) > 0 && n.entries[0].value.kind == isTable
}
