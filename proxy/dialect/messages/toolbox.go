package messages

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"keytray/proxy/dialect/field"
	"keytray/proxy/llm"
)

// tool reads one of the client's tools: its own, one of Anthropic's that the
// client runs (see clienttools.go), or one that Anthropic runs itself.
func (d *reader) tool(param string, v []byte) *llm.Error {
	t, err := d.readTool(param, v)
	if err == nil {
		d.p.Tools = append(d.p.Tools, t)
	}
	return err
}

func (d *reader) readTool(param string, v []byte) (llm.Tool, *llm.Error) {
	var t llm.Tool
	var kind, examples string
	var rest []string // fields that only Anthropic understands
	err := field.Object(param, v, func(key string, v []byte) (err *llm.Error) {
		switch param := param + "." + key; key {
		case "type":
			kind, err = field.String(param, v)
		case "name":
			t.Name, err = field.String(param, v)
		case "description":
			t.Description, err = field.String(param, v)
		case "input_schema":
			if field.Null(v) || v[0] != '{' {
				return llm.Invalid(param, "%s must be a JSON Schema, not %s", param, field.Kind(v))
			}
			t.Schema = json.RawMessage(v)
		case "strict":
			var yes bool
			if yes, err = field.Bool(param, v); err == nil && !field.Null(v) {
				t.Strict = &yes
			}
		case "cache_control":
			t.Cache, err = cacheMark(param, v)
		case "input_examples":
			examples = exampleLines(v)
		case "eager_input_streaming": // arguments are always sent on as they come
		case "allowed_callers":
			if !bytes.Contains(v, []byte(`"direct"`)) && field.Truthy(v) {
				rest = append(rest, key)
			}
		default:
			if field.Truthy(v) {
				rest = append(rest, key)
			}
		}
		return err
	})
	if err != nil {
		return t, err
	}
	if kind != "" && kind != "custom" {
		return d.ownTool(param, kind, v, t)
	}
	switch {
	case t.Name == "":
		return t, llm.Invalid(param+".name", "%s.name is missing", param)
	case t.Schema == nil:
		return t, llm.Invalid(param+".input_schema", "%s.input_schema is missing: send a JSON Schema of the tool's input", param)
	}
	for _, key := range rest {
		if key == "defer_loading" {
			key += ": all tools are offered at once"
		}
		d.p.Lose("tools[]." + key)
	}
	if examples != "" {
		t.Description = strings.TrimSpace(t.Description + "\n\nExamples of its input:" + examples)
	}
	return t, nil
}

// exampleLines is each example on a line of its own.
func exampleLines(v []byte) string {
	var s bytes.Buffer
	_ = llm.Elements(v, func(v []byte, _ int) bool { // null has none
		s.WriteByte('\n')
		_ = json.Compact(&s, v) // the body is valid JSON
		return true
	})
	return s.String()
}

// ownTool reads a tool that Anthropic made. Its type ends in a date.
func (d *reader) ownTool(param, kind string, v []byte, t llm.Tool) (llm.Tool, *llm.Error) {
	word := strings.TrimRight(kind, "0123456789")
	if dated := len(kind)-len(word) == len("20250101"); dated {
		word = strings.TrimSuffix(word, "_")
	} else {
		word = kind
	}
	if f, ok := clientTool(word, kind, v); ok {
		if t.Name == "" {
			return t, llm.Invalid(param+".name", "%s.name is missing", param)
		}
		t.Description, t.Schema = f.description, json.RawMessage(f.schema)
		t.Raw, t.Origin = json.RawMessage(v), name
		return t, nil
	}
	client := t.Name
	t.Kind, t.Raw, t.Origin, t.Strict = llm.Hosted, json.RawMessage(v), name, nil
	switch {
	case word == "web_search":
		t.Name = llm.WebSearch
	case word == "web_fetch":
		t.Name = llm.WebFetch
	case word == "code_execution":
		t.Name = llm.RunCode
	case strings.HasPrefix(word, "tool_search_tool"):
		t.Name = "tool_search"
	default:
		t.Name = word
	}
	if d.hosted == nil {
		d.hosted = map[string]string{}
	}
	d.hosted[client] = t.Name
	return t, nil
}

