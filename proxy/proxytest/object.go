package proxytest

import (
	"bytes"
	"encoding/json"
)

// object is a JSON object whose keys keep their order: key, value, key, value.
type object []any

// MarshalJSON writes the object. Its values are the package's own, so an error is a mistake here.
func (o object) MarshalJSON() ([]byte, error) {
	var out bytes.Buffer
	out.WriteByte('{')
	for i := 0; i < len(o); i += 2 {
		if i > 0 {
			out.WriteByte(',')
		}
		out.Write(encode(o[i]))
		out.WriteByte(':')
		out.Write(encode(o[i+1]))
	}
	out.WriteByte('}')
	return out.Bytes(), nil
}

// encode writes a value as providers do, without escaping < > &.
func encode(v any) []byte {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic("proxytest: " + err.Error())
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n"))
}
