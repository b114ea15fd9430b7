package messages

import (
	"strconv"

	"keytray/proxy/llm"
	"keytray/proxy/sse"
)

// think settles thinking and effort. An unknown model is taken for a new one,
// which is adaptive.
func (e *encoder) think() *llm.Error {
	r, flags := e.p.Reasoning, e.c.Model.Flags
	if r.Effort == "" && r.Budget == nil {
		return nil
	}
	limit := &e.maxTokens
	if e.madeUp {
		limit = nil
	}
	adaptive := flags.Has(llm.FlagThinkingAdaptive) || !flags.Has(llm.FlagThinkingBudget)
	e.thinking = e.Think(r, adaptive, e.choice.forced(), limit)
	if n := e.thinking.MaxTokens; n > 0 {
		e.maxTokens = n
	}
	return nil
}

// appendThinking writes thinking and output_config. Newer models show their
// thinking only when asked to.
func (e *encoder) appendThinking(b []byte) []byte {
	switch e.thinking.Mode {
	case "adaptive":
		b = append(b, `,"thinking":{"type":"adaptive","display":"`...)
		if e.p.Reasoning.Show == "none" {
			b = append(b, `omitted"}`...)
		} else {
			b = append(b, `summarized"}`...)
		}
	case "enabled":
		b = append(b, `,"thinking":{"type":"enabled","budget_tokens":`...)
		b = append(strconv.AppendInt(b, int64(e.thinking.Budget), 10), '}')
	case "disabled":
		b = append(b, `,"thinking":{"type":"disabled"}`...)
	}
	if e.thinking.Effort == "" && e.schema == nil {
		return b
	}
	b = append(b, `,"output_config":{`...)
	if e.thinking.Effort != "" {
		b = sse.AppendString(append(b, `"effort":`...), e.thinking.Effort)
	}
	if e.schema != nil {
		if e.thinking.Effort != "" {
			b = append(b, ',')
		}
		b = append(append(b, `"format":{"type":"json_schema","schema":`...), e.schema...)
		b = append(b, '}')
	}
	return append(b, '}')
}
