package ollama_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"testing"

	"github.com/ollama/ollama/api"

	"keytray/proxy/llm"
)

// FuzzAnswer reads anything as an answer: the bracketing holds, and metering
// finds complete what the decoder finds complete.
func FuzzAnswer(f *testing.F) {
	for _, stream := range []bool{false, true} {
		f.Add([]byte(end), stream)
		f.Add([]byte(lines(piece(`"content":"x","thinking":"a"`), piece(`"content":"","tool_calls":[{"id":"a","function":{"name":"f","arguments":{"x":1}}}]`), end)), stream)
		f.Add([]byte(`{"error":"model 'x' not found"}`), stream)
		f.Add([]byte(`{"error":{"message":1}}`), stream)
		f.Add([]byte(`{"message":{"images":["QQ=="],"tool_calls":[{"function":{"name":"f","arguments":"{}"}}]},"done":true,"eval_count":-1}`), stream)
	}
	f.Fuzz(func(t *testing.T, body []byte, stream bool) {
		call := &llm.Call{Stream: stream}
		s := read(t, call, bytes.NewReader(body))
		for i, c := range s.Calls {
			if s.calls[i].ID == "" || c.Name == "" {
				t.Errorf("call %+v", c)
			}
		}
		var sum llm.Tally
		verdict := out.Tally(call, &sum, body)
		if u := sum.Usage; u.Input < 0 || u.Output < 0 || sum.Text < 0 || (verdict == llm.Last) != sum.Done {
			t.Errorf("verdict %v, %+v", verdict, sum)
		}
		var keys map[string]json.RawMessage // where keys are written as the server does
		plain := json.Unmarshal(body, &keys) == nil && string(keys["done"]) == "true" && !bytes.Contains(body, []byte(`\u`))
		if !stream && s.err == nil && plain && !sum.Done {
			t.Errorf("decoded %+v, tallied %+v", s, sum)
		}
	})
}

// FuzzError reads anything as a refusal.
func FuzzError(f *testing.F) {
	f.Add(404, []byte(`{"error":"model 'x' not found"}`))
	f.Add(0, []byte(`{"error":{"message":"m"},"signin_url":"u"}`))
	f.Add(502, []byte(`<html><title>x</title>`))
	f.Add(502, []byte("<title\u0130>x</title>"))
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		e := out.DecodeError(status, nil, body)
		if e.Kind == "" || e.Message == "" || len(e.Message) > 600 || e.RetryAfter != 0 {
			t.Errorf("%+v", e)
		}
	})
}

// FuzzSchema declares a tool with any schema: it is refused here, or the
// server can read it.
func FuzzSchema(f *testing.F) {
	f.Add([]byte(`{"type":"object","properties":{"x":{"type":["string","null"],"anyOf":[{}]}},"required":["x"]}`))
	f.Add([]byte(`{"oneOf":[{"properties":{"y":true}}],"type":7,"required":7,"properties":{"x":{"properties":{"z":1}}}}`))
	f.Fuzz(func(t *testing.T, schema []byte) {
		b, err := out.EncodeRequest(model(), &llm.Prompt{Messages: []llm.Message{user("q")}, Tools: []llm.Tool{{Name: "f", Schema: schema}}})
		if err != nil {
			var e *llm.Error
			if !errors.As(err, &e) || e.Kind != llm.BadRequest {
				t.Errorf("%v", err)
			}
			return
		}
		var r api.ChatRequest
		if err := json.Unmarshal(b, &r); err != nil {
			t.Errorf("%v\n%s", err, b)
		}
	})
}
