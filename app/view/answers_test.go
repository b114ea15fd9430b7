package view

import (
	"context"
	"errors"
	"testing"
	"time"

	"keytray/app"
)

func TestAnswerFacts(t *testing.T) {
	cent := int64(picoPerCent)
	ok := app.Row{Status: "ok", CostPico: &cent, CostKind: "exact", Usage: app.Usage{Output: 100}}
	failed := app.Row{Status: "error", CostKind: "unpriced"}
	for _, c := range []struct {
		name       string
		a          app.Answer
		err        error
		line, said string
		tone       Tone
	}{
		{"streamed", app.Answer{First: 500 * time.Millisecond, Took: 2500 * time.Millisecond, Rows: []app.Row{ok}}, nil, "$0.01 · first 500 ms · 50 tokens/s · 2.5 s", "", Good},
		{"whole", app.Answer{First: 500 * time.Millisecond, Took: 510 * time.Millisecond, Rows: []app.Row{ok}}, nil, "$0.01 · first 500 ms · 510 ms", "", Good},
		{"two attempts", app.Answer{Took: time.Second, Rows: []app.Row{ok, failed}}, nil, "$0.01 + 1 unpriced · 1.0 s · 2 attempts", "", Good},
		{"stopped", app.Answer{Took: time.Second}, context.Canceled, "1.0 s · stopped", "", Plain},
		{"failed", app.Answer{}, errors.New("there is no key for OpenAI"), "", "There is no key for OpenAI", Bad},
	} {
		if got := NewAnswerFacts(c.a, c.err); got != (AnswerFacts{c.line, c.said, c.tone}) {
			t.Errorf("%s: %+v", c.name, got)
		}
	}
}

func TestModelLines(t *testing.T) {
	all := []app.Model{
		{ID: "demo/echo", Local: true}, {ID: "safe", Route: true}, {ID: "openai/gpt-6", Input: "1", Output: "2.5", Title: "GPT 6"}, {ID: "openai/other"},
	}
	lines := ModelLines(all, "", []string{"demo/echo"})
	if len(lines) != 3 || lines[0].Note != "a route" || lines[1].Note != "$1 in, $2.5 out, a million tokens" || lines[2].Note != "no price known" {
		t.Errorf("%+v", lines)
	}
	if got := ModelLines(all, " GPT openai", nil); len(got) != 1 || got[0].ID != "openai/gpt-6" {
		t.Errorf("%+v", got)
	}
}
