package ollama_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/ollama/ollama/api"

	"keytray/proxy/dialect/dialecttest"
	"keytray/proxy/llm"
)

// slow is an answer as the server's own type reads it.
type slow struct {
	text, thinking string
	calls          []string
	last           api.ChatResponse
}

func readSlowly(t *testing.T, body []byte) (s slow) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(body))
	for d.More() {
		var r api.ChatResponse
		if err := d.Decode(&r); err != nil {
			t.Fatal(err)
		}
		s.text += r.Message.Content
		s.thinking += r.Message.Thinking
		for _, c := range r.Message.ToolCalls {
			s.calls = append(s.calls, c.ID+c.Function.Name+c.Function.Arguments.String())
		}
		s.last = r
	}
	return s
}

// TestRecorded reads every recorded answer of /api/chat, as it came and in the
// other form (B13), and every recorded refusal.
func TestRecorded(t *testing.T) {
	answers, refusals := 0, 0
	for _, r := range dialecttest.Recordings(t, "ollama-native") {
		if r.Path != "/api/chat" {
			continue
		}
		body := r.Body
		t.Run(r.Name, func(t *testing.T) {
			if r.Status/100 != 2 {
				refusals++
				e := out.DecodeError(r.Status, nil, body)
				want := map[int]llm.ErrorKind{400: llm.BadRequest, 404: llm.NotFound}[r.Status]
				if e.Kind != want || !strings.Contains(string(body), strings.Split(e.Message, ";")[0]) {
					t.Errorf("%+v of %s", e, body)
				}
				return
			}
			answers++
			want := readSlowly(t, body)
			got := read(t, &llm.Call{Stream: r.Stream}, bytes.NewReader(body))
			check := func(got said) {
				t.Helper()
				if got.err != nil {
					t.Fatal(got.err)
				}
				var calls []string
				for i, c := range got.Calls {
					calls = append(calls, got.calls[i].ID+c.Name+string(c.Arguments))
				}
				if got.Text != want.text || got.Thinking != want.thinking || strings.Join(calls, " ") != strings.Join(want.calls, " ") || got.model != want.last.Model ||
					got.usage.Input != int64(want.last.PromptEvalCount) || got.usage.Output != int64(want.last.EvalCount) {
					t.Errorf("%+v, usage %+v\nwant %+v", got, got.usage, want)
				}
			}
			check(got)
			sum, verdicts := weigh(t, &llm.Call{Stream: r.Stream}, string(body))
			if !sum.Good || !sum.Done || sum.Err != nil || string(sum.Why) != got.Why || sum.Usage.Input != got.usage.Input || sum.Usage.Output != got.usage.Output || verdicts[len(verdicts)-1] != llm.Last {
				t.Errorf("tally %+v, verdicts %v, decoded %+v", sum, verdicts, got)
			}
			if r.Stream {
				whole := want.last
				whole.Message.Content, whole.Message.Thinking = want.text, want.thinking
				d := json.NewDecoder(bytes.NewReader(body))
				for d.More() {
					var line api.ChatResponse
					if err := d.Decode(&line); err != nil {
						t.Fatal(err)
					}
					if !line.Done {
						whole.Message.ToolCalls = append(whole.Message.ToolCalls, line.Message.ToolCalls...)
					}
				}
				b, err := json.Marshal(whole)
				if err != nil {
					t.Fatal(err)
				}
				check(read(t, &llm.Call{}, bytes.NewReader(b)))
			} else {
				check(read(t, streamed(), bytes.NewReader(body)))
			}
		})
	}
	t.Logf("%d answers, %d refusals", answers, refusals)
	if answers < 10 || refusals < 3 {
		t.Error("some are missing")
	}
}
