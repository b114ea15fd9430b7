package route

import (
	"context"
	"io"
	"strings"
	"testing"
	"time"

	"keytray/proxy/llm"
)

// says is a target that answers at once, with events that cost nothing to make.
type says struct{ events []llm.Event }

func (s says) Do(_ context.Context, r *llm.Request) (*llm.Response, error) {
	r.NextAttempt()
	return &llm.Response{Call: &llm.Call{}, Stream: r.Stream, Body: io.NopCloser(strings.NewReader("")), Decoded: s.events, Target: "p/m"}, nil
}

func saying(text string) says {
	return says{[]llm.Event{
		{Kind: llm.Start},
		{Kind: llm.BlockStart, Block: llm.Text},
		{Kind: llm.Delta, Block: llm.Text, Text: text},
		{Kind: llm.BlockStop, Block: llm.Text},
		{Kind: llm.Stop, Why: llm.EndTurn, Usage: &llm.Usage{Input: 10, Output: 5, Known: true}},
	}}
}

// BenchmarkStrategies is what each strategy adds to a bare target: the time from the call to its answer's last event,
// with models that take none.
func BenchmarkStrategies(b *testing.B) {
	answer := saying(strings.Repeat("a word or two ", 30))
	verdict := saying(`{"scores": [7, 8, 6], "best": 2, "why": "it is right"}`)
	all := []Choice{{answer, "p", "a"}, {answer, "p", "b"}, {answer, "p", "c"}}
	three := []llm.Target{answer, answer, answer}
	weights := []int{1, 2, 3}
	price := func(_ *llm.Request, c Choice) (llm.Pico, bool) { return llm.Pico(c.Model[0]), true }
	speed := func(c Choice) (time.Duration, float64) { return time.Duration(c.Model[0]), 50 }
	store := &Answers{}
	for _, x := range []struct {
		name string
		t    llm.Target
	}{
		{"bare", answer},
		{"fallback", Fallback(three)},
		{"balance", Balance{three, weights}},
		{"race", Race{Targets: three, After: time.Hour}},
		{"race at once", Race{Targets: three}},
		{"cheapest", Cheapest{all, price}},
		{"fastest", Fastest{all, speed}},
		{"smart", Smart{
			Choices: all, Bar: 0.5, Size: func(c Choice) float64 { return float64(c.Model[0]) },
			Quality: func(Choice, string) float64 { return 0.5 }, Fits: func(Choice, Look) bool { return true },
		}},
		{"split", Split{Choices: all, Weights: weights}},
		{"split with a sample", Split{
			Choices: all, Weights: weights, Sample: 1, By: verdict, Judged: func(string, string, float64) {},
			May: func(*llm.Request) (func(string, llm.Usage), bool) { return func(string, llm.Usage) {}, true }, Later: func(func(context.Context)) bool { return true },
		}},
		{"blend", Blend{all, answer}},
		{"judge", Judge{Choices: all, By: verdict}},
		{"compare", Compare{all}},
		{"cache hit", Cache{Target: answer, Name: "memo", Keep: time.Hour, Size: 1 << 20, Store: store, Hit: func(context.Context, *llm.Request, Hit) {}}},
		{"cache hit of bytes", Cache{Target: &copies{size: 400}, Name: "bytes", Keep: time.Hour, Size: 1 << 20, Store: store, Hit: func(context.Context, *llm.Request, Hit) {}}},
	} {
		b.Run(x.name, func(b *testing.B) {
			p, err := question(true).Prompt()
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				r := asking(`{"model":"r","messages":[{"role":"user","content":"hello"}],"temperature":1,"stream":false}`, false).Derive(p, false)
				resp, err := x.t.Do(b.Context(), r)
				if err != nil {
					b.Fatal(err)
				}
				if resp.Copied {
					if _, err := io.Copy(io.Discard, resp.Body); err != nil {
						b.Fatal(err)
					}
				} else {
					for _, err := range resp.Events() {
						if err != nil {
							b.Fatal(err)
						}
					}
				}
				_ = resp.Body.Close() // of memory
			}
		})
	}
}
