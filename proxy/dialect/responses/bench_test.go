package responses

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
	frame := func(s string) { fmt.Fprintf(&b, "event: x\ndata: %s\n\n", s) }
	frame(created)
	frame(added(0, `{"type":"message","id":"msg_1"}`))
	for i := range n {
		frame(fmt.Sprintf(`{"type":"response.output_text.delta","content_index":0,"delta":" word%d","item_id":"msg_017e85da2ae23b69016a3c12518cc0819da56cbbdd33f128f3","logprobs":[],"obfuscation":"k3jd8s","output_index":0,"sequence_number":%d}`, i, i+2))
	}
	frame(done(0, `{"type":"message","id":"msg_1","content":[{"type":"output_text","text":"all"}]}`))
	frame(completed)
	return b.Bytes()
}

func BenchmarkTally500(b *testing.B) {
	var frames [][]byte
	for f, err := range sse.Frames(bytes.NewReader(benchStream(500)), sse.Events) {
		if err != nil {
			b.Fatal(err)
		}
		frames = append(frames, bytes.Clone(f.Data))
	}
	c := &llm.Call{Stream: true}
	b.ReportAllocs()
	for b.Loop() {
		var t llm.Tally
		for _, f := range frames[:502] {
			Dialect{}.Tally(c, &t, f)
		}
	}
}

func BenchmarkDecodeEncode500(b *testing.B) {
	body := benchStream(500)
	r := &llm.Request{ID: "r", Raw: []byte(`{"model":"m"}`), Peek: llm.Peek{Model: "m", Stream: true}}
	b.ReportAllocs()
	for b.Loop() {
		events := Dialect{}.DecodeResponse(&llm.Call{Stream: true}, bytes.NewReader(body))
		if err := (Dialect{}).EncodeResponse(io.Discard, r, events); err != nil {
			b.Fatal(err)
		}
	}
}

func bigRequest() []byte {
	turn := `{"role":"user","content":` + string(sse.AppendString(nil, strings.Repeat("A line of \"code\" with words in it.\n", 300))) + `},{"type":"reasoning","id":"rs_1","summary":[],"encrypted_content":"gAA"},{"type":"message","role":"assistant","content":[{"type":"output_text","text":"Yes."}]},`
	return []byte(`{"model":"m","input":[` + strings.Repeat(turn, (1<<20)/len(turn)) + `{"role":"user","content":"end"}]}`)
}

func BenchmarkPatch1MB(b *testing.B) {
	r := &llm.Request{Raw: bigRequest()}
	var err error
	if r.Peek, err = (Dialect{}).Peek(nil, r.Raw); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(r.Raw)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := (Dialect{}).Patch(&llm.Call{Foreign: func(string) bool { return false }}, r); err != nil {
			b.Fatal(err)
		}
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
