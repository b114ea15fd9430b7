package messages

import (
	"slices"

	"keytray/proxy/llm"
)

// without is the JSON object v less some of its fields.
func without(v []byte, keys ...string) []byte {
	out := append(make([]byte, 0, len(v)), '{')
	_ = llm.Fields(v, func(k, v []byte, _ int) bool { // v was read before
		if slices.Contains(keys, string(k)) {
			return true
		}
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = append(append(append(out, '"'), k...), `":`...)
		out = append(out, v...)
		return true
	})
	return append(out, '}')
}
