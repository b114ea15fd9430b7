package messages_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"keytray/proxy/dialect/messages"
	"keytray/proxy/llm"
)

var (
	invoke = llm.Model{Provider: "bedrock", Name: "us.anthropic.claude-haiku-4-5-20251001-v1:0", Flags: llm.Flags{llm.FlagBedrockInvoke}}
	vertex = llm.Model{Provider: "vertex", Name: "claude-sonnet-4-5@20250929", Flags: llm.Flags{llm.FlagVertexRaw}}
)

func TestHostURL(t *testing.T) {
	for _, c := range []struct {
		call llm.Call
		want string
	}{
		{llm.Call{Model: invoke}, "b/model/us.anthropic.claude-haiku-4-5-20251001-v1%3A0/invoke"},
		{llm.Call{Model: invoke, Stream: true}, "b/model/us.anthropic.claude-haiku-4-5-20251001-v1%3A0/invoke-with-response-stream"},
		{llm.Call{Model: vertex}, "b/models/claude-sonnet-4-5@20250929:rawPredict"},
		{llm.Call{Model: vertex, Stream: true}, "b/models/claude-sonnet-4-5@20250929:streamRawPredict"},
		{llm.Call{Model: vertex, Counts: true}, "b/models/count-tokens:rawPredict"},
		{llm.Call{Model: llm.Model{Name: "m"}}, "b/messages"},
	} {
		if got := (messages.Dialect{}).URL(&c.call, "b"); got != c.want {
			t.Errorf("got %s, want %s", got, c.want)
		}
	}
}

func TestHostPatch(t *testing.T) {
	const (
		b = `"anthropic_version":"bedrock-2023-05-31"`
		v = `"anthropic_version":"vertex-2023-10-16"`
	)
	for _, c := range []struct {
		model    llm.Model
		in, want string
	}{
		{invoke, `{"model":"x","stream":true,"max_tokens":5,"messages":[ ]}`, `{` + b + `,"max_tokens":5,"messages":[ ]}`},
		{invoke, ` { "max_tokens" : 5 , "model" : "x" , "messages":[{"model":"y"}],"stream":false }`, ` {` + b + `, "max_tokens" : 5 , "messages":[{"model":"y"}] }`},
		{invoke, `{"model":"x"}`, `{` + b + `}`},
		{invoke, `{}`, `{` + b + `}`},
		{invoke, `{"model":"x","anthropic_version":"bedrock-2024","stream":true,"a":1}`, `{"anthropic_version":"bedrock-2024","a":1}`},
		{invoke, `{"stream":true,"model":"x","model":"z","a":",b"}`, `{` + b + `,"a":",b"}`},
		{vertex, `{"model":"x","stream":true,"a":1}`, `{` + v + `,"stream":true,"a":1}`},
	} {
		call := &llm.Call{Model: c.model}
		pieces, err := messages.Dialect{}.Patch(call, &llm.Request{Raw: []byte(c.in)})
		got := string(bytes.Join(pieces, nil))
		if err != nil || got != c.want || !json.Valid([]byte(got)) {
			t.Errorf("%s: %v\n got %s\nwant %s", c.in, err, got, c.want)
		}
	}
	if _, err := (messages.Dialect{}).Patch(&llm.Call{Model: invoke}, &llm.Request{Raw: []byte(`[1]`)}); err == nil {
		t.Error("no object, and no error")
	}
}

func TestHostBetas(t *testing.T) {
	r := &llm.Request{Raw: []byte(`{"model":"x"}`), Header: http.Header{"Anthropic-Beta": {"context-1m-2025-08-07, claude-code-20250219", "context-1m-2025-08-07"}}}
	patch := func(m llm.Model, raw string) (string, []string) {
		r.Raw = []byte(raw)
		call := &llm.Call{Model: m}
		pieces, err := messages.Dialect{}.Patch(call, r)
		if err != nil {
			t.Fatal(err)
		}
		return string(bytes.Join(pieces, nil)), call.Lost
	}
	got, lost := patch(invoke, `{"model":"x"}`)
	if !strings.Contains(got, `,"anthropic_beta":["context-1m-2025-08-07","claude-code-20250219"]}`) || len(lost) > 0 {
		t.Errorf("%s, lost %q", got, lost)
	}
	limited := invoke
	limited.Flags = append(limited.Flags, llm.FlagBeta+"context-1m-2025-08-07")
	got, lost = patch(limited, `{"model":"x"}`)
	if !strings.Contains(got, `"anthropic_beta":["context-1m-2025-08-07"]`) || len(lost) != 1 || lost[0] != "anthropic-beta: claude-code-20250219" {
		t.Errorf("%s, lost %q", got, lost)
	}
	if got, _ = patch(invoke, `{"model":"x","anthropic_beta":["own"]}`); strings.Count(got, "anthropic_beta") != 1 {
		t.Error(got)
	}
	if got, _ = patch(vertex, `{"model":"x"}`); strings.Contains(got, "anthropic_beta") { // its header is passed on
		t.Error(got)
	}
}

func TestHostEncode(t *testing.T) {
	p := &llm.Prompt{Messages: []llm.Message{{Role: llm.User, Blocks: []llm.Block{{Kind: llm.Text, Text: "Hi"}}}}}
	for want, c := range map[string]llm.Call{
		`{"anthropic_version":"bedrock-2023-05-31","max_tokens":`:              {Model: invoke, Stream: true},
		`{"anthropic_version":"vertex-2023-10-16","stream":true,"max_tokens":`: {Model: vertex, Stream: true},
		`{"model":"m","max_tokens":`:                                           {Model: llm.Model{Name: "m"}},
		`{"model":"m","stream":true,"max_tokens":`:                             {Model: llm.Model{Name: "m"}, Stream: true},
	} {
		b, err := messages.Dialect{}.EncodeRequest(&c, p)
		if err != nil || !strings.HasPrefix(string(b), want) || !json.Valid(b) {
			t.Errorf("%v %s", err, b)
		}
	}
}

func FuzzHostPatch(f *testing.F) {
	f.Add([]byte(`{"model":"x","stream":true,"a":1}`))
	f.Add([]byte(` { "b" : [1,{"model":2}] , "stream" : false,"model":"q" }`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if !json.Valid(raw) {
			return
		}
		pieces, err := messages.Dialect{}.Patch(&llm.Call{Model: invoke}, &llm.Request{Raw: raw})
		if err != nil {
			return
		}
		var was, is map[string]json.RawMessage
		if json.Unmarshal(raw, &was) != nil {
			return
		}
		if err := json.Unmarshal(bytes.Join(pieces, nil), &is); err != nil {
			t.Fatalf("%v: %s", err, bytes.Join(pieces, nil))
		}
		delete(was, "model")
		delete(was, "stream")
		for k, v := range was {
			if !bytes.Equal(is[k], v) {
				t.Errorf("%s: %s became %s", k, v, is[k])
			}
		}
	})
}
