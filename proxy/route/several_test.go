package route

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"keytray/proxy/llm"
)

// model is a target that answers with a text, or with a call of a tool.
type model struct {
	name  string
	says  string
	calls string
	after time.Duration
	err   error
	lost  []string

	asked  []*llm.Prompt
	notes  []llm.Note
	closed int
}

func (m *model) Do(ctx context.Context, r *llm.Request) (*llm.Response, error) {
	p, err := r.Prompt()
	if err != nil {
		return nil, err
	}
	m.asked, m.notes = append(m.asked, p), append(m.notes, llm.NoteOf(ctx))
	select {
	case <-time.After(m.after):
	case <-ctx.Done():
		return nil, &llm.Error{Kind: llm.Canceled, Message: "stopped"}
	}
	if m.err != nil {
		return nil, m.err
	}
	kind, text := llm.Text, m.says
	if m.calls != "" {
		kind, text = llm.ToolCall, "{}"
	}
	return &llm.Response{Target: m.name, Call: &llm.Call{Lost: m.lost}, Stream: r.Stream, Body: &ending{m}, Why: llm.NoteOf(ctx).Reason, Decoded: []llm.Event{
		{Kind: llm.Start},
		{Kind: llm.BlockStart, Block: kind, ID: "c", Name: m.calls},
		{Kind: llm.Delta, Block: kind, Text: text},
		{Kind: llm.BlockStop, Block: kind},
		{Kind: llm.Stop, Why: llm.EndTurn, Usage: &llm.Usage{Input: 10, Output: 5, Known: true}},
	}}, nil
}

type ending struct{ m *model }

func (*ending) Read([]byte) (int, error) { return 0, errMade }
func (e *ending) Close() error           { e.m.closed++; return nil }

func choices(all ...*model) []Choice {
	var out []Choice
	for i, m := range all {
		out = append(out, Choice{m, "p", string(rune('a' + i))})
	}
	return out
}

func question(stream bool) *llm.Request {
	return (&llm.Request{ID: "kt-1", Route: "r", Peek: llm.Peek{Model: "r"}}).Derive(&llm.Prompt{
		Tools:    []llm.Tool{{Name: "t"}},
		Messages: []llm.Message{{Role: llm.User, Blocks: []llm.Block{{Text: "why?"}}}},
	}, stream)
}

// text reads an answer to its end.
func text(t *testing.T, resp *llm.Response) string {
	t.Helper()
	var b strings.Builder
	for e, err := range resp.Events() {
		if err != nil {
			t.Fatal(err)
		}
		b.WriteString(e.Text)
	}
	resp.Body.Close()
	return b.String()
}

func TestBlend(t *testing.T) {
	down := &llm.Error{Kind: llm.Overloaded, Message: "down"}
	for _, c := range []struct {
		name string
		all  []*model
		by   *model
		want string
		why  string
		err  error
	}{
		{"two are made one", []*model{{says: "A"}, {says: "B"}}, &model{says: "C"}, "C", "blend of 2 answers", nil},
		{"one fails", []*model{{err: down}, {says: "B"}, {says: "D"}}, &model{says: "C"}, "C", "blend of 2 answers", nil},
		{"one is left", []*model{{err: down}, {says: "B"}}, &model{says: "C"}, "B", "blend: the only one of 2 that answered", nil},
		{"none is left", []*model{{err: down}, {err: down}}, &model{says: "C"}, "", "", down},
		{"a tool is called", []*model{{says: "A"}, {calls: "t"}}, &model{says: "C"}, "{}", "blend: it calls tools, which cannot be blended", nil},
		{"the writer fails", []*model{{says: "A"}, {says: "B"}}, &model{err: down}, "A", "blend: the model that should have written the answer failed, so this is the first one's", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			resp, err := Blend{choices(c.all...), c.by}.Do(t.Context(), question(true))
			if err != c.err {
				t.Fatalf("%v, want %v", err, c.err)
			}
			if err != nil {
				return
			}
			if got := text(t, resp); got != c.want || resp.Why != c.why {
				t.Errorf("%q because %q", got, resp.Why)
			}
			for _, m := range c.all {
				if len(m.notes) != 1 || m.notes[0].Part != llm.PartShare || m.err == nil && m.closed != 1 {
					t.Errorf("a part was asked %d times with %+v, and closed %d times", len(m.asked), m.notes, m.closed)
				}
			}
		})
	}
	by := &model{says: "C"}
	if _, err := (Blend{choices(&model{says: "one"}, &model{says: "two"}), by}).Do(t.Context(), question(false)); err != nil {
		t.Fatal(err)
	}
	asked := by.asked[0]
	if len(asked.Tools) != 0 || len(asked.Messages) != 2 || !strings.Contains(asked.Messages[1].Blocks[0].Text, "<answer number=\"2\">\ntwo\n</answer>") {
		t.Errorf("the writer was asked %+v", asked)
	}
}

func TestPartsAreAskedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		resp, err := Blend{choices(&model{says: "A", after: 3 * time.Second}, &model{says: "B", after: 2 * time.Second}), &model{says: "C", after: time.Second}}.Do(t.Context(), question(true))
		if err != nil || time.Since(begin) != 4*time.Second {
			t.Errorf("%v, after %v: %v", resp, time.Since(begin), err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := (Judge{Choices: choices(&model{after: time.Hour})}).Do(ctx, question(true)); llm.AsError(err).Kind != llm.Canceled {
			t.Errorf("the client went away: %v", err)
		}
	})
}

func TestJudge(t *testing.T) {
	for _, c := range []struct {
		name, judge, want, why string
	}{
		{"the best", `{"scores": [3, 9.5], "best": 2, "why": "right"}`, "B", "judge: p/a 3.0, p/b 9.5"},
		{"words around it", "Well:\n```json\n{\"scores\": [8, 2], \"best\": 1}\n```", "A", "judge: p/a 8.0, p/b 2.0"},
		{"level scores", `{"scores": [7, 7], "best": 2}`, "B", "judge: p/a 7.0, p/b 7.0"},
		{"scores count, not the word", `{"scores": [9, 1], "best": 2}`, "A", "judge: p/a 9.0, p/b 1.0"},
		{"absurd scores", `{"scores": [-4, 1e9], "best": 1}`, "B", "judge: p/a 0.0, p/b 10.0"},
		{"too few", `{"scores": [9]}`, "A", "judge: the judge failed, so this is the first one's answer"},
		{"nonsense", `I like both`, "A", "judge: the judge failed, so this is the first one's answer"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var told []Verdict
			by := &model{says: c.judge}
			s := Judge{choices(&model{says: "A"}, &model{says: "B"}), by, func(_ *llm.Request, v Verdict) { told = append(told, v) }}
			resp, err := s.Do(t.Context(), question(true))
			if err != nil {
				t.Fatal(err)
			}
			if got := text(t, resp); got != c.want || resp.Why != c.why {
				t.Errorf("%q because %q", got, resp.Why)
			}
			if by.notes[0].Part != llm.PartJudge || by.closed != 1 {
				t.Errorf("the judge's note is %+v, closed %d times", by.notes[0], by.closed)
			}
			if failed := strings.Contains(c.why, "failed"); failed != (len(told) == 0) || !failed && (told[0].Task != "agent" || told[0].Names[1] != "p/b") {
				t.Errorf("told %+v", told)
			}
		})
	}
}

