package config

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

type kind string

const (
	isNull   kind = "nothing"
	isText   kind = "text"
	isNumber kind = "a number"
	isBool   kind = "true or false"
	isList   kind = "a list"
	isTable  kind = "a table of names and values"
)

// node is one value of the file and where it stands. The zero source positions are those of a value that was
// made here to be written.
type node struct {
	kind       kind
	text       string // scalars: the value, numbers as written
	quote      byte   // ' or " or 0
	flow       bool   // a list or table in brackets
	path       string
	line, col  int
	start, end int // bytes of the value in source.raw; equal for a null that is not written
	after      int // for the value of an entry, the byte after its colon
	entries    []entry
	items      []*node
}

// entry is one name and its value in a table.
type entry struct {
	key       string
	line, col int
	start     int // byte of the key
	value     *node
}

func (n *node) get(key string) *node {
	for _, e := range n.entries {
		if e.key == key {
			return e.value
		}
	}
	return nil
}

// parse reads the text into a tree. The root is a table or null.
func (s *source) parse() (root *node, problems Problems) {
	defer func() {
		if r := recover(); r != nil {
			root, problems = nil, s.fail(0, 0, "cannot be read as YAML", "look for unclosed quotes and brackets")
		}
	}()
	tokens := lexer.Tokenize(s.text)
	if problems := s.guard(tokens); problems != nil {
		return nil, problems
	}
	file, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		return nil, s.syntax(err)
	}
	t := &treeBuilder{source: s, tokens: tokens, at: map[[2]int]int{}}
	for i, tk := range tokens {
		t.at[[2]int{tk.Position.Line, tk.Position.Column}] = i
	}
	var body ast.Node
	for _, doc := range file.Docs {
		if doc.Body == nil {
			continue
		}
		if _, ok := doc.Body.(*ast.CommentGroupNode); ok {
			continue
		}
		if body != nil {
			return nil, s.fail(doc.Body.GetToken().Position.Line, 1, "a second document starts here", "keep one")
		}
		body = doc.Body
	}
	end := len(s.raw)
	if body == nil {
		return &node{kind: isNull, line: 1, col: 1, start: end, end: end}, nil
	}
	root, err = t.build(body, "")
	if err != nil {
		return nil, s.syntax(err)
	}
	if root.kind != isTable && root.kind != isNull {
		return nil, s.fail(root.line, root.col, fmt.Sprintf("the file is %s", root.kind),
			"each setting is a name, a colon, a space and a value, such as \"active: auto\"")
	}
	return root, nil
}

// syntax turns the parser's error into a problem without the excerpt that it prints, which could hold a secret.
func (s *source) syntax(err error) Problems {
	var at *yaml.SyntaxError
	if errors.As(err, &at) && at.Token != nil {
		p := at.Token.Position
		return s.fail(p.Line, max(p.Column, 1), "is not YAML: "+at.Message, hintFor(at.Message))
	}
	var here Problem
	if errors.As(err, &here) {
		return Problems{here}
	}
	return s.fail(0, 0, "cannot be read as YAML", "look for unclosed quotes and brackets")
}

func hintFor(message string) string {
	switch message {
	case "mapping value is not allowed in this context":
		return "one setting on each line; put quotes around a value that holds a colon and a space"
	case "value is not allowed in this context":
		return "check the indentation, and put quotes around a value that starts with a bracket"
	}
	return "check quotes, brackets and indentation"
}

type treeBuilder struct {
	source *source
	tokens token.Tokens
	at     map[[2]int]int // line and column to token
}

func (t *treeBuilder) build(n ast.Node, path string) (*node, error) {
	tk := n.GetToken()
	out := &node{path: path, line: tk.Position.Line, col: tk.Position.Column}
	out.start = t.source.offset(out.line, out.col)
	switch n := n.(type) {
	case *ast.MappingNode:
		return t.table(out, n.IsFlowStyle, n.Start, n.End, n.Values)
	case *ast.MappingValueNode:
		return t.table(out, false, n.Start, nil, []*ast.MappingValueNode{n})
	case *ast.SequenceNode:
		return t.list(out, n)
	case *ast.StringNode:
		out.kind, out.text, out.quote = isText, n.Value, quoteOf(tk.Type)
	case *ast.LiteralNode:
		out.kind, out.text = isText, n.Value.Value
	case *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		out.kind, out.text = isNumber, tk.Value
	case *ast.BoolNode:
		out.kind, out.text = isBool, strconv.FormatBool(n.Value)
	case *ast.NullNode:
		out.kind = isNull
		if i, ok := t.at[[2]int{out.line, out.col}]; !ok || t.tokens[i].Type != token.NullType {
			out.end = out.start
			return out, nil
		}
	default:
		return nil, Problem{
			File: t.source.file, Line: out.line, Column: out.col, Path: path,
			Message: "uses a form of YAML that this file does not need", Hint: "write the value out",
		}
	}
	out.end = t.scalarEnd(out)
	return out, nil
}

