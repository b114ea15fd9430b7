package upstream

import (
	"io"

	"keytray/proxy/llm"
)

// Memory keeps opaque data of tool calls for clients whose dialect cannot carry
// it: signatures, encrypted reasoning. Both methods are called for translated
// calls only; origin is who answers, as [llm.Call.Origin] says.
type Memory interface {
	// Restore gives the prompt with the data that this provider made, where
	// the client did not send it back. It never changes p.
	Restore(origin string, r *llm.Request, p *llm.Prompt) *llm.Prompt
	// Watch passes an answer's events on and keeps what it needs of them.
	Watch(c *llm.Call, origin string, r *llm.Request, answer llm.Events) llm.Events
}

// outbound is the leaf's dialect, whose translated answers pass by the memory.
func (m *meter) outbound() llm.Outbound {
	if m.leaf.Memory == nil {
		return m.leaf.Outbound
	}
	return remembering{m.leaf.Outbound, m}
}

func (m *meter) origin() string { return m.call.Origin(m.leaf.Outbound.Name()) }

// remembering is a dialect that lets a memory see what it decodes.
type remembering struct {
	llm.Outbound
	meter *meter
}

// DecodeResponse decodes as the dialect does.
func (d remembering) DecodeResponse(c *llm.Call, body io.Reader) llm.Events {
	m := d.meter
	return m.leaf.Memory.Watch(c, m.origin(), m.attempt.Request, d.Outbound.DecodeResponse(c, body))
}
