package vault

import (
	"strings"

	"keytray/proxy/llm"
)

// Watch passes an answer's events on and keeps the opaque data of its tool
// calls, once the answer is complete and before its last event goes on. origin
// is who answers, as [llm.Call.Origin] says.
func (v *Vault) Watch(c *llm.Call, origin string, r *llm.Request, answer llm.Events) llm.Events {
	return func(yield func(llm.Event, error) bool) {
		w := watcher{vault: v, c: c, history: c.Model.Flags.Has(llm.FlagReasoningHistory)}
		for e, err := range answer {
			if err == nil {
				switch e.Kind {
				case llm.BlockStart, llm.BlockStop:
					w.edge(&e)
				case llm.Delta:
					if e.Block == llm.Thinking {
						w.thought = append(w.thought, e.Text...)
					} else if e.Block == llm.ToolCall {
						w.arguments(&e)
					}
				case llm.Stop:
					w.keep(origin, r)
				}
			}
			if !yield(e, err) {
				return
			}
		}
	}
}

// watcher gathers what is to be kept of one answer.
type watcher struct {
	vault   *Vault
	c       *llm.Call
	history bool // reasoning without a signature is wanted back as well

	thought []byte // of the block that is open
	text    bool   // some text came since the last call
	waiting []piece
	calls   []toolCall
}

// toolCall is one and what is kept with it.
type toolCall struct {
	index    int
	id, name string
	args     []byte
	pieces   []piece
}

// edge is the start or the end of a block.
func (w *watcher) edge(e *llm.Event) {
	if e.Kind == llm.BlockStart {
		switch e.Block {
		case llm.Thinking:
			w.thought = w.thought[:0]
		case llm.ToolCall:
			w.calls = append(w.calls, toolCall{index: e.Index, id: e.ID, name: e.Name, pieces: w.waiting})
			w.waiting, w.text = nil, false
		}
		return
	}
	if e.Opaque != "" {
		w.c.Mark(e.Opaque)
	}
	p := piece{block: llm.Block{Kind: e.Block, Opaque: e.Opaque}, place: first}
	if w.text {
		p.place = between
	}
	switch e.Block {
	case llm.Thinking:
		if e.Opaque == "" && (!w.history || len(w.thought) == 0) {
			return
		}
		p.block.Text = string(w.thought)
	case llm.ToolCall:
		if i := w.at(e.Index); i >= 0 && e.Opaque != "" {
			p.place = onCall
			w.calls[i].pieces = append(w.calls[i].pieces, p)
		}
		return
	case llm.Text:
		w.text, p.place = true, onText
		if e.Opaque == "" {
			return
		}
	default:
		if e.Opaque == "" {
			return
		}
	}
	w.waiting = append(w.waiting, p)
}

// arguments gathers a call's: it is found again by them where the client's
// dialect has no ids.
func (w *watcher) arguments(e *llm.Event) {
	if i := w.at(e.Index); i >= 0 {
		w.calls[i].args = append(w.calls[i].args, e.Text...)
	}
}

func (w *watcher) at(index int) int {
	for i := len(w.calls) - 1; i >= 0; i-- {
		if w.calls[i].index == index {
			return i
		}
	}
	return -1
}

// keep puts what was gathered into the vault.
func (w *watcher) keep(origin string, r *llm.Request) {
	if len(w.calls) == 0 {
		return
	}
	last := &w.calls[len(w.calls)-1]
	for _, p := range w.waiting {
		if p.place != onText {
			p.place = after
			last.pieces = append(last.pieces, p)
		}
	}
	var past history
	for i := range w.calls {
		c := &w.calls[i]
		if len(c.pieces) == 0 {
			continue
		}
		if !past.known {
			p, err := r.Prompt()
			if err != nil { // it was sent, so it could be read
				return
			}
			past.begin(w.vault.seed)
			for j := range p.Messages {
				past.add(&p.Messages[j])
			}
		}
		e := &entry{origin: origin}
		e.keys[0] = w.vault.byID(r.Tool, c.id, c.name)
		e.keys[1] = w.vault.byHistory(r.Tool, past.sum(), i, c.name, string(c.args))
		w.vault.put(e, pack(c.pieces))
	}
}

// byID is the key of a call whose id tells it from all others. Some providers
// and dialects number their calls anew in each conversation
// ("functions.read:0", "call_10_2"): the key of those is zero.
func (v *Vault) byID(tool, id, name string) digest {
	if !random(id) || name != "" && strings.Contains(id, name) {
		return digest{}
	}
	return v.digest("id", tool, id, name)
}

// random tells whether an id has a part that looks like one drawn by lot: eight
// letters and digits or more, and not a word.
func random(id string) bool {
	n, digit, lower, upper := 0, false, false, false
	for i := range len(id) + 1 {
		c := byte('-')
		if i < len(id) {
			c = id[i]
		}
		switch {
		case c >= '0' && c <= '9':
			digit = true
		case c >= 'a' && c <= 'z':
			lower = true
		case c >= 'A' && c <= 'Z':
			upper = true
		default:
			if n >= 8 && (digit || lower && upper) {
				return true
			}
			n, digit, lower, upper = -1, false, false, false
		}
		n++
	}
	return false
}
