package chat

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"

	"keytray/proxy/llm"
	"keytray/proxy/sse"
)

func benchStream(n int) []byte {
	var b bytes.Buffer
	for i := range n {
		fmt.Fprintf(&b, `data: {"id":"chatcmpl-abc","object":"chat.completion.chunk","created":1795000000,"model":"gpt-6-luna-2026-08-01","service_tier":"default","system_fingerprint":"fp_1","choices":[{"index":0,"delta":{"content":" word%d"},"logprobs":null,"finish_reason":null}],"usage":null,"obfuscation":"xyz"}`+"\n\n", i)
	}
	b.WriteString(chunks(`{}|stop`) + "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":500,\"total_tokens\":503}}\n\ndata: [DONE]\n\n")
	return b.Bytes()
}

func BenchmarkTally200(b *testing.B) {
	frames := bytes.Split(benchStream(200), []byte("\n\n"))
	for i := range frames {
		frames[i] = bytes.TrimPrefix(frames[i], []byte("data: "))
	}
	c := &llm.Call{Stream: true}
	b.ReportAllocs()
	for b.Loop() {
		var t llm.Tally
		for _, f := range frames[:200] {
			Dialect{}.Tally(c, &t, f)
		}
	}
}

func BenchmarkDecodeEncode500(b *testing.B) {
	body := benchStream(500)
	r := &llm.Request{ID: "r", Raw: []byte(`{"model":"m"}`), Peek: llm.Peek{Model: "m", Stream: true, IncludeUsage: true}}
	b.ReportAllocs()
	for b.Loop() {
		events := Dialect{}.DecodeResponse(&llm.Call{Stream: true}, bytes.NewReader(body))
		if err := (Dialect{}).EncodeResponse(io.Discard, r, events); err != nil {
			b.Fatal(err)
		}
	}
}

func bigRequest() []byte {
	turn := `{"role":"user","content":` + string(sse.AppendString(nil, strings.Repeat("A line of \"code\" with words in it.\n", 300))) + `},{"role":"assistant","content":"Yes."},`
	return []byte(`{"model":"m","messages":[` + strings.Repeat(turn, (1<<20)/len(turn)) + `{"role":"user","content":"end"}]}`)
}

func BenchmarkPeek1MB(b *testing.B) {
	body := bigRequest()
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		if _, err := (Dialect{}).Peek(nil, body); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPatch1MB(b *testing.B) {
	for name, stream := range map[string]bool{"whole": false, "stream": true} {
		b.Run(name, func(b *testing.B) {
			r := &llm.Request{Raw: bigRequest()}
			var err error
			if r.Peek, err = (Dialect{}).Peek(nil, r.Raw); err != nil {
				b.Fatal(err)
			}
			r.Stream = stream
			b.SetBytes(int64(len(r.Raw)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := (Dialect{}).Patch(&llm.Call{Stream: stream}, r); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkDecodeRequest1MB(b *testing.B) {
	r := &llm.Request{Raw: bigRequest()}
	b.SetBytes(int64(len(r.Raw)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := (Dialect{}).DecodeRequest(r); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEncodeRequest1MB(b *testing.B) {
	r := &llm.Request{Raw: bigRequest()}
	p, err := Dialect{}.DecodeRequest(r)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(r.Raw)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := (Dialect{}).EncodeRequest(&llm.Call{}, p); err != nil {
			b.Fatal(err)
		}
	}
}
