package gemini_test

import (
	"fmt"
	"io"
	"strings"
	"testing"

	"keytray/proxy/dialect/dialecttest"
	"keytray/proxy/dialect/gemini"
	"keytray/proxy/llm"
	"keytray/proxy/sse"
)

var out = gemini.Dialect{}

// said is an answer, read to its end.
type said struct {
	id, model, text, thinking, refusal string
	calls                              []llm.Event // BlockStart, with the arguments in Text
	opaque, images                     []string
	cites                              []llm.Citation
	blocks                             int
	kinds                              []llm.BlockKind
	stop                               llm.Event
	err                                *llm.Error
}

// read takes all events and checks their bracketing: blocks come one by one.
func read(t testing.TB, c *llm.Call, body io.Reader) said {
	t.Helper()
	all, err := dialecttest.Gather(t, out.DecodeResponse(c, body))
	s := said{err: err}
	sum := dialecttest.Summarize(all)
	s.text, s.thinking, s.refusal, s.opaque = sum.Text, sum.Thinking, sum.Refusal, sum.Opaque
	open := false
	for _, e := range all {
		switch e.Kind {
		case llm.Start:
			s.id, s.model = e.ID, e.Name
		case llm.BlockStart:
			if open || e.Index != s.blocks {
				t.Fatalf("%+v, but %d blocks were before, the last one open: %v", e, s.blocks, open)
			}
			open = true
			s.blocks++
			s.kinds = append(s.kinds, e.Block)
			switch e.Block {
			case llm.ToolCall:
				s.calls = append(s.calls, e)
			case llm.Image, llm.Audio, llm.Document:
				s.images = append(s.images, e.Name+";")
			}
		case llm.Delta:
			if e.Cite != nil {
				s.cites = append(s.cites, *e.Cite)
			}
			switch e.Block {
			case llm.ToolCall:
				s.calls[len(s.calls)-1].Text += e.Text
			case llm.Image, llm.Audio, llm.Document:
				s.images[len(s.images)-1] += e.Text
			}
		case llm.BlockStop:
			open = false
			if e.Opaque != "" && e.Origin != "gemini" {
				t.Errorf("origin is %q", e.Origin)
			}
		case llm.Stop:
			s.stop = e
		}
	}
	return s
}

func readString(t testing.TB, c *llm.Call, body string) said {
	t.Helper()
	return read(t, c, strings.NewReader(body))
}

// stream makes SSE of chunks.
func stream(chunks ...string) string {
	var b []byte
	for _, c := range chunks {
		b = sse.Append(b, "", []byte(c))
	}
	return string(b)
}

func tallied(t testing.TB, c *llm.Call, body string) llm.Tally {
	t.Helper()
	sum, _ := dialecttest.Weigh(t, out, c, []byte(body))
	return sum
}

func encode(t testing.TB, c *llm.Call, p *llm.Prompt) map[string]any {
	t.Helper()
	return dialecttest.Encode(t, out, c, p)
}

func at(v any, path ...any) string { return dialecttest.At(v, path...) }

func model(flags ...string) *llm.Call {
	return &llm.Call{Model: llm.Model{Name: "gemini-x", Flags: flags}}
}

func user(s string) llm.Message {
	return llm.Message{Role: llm.User, Blocks: []llm.Block{{Text: s}}}
}

func sprint(v ...any) string { return fmt.Sprint(v...) }
