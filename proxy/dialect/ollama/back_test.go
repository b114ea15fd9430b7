package ollama_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http/httptest"
	"strings"
	"testing"

	"keytray/proxy/dialect/dialecttest"
	"keytray/proxy/dialect/ollama"
	"keytray/proxy/llm"
)

// TestRecordedAndBack decodes every recorded answer of both forms and writes
// it again in both, whole and streamed: Ollama's own client reads the same.
func TestRecordedAndBack(t *testing.T) {
	seen := map[string]int{}
	for _, r := range dialecttest.Recordings(t, "ollama-native") {
		if r.Status != 200 || r.Path != "/api/chat" && r.Path != "/api/generate" {
			continue
		}
		from := ""
		if r.Path == "/api/generate" {
			from = ollama.Generate
		}
		t.Run(r.Name, func(t *testing.T) {
			seen[from]++
			want, err := readByClient(t, from, string(r.Body))
			if err != nil {
				t.Fatal(err)
			}
			call := &llm.Call{Stream: r.Stream, Form: from}
			events := dialecttest.Collect(t, out.DecodeResponse(call, bytes.NewReader(r.Body)))
			for _, to := range []string{"", ollama.Generate} {
				for _, stream := range []bool{false, true} {
					text, err := writes(t, to, stream, events...)
					if err != nil {
						t.Fatal(err)
					}
					got, err := readByClient(t, to, text)
					if err != nil || got.text != want.text || got.think != want.think || len(got.calls) != len(want.calls) || got.last.DoneReason != want.last.DoneReason ||
						got.last.PromptEvalCount != want.last.PromptEvalCount || got.last.EvalCount != want.last.EvalCount {
						t.Errorf("to %q, stream %v: %+v, %v\nwant %+v", to, stream, got, err, want)
					}
					for i := range got.calls {
						g, w := got.calls[i], want.calls[i]
						if g.ID != w.ID || g.Function.Name != w.Function.Name || g.Function.Arguments.String() != w.Function.Arguments.String() || g.Function.Index != i {
							t.Errorf("call %+v, want %+v", g, w)
						}
					}
				}
			}
			sum, verdicts := weigh(t, call, string(r.Body))
			last := events[len(events)-1]
			if !sum.Good || !sum.Done || sum.Err != nil || sum.Why != last.Why || verdicts[len(verdicts)-1] != llm.Last || sum.Usage.Output != last.Usage.Output ||
				sum.Text == 0 && want.text != "" || sum.Why == "unload" && !sum.Usage.Known {
				t.Errorf("tally %+v, verdicts %v", sum, verdicts)
			}
		})
	}
	if seen[""] < 10 || seen[ollama.Generate] < 3 {
		t.Errorf("some are missing: %v", seen)
	}
}

// TestGenerateCopies is the byte copy of the generate form.
func TestGenerateCopies(t *testing.T) {
	r := asks(t, "/api/generate", `{"model":"x","prompt":"q"}`)
	c := &llm.Call{Model: llm.Model{Name: "real:latest"}, Form: r.Form, Stream: true}
	pieces, err := out.Patch(c, r)
	if got := string(bytes.Join(pieces, nil)); err != nil || got != `{"model":"real:latest","prompt":"q"}` || !out.Copies(c, r) || out.URL(c, "http://h") != "http://h/api/generate" {
		t.Errorf("%s to %s, %v", got, out.URL(c, "http://h"), err)
	}
	for _, l := range []struct {
		line string
		want llm.Tally
		v    llm.Verdict
	}{
		{`{"model":"m","response":"abc","done":false}`, llm.Tally{Good: true, Model: "m", Text: 3}, llm.Pass},
		{`{"model":"m","response":"","thinking":"ab","done":false}`, llm.Tally{Good: true, Model: "m", Text: 2}, llm.Pass},
		{`{"model":"m","response":"","done":false,"tool_calls":[{"function":{"name":"f"}}]}`, llm.Tally{Good: true, Model: "m", Text: 27, Why: llm.CallTools}, llm.Pass},
		{
			`{"model":"m","response":"","done":true,"done_reason":"length","context":[1,2],"prompt_eval_count":5,"eval_count":3}`,
			llm.Tally{Good: true, Model: "m", Done: true, Why: llm.MaxTokens, Usage: llm.Usage{Input: 5, Output: 3, Known: true}},
			llm.Last,
		},
		{`{"error":"no"}`, llm.Tally{}, llm.Pass},
	} {
		var sum llm.Tally
		v := out.Tally(c, &sum, []byte(l.line))
		refused := sum.Err != nil
		sum.Err = nil
		if v != l.v || sum.Text != l.want.Text || sum.Why != l.want.Why || sum.Usage.Output != l.want.Usage.Output || sum.Good != l.want.Good || sum.Done != l.want.Done || refused != strings.Contains(l.line, "error") {
			t.Errorf("%s: %v %+v", l.line, v, sum)
		}
	}
	s := read(t, c, strings.NewReader(lines(`{"model":"m","response":"a","thinking":"t","done":false}`, `{"model":"m","response":"","image":"`+png+`","done":false}`, `{"model":"m","response":"","done":true,"done_reason":"stop"}`)))
	if s.err != nil || s.Text != "a" || s.Thinking != "t" || len(s.Images) != 1 || s.Why != "end" {
		t.Errorf("%+v", s)
	}
}

