package gemini

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
)

// maxDepth bounds how deep a path may go.
const maxDepth = 100

// partialCall gathers a call whose arguments come in pieces (Vertex with
// streamFunctionCallArguments, which only a gemini client itself can ask for).
type partialCall struct {
	id, name, sign string
	whole          []byte // arguments that came in one piece after all
	root           node
}

// grow sets the values of one chunk; a string may go on in the next.
func (p *partialCall) grow(c *answerCall) {
	if isObject(c.Args) && !bytes.Equal(bytes.TrimSpace(c.Args), []byte("{}")) {
		p.whole = bytes.Clone(c.Args)
	}
	for _, a := range c.PartialArgs {
		path, ok := parsePath(a.JSONPath)
		if !ok {
			continue
		}
		n := &p.root
		for _, step := range path {
			if n = n.child(step); n == nil {
				break
			}
		}
		switch {
		case n == nil:
		case a.StringValue != nil:
			n.text = append(n.text, *a.StringValue...)
			n.raw = text(nil, string(n.text))
		case len(a.NumberValue) > 0 && json.Valid(a.NumberValue):
			n.raw = bytes.Clone(a.NumberValue)
		case a.BoolValue != nil:
			n.raw = strconv.AppendBool(nil, *a.BoolValue)
		default:
			n.raw = []byte("null")
		}
	}
}

// args is the arguments object, complete or not.
func (p *partialCall) args() []byte {
	if p.whole != nil {
		return p.whole
	}
	return p.root.append(nil)
}

// node is a JSON value that grows: a scalar, or what has children.
type node struct {
	raw      []byte // of a scalar
	text     []byte // of a string so far
	names    []string
	children []*node // of an object by name, in order; of a list by index
	list     bool
}

// step is one step of a path: into an object by name, or into a list.
type step struct {
	name  string
	index int
	list  bool
}

// child is the value one step down, made if need be. Lists grow by one; a
// step beyond that is nil.
func (n *node) child(s step) *node {
	if s.list != n.list {
		n.names, n.children, n.list = nil, nil, s.list
	}
	n.raw = nil
	if s.list {
		switch {
		case s.index == len(n.children):
			n.children = append(n.children, &node{raw: []byte("null")})
		case s.index > len(n.children):
			return nil
		}
		return n.children[s.index]
	}
	for i, name := range n.names {
		if name == s.name {
			return n.children[i]
		}
	}
	n.names, n.children = append(n.names, s.name), append(n.children, &node{})
	return n.children[len(n.children)-1]
}

func (n *node) append(dst []byte) []byte {
	if n.raw != nil {
		return append(dst, n.raw...)
	}
	brackets := "{}"
	if n.list {
		brackets = "[]"
	}
	dst = append(dst, brackets[0])
	for i, c := range n.children {
		if i > 0 {
			dst = append(dst, ',')
		}
		if !n.list {
			dst = append(text(dst, n.names[i]), ':')
		}
		dst = c.append(dst)
	}
	return append(dst, brackets[1])
}

// parsePath reads $.a.b[0]['c d'], the part of JSONPath that names one place.
func parsePath(p string) (path []step, ok bool) {
	if p, ok = strings.CutPrefix(p, "$"); !ok {
		return nil, false
	}
	for p != "" {
		var s step
		switch {
		case strings.HasPrefix(p, "['"), strings.HasPrefix(p, `["`):
			name, rest, found := strings.Cut(p[2:], p[1:2]+"]")
			if !found {
				return nil, false
			}
			s.name, p = name, rest
		case p[0] == '[':
			number, rest, found := strings.Cut(p[1:], "]")
			n, err := strconv.Atoi(number)
			if !found || err != nil || n < 0 {
				return nil, false
			}
			s.index, s.list, p = n, true, rest
		case p[0] == '.':
			end := strings.IndexAny(p[1:], ".[") + 1
			if end == 0 {
				end = len(p)
			}
			if s.name, p = p[1:end], p[end:]; s.name == "" {
				return nil, false
			}
		default:
			return nil, false
		}
		if path = append(path, s); len(path) > maxDepth {
			return nil, false
		}
	}
	return path, len(path) > 0
}
