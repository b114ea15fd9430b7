package messages

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"keytray/proxy/llm"
)

func TestEncodeRequestKeepsTheBytesOfSchemas(t *testing.T) { // A17
	odd := `{ "z": 1,"type" : "object", "properties":{"b":{"type":"string"},"a":{ }},"a":"<é>\u0041" }`
	body, err := Dialect{}.EncodeRequest(&llm.Call{}, hi(func(p *llm.Prompt) { p.Tools = []llm.Tool{fn("f", odd)} }))
	if err != nil || !strings.Contains(string(body), `"input_schema":`+odd) {
		t.Fatalf("%v\n%s", err, body)
	}
}

func TestEncodeRequestRestoresNames(t *testing.T) {
	call := &llm.Call{}
	p := hi(func(p *llm.Prompt) { p.Tools = []llm.Tool{fn("mcp.a/b", noProps), fn("plain", noProps)} })
	if _, err := (Dialect{}).EncodeRequest(call, p); err != nil {
		t.Fatal(err)
	}
	if len(call.Tools) != 1 || call.Tools["mcp_a_b"] != "mcp.a/b" {
		t.Fatalf("%v", call.Tools)
	}
}

func TestEncodeRequestRefuses(t *testing.T) {
	doc := func(m llm.Media) llm.Block { return llm.Block{Kind: llm.Document, Media: m} }
	pic := func(m llm.Media) llm.Block { return llm.Block{Kind: llm.Image, Media: m} }
	for name, c := range map[string]struct {
		flags  llm.Flags
		prompt *llm.Prompt
		param  string
	}{
		"audio":                      {nil, prompt(user(llm.Block{Kind: llm.Audio, Media: llm.Media{Type: "audio/mpeg", Data: "AAAA"}})), "messages"},
		"C18 a document of Word":     {nil, prompt(user(doc(llm.Media{Type: "application/msword", Data: "AAAA"}))), "messages"},
		"a file of another provider": {nil, prompt(user(doc(llm.Media{FileID: "file-1"}))), "messages"},
		"text that is none":          {nil, prompt(user(doc(llm.Media{Type: "text/plain", Data: "/w=="}))), "messages"},
		"an image of a kind unknown": {nil, prompt(user(pic(llm.Media{Type: "image/heic", Data: "AAAA"}))), "messages"},
		"K6 a URL that is no web's":  {nil, prompt(user(pic(llm.Media{URL: "file:///etc/passwd"}))), "messages"},
		"an image for a blind model": {llm.Flags{llm.FlagNoVision}, prompt(user(pic(llm.Media{Type: "image/png", Data: "AAAA"}))), "messages"},
		"two tools of one name":      {nil, hi(func(p *llm.Prompt) { p.Tools = []llm.Tool{fn("f", noProps), fn("f", `{"type":"object"}`)} }), "tools"},
		"parameters of no object":    {nil, hi(func(p *llm.Prompt) { p.Tools = []llm.Tool{fn("f", `{"type":"string"}`)} }), "tools"},
		"parameters that are broken": {nil, hi(func(p *llm.Prompt) { p.Tools = []llm.Tool{fn("f", `{"type":`)} }), "tools"},
		"a tool that is not there": {nil, hi(func(p *llm.Prompt) {
			p.Tools, p.Choice = []llm.Tool{fn("f", noProps)}, llm.Choice{Mode: llm.ChooseNamed, Name: "g"}
		}), "tool_choice"},
		"tools for a model without": {llm.Flags{llm.FlagNoTools}, hi(func(p *llm.Prompt) { p.Tools = []llm.Tool{fn("f", noProps)} }), "tools"},
		"a format that is no object": {nil, hi(func(p *llm.Prompt) {
			p.Format = llm.Format{Kind: llm.FormatSchema, Schema: json.RawMessage(`{"type":"array"}`)}
		}), "response_format"},
	} {
		body, err := Dialect{}.EncodeRequest(&llm.Call{Model: llm.Model{Flags: c.flags}}, c.prompt)
		var e *llm.Error
		if !errors.As(err, &e) || e.Kind != llm.BadRequest || e.Param != c.param {
			t.Errorf("%s: %v\n%s", name, err, body)
		}
	}
}

func TestPatch(t *testing.T) {
	for in, want := range map[string]string{
		`{ "a":1, "model" : "x", "b":"\u00e9" }`: `{ "a":1, "model" : "new\"", "b":"\u00e9" }`,
		` {"a":1}`:                               ` {"model":"new\"","a":1}`,
		`{ }`:                                    `{"model":"new\"" }`,
	} {
		r := &llm.Request{Raw: []byte(in)}
		if i := strings.Index(in, `"x"`); i >= 0 {
			r.ModelAt = [2]int{i, i + 3}
		}
		pieces, err := Dialect{}.Patch(&llm.Call{Model: llm.Model{Name: `new"`}}, r)
		got := ""
		for _, p := range pieces {
			got += string(p)
		}
		if err != nil || got != want || string(r.Raw) != in {
			t.Errorf("%s became %s, want %s (%v)", in, got, want, err)
		}
	}
	if _, err := (Dialect{}).Patch(&llm.Call{}, &llm.Request{Raw: []byte("[]")}); err == nil {
		t.Error("patched an array")
	}
}
