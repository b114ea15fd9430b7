package chat

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"keytray/proxy/dialect/dialecttest"
	"keytray/proxy/llm"
	"keytray/proxy/sse"
)

// recorded is the folder of real answers, which are not in this repository.
func recorded(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("KEYTRAY_RECORDED")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "..", "shared", "recorded")
	}
	dir = filepath.Join(dir, "openai-chat")
	if _, err := os.Stat(dir); err != nil {
		t.Skip("no recorded answers here")
	}
	return dir
}

type recording struct {
	name   string
	status int
	stream bool
	body   []byte
}

func recordings(t *testing.T) []recording {
	t.Helper()
	dir := recorded(t)
	metas, err := filepath.Glob(filepath.Join(dir, "*.meta.json"))
	if err != nil || len(metas) == 0 {
		t.Fatal("no recordings in the folder", err)
	}
	var all []recording
	for _, m := range metas {
		b, err := os.ReadFile(m)
		if err != nil {
			t.Fatal(err)
		}
		var meta struct{ Status int }
		if err := json.Unmarshal(b, &meta); err != nil {
			t.Fatal(err)
		}
		r := recording{name: strings.TrimSuffix(filepath.Base(m), ".meta.json"), status: meta.Status}
		stem := strings.TrimSuffix(m, ".meta.json")
		if r.body, err = os.ReadFile(stem + ".response.sse"); err == nil {
			r.stream = true
		} else if r.body, err = os.ReadFile(stem + ".response.json"); err != nil {
			t.Fatal(err)
		}
		all = append(all, r)
	}
	return all
}

// refused are the recordings whose 200 carries an error.
func refused(name string) bool {
	return strings.Contains(name, "tool_use_failed_error_streaming__0") || strings.Contains(name, "stream_error")
}

func TestRecorded(t *testing.T) {
	answers, errorsSeen := 0, 0
	for _, r := range recordings(t) {
		t.Run(r.name, func(t *testing.T) {
			if r.status >= 300 {
				errorsSeen++
				e := Dialect{}.DecodeError(r.status, nil, r.body)
				if e.Status != r.status || e.Kind == "" || e.Message == "" || strings.ContainsAny(e.Message, "{<") && !strings.Contains(e.Message, "`") {
					t.Errorf("%d %q %q", e.Status, e.Kind, e.Message)
				}
				return
			}
			answers++
			tally := tallyOf(t, r)
			c := &llm.Call{Stream: r.stream}
			var events []llm.Event
			var failed error
			for e, err := range (Dialect{}).DecodeResponse(c, bytes.NewReader(r.body)) {
				if err != nil {
					failed = err
					break
				}
				events = append(events, e)
			}
			if refused(r.name) {
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

func tallyOf(t *testing.T, r recording) llm.Tally {
	t.Helper()
	var tally llm.Tally
	c := &llm.Call{Stream: r.stream}
	if !r.stream {
		Dialect{}.Tally(c, &tally, r.body)
		return tally
	}
	for f, err := range sse.Frames(bytes.NewReader(r.body), sse.Events) {
		if err != nil {
			t.Fatal(err)
		}
		Dialect{}.Tally(c, &tally, f.Data)
	}
	return tally
}

// wireUsage is the last usage object of a body.
func wireUsage(t *testing.T, r recording) (found map[string]any) {
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
	if !r.stream {
		look(r.body)
		return found
	}
	for line := range bytes.Lines(r.body) {
		look(bytes.TrimPrefix(line, []byte("data: ")))
	}
	return found
}

// identities compares the buckets with the provider's own figures.
func identities(t *testing.T, r recording, u *llm.Usage) {
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
func again(t *testing.T, r recording, c *llm.Call, events []llm.Event) {
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
