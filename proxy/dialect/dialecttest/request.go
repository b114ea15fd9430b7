package dialecttest

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"keytray/proxy/llm"
)

// Encode writes a prompt and reads it back as plain JSON.
func Encode(t testing.TB, out llm.Outbound, c *llm.Call, p *llm.Prompt) map[string]any {
	t.Helper()
	b, err := out.EncodeRequest(c, p)
	if err != nil {
		t.Fatal(err)
	}
	var v map[string]any
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatalf("%v\n%s", err, b)
	}
	return v
}

// At picks a value out of plain JSON by keys and indexes, and writes it as JSON
// again, with sorted keys; "none" is not there.
func At(v any, path ...any) string {
	for _, p := range path {
		switch p := p.(type) {
		case string:
			m, _ := v.(map[string]any)
			got, ok := m[p]
			if !ok {
				return "none"
			}
			v = got
		case int:
			l, _ := v.([]any)
			if p >= len(l) {
				return "none"
			}
			v = l[p]
		}
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if e.Encode(v) != nil {
		return "none"
	}
	return strings.TrimSpace(b.String())
}
