package ollama_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"keytray/proxy/dialect/dialecttest"
	"keytray/proxy/dialect/ollama"
	"keytray/proxy/llm"
	"keytray/proxy/sse"
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
	var s said
	var all []llm.Event
	for e, err := range out.DecodeResponse(c, body) {
		if s.err != nil {
			t.Fatalf("%+v, %v came after %v", e, err, s.err)
		}
		if err != nil {
			if !errors.As(err, &s.err) {
				t.Fatalf("%v is no *llm.Error", err)
			}
			continue
		}
		all = append(all, e)
		switch {
		case e.Kind == llm.Start:
			s.model = e.Name
		case e.Kind == llm.Stop:
			s.usage = e.Usage
		case e.Kind == llm.BlockStart:
			s.kinds = append(s.kinds, e.Block)
			if e.Block == llm.ToolCall {
				s.calls = append(s.calls, e)
			}
		}
	}
	if err := dialecttest.Bracketed(all, s.err == nil); err != nil {
		t.Fatal(err)
	}
	s.Summary = dialecttest.Summarize(all)
	return s
}

// weigh tallies a body as metering does, and returns the verdicts.
func weigh(t testing.TB, c *llm.Call, body string) (llm.Tally, []llm.Verdict) {
	t.Helper()
	var sum llm.Tally
	if !c.Stream {
		return sum, []llm.Verdict{out.Tally(c, &sum, []byte(body))}
	}
	var all []llm.Verdict
	for f, err := range sse.Frames(strings.NewReader(body), sse.Lines) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, out.Tally(c, &sum, f.Data))
	}
	return sum, all
}

// encode writes a prompt and reads it back as plain JSON.
func encode(t testing.TB, c *llm.Call, p *llm.Prompt) map[string]any {
	t.Helper()
	b, err := out.EncodeRequest(c, p)
	if err != nil {
		t.Fatal(err)
	}
	var v map[string]any
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatalf("%v\n%s", err, b)
	}
	return v
}

// at picks a value out of JSON and writes it as JSON again, with sorted keys.
func at(v any, path ...any) string {
	for _, p := range path {
		switch p := p.(type) {
		case string:
			m, _ := v.(map[string]any)
			got, ok := m[p]
			if !ok {
				return "none"
			}
			v = got
		case int:
			l, _ := v.([]any)
			if p >= len(l) {
				return "none"
			}
			v = l[p]
		}
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if e.Encode(v) != nil {
		return "none"
	}
	return strings.TrimSpace(b.String())
}

// recorded is the folder of recorded answers beside the repository.
func recorded(t testing.TB) string {
	t.Helper()
	dir := os.Getenv("KEYTRAY_RECORDED")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "..", "shared", "recorded")
	}
	dir = filepath.Join(dir, "ollama-native")
	if _, err := os.Stat(dir); err != nil {
		t.Skip("no recorded answers beside the repository")
	}
	return dir
}
