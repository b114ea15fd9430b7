package gemini

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"
	"github.com/tidwall/sjson"
)

// partialCall gathers a call whose arguments come in pieces (Vertex with
// streamFunctionCallArguments, which only a gemini client itself can ask for).
type partialCall struct {
	id, name, sign string
	args           []byte
}

// grow sets the values of one chunk; a string may go on in the next.
func (p *partialCall) grow(c *answerCall) {
	if p.args == nil {
		p.args = []byte("{}")
	}
	if isObject(c.Args) && !bytes.Equal(bytes.TrimSpace(c.Args), []byte("{}")) {
		p.args = bytes.Clone(c.Args)
	}
	for _, a := range c.PartialArgs {
		path, ok := sjsonPath(a.JSONPath)
		if !ok {
			continue
		}
		var raw []byte
		switch {
		case a.StringValue != nil:
			s := *a.StringValue
			if old := gjson.GetBytes(p.args, path); old.Type == gjson.String {
				s = old.String() + s
			}
			raw = text(nil, s)
		case len(a.NumberValue) > 0 && json.Valid(a.NumberValue) && string(a.NumberValue) != "null":
			raw = a.NumberValue
		case a.BoolValue != nil:
			raw = strconv.AppendBool(nil, *a.BoolValue)
		default:
			raw = []byte("null")
		}
		if grown, err := sjson.SetRawBytes(p.args, path, raw); err == nil && json.Valid(grown) {
			p.args = grown
		}
	}
}

// sjsonPath turns $.a.b[0]['c d'] into what sjson and gjson read.
func sjsonPath(p string) (string, bool) {
	p, ok := strings.CutPrefix(p, "$")
	var segments []string
	for ok && p != "" {
		var s string
		switch {
		case strings.HasPrefix(p, "['"), strings.HasPrefix(p, `["`):
			end := strings.Index(p, p[1:2]+"]")
			if end < 2 {
				return "", false
			}
			s, p = escapeKey(p[2:end]), p[end+2:]
		case p[0] == '[':
			end := strings.IndexByte(p, ']')
			if end < 0 {
				return "", false
			}
			n, err := strconv.Atoi(p[1:end])
			if err != nil || n < 0 || n > 10_000 { // a gap would be filled up with nulls
				return "", false
			}
			s, p = strconv.Itoa(n), p[end+1:]
		case p[0] == '.':
			p = p[1:]
			end := strings.IndexAny(p, ".[")
			if end < 0 {
				end = len(p)
			}
			s, p = escapeKey(p[:end]), p[end:]
		default:
			return "", false
		}
		if s == "" {
			return "", false
		}
		segments = append(segments, s)
	}
	return strings.Join(segments, "."), len(segments) > 0
}

func escapeKey(k string) string {
	var b strings.Builder
	for _, r := range k {
		if strings.ContainsRune(`.*?\|#@!{}[]():=<>%"~`, r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}
