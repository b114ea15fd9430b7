package messages

import "keytray/proxy/llm"

// apply takes over what u says: a field that is there replaces what was known
// (a stream's counts are cumulative), a field that is not leaves it. model is
// the one that answers.
func (u *usage) apply(to *llm.Usage, model string) {
	if u == nil {
		return
	}
	known := false
	set := func(to, from *int64) {
		if from != nil {
			*to, known = max(*from, 0), true
		}
	}
	set(&to.Input, u.Input)
	set(&to.Output, u.Output)
	set(&to.CacheRead, u.CacheRead)
	known = applyWrites(to, u.CacheWrite, u.Writes) || known
	if u.Details != nil {
		to.Reasoning = max(u.Details.Thinking, 0)
	}
	if u.Server != nil {
		to.Searches = max(u.Server.Searches, 0)
	}
	if u.Iterations != nil {
		to.Also = also(u.Iterations, model)
	}
	to.Known = to.Known || known
}

// applyWrites splits cache writes by lifetime. A total without a split keeps
// the hours that are known, and is otherwise of five minutes.
func applyWrites(to *llm.Usage, total *int64, split *writes) bool {
	if split != nil {
		to.CacheWrite5m, to.CacheWrite1h = max(split.For5m, 0), max(split.For1h, 0)
	}
	if total != nil && *total >= to.CacheWrite1h {
		to.CacheWrite5m = *total - to.CacheWrite1h
	} else if total != nil && split == nil {
		to.CacheWrite5m, to.CacheWrite1h = max(*total, 0), 0
	}
	return total != nil || split != nil
}

// also is what the answer's iterations were billed beside its own counts: an
// advisor of another model, and the compaction of a long context.
func also(all []iteration, model string) []llm.OtherUsage {
	var others []llm.OtherUsage
	for _, it := range all {
		switch it.Type {
		case "message", "fallback_message": // inside the answer's counts
			continue
		case "compaction", "advisor_message":
		default: // a kind of its own counts only if it names another model
			if it.Model == "" || it.Model == model {
				continue
			}
		}
		o := llm.OtherUsage{Model: it.Model}
		if o.Model == "" {
			o.Model = model
		}
		u := usage{Input: it.Input, Output: it.Output, CacheRead: it.CacheRead, CacheWrite: it.CacheWrite, Writes: it.Writes}
		u.apply(&o.Usage, o.Model)
		others = append(others, o)
	}
	return others
}

// tierOf is the tier that prices go by: fast mode is one too.
func (u *usage) tierOf(was string) string {
	switch {
	case u == nil:
		return was
	case u.Speed == "fast":
		return u.Speed
	case u.Tier != "" && was != "fast":
		return u.Tier
	}
	return was
}

// geoOf is where inference ran, if that is told.
func (u *usage) geoOf(was string) string {
	if u == nil || u.Geo == "" || u.Geo == "not_available" {
		return was
	}
	return u.Geo
}

// whyOf is the neutral reason of a stop_reason.
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
	case "pause_turn":
		return llm.PauseTurn
	case "refusal":
		return llm.Refused
	}
	return llm.Why(reason)
}
