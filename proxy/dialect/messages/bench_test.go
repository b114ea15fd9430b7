package messages

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"

	"keytray/proxy/llm"
)

func longStream(deltas int) ([]string, string) {
	frames := []string{startEvent, `{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}`}
	for i := range deltas {
		frames = append(frames, fmt.Sprintf(`{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":" word %d and"}}`, i))
	}
	frames = append(frames, `{"type":"content_block_stop","index":0}`, ends("end_turn"), stopEvent)
	return frames, sseOf(frames...)
}

func TestTallyOfDeltasAllocatesNothing(t *testing.T) {
	delta := []byte(`{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"word"}}`)
	other := []byte(`{"index":0,"type":"content_block_delta","delta":{"type":"text_delta","text":"word"}}`)
	call, tally := &llm.Call{Stream: true}, &llm.Tally{}
	if n := testing.AllocsPerRun(100, func() {
		Dialect{}.Tally(call, tally, delta)
		Dialect{}.Tally(call, tally, other)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkTally200(b *testing.B) {
	frames, _ := longStream(200)
	raw := make([][]byte, len(frames))
	for i := range frames {
		raw[i] = []byte(frames[i])
	}
	call := &llm.Call{Stream: true}
	b.ReportAllocs()
	for b.Loop() {
		var t llm.Tally
		for _, f := range raw {
			Dialect{}.Tally(call, &t, f)
		}
	}
}

func BenchmarkDecode500(b *testing.B) {
	_, stream := longStream(500)
	call := &llm.Call{Stream: true}
	b.ReportAllocs()
	for b.Loop() {
		for _, err := range (Dialect{}).DecodeResponse(call, strings.NewReader(stream)) {
			if err != nil {
				b.Fatal(err)
			}
		}
	}
}

func BenchmarkEncodeRequest1MB(b *testing.B) {
	p := prompt()
	for range 100 {
		p.Messages = append(p.Messages, user(txt(strings.Repeat("some words and ", 350))), says(txt(strings.Repeat("an answer \"so\" ", 350))))
	}
	b.ReportAllocs()
	b.SetBytes(1 << 20)
	var out []byte
	for b.Loop() {
		body, err := Dialect{}.EncodeRequest(&llm.Call{}, p)
		if err != nil {
			b.Fatal(err)
		}
		out = body
	}
	_, _ = io.Copy(io.Discard, bytes.NewReader(out))
}
