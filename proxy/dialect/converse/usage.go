package converse

import "keytray/proxy/llm"

// apply takes over what u says. Cache writes whose lifetime is not told are of
// five minutes (G13).
func (u *usage) apply(to *llm.Usage) {
	if u == nil || u.Input == nil && u.Output == nil {
		return
	}
	to.Known = true
	to.Input, to.Output, to.CacheRead = count(u.Input), count(u.Output), count(u.CacheRead)
	var told int64
	to.CacheWrite5m, to.CacheWrite1h = 0, 0
	for _, d := range u.Details {
		n := max(d.Input, 0)
		told += n
		if d.TTL == "1h" {
			to.CacheWrite1h += n
		} else {
			to.CacheWrite5m += n
		}
	}
	to.CacheWrite5m += max(count(u.CacheWrite)-told, 0)
}

func count(n *int64) int64 {
	if n == nil {
		return 0
	}
	return max(*n, 0)
}

// tierOf is the tier that prices go by: low latency is one too.
func tierOf(t *serviceTier, p *performance) string {
	switch {
	case p != nil && p.Latency == "optimized":
		return p.Latency
	case t != nil:
		return t.Type
	}
	return ""
}

// whyOf is the neutral reason of a stopReason.
func whyOf(reason string) llm.Why {
	switch reason {
	case "end_turn":
		return llm.EndTurn
	case "max_tokens", "model_context_window_exceeded":
		return llm.MaxTokens
	case "stop_sequence":
		return llm.StopSequence
	case "tool_use":
		return llm.CallTools
	case "refusal":
		return llm.Refused
	case "guardrail_intervened", "content_filtered":
		return llm.ContentFilter
	}
	return llm.Why(reason)
}
