package gemini_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"keytray/proxy/dialect/dialecttest"
	"keytray/proxy/llm"
	"keytray/proxy/sse"
)

// wire is an answer, read the slow way, to compare with.
type wire struct {
	text, thinking string
	calls          []string
	finish         string
	usage          map[string]any
}

func slow(t *testing.T, c *llm.Call, body []byte) wire {
	t.Helper()
	var w wire
	take := func(b []byte) {
		var v struct {
			Candidates []struct {
				FinishReason string
				Content      struct {
					Parts []struct {
						Text         string
						Thought      bool
						FunctionCall *struct {
							Name string
							Args json.RawMessage
						}
					}
				}
			}
			PromptFeedback struct{ BlockReason string }
			UsageMetadata  map[string]any
		}
		if err := json.Unmarshal(b, &v); err != nil {
			t.Fatal(err)
		}
		if v.PromptFeedback.BlockReason != "" {
			w.finish = v.PromptFeedback.BlockReason
		}
		for _, c := range v.Candidates {
			for _, p := range c.Content.Parts {
				if p.Thought {
					w.thinking += p.Text
				} else {
					w.text += p.Text
				}
				if p.FunctionCall != nil {
					w.calls = append(w.calls, p.FunctionCall.Name+string(p.FunctionCall.Args))
				}
			}
			if c.FinishReason != "" {
				w.finish = c.FinishReason
			}
		}
		w.usage = v.UsageMetadata
	}
	if !c.Stream {
		take(body)
		return w
	}
	for f, err := range sse.Frames(bytes.NewReader(body), sse.Events) {
		if err != nil {
			t.Fatal(err)
		}
		take(f.Data)
	}
	return w
}

// TestRecorded reads every recorded answer of the Gemini API and of Vertex.
func TestRecorded(t *testing.T) {
	streams, calls, cites := 0, 0, 0
	all := dialecttest.Recordings(t, "gemini-generate")
	for _, r := range all {
		c := &llm.Call{Model: llm.Model{Name: "m"}, Stream: r.Stream}
		if r.Stream {
			streams++
		}
		t.Run(r.Name, func(t *testing.T) {
			w := slow(t, c, r.Body)
			s := read(t, c, bytes.NewReader(r.Body))
			if s.err != nil {
				t.Fatal(s.err)
			}
			code := strings.Contains(string(r.Body), `"executableCode"`)
			if s.text != w.text && !code || s.thinking != w.thinking {
				t.Errorf("text %q, want %q\nthinking %q, want %q", s.text, w.text, s.thinking, w.thinking)
			}
			ids := map[string]bool{}
			for i, call := range s.calls {
				if got := call.Name + call.Text; i >= len(w.calls) || got != w.calls[i] || call.ID == "" || ids[call.ID] {
					t.Errorf("call %d is %s with id %q, want %s", i, got, call.ID, w.calls)
				}
				ids[call.ID] = true
			}
			if len(s.calls) != len(w.calls) {
				t.Errorf("%d calls, want %d", len(s.calls), len(w.calls))
			}
			calls += len(s.calls)
			cites += len(s.cites)
			for _, cite := range s.cites {
				if cite.End > len(s.text) || cite.End < cite.Start {
					t.Errorf("citation %+v of a text of %d bytes", cite, len(s.text))
				}
			}
			sum, verdicts := dialecttest.Weigh(t, out, c, r.Body)
			last := 0
			for i, v := range verdicts {
				if v == llm.Last {
					last++
					if i != len(verdicts)-1 {
						t.Errorf("frame %d of %d is called the last", i, len(verdicts))
					}
				}
			}
			if !sum.Good || !sum.Done || sum.Err != nil || last != 1 || sum.Model == "" || sum.Why != s.stop.Why {
				t.Errorf("tally %+v, %d last frames, decoded why %s", sum, last, s.stop.Why)
			}
			u := sum.Usage
			if got := *s.stop.Usage; got.Prompt() != u.Prompt() || got.Completion() != u.Completion() || got.Searches != u.Searches || s.stop.Tier != sum.Tier {
				t.Errorf("decoded usage %+v, tallied %+v", got, u)
			}
			n := func(k string) int64 { f, _ := w.usage[k].(float64); return int64(f) }
			if u.Prompt() != n("promptTokenCount")+n("toolUsePromptTokenCount") || u.Cached() != n("cachedContentTokenCount") ||
				u.Reasoning != n("thoughtsTokenCount") || u.Prompt()+u.Completion() != n("totalTokenCount") || !u.Known {
				t.Errorf("usage %+v of %v", u, w.usage)
			}
		})
	}
	t.Logf("%d answers, %d of them streams, %d calls, %d citations", len(all), streams, calls, cites)
}

// TestRecordedRegroup cuts whole answers into chunks of one part each: the
// stream must say the same (B13).
func TestRecordedRegroup(t *testing.T) {
	for _, r := range dialecttest.Recordings(t, "gemini-generate") {
		if r.Stream {
			continue
		}
		whole := readString(t, model(), string(r.Body))
		var v map[string]any
		if err := json.Unmarshal(r.Body, &v); err != nil {
			t.Fatal(err)
		}
		var chunks []string
		if list, _ := v["candidates"].([]any); len(list) > 0 {
			content, _ := list[0].(map[string]any)["content"].(map[string]any)
			parts, _ := content["parts"].([]any)
			for _, p := range parts {
				b, _ := json.Marshal(map[string]any{"candidates": []any{map[string]any{"content": map[string]any{"parts": []any{p}}}}})
				chunks = append(chunks, string(b))
			}
			delete(list[0].(map[string]any), "content")
		}
		b, _ := json.Marshal(v)
		c := model()
		c.Stream = true
		s := readString(t, c, stream(append(chunks, string(b))...))
		if s.text != whole.text || s.thinking != whole.thinking || s.refusal != whole.refusal || len(s.calls) != len(whole.calls) ||
			s.stop.Why != whole.stop.Why || !reflect.DeepEqual(s.stop.Usage, whole.stop.Usage) || len(s.opaque) != len(whole.opaque) {
			t.Errorf("%s: streamed %+v\nwhole %+v", r.Name, s, whole)
		}
	}
}
