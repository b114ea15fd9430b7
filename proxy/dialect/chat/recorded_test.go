package chat

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"keytray/proxy/dialect/dialecttest"
	"keytray/proxy/llm"
)

// refused are the recordings whose 200 carries an error.
func refused(name string) bool {
	return strings.Contains(name, "tool_use_failed_error_streaming__0") || strings.Contains(name, "stream_error")
}

func TestRecorded(t *testing.T) {
	answers, errorsSeen := 0, 0
	for _, r := range dialecttest.Recordings(t, "openai-chat") {
		t.Run(r.Name, func(t *testing.T) {
			if r.Status >= 300 {
				errorsSeen++
				e := Dialect{}.DecodeError(r.Status, nil, r.Body)
				if e.Status != r.Status || e.Kind == "" || e.Message == "" || strings.ContainsAny(e.Message, "{<") && !strings.Contains(e.Message, "`") {
					t.Errorf("%d %q %q", e.Status, e.Kind, e.Message)
				}
				return
			}
			answers++
			tally := tallyOf(t, r)
			c := &llm.Call{Stream: r.Stream}
			var events []llm.Event
			var failed error
			for e, err := range (Dialect{}).DecodeResponse(c, bytes.NewReader(r.Body)) {
				if err != nil {
					failed = err
					break
				}
				events = append(events, e)
			}
			if refused(r.Name) {
				var e *llm.Error
				if !errors.As(failed, &e) || e.Kind == llm.Cut || e.Kind == llm.Garbage || tally.Err == nil {
					t.Errorf("error %v, tally %v", failed, tally.Err)
				}
				return
			}
			if failed != nil || tally.Err != nil || !tally.Good || !tally.Done {
				t.Fatalf("error %v, tally %+v", failed, tally)
			}
			if err := dialecttest.Bracketed(events, true); err != nil {
				t.Fatal(err)
			}
			stop := events[len(events)-1]
			if (stop.Usage != nil) != tally.Usage.Known || stop.Usage != nil && !reflect.DeepEqual(*stop.Usage, tally.Usage) {
				t.Errorf("usage %+v, tallied %+v", stop.Usage, tally.Usage)
			}
			identities(t, r, &tally.Usage)
			again(t, r, c, events)
		})
	}
	t.Logf("%d answers, %d refusals", answers, errorsSeen)
}

func tallyOf(t *testing.T, r dialecttest.Recording) llm.Tally {
	t.Helper()
	sum, _ := dialecttest.Weigh(t, Dialect{}, &llm.Call{Stream: r.Stream}, r.Body)
	return sum
}

// wireUsage is the last usage object of a body.
func wireUsage(t *testing.T, r dialecttest.Recording) (found map[string]any) {
	t.Helper()
	look := func(b []byte) {
		var v struct {
			Usage map[string]any
			XGroq struct{ Usage map[string]any } `json:"x_groq"`
		}
		if json.Unmarshal(b, &v) != nil {
			return
		}
		if v.Usage != nil {
			found = v.Usage
		} else if v.XGroq.Usage != nil && found == nil {
			found = v.XGroq.Usage
		}
	}
	if !r.Stream {
		look(r.Body)
		return found
	}
	for line := range bytes.Lines(r.Body) {
		look(bytes.TrimPrefix(line, []byte("data: ")))
	}
	return found
}

// identities compares the buckets with the provider's own figures.
func identities(t *testing.T, r dialecttest.Recording, u *llm.Usage) {
	t.Helper()
	wire := wireUsage(t, r)
	if wire == nil {
		if u.Known {
			t.Errorf("usage from nowhere: %+v", u)
		}
		return
	}
	n := func(k string) int64 { f, _ := wire[k].(float64); return int64(f) }
	if u.Prompt() != n("prompt_tokens") {
		t.Errorf("prompt is %d in buckets, %d on the wire", u.Prompt(), n("prompt_tokens"))
	}
	if u.Completion() < n("completion_tokens") || u.Completion() < u.Reasoning {
		t.Errorf("output is %d, of which %d reasoning; the wire says %d", u.Completion(), u.Reasoning, n("completion_tokens"))
	}
	if _, extra := wire["market_cost"]; !extra && u.Prompt()+u.Completion() != n("total_tokens") {
		t.Errorf("total is %d in buckets, %d on the wire", u.Prompt()+u.Completion(), n("total_tokens"))
	}
	if u.Input < 0 || u.Output < 0 {
		t.Errorf("negative: %+v", u)
	}
}

// again writes the answer for a client, both ways, and reads it back (B13).
func again(t *testing.T, r dialecttest.Recording, c *llm.Call, events []llm.Event) {
	t.Helper()
	want, err := json.Marshal(dialecttest.Summarize(events))
	if err != nil {
		t.Fatal(err)
	}
	for _, stream := range []bool{false, true} {
		req := &llm.Request{ID: "r", Raw: []byte(`{"model":"m"}`), Peek: llm.Peek{Model: "m", Stream: stream, IncludeUsage: true}}
		var out bytes.Buffer
		err := Dialect{}.EncodeResponse(&out, req, func(yield func(llm.Event, error) bool) {
			for _, e := range events {
				if !yield(e, nil) {
					return
				}
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		sent := out.String()
		back := dialecttest.Collect(t, Dialect{}.DecodeResponse(&llm.Call{Stream: stream}, &out))
		s := dialecttest.Summarize(back)
		got, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != string(want) {
			t.Errorf("stream %v: came back as\n%s\nwant\n%s\nsent\n%.2000s", stream, got, want, sent)
		}
	}
}
