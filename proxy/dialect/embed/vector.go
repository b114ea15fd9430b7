package embed

import (
	"encoding/base64"
	"encoding/binary"
	"math"
	"strconv"

	"keytray/proxy/dialect/field"
	"keytray/proxy/llm"
)

// vectorText is a JSON value that is a vector, an array of numbers or OpenAI's
// base64, as an event's text: base64 of float32, little-endian. ok is false
// for anything else.
func vectorText(v []byte) (text string, ok bool) {
	if len(v) > 1 && v[0] == '"' {
		s := field.Unquote(v)
		b, err := base64.StdEncoding.DecodeString(s)
		return s, err == nil && len(b)%4 == 0
	}
	raw := make([]byte, 0, len(v)/2)
	ok = true
	err := llm.Elements(v, func(v []byte, _ int) bool {
		f, err := strconv.ParseFloat(string(v), 32)
		ok = err == nil
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(float32(f)))
		return ok
	})
	return base64.StdEncoding.EncodeToString(raw), ok && err == nil
}

// appendFloats writes a vector's text as an array of numbers, each with the
// fewest digits that say the same float32.
func appendFloats(b []byte, text string) ([]byte, error) {
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(raw)%4 != 0 {
		return b, &llm.Error{Kind: llm.Garbage, Message: "a vector of the answer cannot be read", Cause: err}
	}
	b = append(b, '[')
	for i := 0; i < len(raw); i += 4 {
		if i > 0 {
			b = append(b, ',')
		}
		f := math.Float32frombits(binary.LittleEndian.Uint32(raw[i:]))
		if f != f || math.IsInf(float64(f), 0) {
			return b, &llm.Error{Kind: llm.Garbage, Message: "a vector of the answer holds what is no number"}
		}
		b = strconv.AppendFloat(b, float64(f), 'g', -1, 32)
	}
	return append(b, ']'), nil
}
