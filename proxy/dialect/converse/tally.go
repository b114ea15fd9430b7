package converse

import (
	"encoding/json"

	"keytray/proxy/dialect/field"
	"keytray/proxy/llm"
)

// Tally reads one frame, or a whole answer. A stream tells its usage in its
// last frame alone.
func (Dialect) Tally(c *llm.Call, t *llm.Tally, data []byte) llm.Verdict {
	if !c.Stream {
		return tallyWhole(t, data)
	}
	f := cutFrame(data)
	if !f.ok {
		return llm.Pass
	}
	switch f.kind {
	case blockDelta:
		t.Good = true
		switch p := cutPiece(f.value); p.kind {
		case "text", "input", "reasoning":
			t.Text += int64(max(len(p.value)-2, 0))
		}
	case messageStart, blockStart, blockStop:
		t.Good = true
	case messageStop:
		t.Good, t.Done = true, true
		if reason, ok := field.Text(f.value); ok {
			t.Why = whyOf(reason)
		}
	case meta:
		var m metadata
		if json.Unmarshal(data, &m) == nil {
			m.Usage.apply(&t.Usage)
			t.Tier = tierOf(m.Tier, m.Performance)
		}
		if t.Done {
			return llm.Last
		}
	case failure:
		t.Err = Dialect{}.DecodeError(0, nil, data)
	}
	return llm.Pass
}

// tallyWhole scans a whole answer for the few fields that count.
func tallyWhole(t *llm.Tally, body []byte) llm.Verdict {
	var output, stop, counts, tier, performed []byte
	err := llm.Fields(body, func(k, v []byte, _ int) bool {
		switch string(k) {
		case "output":
			output = v
		case "stopReason":
			stop = v
		case "usage":
			counts = v
		case "serviceTier":
			tier = v
		case "performanceConfig":
			performed = v
		}
		return true
	})
	if err != nil {
		return llm.Pass
	}
	reason, ok := field.Text(stop)
	if !ok {
		if output == nil && hasError(body) {
			t.Err = Dialect{}.DecodeError(0, nil, body)
		}
		return llm.Pass
	}
	t.Good, t.Done, t.Why = true, true, whyOf(reason)
	t.Text += int64(len(output))
	var u *usage
	if counts != nil && json.Unmarshal(counts, &u) == nil {
		u.apply(&t.Usage)
	}
	var s *serviceTier
	var p *performance
	_ = json.Unmarshal(orNull(tier), &s) // a tier that cannot be read is not told
	_ = json.Unmarshal(orNull(performed), &p)
	t.Tier = tierOf(s, p)
	return llm.Last
}

func orNull(raw []byte) []byte {
	if raw == nil {
		return []byte("null")
	}
	return raw
}

// hasError tells a JSON object that is an error.
func hasError(body []byte) bool { return cutFrame(body).kind == failure }
