package vault

import (
	"bytes"
	"encoding/json"
	"hash/maphash"
	"strconv"

	"keytray/proxy/llm"
)

// history is a digest of a conversation so far: what its two sides said, and
// nothing that a client may leave out or word anew, as reasoning, ids and
// cache marks. It finds calls again whose ids do not tell.
type history struct {
	hash  maphash.Hash
	known bool
}

func (h *history) begin(seed maphash.Seed) {
	h.hash.SetSeed(seed)
	h.known = true
}

func (h *history) add(m *llm.Message) {
	if m.Role == llm.System {
		return
	}
	for i := range m.Blocks {
		h.block(m.Role, &m.Blocks[i])
	}
}

func (h *history) block(role llm.Role, b *llm.Block) {
	switch b.Kind {
	case llm.Text, llm.Refusal:
		h.say(string(role), b.Text)
	case llm.ToolCall:
		h.say("call", b.Name)
		h.say("", arguments(b.Text))
	case llm.ToolResult:
		h.say("result", "")
		for i := range b.Content {
			h.block("result", &b.Content[i])
		}
	case llm.Image, llm.Document, llm.Audio:
		h.say("media", b.Media.URL)
		h.say("", b.Media.Data)
	}
}

func (h *history) say(what, s string) {
	if s == "" && what == string(llm.Assistant) {
		return // some clients write empty text beside calls
	}
	_, _ = h.hash.WriteString(what) // never fails
	_ = h.hash.WriteByte(0)
	_, _ = h.hash.WriteString(s)
	_ = h.hash.WriteByte(0)
}

func (h *history) sum() string { return strconv.FormatUint(h.hash.Sum64(), 36) }

// byHistory is the key of a call by all that came before it and what it says.
func (v *Vault) byHistory(tool, past string, nth int, name, args string) digest {
	return v.digest("past", tool, past, strconv.Itoa(nth), name, arguments(args))
}

// arguments are a call's, without the liberties of JSON: clients read them
// and write them anew.
func arguments(s string) string {
	dec := json.NewDecoder(bytes.NewReader([]byte(s)))
	dec.UseNumber()
	var v any
	if dec.Decode(&v) != nil || dec.More() {
		return s
	}
	b, err := json.Marshal(v)
	if err != nil {
		return s
	}
	return string(b)
}