// mcpServers notes servers whose tools Anthropic would offer and run. Their
// addresses and tokens stay here.
func (d *reader) mcpServers(v []byte) {
	_ = llm.Elements(v, func([]byte, int) bool { // null has none
		d.p.Tools = append(d.p.Tools, llm.Tool{Kind: llm.Hosted, Name: "mcp_servers", Origin: name})
		return false
	})
}

// toolChange notes tools that come or go in mid-conversation.
func (d *reader) toolChange(p *rawBlock) *llm.Error {
	param := p.param + ".tool"
	if p.kind == "tool_removal" {
		d.removed = append(d.removed, field.Unquote(field.Of(p.tool, "name")))
		return nil
	}
	if definition := field.Of(p.tool, "definition"); definition != nil {
		t, err := d.readTool(param+".definition", definition)
		d.added = append(d.added, t)
		return err
	}
	return nil // it refers to one that is among the tools
}

// changeTools settles what the conversation has done to the tools.
func (d *reader) changeTools() {
	if len(d.added)+len(d.removed) == 0 {
		return
	}
	d.p.Lose("messages: tools that were added or removed in mid-conversation are so from its start")
	p := d.p
	p.Tools = append(p.Tools, d.added...)
	p.Tools = slices.DeleteFunc(p.Tools, func(t llm.Tool) bool { return slices.Contains(d.removed, t.Name) })
}

// oneOfEach leaves out a tool that is there twice (C15).
func (d *reader) oneOfEach() *llm.Error {
	var bad *llm.Error
	p, seen := d.p, map[string]llm.Tool{}
	p.Tools = slices.DeleteFunc(p.Tools, func(t llm.Tool) bool {
		first, twice := seen[t.Name]
		if twice && (first.Kind != t.Kind || first.Description != t.Description || !bytes.Equal(first.Schema, t.Schema)) {
			bad = llm.Invalid("tools", "tools: two different tools are called %q: give each a name of its own", t.Name)
		}
		seen[t.Name] = t
		return twice
	})
	return bad
}

func (d *reader) toolChoice(v []byte) *llm.Error {
	c := &d.p.Choice
	return field.Object("tool_choice", v, func(key string, v []byte) (err *llm.Error) {
		switch param := "tool_choice." + key; key {
		case "type":
			switch kind := field.Unquote(v); kind {
			case "auto":
				c.Mode = llm.ChooseAuto
			case "any":
				c.Mode = llm.ChooseAny
			case "none":
				c.Mode = llm.ChooseNone
			case "tool":
				c.Mode = llm.ChooseNamed
			default:
				err = llm.Invalid(param, "tool_choice.type must be auto, any, tool or none, not %q", kind)
			}
		case "name":
			d.chosen, err = field.String(param, v)
		case "disable_parallel_tool_use": // C7
			var one bool
			if one, err = field.Bool(param, v); one {
				many := false
				c.Parallel = &many
			}
		default:
			if field.Truthy(v) {
				d.p.Lose(param)
			}
		}
		return err
	})
}

// settleChoice compares the choice with the tools that there are.
func (d *reader) settleChoice() *llm.Error {
	p, c := d.p, &d.p.Choice
	if len(p.Tools) == 0 {
		if c.Mode == llm.ChooseAny || c.Mode == llm.ChooseNamed { // A26
			d.p.Lose("tool_choice: there are no tools")
		}
		*c = llm.Choice{}
		return nil
	}
	if c.Mode != llm.ChooseNamed {
		return nil
	}
	if d.chosen == "" {
		return llm.Invalid("tool_choice.name", "tool_choice.name is missing: name the tool to call")
	}
	if c.Name = d.chosen; d.hosted[c.Name] != "" {
		c.Name = d.hosted[c.Name]
	}
	if !slices.ContainsFunc(p.Tools, func(t llm.Tool) bool { return t.Name == c.Name }) {
		return llm.Invalid("tool_choice.name", "tool_choice names %q, which is not among the tools", d.chosen)
	}
	return nil
}
