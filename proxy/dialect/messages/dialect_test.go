package messages_test

import (
	"fmt"
	"io"
	"strings"
	"testing"

	"keytray/proxy/dialect/chat"
	"keytray/proxy/dialect/dialecttest"
	"keytray/proxy/dialect/messages"
	"keytray/proxy/llm"
)

// Covers A1, A3, A4, A14, A17, A25, B2, B7, B8, B9, B12, B13 and J2 as far as
// the conversations hold them.
func TestConversations(t *testing.T) { dialecttest.Run(t, messages.Dialect{}, chat.Dialect{}) }

// BenchmarkClient500 reads 500 deltas of chat and writes them to a client of
// this dialect.
func BenchmarkClient500(b *testing.B) {
	var s strings.Builder
	for i := range 500 {
		fmt.Fprintf(&s, "data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\" word %d and\\n\"},\"finish_reason\":null}]}\n\n", i)
	}
	s.WriteString("data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n")
	b.ReportAllocs()
	for b.Loop() {
		r := &llm.Request{Inbound: messages.Dialect{}, Peek: llm.Peek{Model: "m", Stream: true}}
		events := chat.Dialect{}.DecodeResponse(&llm.Call{Stream: true}, strings.NewReader(s.String()))
		if err := (messages.Dialect{}).EncodeResponse(io.Discard, r, events); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkTranslate500(b *testing.B) {
	var s strings.Builder
	send := func(kind, rest string) { fmt.Fprintf(&s, "event: %s\ndata: {\"type\":%q%s}\n\n", kind, kind, rest) }
	send("message_start", `,"message":{"id":"m","model":"c","usage":{"input_tokens":9,"output_tokens":1}}`)
	send("content_block_start", `,"index":0,"content_block":{"type":"text","text":""}`)
	for i := range 500 {
		send("content_block_delta", fmt.Sprintf(`,"index":0,"delta":{"type":"text_delta","text":" word %d and\n"}`, i))
	}
	send("content_block_stop", `,"index":0`)
	send("message_delta", `,"delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":500}`)
	send("message_stop", "")
	call := &llm.Call{Stream: true}
	b.ReportAllocs()
	for b.Loop() {
		r := &llm.Request{Inbound: chat.Dialect{}, Peek: llm.Peek{Model: "m", Stream: true, IncludeUsage: true}}
		events := messages.Dialect{}.DecodeResponse(call, strings.NewReader(s.String()))
		if err := (chat.Dialect{}).EncodeResponse(io.Discard, r, events); err != nil {
			b.Fatal(err)
		}
	}
}
