package chat

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"keytray/proxy/llm"
)

func completion(t *testing.T, body string) *llm.Request {
	t.Helper()
	hr, _ := http.NewRequest(http.MethodPost, "http://x/completions", nil)
	p, err := Dialect{}.Peek(hr, []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	return &llm.Request{ID: "1", Inbound: Dialect{}, Raw: []byte(body), Start: time.Unix(1700000000, 0), Peek: p}
}

func TestForm(t *testing.T) {
	for path, want := range map[string]string{"/completions": completions, "/chat/completions": "", "/other": ""} {
		hr, _ := http.NewRequest(http.MethodPost, "http://x"+path, nil)
		if p, err := (Dialect{}).Peek(hr, []byte(`{"model":"m"}`)); err != nil || p.Form != want {
			t.Errorf("%s is of the form %q", path, p.Form)
		}
	}
	r := completion(t, `{"model":"m","prompt":"x"}`)
	old := &llm.Call{Model: llm.Model{Flags: llm.Flags{llm.FlagCompletions}}}
	if d := (Dialect{}); d.Copies(&llm.Call{}, r) || !d.Copies(old, r) {
		t.Error("only who serves legacy completions gets them as they are")
	}
	old.Form = completions
	if got := (Dialect{}).URL(old, "b") + " " + (Dialect{}).URL(&llm.Call{}, "b"); got != "b/completions b/chat/completions" {
		t.Error(got)
	}
}

func TestDecodeCompletion(t *testing.T) {
	for body, want := range map[string]string{
		`{"model":"m","prompt":"Once"}`:                                        `[{"role":"user","content":"Once"}]`,
		`{"model":"m","prompt":["Once"],"n":1,"best_of":1,"echo":true}`:        `[{"role":"user","content":"Once"}]`,
		`{"model":"m","prompt":"f(","suffix":")","max_tokens":5,"stop":["x"]}`: `</before><after>)</after>"}],"max_tokens":5,"stop":["x"]; suffix: sent as an instruction`,
		`{"model":"m","prompt":"a","logprobs":0,"best_of":3,"n":2,"logit_bias":{"1":1},"temperature":0,"seed":7,"user":"u","presence_penalty":0.5,"top_p":1}`: `"temperature":0,"top_p":1,"seed":7,"presence_penalty":0.5,"user":"u"; logprobs; best_of; n; logit_bias`,
	} {
		p, err := completion(t, body).Prompt()
		if err != nil {
			t.Errorf("%s: %v", body, err)
			continue
		}
		c := &llm.Call{}
		sent, err := Dialect{}.EncodeRequest(c, p)
		got := strings.TrimSuffix(string(sent), "}")
		if len(c.Lost) > 0 {
			got += "; " + strings.Join(c.Lost, "; ")
		}
		if err != nil || !strings.HasSuffix(got, want) {
			t.Errorf("%s is sent as %s (%v), want %s", body, got, err, want)
		}
	}
	for body, param := range map[string]string{
		`{"model":"m"}`:                                   "prompt",
		`{"model":"m","prompt":null}`:                     "prompt",
		`{"model":"m","prompt":[]}`:                       "prompt",
		`{"model":"m","prompt":[1,2]}`:                    "prompt",
		`{"model":"m","prompt":[[1,2]]}`:                  "prompt",
		`{"model":"m","prompt":["a","b"]}`:                "prompt",
		`{"model":"m","prompt":{}}`:                       "prompt",
		`{"model":"m","prompt":"a","messages":[]}`:        "messages",
		`{"model":"m","prompt":"a","suffix":1}`:           "suffix",
		`{"model":"m","prompt":"a","echo":"yes"}`:         "echo",
		`{"model":"m","prompt":"a","max_tokens":"lots"}`:  "max_tokens",
		`{"model":"m","prompt":"a","tools":[{"type":1}]}`: "tools",
	} {
		_, err := completion(t, body).Prompt()
		var e *llm.Error
		if !errors.As(err, &e) || e.Kind != llm.BadRequest || e.Param != param {
			t.Errorf("%s: %+v", body, err)
		}
	}
}

func TestEncodeCompletion(t *testing.T) {
	usage := &llm.Usage{Known: true, Input: 12, Output: 7}
	events := []llm.Event{
		{Kind: llm.Start, ID: "x"},
		{Kind: llm.BlockStart, Block: llm.Thinking},
		{Kind: llm.Delta, Block: llm.Thinking, Text: "hm"},
		{Kind: llm.BlockStop, Block: llm.Thinking},
		{Kind: llm.BlockStart, Index: 1},
		{Kind: llm.Delta, Index: 1, Text: "upon "},
		{Kind: llm.Ping},
		{Kind: llm.Delta, Index: 1, Text: "a\n"},
		{Kind: llm.BlockStop, Index: 1},
		{Kind: llm.Stop, Why: llm.MaxTokens, Usage: usage},
	}
	write := func(body string, events llm.Events) (string, error) {
		var b bytes.Buffer
		err := Dialect{}.EncodeResponse(&b, completion(t, body), events)
		return b.String(), err
	}
	const head = `{"id":"x","object":"text_completion","created":1700000000,"model":"m","choices":[`
	got, err := write(`{"model":"m","prompt":"Once ","echo":true}`, replay(events))
	if want := head + `{"text":"Once upon a\n","index":0,"logprobs":null,"finish_reason":"length"}],"usage":{`; err != nil || !strings.HasPrefix(got, want) || !json.Valid([]byte(got)) || !strings.Contains(got, `"total_tokens":19`) {
		t.Errorf("%s (%v), want %s", got, err, want)
	}
	piece := func(text, finish, more string) string {
		return "data: " + head + `{"text":"` + text + `","index":0,"logprobs":null,"finish_reason":` + finish + "}]" + more + "}\n\n"
	}
	got, err = write(`{"model":"m","prompt":"x","stream":true}`, replay(events))
	if want := piece("upon ", "null", "") + ": ping\n\n" + piece(`a\n`, "null", "") + piece("", `"length"`, "") + "data: [DONE]\n\n"; err != nil || got != want {
		t.Errorf("%s (%v), want %s", got, err, want)
	}
	got, err = write(`{"model":"m","prompt":["x"],"echo":true,"stream":true,"stream_options":{"include_usage":true}}`, replay(events))
	if err != nil || !strings.HasPrefix(got, piece("x", "null", `,"usage":null`)) || !strings.Contains(got, "data: "+head+`],"usage":{`) {
		t.Errorf("%s (%v)", got, err)
	}
	for why, want := range map[llm.Why]string{llm.EndTurn: "stop", llm.ContentFilter: "content_filter", "odd": "stop", llm.Refused: "content_filter"} {
		events[len(events)-1].Why = why
		if got, _ := write(`{"model":"m","prompt":"x"}`, replay(events)); !strings.Contains(got, `"finish_reason":"`+want+`"`) {
			t.Errorf("%s: %s", why, got)
		}
	}
	broken := func(yield func(llm.Event, error) bool) {
		_ = yield(events[0], nil) && yield(events[4], nil) && yield(events[5], nil) && yield(llm.Event{}, &llm.Error{Kind: llm.Cut, Message: "cut"})
	}
	got, err = write(`{"model":"m","prompt":"x","stream":true}`, broken)
	if err == nil || !strings.Contains(got, `"error":{`) || strings.Contains(got, "DONE") || strings.Contains(got, `"stop"`) {
		t.Errorf("a cut stream ends with %s (%v)", got, err)
	}
	if got, err = write(`{"model":"m","prompt":"x"}`, broken); err == nil || got != "" {
		t.Errorf("a cut answer is %s (%v)", got, err)
	}
}

// A copied stream of this form is metered like the other, and its text is
// counted, for the estimate of one that is cut.
func TestTallyCompletion(t *testing.T) {
	c, tally := &llm.Call{Stream: true, Form: completions, OwnUsage: true}, &llm.Tally{}
	var said []llm.Verdict
	for _, f := range []string{
		`{"id":"c","object":"text_completion","choices":[{"text":"one ","index":0,"logprobs":null,"finish_reason":null}],"model":"m"}`,
		`{"id":"c","object":"text_completion","choices":[{"text":"two ","index":0,"logprobs":null,"finish_reason":null}],"model":"m"}`,
		`{"id":"c","object":"text_completion","choices":[{"text":"three","index":0,"logprobs":null,"finish_reason":null}],"model":"m"}`,
		`{"id":"c","object":"text_completion","choices":[{"text":"","index":0,"logprobs":null,"finish_reason":"stop"}],"model":"m"}`,
		`{"id":"c","object":"text_completion","choices":[],"usage":{"prompt_tokens":5,"completion_tokens":3,"total_tokens":8}}`,
		`[DONE]`,
	} {
		said = append(said, Dialect{}.Tally(c, tally, []byte(f)))
	}
	if tally.Text != 13 || !tally.Good || !tally.Done || tally.Why != llm.EndTurn || tally.Usage.Input != 5 || tally.Usage.Output != 3 || tally.Model != "m" {
		t.Errorf("%+v", tally)
	}
	if said[3] != llm.Pass || said[4] != llm.Drop || said[5] != llm.Last {
		t.Errorf("verdicts %v", said)
	}
	tally = &llm.Tally{}
	Dialect{}.Tally(&llm.Call{Form: completions}, tally, []byte(`{"choices":[{"text":"one","index":0,"finish_reason":"length"}],"usage":{"prompt_tokens":5,"completion_tokens":3}}`))
	if !tally.Good || !tally.Done || tally.Err != nil || tally.Why != llm.MaxTokens || tally.Text == 0 || tally.Usage.Output != 3 {
		t.Errorf("%+v", tally)
	}
}
