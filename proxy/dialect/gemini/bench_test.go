package gemini_test

import (
	"fmt"
	"strings"
	"testing"

	"keytray/proxy/dialect/dialecttest"
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
	dialecttest.BenchTally(b, out, deltas(200))
}

func BenchmarkDecode500(b *testing.B) {
	dialecttest.BenchDecode(b, out, stream(deltas(500)...), 500)
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
	dialecttest.BenchEncode(b, out, p)
}

// TestTallyDoesNotAllocate looks at the frames that a stream is made of.
func TestTallyDoesNotAllocate(t *testing.T) {
	dialecttest.TallyAllocatesNothing(t, out, "gemini-2.5-pro", deltas(1)[0])
}
