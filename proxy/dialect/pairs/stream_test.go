package pairs_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"keytray/proxy/llm"
)

// frames is a provider's stream of n pieces of text, frame by frame; piece i
// holds word(i) and nothing else does.
type frames struct {
	head  []string
	delta string // %s is the text
	tail  []string
	line  bool // NDJSON
}

// streams are answers as providers send them, padding and all, by outbound.
var streams = map[string]frames{
	"chat": {
		delta: `{"id":"chatcmpl-Ckx8r0vJ2","object":"chat.completion.chunk","created":1795000000,"model":"gpt-6-luna-2026-08-01","service_tier":"default","system_fingerprint":"fp_1","choices":[{"index":0,"delta":{"content":"%s"},"logprobs":null,"finish_reason":null}],"usage":null,"obfuscation":"xyz"}`,
		tail: []string{
			`{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}`,
			`{"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":500,"total_tokens":503}}`,
			`[DONE]`,
		},
	},
	"messages": {
		head: []string{
			`{"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"claude","content":[],"usage":{"input_tokens":3,"output_tokens":1}}}`,
			`{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}`,
		},
		delta: `{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"%s"}}`,
		tail: []string{
			`{"type":"content_block_stop","index":0}`,
			`{"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":500}}`,
			`{"type":"message_stop"}`,
		},
	},
	"gemini": {
		delta: `{"candidates": [{"content": {"parts": [{"text": "%s"}],"role": "model"},"index": 0}],"usageMetadata": {"promptTokenCount": 34,"candidatesTokenCount": 7,"totalTokenCount": 828,"promptTokensDetails": [{"modality": "TEXT","tokenCount": 34}],"thoughtsTokenCount": 787},"modelVersion": "gemini-2.5-pro","responseId": "beHBaJfEMIi-qtsP3769-Q8"}`,
		tail:  []string{`{"candidates": [{"content": {"parts": [],"role": "model"},"finishReason": "STOP","index": 0}],"usageMetadata": {"promptTokenCount": 34,"candidatesTokenCount": 500,"totalTokenCount": 534},"modelVersion": "gemini-2.5-pro","responseId": "beHBaJfEMIi-qtsP3769-Q8"}`},
	},
	"ollama": {
		delta: `{"model":"qwen3:8b","created_at":"2026-11-20T10:00:00.123456789Z","message":{"role":"assistant","content":"%s"},"done":false}`,
		tail:  []string{`{"model":"qwen3:8b","created_at":"2026-11-20T10:00:01.123456789Z","message":{"role":"assistant","content":""},"done":true,"done_reason":"stop","total_duration":1,"prompt_eval_count":3,"eval_count":500}`},
		line:  true,
	},
	"responses": {
		head: []string{
			`{"type":"response.created","response":{"id":"resp_1","object":"response","model":"gpt","status":"in_progress"},"sequence_number":0}`,
			`{"type":"response.output_item.added","output_index":0,"item":{"type":"message","id":"msg_1"},"sequence_number":1}`,
		},
		delta: `{"type":"response.output_text.delta","content_index":0,"delta":"%s","item_id":"msg_017e85da2ae23b69016a3c12518cc0819da56cbbdd33f128f3","logprobs":[],"obfuscation":"k3jd8s","output_index":0,"sequence_number":7}`,
		tail: []string{
			`{"type":"response.output_item.done","output_index":0,"item":{"type":"message","id":"msg_1","content":[{"type":"output_text","text":"all"}]}}`,
			`{"type":"response.completed","response":{"id":"resp_1","object":"response","model":"gpt","status":"completed","output":[],"usage":{"input_tokens":3,"output_tokens":500,"total_tokens":503}}}`,
		},
	},
	"converse": {
		head:  []string{`{"role":"assistant","p":"abc"}`},
		delta: `{"contentBlockIndex":0,"delta":{"text":"%s"},"p":"abcdefghijklmnop"}`,
		tail: []string{
			`{"contentBlockIndex":0,"p":"ab"}`,
			`{"stopReason":"end_turn","p":"ab"}`,
			`{"metrics":{"latencyMs":700},"usage":{"inputTokens":3,"outputTokens":500,"totalTokens":503},"p":"abcdef"}`,
		},
	},
}

