package responses

import (
	"bytes"
	"strconv"
	"strings"

	"keytray/proxy/dialect/field"
	"keytray/proxy/llm"
)

// wireKind is how a tool's calls look on the wire.
type wireKind uint8

const (
	wireFunction wireKind = iota
	wireCustom
	wireLocalShell
	wireShell
	wirePatch
	wireSearch // a search for tools that the client runs
)

// wireTypes are the types of the tools that have a form of their own, and the
// names that stand for them elsewhere.
var wireTypes = map[string]wireKind{
	"local_shell": wireLocalShell,
	"shell":       wireShell,
	"apply_patch": wirePatch,
	"tool_search": wireSearch,
}

// boxed is a client's tool under the one name that it has in a prompt.
type boxed struct {
	wire  wireKind
	space string // the namespace it lies in
	name  string // in there
}

// toolbox knows a client's tools by the names that they have in a prompt, so
// that calls go back in the form and the namespace that the client knows. It
// is read from the request in one way only: decoding the request and encoding
// its answer come to the same names.
type toolbox struct {
	tools map[string]boxed
	flats map[boxed]string
}

// readToolbox reads the tools of a request, and those that its input adds. What
// is malformed is left out; decoding says what is wrong.
func readToolbox(body []byte) *toolbox {
	b := &toolbox{tools: map[string]boxed{}, flats: map[boxed]string{}}
	more := bytes.Contains(body, []byte("additional_tools")) || bytes.Contains(body, []byte("tool_search_output"))
	var input []byte
	_ = llm.Fields(body, func(key, v []byte, _ int) bool {
		switch string(key) {
		case "tools":
			b.read(v, "")
		case "input":
			input = v
		}
		return true
	})
	if !more {
		return b
	}
	_ = llm.Elements(input, func(v []byte, _ int) bool {
		switch field.Unquote(field.Of(v, "type")) {
		case "additional_tools", "tool_search_output":
			b.read(field.Of(v, "tools"), "")
		}
		return true
	})
	return b
}

func (b *toolbox) read(tools []byte, space string) {
	_ = llm.Elements(tools, func(v []byte, _ int) bool {
		kind, toolName := field.Unquote(field.Of(v, "type")), toolName(v)
		switch wire, own := wireTypes[kind]; {
		case kind == "namespace":
			b.read(field.Of(v, "tools"), toolName)
		case own:
			b.add(boxed{wire, "", kind})
		case kind == "custom":
			b.add(boxed{wireCustom, space, toolName})
		case kind == "function" || kind == "":
			b.add(boxed{wireFunction, space, toolName})
		}
		return true
	})
}

// toolName is a tool's name; chat's form has it one level deeper (F18).
func toolName(v []byte) string {
	if s := field.Unquote(field.Of(v, "name")); s != "" {
		return s
	}
	if s := field.Unquote(field.Of(field.Of(v, "function"), "name")); s != "" {
		return s
	}
	return field.Unquote(field.Of(field.Of(v, "custom"), "name"))
}

// add finds a name for a tool that no other tool has.
func (b *toolbox) add(t boxed) {
	if _, ok := b.flats[t]; ok || t.name == "" {
		return
	}
	first := joinName(t.space, t.name)
	flat := first
	for n := 2; ; n++ {
		if _, taken := b.tools[flat]; !taken {
			break
		}
		flat = first + "_" + strconv.Itoa(n)
	}
	b.tools[flat], b.flats[t] = t, flat
}

func joinName(space, name string) string {
	if space == "" || strings.HasSuffix(space, "__") {
		return space + name
	}
	return space + "__" + name
}

// flat is a tool's name in a prompt. A call of an earlier turn may name a tool
// that is no longer there.
func (b *toolbox) flat(t boxed) string {
	if s, ok := b.flats[t]; ok {
		return s
	}
	return joinName(t.space, t.name)
}

// of is the client's tool that a prompt's name stands for.
func (b *toolbox) of(flat string) boxed {
	if t, ok := b.tools[flat]; ok {
		return t
	}
	return boxed{name: flat}
}
