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
