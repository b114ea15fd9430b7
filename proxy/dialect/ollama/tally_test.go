package ollama_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"keytray/proxy/dialect/dialecttest"
	"keytray/proxy/llm"
)

func TestTally(t *testing.T) {
	for _, c := range []struct {
		name   string
		stream bool
		frame  string
		want   llm.Verdict
		sum    llm.Tally
	}{
		{"a piece of text", true, piece(`"content":"abc","thinking":"de"`), llm.Pass, llm.Tally{Good: true, Model: "m", Text: 5}},
		{"spaces after colons", true, strings.ReplaceAll(piece(`"content":"abc"`), ":", ": "), llm.Pass, llm.Tally{Good: true, Model: "m", Text: 3}},
		{"text that looks like the end", true, piece(`"content":"\"done\":true,\"error\":1"`), llm.Pass, llm.Tally{Good: true, Model: "m", Text: 25}},
		{"a call whose arguments look like the end", true, piece(`"content":"","tool_calls":[{"function":{"name":"f","arguments":{"done":true,"error":"x"}}}]`), llm.Pass, llm.Tally{Good: true, Model: "m", Text: 65, Why: llm.CallTools}},
		{"no calls", true, piece(`"content":"","tool_calls":[]`), llm.Pass, llm.Tally{Good: true, Model: "m"}},
		{"the end", true, end, llm.Last, llm.Tally{Good: true, Model: "m", Done: true, Why: llm.EndTurn, Usage: llm.Usage{Input: 5, Output: 3, Known: true}}},
		{"the end, spaced", true, "{\n \"done\" : true, \"message\" : {}, \"model\": \"m\", \"done_reason\": \"length\", \"eval_count\" : 3 }", llm.Last, llm.Tally{Good: true, Model: "m", Done: true, Why: llm.MaxTokens, Usage: llm.Usage{Output: 3, Known: true}}},
		{"the end without counts", true, `{"model":"m","message":{"content":""},"done":true,"done_reason":"load"}`, llm.Last, llm.Tally{Good: true, Model: "m", Done: true, Why: "load", Usage: llm.Usage{Known: true}}},
		{"counts below zero", true, `{"model":"m","message":{"content":""},"done":true,"prompt_eval_count":-9,"eval_count":-3}`, llm.Last, llm.Tally{Good: true, Model: "m", Done: true, Why: llm.EndTurn, Usage: llm.Usage{Known: true}}},
		{"a whole answer", false, strings.Replace(end, `"content":""`, `"content":"abc"`, 1) + "\n", llm.Last, llm.Tally{Good: true, Model: "m", Done: true, Why: llm.EndTurn, Text: 3, Usage: llm.Usage{Input: 5, Output: 3, Known: true}}},
		{"another object", false, `{"status":"ok"}`, llm.Pass, llm.Tally{}},
		{"no JSON", true, "<html>", llm.Pass, llm.Tally{}},
		{"half a line", true, end[:80], llm.Pass, llm.Tally{}},
		{"no error", true, `{"model":"m","message":{"content":"a"},"done":false,"error":""}`, llm.Pass, llm.Tally{Good: true, Model: "m", Text: 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var sum llm.Tally
			got := out.Tally(&llm.Call{Stream: c.stream}, &sum, []byte(c.frame))
			if got != c.want || !reflect.DeepEqual(sum, c.sum) {
				t.Errorf("verdict %v, %+v\nwant %v, %+v", got, sum, c.want, c.sum)
			}
		})
	}
}

func TestTallyOfErrors(t *testing.T) {
	for _, c := range []struct {
		frame string
		kind  llm.ErrorKind
	}{
		{`{"error":"unexpected EOF"}`, llm.ServerError},
		{`{ "error" : "server busy, please try again" }`, llm.Overloaded},
		{`{"error":{"message":"m"}}`, llm.ServerError},
	} {
		sum := llm.Tally{}
		if v := out.Tally(streamed(), &sum, []byte(c.frame)); v != llm.Pass || sum.Good || sum.Done || sum.Err == nil || sum.Err.Kind != c.kind {
			t.Errorf("%s: %v %+v", c.frame, v, sum)
		}
	}
	// In mid-stream, what came before stays counted.
	sum, _ := weigh(t, streamed(), lines(piece(`"content":"abc"`), `{"error":"unexpected EOF"}`))
	if !sum.Good || sum.Text != 3 || sum.Err == nil || sum.Done {
		t.Errorf("%+v", sum)
	}
}

func deltas(n int) (frames []string) {
	for i := range n {
		frames = append(frames, piece(fmt.Sprintf(`"content":" word %d é \"q\""`, i)))
	}
	return append(frames, end)
}

// TestTallyDoesNotAllocate looks at the lines that a stream is made of.
func TestTallyDoesNotAllocate(t *testing.T) {
	dialecttest.TallyAllocatesNothing(t, out, "m",
		piece(`"content":" word"`), piece(`"content":"","thinking":" word"`), strings.ReplaceAll(piece(`"content":" word"`), ":", ": "),
		piece(`"content":"","tool_calls":[{"function":{"name":"f","arguments":{}}}]`))
}

func BenchmarkTally200(b *testing.B) { dialecttest.BenchTally(b, out, deltas(200)) }

func BenchmarkDecode500(b *testing.B) {
	dialecttest.BenchDecode(b, out, strings.Join(deltas(500), "\n")+"\n", 500)
}

func BenchmarkEncode1MB(b *testing.B) {
	p := &llm.Prompt{}
	for range 100 {
		p.Messages = append(p.Messages, user(strings.Repeat("word and \"word\", ", 600)))
	}
	dialecttest.BenchEncode(b, out, p)
}