func word(i int) string { return fmt.Sprintf("word%04d", i) }

// all are the frames of n pieces as they lie on the wire, and where the first
// piece is.
func (f frames) all(n int) (wire [][]byte, first int) {
	put := func(s string) {
		if f.line {
			wire = append(wire, []byte(s+"\n"))
			return
		}
		wire = append(wire, []byte("data: "+s+"\n\n"))
	}
	for _, s := range f.head {
		put(s)
	}
	for i := range n {
		put(fmt.Sprintf(f.delta, " "+word(i)))
	}
	for _, s := range f.tail {
		put(s)
	}
	return wire, len(f.head)
}

// eachPair runs f for all pairs that translate.
func eachPair(run func(name string, in llm.Inbound, out llm.Outbound, f frames)) {
	for _, out := range outbounds {
		for _, in := range inbounds {
			run(in.Name()+"<-"+out.Name(), in, out, streams[out.Name()])
		}
	}
}

// oneByOne reads frame by frame and has each looked at before the next.
type oneByOne struct {
	frames [][]byte
	next   int
	before func(next int)
}

func (r *oneByOne) Read(p []byte) (int, error) {
	r.before(r.next)
	if r.next == len(r.frames) {
		return 0, io.EOF
	}
	n := copy(p, r.frames[r.next])
	if r.frames[r.next] = r.frames[r.next][n:]; len(r.frames[r.next]) == 0 {
		r.next++
	}
	return n, nil
}

// Each frame of a provider's leaves as its translation before the next one is
// read.
func TestNothingIsHeldBack(t *testing.T) {
	eachPair(func(name string, in llm.Inbound, out llm.Outbound, f frames) {
		t.Run(name, func(t *testing.T) {
			const n = 20
			var sent bytes.Buffer
			wire, first := f.all(n)
			seen := 0
			body := &oneByOne{frames: wire, before: func(next int) {
				i := next - first - 1 // the piece that was read last
				if i < 0 || i >= n {
					return
				}
				if seen = i + 1; !strings.Contains(sent.String(), word(i)) {
					t.Errorf("piece %d is held back; sent so far: %s", i, sent.Bytes())
				}
			}}
			c := &llm.Call{Stream: true}
			if err := in.EncodeResponse(&sent, ask(t, in, true), out.DecodeResponse(c, body)); err != nil {
				t.Fatal(err)
			}
			if seen != n {
				t.Errorf("%d pieces were looked at, not %d", seen, n)
			}
		})
	})
}

// BenchmarkStream500 decodes and encodes 500 pieces of text, of each pair. It
// is to take less than a millisecond of one processor.
func BenchmarkStream500(b *testing.B) {
	eachPair(func(name string, in llm.Inbound, out llm.Outbound, f frames) {
		wire, _ := f.all(500)
		body := bytes.Join(wire, nil)
		r := ask(b, in, true)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			cpu := processCPU()
			for b.Loop() {
				events := out.DecodeResponse(&llm.Call{Stream: true}, bytes.NewReader(body))
				if err := in.EncodeResponse(io.Discard, r, events); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64((processCPU()-cpu).Microseconds())/float64(b.N), "cpu-µs/op")
		})
	})
}

