package openai

import (
	"bytes"
	"strings"

	"keytray/proxy/dialect/schemas"
	"keytray/proxy/llm"
	"keytray/proxy/sse"
)

// Format is how the answer's form is asked for: by "json_schema" or
// "json_object", or else by words alone. The APIs take schemas of objects only.
func (r *Request) Format() string {
	f := &r.Prompt.Format
	switch f.Kind {
	case llm.FormatText:
		return ""
	case llm.FormatJSON:
		return "json_object"
	}
	if _, merged, err := schemas.Object(f.Schema); merged || err != nil {
		return ""
	}
	if r.Flags.Has(llm.FlagNoJSONSchema) {
		return "json_object"
	}
	return "json_schema"
}

// Schema writes the inside of a format that is a JSON Schema, from its name on.
func (r *Request) Schema() {
	f := &r.Prompt.Format
	name := f.Name
	if name == "" {
		name = "answer"
	}
	r.Buf = sse.AppendString(append(r.Buf, `"name":`...), safeName(name))
	schema, _, _ := schemas.Object(f.Schema) // it is one, as Format says
	r.Key("schema")
	r.Buf = append(r.Buf, schema...)
	if f.Strict != nil {
		r.Bool("strict", r.strict("response_format", f.Strict, schema))
	}
}

// strict tells whether strict mode can be asked for: with other schemas than its
// own the request is refused.
func (r *Request) strict(what string, asked *bool, schema []byte) bool {
	if asked == nil || !*asked {
		return false
	}
	if !schemas.Strict(schema) {
		r.Call.Lose(what + ": strict")
		return false
	}
	return true
}

// What a model is told of a format that it cannot be held to, or that it may be
// asked for only if the conversation speaks of JSON.
const (
	jsonOnly   = "Answer with one JSON object and nothing else."
	jsonSchema = "It must follow this JSON Schema:\n"
)

// Instructions is the text of all leading system blocks. It is one message:
// the chat templates of many open models refuse a second one.
func (r *Request) Instructions() string {
	all := make([]string, 0, len(r.Prompt.System)+1)
	for i := range r.Prompt.System {
		all = append(all, r.Prompt.System[i].Text)
	}
	switch f := &r.Prompt.Format; {
	case f.Kind == llm.FormatSchema && r.Format() != "json_schema": // A22
		only := jsonOnly
		if r.Format() == "" {
			only = "Answer with JSON and nothing else."
		}
		all = append(all, only+" "+jsonSchema+string(f.Schema))
		r.Call.Lose("response_format.json_schema: sent as an instruction")
	case f.Kind == llm.FormatJSON && !r.speaksOfJSON():
		all = append(all, jsonOnly)
	}
	return strings.Join(all, "\n\n")
}

// speaksOfJSON tells whether the word stands in the conversation, without
// which OpenAI refuses a json_object.
func (r *Request) speaksOfJSON() bool {
	in := func(blocks []llm.Block) bool {
		for i := range blocks {
			if b := []byte(blocks[i].Text); bytes.Contains(bytes.ToLower(b), []byte("json")) {
				return true
			}
		}
		return false
	}
	found := in(r.Prompt.System)
	for i := range r.Prompt.Messages {
		found = found || in(r.Prompt.Messages[i].Blocks)
	}
	return found
}
