package route

import (
	"bytes"
	"context"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"keytray/proxy/llm"
)

// score is what a split's judge said.
type score struct {
	name, task string
	score      float64
}

// trial is a split of two models, and what came of it.
func trial(all []Choice, by llm.Target, may bool) (Split, *[]score) {
	var told []score
	return Split{
		Choices: all, Weights: []int{1, 1}[:len(all)], Sample: 1, By: by,
		Judged: func(name, task string, n float64) { told = append(told, score{name, task, n}) },
		May: func(*llm.Request) (func(string, llm.Usage), bool) {
			return func(judge string, u llm.Usage) { told = append(told, score{judge, "spent", float64(u.Output)}) }, may
		},
		Later: func(f func(context.Context)) bool { f(context.Background()); return true },
	}, &told
}

func TestSplitJudgesASample(t *testing.T) {
	by := &model{says: `{"scores": [8]}`, name: "p/judge"}
	s, told := trial(choices(&model{says: "A"}), by, true)
	resp, err := s.Do(t.Context(), question(true))
	if err != nil || len(*told) != 0 {
		t.Fatal(err, *told)
	}
	if got := text(t, resp); got != "A" {
		t.Errorf("the client got %q", got)
	}
	if want := []score{{"p/a", "agent", 0.8}, {"p/judge", "spent", 5}}; !slices.Equal(*told, want) {
		t.Errorf("told %+v, want %+v", *told, want)
	}
	if n := by.notes[0]; n.Part != llm.PartJudge || n.Reason != "split: a sample of p/a" || !strings.Contains(by.asked[0].Messages[1].Blocks[0].Text, "\nA\n</answer>") {
		t.Errorf("the judge was asked %+v, %+v", n, by.asked[0])
	}
	for name, c := range map[string]struct {
		m    *model
		by   *model
		may  bool
		want []score
	}{
		"no budget":      {&model{says: "A"}, &model{says: `{"scores": [8]}`}, false, nil},
		"a tool's call":  {&model{calls: "t"}, &model{says: `{"scores": [8]}`}, true, nil},
		"no verdict":     {&model{says: "A"}, &model{says: "good", name: "p/j"}, true, []score{{"p/j", "spent", 5}}},
		"a failed judge": {&model{says: "A"}, &model{err: busy}, true, []score{{"", "spent", 0}}},
	} {
		s, told := trial(choices(c.m), c.by, c.may)
		reserve := s.May
		s.May = func(r *llm.Request) (func(string, llm.Usage), bool) {
			if c.m.calls != "" {
				t.Errorf("%s: it is paid for", name)
			}
			return reserve(r)
		}
		resp, err := s.Do(t.Context(), question(true))
		if err != nil {
			t.Fatal(name, err)
		}
		text(t, resp)
		if !slices.Equal(*told, c.want) {
			t.Errorf("%s: told %+v, want %+v", name, *told, c.want)
		}
	}
}

func TestSplitFallsBack(t *testing.T) {
	a, b := &fake{name: "a", err: busy}, &fake{name: "b", err: busy}
	s, told := trial([]Choice{{a, "p", "a"}, {b, "p", "b"}}, &model{}, true)
	if _, err := s.Do(t.Context(), conversation(1)); err != busy || len(*told) != 0 {
		t.Error(err, *told)
	}
	b.err, s.Sample = nil, 0
	for i := range 20 {
		if resp, err := s.Do(t.Context(), conversation(i)); err != nil || resp.Target != "b" {
			t.Errorf("%v, %v", resp, err)
		}
	}
}

// A share whose model is left alone for now is another's, which is not judged;
// and of a strategy's answer, the model that gave it is.
func TestSplitJudgesWhoAnswered(t *testing.T) {
	resting, ready := &model{says: "A", name: "p/a"}, &model{says: "B", name: "q/b"}
	s, told := trial([]Choice{{Target: restingModel{resting}}, {Target: ready}}, &model{says: `{"scores": [8]}`}, true)
	s.Weights = []int{1, 1_000_000}
	r := question(true)
	for pick(r.Conversation(), s.Weights) != 1 {
		r.Tool += "x"
	}
	resp, err := s.Do(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	text(t, resp)
	if len(*told) != 2 || (*told)[0] != (score{"q/b", "agent", 0.8}) {
		t.Errorf("told %+v", *told)
	}
	*told, s.Weights = nil, []int{1_000_000, 1}
	for pick(r.Conversation(), s.Weights) != 0 {
		r.Tool += "x"
	}
	if resp, err = s.Do(t.Context(), r); err != nil || len(resting.asked) != 0 {
		t.Fatalf("%v; the one to be left alone was asked %d times", err, len(resting.asked))
	}
	if text(t, resp); len(*told) != 0 || resp.Why != "split: share 1 of 1000001, as the one before is left alone for now" {
		t.Errorf("told %+v, because %s", *told, resp.Why)
	}
}

type restingModel struct{ *model }

func (restingModel) Rest() time.Duration { return time.Minute }

// plainOut reads a body as one block of text.
type plainOut struct{ llm.Outbound }

func (plainOut) DecodeResponse(_ *llm.Call, body io.Reader) llm.Events {
	return func(yield func(llm.Event, error) bool) {
		b, err := io.ReadAll(body)
		yield(llm.Event{Kind: llm.Delta, Block: llm.Text, Text: string(b)}, err)
	}
}

// TestWatchCopies: a byte copy keeps its bytes, its length and its pace, and is seen at its end only.
func TestWatchCopies(t *testing.T) {
	for _, c := range []struct {
		name  string
		body  io.ReadCloser
		read  func(t *testing.T, body io.Reader) string
		want  string
		whole bool
	}{
		{"read", io.NopCloser(strings.NewReader("hello")), readAll, "hello", false},
		{"written", io.NopCloser(strings.NewReader("hello")), copyAll, "hello", false},
		{"of known length", lengthy{bytes.NewBufferString("hello")}, copyAll, "hello", true},
		{"cut", io.NopCloser(io.MultiReader(strings.NewReader("hel"), broken{})), nil, "", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			saw := ""
			resp := &llm.Response{Copied: true, Outbound: plainOut{}, Call: &llm.Call{}, Body: c.body}
			watch(resp, func(events llm.Events) {
				for e := range events {
					saw += e.Text
				}
			})
			if b, ok := resp.Body.(interface{ Len() int }); ok != c.whole || ok && b.Len() != 5 {
				t.Errorf("its length is known: %v", ok)
			}
			if c.read == nil {
				_, _ = io.ReadAll(resp.Body)
			} else if got := c.read(t, resp.Body); got != "hello" {
				t.Errorf("the client got %q", got)
			}
			if saw != c.want {
				t.Errorf("saw %q, want %q", saw, c.want)
			}
		})
	}
}

type lengthy struct{ *bytes.Buffer }

func (lengthy) Close() error { return nil }

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func readAll(t *testing.T, body io.Reader) string {
	b, err := io.ReadAll(body)
	if err != nil {
		t.Error(err)
	}
	return string(b)
}

func copyAll(t *testing.T, body io.Reader) string {
	var b strings.Builder
	if _, err := io.Copy(&b, body); err != nil {
		t.Error(err)
	}
	return b.String()
}
