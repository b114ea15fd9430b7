package route

import (
	"reflect"
	"testing"

	"keytray/proxy/llm"
)

// fill sets every field of a value, so that one which pack does not know is missed.
func fill(v reflect.Value, n *int64) {
	*n++
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).Name == "Also" && *n > 1000 { // a usage within a usage
				continue
			}
			fill(v.Field(i), n)
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), n)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range 2 {
			if *n < 1000 && v.Type() == reflect.TypeFor[[]llm.OtherUsage]() {
				*n += 1000
			}
			fill(v.Index(i), n)
		}
	case reflect.String:
		v.SetString("text " + string(rune('a'+*n%26)))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(-*n * 1_000_003)
	case reflect.Uint8:
		v.SetUint(uint64(*n % 200))
	default:
		panic(v.Type())
	}
}

func TestPackKeepsEveryField(t *testing.T) {
	full := kept{}
	var n int64
	fill(reflect.ValueOf(&full).Elem(), &n)
	for name, k := range map[string]kept{
		"full": full, "empty": {}, "bytes": {Copied: true, Body: []byte("answer")},
		"events": {Events: []llm.Event{{Kind: llm.Delta, Text: " word"}, {Kind: llm.Stop, Why: llm.EndTurn, Usage: &llm.Usage{Output: 1, Known: true}}}},
	} {
		b := k.pack()
		got, ok := unpack(b)
		if !ok || !reflect.DeepEqual(got, k) {
			t.Errorf("%s: %v\n%+v\n%+v", name, ok, got, k)
		}
		for i := range b {
			if _, ok := unpack(b[:i]); ok {
				t.Errorf("%s: %d of %d bytes are an answer", name, i, len(b))
			}
		}
	}
}
