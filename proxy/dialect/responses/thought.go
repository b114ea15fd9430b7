package responses

import (
	"strings"

	"keytray/proxy/dialect/field"
	"keytray/proxy/dialect/openai"
	"keytray/proxy/llm"
)

// Reasoning items have one place for opaque data, encrypted_content. Data that
// providers of this dialect made stands there as it is. All other is sealed,
// with a word before it where the item's own text does not tell what it is of:
//
//	NUL "thinking" NUL NUL data    of thinking whose text was not shown
//	NUL "call" NUL call id NUL data    of a tool call, which has no place for it
//	NUL "text" NUL NUL data    of the text before

// sealThought is the encrypted_content for a block's opaque data.
func sealThought(kind llm.BlockKind, shown bool, id, origin, opaque string) string {
	if origin == name || strings.HasPrefix(origin, name+":") {
		return opaque
	}
	switch {
	case kind == llm.Thinking && !shown:
		opaque = "\x00thinking\x00\x00" + opaque
	case kind == llm.ToolCall:
		opaque = "\x00call\x00" + id + "\x00" + opaque
	case kind == llm.Text:
		opaque = "\x00text\x00\x00" + opaque
	}
	return llm.Seal(origin, opaque)
}

// thought reads a reasoning item (F9, F20). What it belongs to stands before
// it in the same turn, or is the item itself.
func (d *decoder) thought(param string, v []byte) *llm.Error {
	b := llm.Block{Kind: llm.Thinking, Origin: name}
	said := make([]string, 0, 2)
	for _, key := range []string{"summary", "content"} {
		parts, err := parts(param+"."+key, field.Of(v, key), openai.TextOnly)
		if err != nil {
			return err
		}
		for _, p := range parts {
			said = append(said, p.Text)
		}
	}
	b.Text = strings.Join(said, "\n\n")
	secret, err := field.String(param+".encrypted_content", field.Of(v, "encrypted_content"))
	if err != nil {
		return err
	}
	kind, id := "", ""
	if b.Opaque = secret; secret != "" {
		if origin, opaque, ok := llm.Unseal(secret); ok {
			b.Origin = origin
			kind, id, b.Opaque = unlabel(opaque)
		}
	}
	switch {
	case b.Text == "" && b.Opaque == "": // only an id, which nobody else knows
		return nil
	case kind == "call" || kind == "text":
		d.belongs(kind, id, &b)
		return nil
	case kind == "" && b.Text == "":
		b.Kind = llm.Redacted
	}
	if d.says() {
		d.endTurn()
	}
	d.add(llm.Assistant, b)
	return nil
}

// unlabel takes the word before sealed data off.
func unlabel(s string) (kind, id, opaque string) {
	if rest, ok := strings.CutPrefix(s, "\x00"); ok {
		if kind, rest, ok = strings.Cut(rest, "\x00"); ok {
			if id, opaque, ok = strings.Cut(rest, "\x00"); ok {
				return kind, id, opaque
			}
		}
	}
	return "", "", s
}

// belongs gives opaque data back to the call or the text that it is of.
func (d *decoder) belongs(kind, id string, from *llm.Block) {
	turns := d.Prompt.Messages
	if d.turn.Role == llm.Assistant {
		turns = append(turns[:len(turns):len(turns)], d.turn)
	}
	for i := len(turns) - 1; i >= 0; i-- {
		blocks := turns[i].Blocks
		for k := len(blocks) - 1; k >= 0 && turns[i].Role == llm.Assistant; k-- {
			b := &blocks[k]
			if kind == "call" && b.Kind == llm.ToolCall && b.ID == id || kind == "text" && b.Kind == llm.Text {
				b.Opaque, b.Origin = from.Opaque, from.Origin
				return
			}
		}
	}
	d.Prompt.Lose("reasoning of a call that is no longer there")
}