// prompts are 1 MB of a conversation, by dialect: opaque says whether turns
// carry what only its provider can read.
func prompts(dialect string, opaque bool) []byte {
	text := strings.Repeat("some words of \\\"code\\\" and more, ", 300)
	forms := map[string][4]string{ // head, turn, opaque turn, tail
		"chat": {
			`{"model":"m","messages":[`, `{"role":"user","content":"%s"},{"role":"assistant","content":"Yes."},`,
			`{"role":"user","content":"%s"},{"role":"assistant","reasoning_details":[{"type":"reasoning.text","text":"so","signature":"c2lnbmF0dXJl"}],"content":"Yes."},`,
			`{"role":"user","content":"end"}]}`,
		},
		"messages": {
			`{"model":"m","max_tokens":9,"messages":[`, `{"role":"user","content":[{"type":"text","text":"%s"}]},{"role":"assistant","content":[{"type":"text","text":"Yes."}]},`,
			`{"role":"user","content":[{"type":"text","text":"%s"}]},{"role":"assistant","content":[{"type":"thinking","thinking":"so","signature":"c2lnbmF0dXJl"},{"type":"text","text":"Yes."}]},`,
			`{"role":"user","content":"end"}]}`,
		},
		"gemini": {
			`{"contents":[`, `{"role":"user","parts":[{"text":"%s"}]},{"role":"model","parts":[{"text":"Yes."}]},`,
			`{"role":"user","parts":[{"text":"%s"}]},{"role":"model","parts":[{"text":"Yes.","thoughtSignature":"c2lnbmF0dXJl"}]},`,
			`{"role":"user","parts":[{"text":"end"}]}]}`,
		},
		"responses": {
			`{"model":"m","input":[`, `{"role":"user","content":"%s"},{"role":"assistant","content":"Yes."},`,
			`{"role":"user","content":"%s"},{"type":"reasoning","id":"rs_1","summary":[],"encrypted_content":"gAAc2lnbmF0dXJl"},{"role":"assistant","content":"Yes."},`,
			`{"role":"user","content":"end"}]}`,
		},
		"ollama": {
			`{"model":"m","messages":[`, `{"role":"user","content":"%s"},{"role":"assistant","content":"Yes."},`,
			`{"role":"user","content":"%s"},{"role":"assistant","thinking":"so","content":"Yes."},`,
			`{"role":"user","content":"end"}]}`,
		},
	}
	form := forms[dialect]
	turn := form[1]
	if opaque {
		turn = form[2]
	}
	turn = fmt.Sprintf(turn, text)
	return []byte(form[0] + strings.Repeat(turn, (1<<20)/len(turn)) + form[3])
}

// BenchmarkCopy1MB is what a byte copy costs of a prompt of 1 MB: Peek and
// Patch; plain, with opaque data, and with opaque data where another
// provider's is known, so that each must be looked up.
func BenchmarkCopy1MB(b *testing.B) {
	for _, in := range inbounds {
		out := in.(llm.Outbound)
		hr := httptest.NewRequest(http.MethodPost, smallest[in.Name()].path, nil)
		for _, k := range []struct {
			name    string
			opaque  bool
			foreign func(string) bool
		}{
			{"plain", false, nil},
			{"plain,known", false, func(string) bool { return false }},
			{"opaque", true, nil},
			{"opaque,known", true, func(string) bool { return false }},
		} {
			raw := prompts(in.Name(), k.opaque)
			b.Run(in.Name()+"/peek/"+k.name, func(b *testing.B) {
				b.ReportAllocs()
				b.SetBytes(int64(len(raw)))
				for b.Loop() {
					if _, err := in.Peek(hr, raw); err != nil {
						b.Fatal(err)
					}
				}
			})
			b.Run(in.Name()+"/patch/"+k.name, func(b *testing.B) {
				p, err := in.Peek(hr, raw)
				if err != nil {
					b.Fatal(err)
				}
				r := &llm.Request{Inbound: in, Raw: raw, Peek: p}
				r.Stream = true
				b.ReportAllocs()
				b.SetBytes(int64(len(raw)))
				for b.Loop() {
					if _, err := out.Patch(&llm.Call{Stream: true, Model: llm.Model{Provider: "lab", Name: "m1"}, Foreign: k.foreign}, r); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
