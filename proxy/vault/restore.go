package vault

import (
	"slices"

	"keytray/proxy/llm"
)

// Restore gives the prompt with the opaque data that its client could not
// carry, where the provider that origin names made it, in its place before and
// on the tool calls. p itself stays as it is: it is given back if nothing is
// missing, else a copy. What the client did send is not doubled.
func (v *Vault) Restore(origin string, r *llm.Request, p *llm.Prompt) *llm.Prompt {
	if !v.any.Load() {
		return p
	}
	re := restorer{vault: v, origin: origin, tool: r.Tool, from: p}
	for i := 0; i < len(p.Messages); {
		if p.Messages[i].Role != llm.Assistant {
			i++
			continue
		}
		end := i + 1
		for end < len(p.Messages) && p.Messages[end].Role == llm.Assistant {
			end++
		}
		re.turn(i, end)
		i = end
	}
	if re.to != nil {
		return re.to
	}
	return p
}

// restorer restores one prompt.
type restorer struct {
	vault        *Vault
	origin, tool string
	from, to     *llm.Prompt // to is nil until something was missing

	past history // of the messages before hashed
	upTo int
}

// turn restores the messages from start to end, which are one turn of the
// assistant's.
func (re *restorer) turn(start, end int) {
	t := turn{re: re, at: start, nth: -1}
	for i := start; i < end; i++ {
		for j := range re.from.Messages[i].Blocks {
			b := &re.from.Messages[i].Blocks[j]
			t.blocks = append(t.blocks, located{Block: b, message: i})
			if b.Opaque != "" {
				t.sent = append(t.sent, b.Opaque)
			}
			t.thinks = t.thinks || b.Kind == llm.Thinking
			t.calls = t.calls || b.Kind == llm.ToolCall
		}
	}
	if !t.calls || !t.restore() {
		return
	}
	if re.to == nil {
		clone := *re.from
		clone.Messages = slices.Clone(clone.Messages)
		re.to = &clone
	}
	for i := start; i < end; i++ {
		re.to.Messages[i].Blocks = nil
	}
	for _, l := range t.out {
		if t.thought && l.Kind == llm.Thinking && l.Opaque == "" && !l.kept {
			continue // it came back without its signature, and is there with it
		}
		m := &re.to.Messages[l.message]
		m.Blocks = append(m.Blocks, *l.Block)
	}
}

// located is a block and the message that it is in.
type located struct {
	*llm.Block
	message int
	kept    bool // in the vault, and not by the client
}

// turn is one turn of the assistant's that is being restored.
type turn struct {
	re     *restorer
	at     int // its first message
	blocks []located
	calls  bool
	sent   []string // the opaque data that the client did send
	thinks bool     // the client did send thoughts

	nth     int // of the call at hand
	out     []located
	thought bool // thoughts were put back
}

// restore fills out, and tells whether anything was missing.
func (t *turn) restore() bool {
	missing := false
	segment := 0 // where in out the blocks that led to the next call begin
	for _, l := range t.blocks {
		t.out = append(t.out, l)
		if l.Kind != llm.ToolCall {
			continue
		}
		t.nth++
		if data, ok := t.find(l.Block); ok && t.put(segment, unpack(data, t.re.origin)) {
			missing = true
		}
		segment = len(t.out)
	}
	return missing
}

// find looks for what is kept of a call.
func (t *turn) find(b *llm.Block) ([]byte, bool) {
	re := t.re
	if k := re.vault.byID(re.tool, b.ID, b.Name); k != (digest{}) {
		return re.vault.get(k, re.origin)
	}
	if !re.past.known {
		re.past.begin(re.vault.seed)
	}
	for ; re.upTo < t.at; re.upTo++ {
		re.past.add(&re.from.Messages[re.upTo])
	}
	return re.vault.get(re.vault.byHistory(re.tool, re.past.sum(), t.nth, b.Name, b.Text), re.origin)
}

// put places pieces around the call that ends out; segment is where the blocks
// that led to it begin.
func (t *turn) put(segment int, pieces []piece) bool {
	var before, between, behind []located
	last := len(t.out) - 1
	call, said := t.out[last], -1
	for i := segment; i < last; i++ {
		if t.out[i].Kind == llm.Text {
			said = i
		}
	}
	missing := false
	for i := range pieces {
		p := &pieces[i]
		l := located{Block: &p.block, message: t.out[segment].message, kept: true}
		switch {
		case p.block.Opaque != "" && slices.Contains(t.sent, p.block.Opaque):
			continue
		case p.block.Opaque == "" && t.thinks:
			continue // a thought without a signature, which the client kept
		case p.place == onCall || p.place == onText:
			at := last
			if p.place == onText {
				at = said
			}
			if at < 0 || t.out[at].Opaque != "" {
				continue
			}
			signed := *t.out[at].Block
			signed.Opaque, signed.Origin = p.block.Opaque, p.block.Origin
			t.out[at].Block = &signed
			if at == last {
				call = t.out[at]
			}
		case p.place == after:
			l.message = call.message
			behind = append(behind, l)
		default:
			if p.place == first {
				before = append(before, l)
			} else {
				l.message = call.message
				between = append(between, l)
			}
		}
		t.thought = t.thought || p.block.Kind == llm.Thinking
		missing = true
	}
	if len(before)+len(between)+len(behind) == 0 {
		return missing
	}
	led := slices.Clone(t.out[segment:last])
	t.out = slices.Concat(t.out[:segment], before, led, between, []located{call}, behind)
	return true
}
