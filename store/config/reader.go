package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// reader takes settings from a tree and collects what is wrong with them.
type reader struct {
	file     string
	problems Problems
}

// field is a setting that a table may hold. read is not called for an absent or empty value.
type field struct {
	name string
	read func(*node)
}

func (r *reader) add(n *node, message, hint string) {
	r.addAt(n.line, n.col, n.path, message, hint)
}

func (r *reader) addAt(line, col int, path, message, hint string) {
	r.problems = append(r.problems, Problem{
		File: r.file, Line: line, Column: col, Path: path, Message: message, Hint: hint,
	})
}

// sorted returns the problems in the order of the file, with a last line for those beyond the limit.
func (r *reader) sorted() Problems {
	slices.SortStableFunc(r.problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	if more := len(r.problems) - mostProblems; more > 0 {
		return append(r.problems[:mostProblems:mostProblems], Problem{
			File: r.file, Message: fmt.Sprintf("and %d more problems", more),
		})
	}
	return r.problems
}

// entries yields the entries of a table without duplicates; an empty value is an empty table.
func (r *reader) entries(n *node) []entry {
	if n.kind == isNull {
		return nil
	}
	if n.kind != isTable {
		r.wrongKind(n, isTable)
		return nil
	}
	seen := map[string]int{}
	var out []entry
	for _, e := range n.entries {
		if line, ok := seen[e.key]; ok {
			r.addAt(e.line, e.col, e.value.path, fmt.Sprintf("is set twice, first on line %d", line), "keep one of them")
			continue
		}
		seen[e.key] = e.line
		out = append(out, e)
	}
	return out
}

// fields reads the known settings of a table and reports the others.
func (r *reader) fields(n *node, known []field) {
	names := make([]string, len(known))
	for i, f := range known {
		names[i] = f.name
	}
	for _, e := range r.entries(n) {
		i := slices.Index(names, e.key)
		if i < 0 {
			message, hint := unknown(e.key, names)
			r.addAt(e.line, e.col, e.value.path, message, hint)
			continue
		}
		if e.value.kind != isNull {
			known[i].read(e.value)
		}
	}
}

// unknown explains a setting that is not there, and above all a key that does not belong here.
func unknown(key string, names []string) (message, hint string) {
	switch plain(key) {
	case "key", "apikey", "keys", "secret", "token", "password":
		if !slices.Contains(names, key) {
			return "keys are not kept in this file", "remove it and store the key with: keytray keys add"
		}
	}
	if near := Nearest(key, names); near != "" {
		return "is not a setting", "did you mean " + near + "?"
	}
	return "is not a setting", "known here: " + join(names, ", ")
}

// named reads a table whose names the user chooses.
func (r *reader) named(n *node, what string, check func(string) string, read func(string, *node)) {
	for _, e := range r.entries(n) {
		if hint := check(e.key); hint != "" {
			r.addAt(e.line, e.col, e.value.path, "is not a good "+what, hint)
			continue
		}
		read(e.key, e.value)
	}
}

func (r *reader) wrongKind(n *node, want kind) {
	message := fmt.Sprintf("is %s where %s is wanted", n.kind, want)
	hint := ""
	switch {
	case want == isText && (n.kind == isNumber || n.kind == isBool):
		hint = "put it in quotes"
	case want == isText && n.kind == isList && n.flow:
		hint = "put quotes around text that starts with a bracket"
	case want == isList && n.kind == isText:
		hint = "put it in brackets: [a, b]"
	}
	r.add(n, message, hint)
}

// text reads non-empty text.
func (r *reader) text(n *node) (string, bool) {
	if n.kind != isText {
		r.wrongKind(n, isText)
		return "", false
	}
	if strings.TrimSpace(n.text) == "" {
		r.add(n, "is empty", "give a value or remove the setting")
		return "", false
	}
	return n.text, true
}

func (r *reader) truth(n *node, to *bool) {
	if n.kind != isBool {
		message := fmt.Sprintf("is %s where true or false is wanted", n.kind)
		r.add(n, message, "YAML's yes, no, on and off are text")
		return
	}
	*to = n.text == "true"
}

// texts reads a list of different texts, each through read.
func (r *reader) texts(n *node, read func(*node) (string, bool)) []string {
	if n.kind != isList {
		r.wrongKind(n, isList)
		return nil
	}
	var out []string
	for _, item := range n.items {
		s, ok := read(item)
		if !ok {
			continue
		}
		if slices.Contains(out, s) {
			r.add(item, "is in the list twice", "keep one of them")
			continue
		}
		out = append(out, s)
	}
	return out
}

// word reads one of a few words.
func word[T ~string](r *reader, n *node, to *T, words ...T) {
	names := make([]string, len(words))
	for i, w := range words {
		names[i] = string(w)
	}
	if n.kind == isText && slices.Contains(names, n.text) {
		*to = T(n.text)
		return
	}
	hint := ""
	if near := Nearest(n.text, names); n.kind == isText && near != "" {
		hint = "did you mean " + near + "?"
	}
	r.add(n, "is not "+join(names, ", "), hint)
}

// join lists words: a, b or c; or with any other separator between all of them.
func join(words []string, sep string) string {
	if sep != ", " || len(words) < 2 {
		return strings.Join(words, sep)
	}
	return strings.Join(words[:len(words)-1], sep) + " or " + words[len(words)-1]
}
