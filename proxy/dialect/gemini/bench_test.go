package gemini_test

import (
	"fmt"
	"strings"
	"testing"

	"keytray/proxy/llm"
)

func deltas(n int) (frames []string) {
	for i := range n {
		frames = append(frames, fmt.Sprintf(`{"candidates": [{"content": {"parts": [{"text": " guide that is widely taught for safety %d"}],"role": "model"},"index": 0}],`+
			`"usageMetadata": {"promptTokenCount": 34,"candidatesTokenCount": %d,"totalTokenCount": %d,"promptTokensDetails": [{"modality": "TEXT","tokenCount": 34}],"thoughtsTokenCount": 787},`+
			`"modelVersion": "gemini-2.5-pro","responseId": "beHBaJfEMIi-qtsP3769-Q8"}`, i, i, i+821))
	}
	return append(frames, candidate(``, "STOP"))
}

func BenchmarkTally200(b *testing.B) {
	var frames [][]byte
	for _, f := range deltas(200) {
		frames = append(frames, []byte(f))
	}
	c := model()
	c.Stream = true
	b.ReportAllocs()
	for b.Loop() {
		sum := llm.Tally{Model: "gemini-2.5-pro"}
		for _, f := range frames {
			out.Tally(c, &sum, f)
		}
		if !sum.Done {
			b.Fatal("not done")
		}
	}
}

func BenchmarkDecode500(b *testing.B) {
	body := stream(deltas(500)...)
	c := model()
	c.Stream = true
	b.ReportAllocs()
	for b.Loop() {
		n := 0
		for _, err := range out.DecodeResponse(c, strings.NewReader(body)) {
			if err != nil {
				b.Fatal(err)
			}
			n++
		}
		if n < 500 {
			b.Fatal(n)
		}
	}
}

func BenchmarkEncode1MB(b *testing.B) {
	p := &llm.Prompt{}
	for i := range 100 {
		m := user(strings.Repeat("word and \"word\", ", 600))
		if i%2 == 1 {
			m.Role = llm.Assistant
		}
		p.Messages = append(p.Messages, m)
	}
	b.ReportAllocs()
	b.SetBytes(1 << 20)
	for b.Loop() {
		if _, err := out.EncodeRequest(model(), p); err != nil {
			b.Fatal(err)
		}
	}
}

// TestTallyDoesNotAllocate looks at the frames that a stream is made of.
func TestTallyDoesNotAllocate(t *testing.T) {
	frame := []byte(deltas(1)[0])
	c := model()
	c.Stream = true
	sum := llm.Tally{Model: "gemini-2.5-pro"}
	if n := testing.AllocsPerRun(100, func() { out.Tally(c, &sum, frame) }); n != 0 {
		t.Errorf("%v allocations for a frame", n)
	}
}
