package ollama

import (
	"math"
	"strconv"

	"keytray/proxy/dialect/field"
	"keytray/proxy/llm"
)

// integer reads a whole number; Ollama cuts off what follows the point.
func integer(param string, v []byte) (int64, *llm.Error) {
	if n, err := strconv.ParseInt(string(v), 10, 64); err == nil {
		return n, nil
	}
	f, bad := field.Number(param, v)
	if bad != nil || math.Abs(*f) >= 1<<53 {
		return 0, llm.Invalid(param, "%s must be an integer, not %s", param, field.Kind(v))
	}
	return int64(*f), nil
}
