package chat

import (
	"slices"
	"strings"

	"keytray/proxy/dialect/openai"
	"keytray/proxy/llm"
	"keytray/proxy/sse"
)

// Mistral's API looks like OpenAI's, but refuses every field that is not its
// own: it has no end users, no service tiers, no names of messages and no
// refusals, calls a seed random_seed, and takes documents and sounds in parts
// of its own. The ids of tool calls have nine letters and digits, a system
// message cannot follow an answer or a result, and an answer to be continued
// says so.

func (e *encoder) mistral() bool { return e.Flags.Has(llm.FlagMistralFields) }

func (e *encoder) seed() {
	seed := e.Prompt.Limits.Seed
	switch {
	case seed == nil:
	case e.mistral():
		e.Int("random_seed", *seed)
	default:
		e.Int("seed", *seed)
	}
}

// whom writes whom the answer is for.
func (e *encoder) whom() {
	if e.mistral() {
		if e.Prompt.User != "" {
			e.Call.Lose("user")
		}
		return
	}
	e.User()
}

// taken is the effort that the model takes: Mistral knows none and high alone.
func (e *encoder) taken(effort string) string {
	if !e.mistral() || effort == "" || effort == "none" || effort == "high" {
		return effort
	}
	e.Call.Lose("reasoning_effort: " + effort + " went as high")
	return "high"
}

// tier writes the service tier; Mistral has but one.
func (e *encoder) tier() {
	if !e.mistral() {
		e.Tier()
		return
	}
	switch e.Prompt.Tier {
	case "", "auto", "default", "standard_only", "standard":
	default:
		e.Call.Lose("service_tier")
	}
}

// later is the role of a system message in mid-conversation, where it stays, so
// that the cached prefix does (C11).
func (e *encoder) later() string {
	if e.mistral() && (e.role == "assistant" || e.role == "tool") {
		e.Call.Lose("messages: a system message in mid-conversation went as the user's")
		return "user"
	}
	return "system"
}

// spoken is a turn of the model with refusals as plain words.
func spoken(m *llm.Message) *llm.Message {
	if !openai.Has(m.Blocks, llm.Refusal) {
		return m
	}
	plain := *m
	plain.Blocks = slices.Clone(m.Blocks)
	for i := range plain.Blocks {
		if plain.Blocks[i].Kind == llm.Refusal {
			plain.Blocks[i].Kind = llm.Text
		}
	}
	return &plain
}

// documentURL writes a document by its address or by its data; false if this is
// not how the provider takes it.
func (e *encoder) documentURL(b *llm.Block) bool {
	m := &b.Media
	if !e.mistral() || m.Data == "" && m.URL == "" || m.Data != "" && strings.HasPrefix(m.Type, "text/") {
		return false
	}
	at := m.URL
	if m.Data != "" {
		at = openai.DataURL(*m, "application/pdf")
	}
	e.Buf = sse.AppendString(append(e.Buf, `{"type":"document_url","document_url":`...), at)
	if b.Name != "" {
		e.Str("document_name", b.Name)
	}
	if b.Cache != "" {
		e.Call.Lose("cache_control")
	}
	e.Buf = append(e.Buf, '}')
	return true
}