func quoteOf(t token.Type) byte {
	switch t {
	case token.SingleQuoteType:
		return '\''
	case token.DoubleQuoteType:
		return '"'
	default:
		return 0
	}
}

// scalarEnd is where the text of a scalar ends: what stands between its token and the next is only space.
func (t *treeBuilder) scalarEnd(n *node) int {
	i, ok := t.at[[2]int{n.line, n.col}]
	if !ok {
		return n.start
	}
	next := i + 1
	if ty := t.tokens[i].Type; ty == token.LiteralType || ty == token.FoldedType {
		next++
		if next-1 < len(t.tokens) && t.tokens[next-1].Type == token.CommentType {
			next++
		}
	}
	end := len(t.source.raw)
	if next < len(t.tokens) {
		p := t.tokens[next].Position
		end = t.source.offset(p.Line, p.Column)
	}
	for end > n.start && (t.source.raw[end-1] == ' ' || t.source.raw[end-1] == '\t' || t.source.raw[end-1] == '\n' || t.source.raw[end-1] == '\r') {
		end--
	}
	return end
}

func (t *treeBuilder) table(out *node, flow bool, start, end *token.Token, values []*ast.MappingValueNode) (*node, error) {
	out.kind, out.flow = isTable, flow
	for _, v := range values {
		key := v.Key.GetToken()
		e := entry{key: key.Value, line: key.Position.Line, col: key.Position.Column}
		e.start = t.source.offset(e.line, e.col)
		path := e.key
		if out.path != "" {
			path = out.path + "." + e.key
		}
		value, err := t.build(v.Value, path)
		if err != nil {
			return nil, err
		}
		value.after = t.tokenEnd(e, v.Start)
		if value.kind == isNull && value.end == value.start {
			// An unwritten null stands where its value would: after the colon, or after a name alone.
			value.line, value.col, value.start, value.end = e.line, e.col, value.after, value.after
		}
		e.value = value
		out.entries = append(out.entries, e)
	}
	if flow {
		out.line, out.col = start.Position.Line, start.Position.Column
		out.start = t.source.offset(out.line, out.col)
		out.end = t.source.offset(end.Position.Line, end.Position.Column) + 1
		return out, nil
	}
	first, last := out.entries[0], out.entries[len(out.entries)-1]
	out.line, out.col, out.start, out.end = first.line, first.col, first.start, last.value.end
	return out, nil
}

// tokenEnd is the byte after the colon of an entry, or after its key when it has none.
func (t *treeBuilder) tokenEnd(e entry, colon *token.Token) int {
	if colon != nil && colon.Type == token.MappingValueType {
		return t.source.offset(colon.Position.Line, colon.Position.Column) + 1
	}
	return t.scalarEnd(&node{line: e.line, col: e.col, start: e.start})
}

func (t *treeBuilder) list(out *node, n *ast.SequenceNode) (*node, error) {
	out.kind, out.flow = isList, n.IsFlowStyle
	for i, v := range n.Values {
		item, err := t.build(v, fmt.Sprintf("%s[%d]", out.path, i))
		if err != nil {
			return nil, err
		}
		if n.IsFlowStyle {
			t.rejoin(item)
		}
		out.items = append(out.items, item)
		out.end = max(out.end, item.end)
	}
	if n.IsFlowStyle {
		out.end = t.source.offset(n.End.Position.Line, n.End.Position.Column) + 1
	}
	return out, nil
}

// rejoin makes one text of qwen3:8b inside brackets inside brackets, which goccy/go-yaml 1.19 takes for a table.
// YAML 1.2 (7.3.3) ends a plain text at a colon only when a space follows.
func (t *treeBuilder) rejoin(n *node) {
	if n.kind != isTable || n.flow || len(n.entries) != 1 {
		return
	}
	if text := string(t.source.raw[n.start:n.end]); !strings.ContainsAny(text, " \t\r\n\"'[]{},#") && !strings.HasSuffix(text, ":") {
		n.kind, n.text, n.entries = isText, text, nil
	}
}
