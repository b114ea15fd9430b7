package dialecttest

import (
	"strings"
	"testing"

	"keytray/proxy/llm"
)

// BenchDecode reads a stream of so many pieces into events.
func BenchDecode(b *testing.B, out llm.Outbound, body string, pieces int) {
	c := &llm.Call{Stream: true}
	b.ReportAllocs()
	for b.Loop() {
		n := 0
		for _, err := range out.DecodeResponse(c, strings.NewReader(body)) {
			if err != nil {
				b.Fatal(err)
			}
			n++
		}
		if n < pieces {
			b.Fatalf("%d events", n)
		}
	}
}

// BenchTally meters the frames of a stream.
func BenchTally(b *testing.B, out llm.Outbound, frames []string) {
	c, raw := &llm.Call{Stream: true}, toBytes(frames)
	b.ReportAllocs()
	for b.Loop() {
		var sum llm.Tally
		for _, f := range raw {
			out.Tally(c, &sum, f)
		}
		if !sum.Done {
			b.Fatal("not done")
		}
	}
}

// BenchEncode writes a prompt of about a megabyte.
func BenchEncode(b *testing.B, out llm.Outbound, p *llm.Prompt) {
	b.ReportAllocs()
	b.SetBytes(1 << 20)
	for b.Loop() {
		if _, err := out.EncodeRequest(&llm.Call{Model: llm.Model{Name: "m"}}, p); err != nil {
			b.Fatal(err)
		}
	}
}

// TallyAllocatesNothing meters each of the frames that a stream of the named
// model is made of.
func TallyAllocatesNothing(t *testing.T, out llm.Outbound, model string, frames ...string) {
	t.Helper()
	c := &llm.Call{Stream: true}
	for _, f := range toBytes(frames) {
		sum := llm.Tally{Model: model}
		if n := testing.AllocsPerRun(100, func() { out.Tally(c, &sum, f) }); n != 0 {
			t.Errorf("%v allocations for %s", n, f)
		}
	}
}

func toBytes(frames []string) [][]byte {
	raw := make([][]byte, len(frames))
	for i, f := range frames {
		raw[i] = []byte(f)
	}
	return raw
}
