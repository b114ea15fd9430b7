package gemini_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"keytray/proxy/llm"
)

// FuzzAnswer reads anything as an answer: the bracketing holds, and what
// metering makes of it never contradicts the decoder.
func FuzzAnswer(f *testing.F) {
	for _, stream := range []bool{false, true} {
		f.Add([]byte(candidate(`{"text":"a","thoughtSignature":"czE="},{"functionCall":{"name":"f","args":{"a":[1]}}}`, "STOP")), stream)
		f.Add([]byte(`{"promptFeedback":{"blockReason":"SAFETY"},"usageMetadata":{"promptTokenCount":7}}`), stream)
		f.Add([]byte(`[{"error":{"code":429,"message":"Slow","status":"RESOURCE_EXHAUSTED"}}]`), stream)
	}
	f.Add([]byte(stream(candidate(`{"text":"t","thought":true}`, ""), candidate(`{"inlineData":{"mimeType":"image/png","data":"QQ=="}}`, ""), candidate(`{"text":"b"}`, "STOP"))), true)
	f.Add([]byte(stream(candidate(`{"functionCall":{"name":"f","willContinue":true}}`, ""), candidate(`{"functionCall":{"partialArgs":[{"jsonPath":"$.a[0]['b']","stringValue":"x"}]}}`, "STOP"))), true)
	f.Add([]byte(`[`+candidate(`{"executableCode":{"code":"x"}}`, "")+`,{"candidates":[{"finishReason":"STOP","groundingMetadata":{"webSearchQueries":["q"],"groundingChunks":[{"web":{"uri":"u"}}],"groundingSupports":[{"groundingChunkIndices":[0,7,-1]}]},"citationMetadata":{"citations":[{"uri":"v"}]}}]}]`), true)
	f.Fuzz(func(t *testing.T, body []byte, streamed bool) {
		c := model()
		c.Stream = streamed
		s := read(t, c, bytes.NewReader(body))
		if s.err == nil && (s.stop.Why == "" || s.stop.Usage == nil) {
			t.Errorf("complete without a reason: %+v", s)
		}
		for _, call := range s.calls {
			if !json.Valid([]byte(call.Text)) || call.ID == "" {
				t.Errorf("call %+v", call)
			}
		}
		var sum llm.Tally
		out.Tally(c, &sum, body)
		if u := sum.Usage; u.Input < 0 || u.CacheRead < 0 || u.Output < 0 || u.AudioInput < 0 || u.ImageInput < 0 || u.AudioOutput < 0 || u.ImageOutput < 0 {
			t.Errorf("usage %+v", u)
		}
		whole := bytes.IndexAny(bytes.TrimLeft(body, " \r\n\t"), "{[") == 0 // not a stream where none was asked for
		if !streamed && whole && s.err == nil && !(sum.Done && sum.Good && sum.Why == s.stop.Why) {
			t.Errorf("decoded %+v, tallied %+v", s.stop, sum)
		}
	})
}

// FuzzError reads anything as a refusal.
func FuzzError(f *testing.F) {
	f.Add(400, []byte(`{"error":{"code":400,"message":"m","status":"INVALID_ARGUMENT","details":[{"reason":"API_KEY_INVALID"},{"retryDelay":"3s"},1]}}`))
	f.Add(0, []byte(`[{"error":{"code":503}}]`))
	f.Add(502, []byte(`<html><title>x</title>`))
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		e := out.DecodeError(status, nil, body)
		if e.Kind == "" || e.Message == "" || len(e.Message) > 600 || e.RetryAfter < 0 {
			t.Errorf("%+v", e)
		}
	})
}

// FuzzSchema declares a tool with any schema: what is sent is JSON, and
// cleaning it again changes nothing.
func FuzzSchema(f *testing.F) {
	f.Add(`{"$schema":"x","type":"object","properties":{"properties":{"const":1},"a":{"type":"integer","exclusiveMinimum":0}},"anyOf":[true,{"examples":[]}],"$defs":{"d":[]}}`, "a.b")
	f.Fuzz(func(t *testing.T, schema, name string) {
		declare := func(schema string) string {
			b, err := out.EncodeRequest(model(), &llm.Prompt{Tools: []llm.Tool{{Name: name, Schema: json.RawMessage(schema)}}})
			if err != nil {
				return ""
			}
			var v struct {
				Tools []struct {
					FunctionDeclarations []struct {
						Name                 string
						ParametersJSONSchema json.RawMessage
					}
				}
			}
			if err := json.Unmarshal(b, &v); err != nil {
				t.Fatalf("%v\n%s", err, b)
			}
			d := v.Tools[0].FunctionDeclarations[0]
			if d.Name == "" || len(d.Name) > 64 || strings.ContainsAny(d.Name, "./ ") {
				t.Errorf("name %q", d.Name)
			}
			return string(d.ParametersJSONSchema)
		}
		once := declare(schema)
		if once == "" {
			return
		}
		if again := declare(once); again != once {
			t.Errorf("%s\nbecame %s\nthen   %s", schema, once, again)
		}
	})
}

// FuzzHistory encodes conversations of any shape: roles alternate, and every
// call has its one response in the next turn.
func FuzzHistory(f *testing.F) {
	f.Add([]byte("utaccurrtutact"))
	f.Add([]byte("acaurusuaacur"))
	f.Fuzz(func(t *testing.T, shape []byte) {
		p := &llm.Prompt{}
		role := llm.User
		for i, b := range shape {
			var block llm.Block
			switch b {
			case 'u':
				role = llm.User
			case 'a':
				role = llm.Assistant
			case 's':
				role = llm.System
			case 't':
				block = llm.Block{Text: "t"}
			case 'c':
				block = llm.Block{Kind: llm.ToolCall, ID: string('0' + shape[0]%3), Name: "f", Text: "{}"}
			case 'r':
				block = llm.Block{Kind: llm.ToolResult, ID: string('0' + shape[i/2]%3)}
			}
			if block.Text != "" || block.Kind != llm.Text {
				p.Messages = append(p.Messages, llm.Message{Role: role, Blocks: []llm.Block{block}})
			}
		}
		b, err := out.EncodeRequest(model(), p)
		if err != nil {
			return
		}
		var v struct {
			Contents []struct {
				Role  string
				Parts []struct {
					FunctionCall, FunctionResponse *struct{ ID, Name string }
				}
			}
		}
		if err := json.Unmarshal(b, &v); err != nil {
			t.Fatal(err)
		}
		var open []string
		for i, c := range v.Contents {
			if i > 0 && c.Role == v.Contents[i-1].Role || len(c.Parts) == 0 {
				t.Fatalf("turn %d: %s", i, b)
			}
			var answered, calls []string
			for _, p := range c.Parts {
				if p.FunctionCall != nil {
					calls = append(calls, p.FunctionCall.ID)
				}
				if p.FunctionResponse != nil {
					answered = append(answered, p.FunctionResponse.ID)
				}
			}
			if strings.Join(answered, " ") != strings.Join(open, " ") {
				t.Fatalf("turn %d answers %q, called were %q\n%s", i, answered, open, b)
			}
			open = calls
		}
		if len(open) > 0 {
			t.Fatalf("never answered: %q\n%s", open, b)
		}
	})
}
