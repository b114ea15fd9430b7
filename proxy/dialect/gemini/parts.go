package gemini

import (
	"crypto/rand"
	"encoding/json"
	"strings"

	"keytray/proxy/dialect/field"
	"keytray/proxy/llm"
)

// rawPart is a part of an answer, cut into raw values.
type rawPart struct {
	text, signature, call, inline, file, code, result, other []byte
	thought                                                  bool
	otherKey                                                 []byte
}

func (d *decoder) parts(b []byte) error {
	bad := false
	err := llm.Elements(b, func(v []byte, _ int) bool {
		var p rawPart
		if llm.Fields(v, func(k, v []byte, _ int) bool {
			switch string(k) {
			case "text":
				p.text = v
			case "thought":
				p.thought = string(v) == "true"
			case "thoughtSignature":
				p.signature = field.Inside(v)
			case "functionCall":
				p.call = v
			case "inlineData":
				p.inline = v
			case "fileData":
				p.file = v
			case "executableCode":
				p.code = v
			case "codeExecutionResult":
				p.result = v
			case "videoMetadata", "mediaResolution", "partMetadata":
				// about the part, not in it
			default:
				p.other, p.otherKey = v, k
			}
			return true
		}) != nil || !d.part(&p) {
			bad = true
		}
		return !bad && !d.gone
	})
	if err != nil || bad {
		return failure{&llm.Error{Kind: llm.Garbage, Message: "Google's answer holds a part that cannot be read"}}
	}
	return nil
}

// part yields one part; false is a part that cannot be read.
func (d *decoder) part(p *rawPart) bool {
	sign := string(p.signature)
	switch {
	case p.call != nil:
		var c answerCall
		if json.Unmarshal(p.call, &c) != nil {
			return false
		}
		d.calling(&c, sign)
	case p.text != nil:
		s, ok := field.Text(p.text)
		if !ok {
			return false
		}
		kind := llm.Text
		if p.thought {
			kind = llm.Thinking // E14
		}
		d.say(kind, s, sign)
	case p.inline != nil:
		var b blob
		if json.Unmarshal(p.inline, &b) != nil {
			return false
		}
		d.media(b, p.thought, sign)
	case p.file != nil:
		var f fileData
		if json.Unmarshal(p.file, &f) != nil {
			return false
		}
		d.say(llm.Text, "\n"+f.FileURI+"\n", sign)
	case p.code != nil:
		var c executableCode
		if json.Unmarshal(p.code, &c) != nil {
			return false
		}
		d.say(llm.Text, fenced(strings.ToLower(c.Language), c.Code), sign)
	case p.result != nil:
		var r codeExecutionResult
		if json.Unmarshal(p.result, &r) != nil {
			return false
		}
		d.say(llm.Text, fenced("", r.Output), sign)
	case p.other != nil: // toolCall and toolResponse of Google's own tools, and what is yet to come
		d.call.Lose("answer: a part called " + string(p.otherKey))
	case sign != "":
		d.say(llm.Text, "", sign)
	}
	return true
}

func fenced(language, s string) string {
	if language == "language_unspecified" {
		language = ""
	}
	return "\n```" + language + "\n" + strings.TrimSuffix(s, "\n") + "\n```\n"
}

// say adds to the open block of its kind, or opens one. Two signatures never
// share a block. A signature that comes alone, after the text, belongs to the
// text that is open; with none open it gets a thinking block of its own.
func (d *decoder) say(kind llm.BlockKind, s, sign string) {
	if s == "" && sign == "" {
		return
	}
	same := d.open && d.block == kind
	if same && sign != "" && d.sign != "" && sign != d.sign {
		same = false
	}
	if !same {
		if s == "" {
			kind = llm.Thinking
		}
		d.begin(kind)
	}
	if sign != "" {
		d.sign = sign
	}
	if s != "" {
		d.delta(s)
	}
	if s == "" && !same {
		d.stop()
	}
}

// media is an image or a sound that the model made. Images of its thoughts
// are drafts that only Google's own interface shows.
func (d *decoder) media(b blob, thought bool, sign string) {
	kind := llm.Document
	switch {
	case thought:
		d.call.Lose("answer: a draft image of the model's thinking")
		return
	case strings.HasPrefix(b.MimeType, "image/"):
		kind = llm.Image
	case strings.HasPrefix(b.MimeType, "audio/"):
		kind = llm.Audio
	}
	d.stop()
	d.open, d.block, d.sign = true, kind, sign
	d.emit(llm.Event{Kind: llm.BlockStart, Block: kind, Index: d.next, Name: b.MimeType})
	d.delta(b.Data)
	d.stop()
}

// calling yields a call, at once if it is whole.
func (d *decoder) calling(c *answerCall, sign string) {
	if d.partial != nil && c.Name == "" {
		d.partial.grow(c)
		if !c.WillContinue {
			d.endPartial()
		}
		return
	}
	d.endPartial()
	if c.WillContinue || len(c.PartialArgs) > 0 {
		d.partial = &partialCall{id: c.ID, name: c.Name, sign: sign}
		d.partial.grow(c)
		if !c.WillContinue {
			d.endPartial()
		}
		return
	}
	d.callTool(c.ID, c.Name, c.Args, sign)
}

func (d *decoder) endPartial() {
	if p := d.partial; p != nil {
		d.partial = nil
		d.callTool(p.id, p.name, p.args(), p.sign)
	}
}

func (d *decoder) callTool(id, name string, args []byte, sign string) {
	d.stop()
	if client, ok := d.call.Tools[name]; ok {
		name = client // E17
	}
	if id == "" || d.ids[id] > 0 { // E9: older models give none
		id = "call_" + rand.Text()
	}
	if d.ids == nil {
		d.ids = map[string]int{}
	}
	d.ids[id]++
	d.calls = true
	if !isObject(args) {
		args = []byte("{}") // B7
	}
	d.open, d.block, d.sign = true, llm.ToolCall, sign
	d.emit(llm.Event{Kind: llm.BlockStart, Block: llm.ToolCall, Index: d.next, ID: id, Name: name})
	d.delta(string(args))
	d.stop()
}

func (d *decoder) begin(kind llm.BlockKind) {
	d.stop()
	d.open, d.block, d.sign = true, kind, ""
	if kind == llm.Text {
		d.texts++
	}
	d.emit(llm.Event{Kind: llm.BlockStart, Block: kind, Index: d.next})
}

func (d *decoder) delta(s string) {
	d.emit(llm.Event{Kind: llm.Delta, Block: d.block, Index: d.next, Text: s})
}

// stop closes the open block, if any.
func (d *decoder) stop() {
	if !d.open {
		return
	}
	e := llm.Event{Kind: llm.BlockStop, Block: d.block, Index: d.next}
	if d.sign != "" {
		e.Opaque, e.Origin = d.sign, d.call.Origin("gemini")
	}
	d.emit(e)
	d.open, d.sign = false, ""
	d.next++
}
