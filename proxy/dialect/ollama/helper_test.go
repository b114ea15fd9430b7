package ollama_test

import (
	"io"
	"testing"

	"keytray/proxy/dialect/dialecttest"
	"keytray/proxy/dialect/ollama"
	"keytray/proxy/llm"
)

var out = ollama.Dialect{}

func model(flags ...string) *llm.Call {
	return &llm.Call{Model: llm.Model{Provider: "ollama", Name: "qwen3:8b", Flags: flags}}
}

func streamed() *llm.Call { return &llm.Call{Model: llm.Model{Name: "m"}, Stream: true} }

func user(s string) llm.Message {
	return llm.Message{Role: llm.User, Blocks: []llm.Block{{Text: s}}}
}

func turn(role llm.Role, blocks ...llm.Block) llm.Message {
	return llm.Message{Role: role, Blocks: blocks}
}

func ptr[T any](v T) *T { return &v }

// said is an answer, read to its end.
type said struct {
	dialecttest.Summary
	model string
	calls []llm.Event // the BlockStart of each
	kinds []llm.BlockKind
	usage *llm.Usage
	err   *llm.Error
}

// read takes all events and checks their order.
func read(t testing.TB, c *llm.Call, body io.Reader) said {
	t.Helper()
	all, err := dialecttest.Gather(t, out.DecodeResponse(c, body))
	s := said{err: err}
	for _, e := range all {
		switch e.Kind {
		case llm.Start:
			s.model = e.Name
		case llm.Stop:
			s.usage = e.Usage
		case llm.BlockStart:
			s.kinds = append(s.kinds, e.Block)
			if e.Block == llm.ToolCall {
				s.calls = append(s.calls, e)
			}
		}
	}
	s.Summary = dialecttest.Summarize(all)
	return s
}

func weigh(t testing.TB, c *llm.Call, body string) (llm.Tally, []llm.Verdict) {
	t.Helper()
	return dialecttest.Weigh(t, out, c, []byte(body))
}

func encode(t testing.TB, c *llm.Call, p *llm.Prompt) map[string]any {
	t.Helper()
	return dialecttest.Encode(t, out, c, p)
}

func at(v any, path ...any) string { return dialecttest.At(v, path...) }