// FuzzRequest decodes anything that a client may send: it is refused as the
// client's fault, or it becomes a prompt that can be sent.
func FuzzRequest(f *testing.F) {
	f.Add([]byte(chatWith(`"tools":[{"type":"function","function":{"name":"f","parameters":{}}}],"think":"low","format":"json","options":{"stop":["x"],"num_predict":1e300}`)), false)
	f.Add([]byte(`{"model":"m","messages":[{"role":"assistant","tool_calls":[{"id":"","function":{"name":"f","arguments":{}}}]},{"role":"tool","content":"x"}]}`), false)
	f.Add([]byte(generateWith(`"images":["`+png+`"],"system":"s","keep_alive":"5m"`)), true)
	f.Add([]byte("{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"\\ud800\"}]}"), false)
	f.Fuzz(func(t *testing.T, body []byte, generate bool) {
		path := "/api/chat"
		if generate {
			path = "/api/generate"
		}
		fault := func(err error) {
			var e *llm.Error
			if !errors.As(err, &e) || e.Kind != llm.BadRequest || e.Message == "" {
				t.Errorf("%v\n%s", err, body)
			}
		}
		peek, err := out.Peek(httptest.NewRequest("POST", path, nil), body)
		if err != nil {
			fault(err)
			return
		}
		r := &llm.Request{Inbound: out, Raw: body, Peek: peek}
		why, loads := ollama.Loads(r)
		if loads && why != "load" && why != "unload" || loads && peek.Stream {
			t.Errorf("loads %v, %q, stream %v", loads, why, peek.Stream)
		}
		p, err := out.DecodeRequest(r)
		if err != nil {
			fault(err)
			return
		}
		if len(p.Messages)+len(p.System) == 0 {
			t.Error("a prompt that says nothing")
		}
		if b, err := out.EncodeRequest(model(), p); err != nil {
			fault(err)
		} else if !json.Valid(b) {
			t.Errorf("no JSON: %s", b)
		}
	})
}

// BenchmarkDecodeEncode500 is a translated stream of 500 pieces of text.
func BenchmarkDecodeEncode500(b *testing.B) {
	body := append([]byte(strings.Join(deltas(500), "\n")), '\n')
	r := asked("", true)
	b.ReportAllocs()
	for b.Loop() {
		if err := out.EncodeResponse(io.Discard, r, out.DecodeResponse(streamed(), bytes.NewReader(body))); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkDecodeRequest1MB reads a long conversation.
func BenchmarkDecodeRequest1MB(b *testing.B) {
	turn := `{"role":"user","content":"` + strings.Repeat(`A line of \"code\".\n`, 500) + `"},{"role":"assistant","content":"Yes."},`
	r := &llm.Request{Raw: []byte(`{"model":"m","messages":[` + strings.Repeat(turn, (1<<20)/len(turn)) + `{"role":"user","content":"q"}]}`)}
	b.SetBytes(int64(len(r.Raw)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := out.DecodeRequest(r); err != nil {
			b.Fatal(err)
		}
	}
}