// What the best answer could not carry is known to its client, and why the
// strategy was asked at all.
func TestJudgeHandsOverWhatWasLost(t *testing.T) {
	all := choices(&model{says: "A", lost: []string{"top_k"}}, &model{says: "B", lost: []string{"seed"}})
	ctx := llm.WithNote(t.Context(), llm.Note{Reason: "fallback: number 2 of 2"})
	resp, err := Judge{Choices: all, By: &model{says: `{"scores": [3, 9]}`}}.Do(ctx, question(true))
	if err != nil || len(resp.Call.Lost) != 1 || resp.Call.Lost[0] != "seed" || resp.Why != "fallback: number 2 of 2; judge: p/a 3.0, p/b 9.0" {
		t.Errorf("%+v, %v", resp, err)
	}
}

// Who asked to be left alone is no part of an answer while others can be.
func TestPartsLeaveAlone(t *testing.T) {
	resting := &model{says: "A"}
	all := []Choice{{restingModel{resting}, "p", "a"}, {&model{says: "B"}, "p", "b"}}
	resp, err := Judge{Choices: all}.Do(t.Context(), question(false))
	if err != nil || text(t, resp) != "B" || len(resting.asked) != 0 {
		t.Errorf("%+v, %v; the resting one was asked %d times", resp, err, len(resting.asked))
	}
	all[1].Target.(*model).err = busy
	if resp, err := (Judge{Choices: all}).Do(t.Context(), question(false)); err != nil || text(t, resp) != "A" {
		t.Errorf("when the others have failed: %+v, %v", resp, err)
	}
	if resp, err := (Judge{Choices: all[:1]}).Do(t.Context(), question(false)); err != nil || text(t, resp) != "A" {
		t.Errorf("with nobody else: %+v, %v", resp, err)
	}
}

func TestCompare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all := choices(&model{says: "A", after: 2 * time.Second}, &model{err: &llm.Error{Kind: llm.Overloaded, Message: "busy"}}, &model{calls: "t", says: ""})
		resp, err := Compare{all}.Do(t.Context(), question(true))
		if err != nil || time.Now().Nanosecond() < 0 {
			t.Fatal(err)
		}
		var got []llm.Event
		for e, err := range resp.Events() {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, e)
		}
		said := ""
		for _, e := range got {
			said += e.Text
		}
		if want := "## p/a\n\nA\n\n## p/b\n\n(no answer: busy)\n\n## p/c\n\n{}"; said != strings.Replace(want, "{}", "(it calls tools)", 1) {
			t.Errorf("%q", said)
		}
		if last := got[len(got)-1]; last.Usage.Input != 20 || last.Usage.Output != 10 {
			t.Errorf("usage %+v", last.Usage)
		}
	})
}

// TestCompareStops: an answer that nobody reads any more is not waited for.
func TestCompareStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		ended := false // with its row
		slow := doing(func(ctx context.Context, _ *llm.Request) (*llm.Response, error) {
			<-ctx.Done()
			ended = true
			return nil, ctx.Err()
		})
		resp, err := Compare{[]Choice{{slow, "p", "a"}}}.Do(t.Context(), question(true))
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if !ended {
			t.Error("a call is still under way")
		}
		if time.Since(begin) != 0 {
			t.Errorf("it took %v", time.Since(begin))
		}
	})
}

func TestLook(t *testing.T) {
	text := func(s string) *llm.Prompt {
		return &llm.Prompt{Messages: []llm.Message{{Role: llm.User, Blocks: []llm.Block{{Text: s}}}}}
	}
	image := text("what is it?")
	image.Messages[0].Blocks = append(image.Messages[0].Blocks, llm.Block{Kind: llm.Image})
	tools := text("do it")
	tools.Tools = []llm.Tool{{Name: "t"}}
	hard := text("prove it")
	hard.Reasoning.Effort = "high"
	for want, p := range map[string]*llm.Prompt{
		"chat": text("hello, import taxes are a class of their own"), "code": text("fix ```x```"), "vision": image, "agent": tools, "reasoning": hard,
		"long": text(strings.Repeat("word ", 30_000)),
	} {
		if got := LookAt(p).Task(); got != want {
			b, _ := json.Marshal(LookAt(p))
			t.Errorf("%s, want %s: %s", got, want, b)
		}
	}
}
