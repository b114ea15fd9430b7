package messages

import (
	"fmt"
	"strings"
	"testing"

	"keytray/proxy/dialect/dialecttest"
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
	dialecttest.TallyAllocatesNothing(t, Dialect{}, "",
		`{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"word"}}`,
		`{"index":0,"type":"content_block_delta","delta":{"type":"text_delta","text":"word"}}`)
}

func BenchmarkTally200(b *testing.B) {
	frames, _ := longStream(200)
	dialecttest.BenchTally(b, Dialect{}, frames)
}

func BenchmarkDecode500(b *testing.B) {
	_, stream := longStream(500)
	dialecttest.BenchDecode(b, Dialect{}, stream, 500)
}

func BenchmarkEncodeRequest1MB(b *testing.B) {
	p := prompt()
	for range 100 {
		p.Messages = append(p.Messages, user(txt(strings.Repeat("some words and ", 350))), says(txt(strings.Repeat("an answer \"so\" ", 350))))
	}
	dialecttest.BenchEncode(b, Dialect{}, p)
}
