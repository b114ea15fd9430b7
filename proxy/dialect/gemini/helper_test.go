package gemini_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

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

// read takes all events and checks their bracketing.
func read(t testing.TB, c *llm.Call, body io.Reader) said {
	t.Helper()
	var s said
	open, started, stopped := -1, false, false
	var kind llm.BlockKind
	for e, err := range out.DecodeResponse(c, body) {
		if s.err != nil || stopped {
			t.Fatalf("%+v, %v came after the end", e, err)
		}
		if err != nil {
			if !errors.As(err, &s.err) {
				t.Fatalf("%v is no *llm.Error", err)
			}
			continue
		}
		if started == (e.Kind == llm.Start) {
			t.Fatalf("%+v, started %v", e, started)
		}
		started = true
		if (e.Kind == llm.Delta || e.Kind == llm.BlockStop) && (e.Index != open || e.Block != kind) {
			t.Fatalf("%+v, but block %d of kind %d is open", e, open, kind)
		}
		switch e.Kind {
		case llm.Start:
			s.id, s.model = e.ID, e.Name
		case llm.BlockStart:
			if open >= 0 || e.Index != s.blocks {
				t.Fatalf("%+v, but block %d is open and %d were before", e, open, s.blocks)
			}
			open, kind = e.Index, e.Block
			s.blocks++
			s.kinds = append(s.kinds, kind)
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
			case llm.Text:
				s.text += e.Text
			case llm.Thinking:
				s.thinking += e.Text
			case llm.Refusal:
				s.refusal += e.Text
			case llm.ToolCall:
				s.calls[len(s.calls)-1].Text += e.Text
			default:
				s.images[len(s.images)-1] += e.Text
			}
		case llm.BlockStop:
			open = -1
			if e.Opaque != "" {
				if e.Origin != "gemini" {
					t.Errorf("origin is %q", e.Origin)
				}
				s.opaque = append(s.opaque, e.Opaque)
			}
		case llm.Stop:
			if open >= 0 {
				t.Fatalf("Stop with block %d open", open)
			}
			s.stop, stopped = e, true
		}
	}
	if !stopped && s.err == nil {
		t.Fatal("neither Stop nor an error")
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

// weigh tallies a body as metering does and returns the verdicts.
func weigh(t testing.TB, c *llm.Call, body []byte) (llm.Tally, []llm.Verdict) {
	t.Helper()
	var sum llm.Tally
	if !c.Stream {
		return sum, []llm.Verdict{out.Tally(c, &sum, body)}
	}
	var all []llm.Verdict
	for f, err := range sse.Frames(bytes.NewReader(body), sse.Events) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, out.Tally(c, &sum, f.Data))
	}
	return sum, all
}

func tallied(t testing.TB, c *llm.Call, body string) llm.Tally {
	t.Helper()
	if !c.Stream {
		var sum llm.Tally
		out.Tally(c, &sum, []byte(body))
		return sum
	}
	sum, _ := weigh(t, c, []byte(body))
	return sum
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
			v = m[p]
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
	if v == nil || e.Encode(v) != nil {
		return "none"
	}
	return strings.TrimSpace(b.String())
}

func model(flags ...string) *llm.Call {
	return &llm.Call{Model: llm.Model{Name: "gemini-x", Flags: flags}}
}

func user(s string) llm.Message {
	return llm.Message{Role: llm.User, Blocks: []llm.Block{{Text: s}}}
}

// shared is a folder beside the repository, or "" where there is none.
func shared(t testing.TB, env, name string) string {
	t.Helper()
	if dir := os.Getenv(env); dir != "" {
		return dir
	}
	dir := filepath.Join("..", "..", "..", "..", "shared", name)
	if _, err := os.Stat(dir); err != nil {
		return ""
	}
	return dir
}

func sprint(v ...any) string { return fmt.Sprint(v...) }
