package responses

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	sdk "github.com/openai/openai-go/v3/responses"

	"keytray/proxy/dialect/dialecttest"
	"keytray/proxy/dialect/field"
	"keytray/proxy/llm"
	"keytray/proxy/sse"
)

// background are recordings of answers that are made in the background.
func background(r dialecttest.Recording) bool {
	return !r.Stream && strings.Contains(string(r.Body), `"status": "queued"`)
}

func TestRecorded(t *testing.T) {
	answers, streams, refusals, calls := 0, 0, 0, 0
	for _, r := range dialecttest.Recordings(t, "openai-responses") {
		t.Run(r.Name, func(t *testing.T) {
			if r.Status >= 300 {
				refusals++
				e := Dialect{}.DecodeError(r.Status, nil, r.Body)
				if e.Status != r.Status || e.Kind != llm.BadRequest && e.Kind != llm.NotFound || len(e.Message) < 10 {
					t.Errorf("%d %q %q", e.Status, e.Kind, e.Message)
				}
				return
			}
			if background(r) {
				return
			}
			answers++
			if r.Stream {
				streams++
			}
			tally := tallyOf(t, r)
			events := dialecttest.Collect(t, Dialect{}.DecodeResponse(&llm.Call{Stream: r.Stream}, bytes.NewReader(r.Body)))
			if tally.Err != nil || !tally.Good || !tally.Done || tally.Model == "" {
				t.Fatalf("tally %+v", tally)
			}
			stop := events[len(events)-1]
			if stop.Usage == nil || !reflect.DeepEqual(*stop.Usage, tally.Usage) || stop.Tier != tally.Tier || stop.Why != tally.Why {
				t.Errorf("stop %+v %+v, tallied %+v", stop, stop.Usage, tally)
			}
			final := finalOf(t, r)
			identities(t, final, &tally.Usage)
			s := dialecttest.Summarize(events)
			if got, want := len(s.Calls), strings.Count(callTypes(final), "c"); got != want {
				t.Errorf("%d calls, want %d", got, want)
			}
			if want := final.OutputText(); s.Text != want {
				t.Errorf("text %q, want %q", s.Text, want)
			}
			calls += len(s.Calls)
			official(t, events, final, s)
		})
	}
	t.Logf("%d answers, of which %d streamed, %d refusals, %d calls", answers, streams, refusals, calls)
}

func tallyOf(t *testing.T, r dialecttest.Recording) llm.Tally {
	t.Helper()
	var tally llm.Tally
	c := &llm.Call{Stream: r.Stream}
	if !r.Stream {
		Dialect{}.Tally(c, &tally, r.Body)
		return tally
	}
	// As the meter does: no frame is dropped, one is the last, and what comes
	// out is what went in, byte for byte.
	last := 0
	tap := &sse.Tap{Src: bytes.NewReader(r.Body), See: func(f sse.Frame) sse.Verdict {
		if f.Data == nil {
			return sse.Pass
		}
		switch (Dialect{}).Tally(c, &tally, f.Data) {
		case llm.Drop:
			return sse.Drop
		case llm.Last:
			last++
			return sse.Hold
		}
		return sse.Pass
	}}
	got, err := io.ReadAll(tap)
	if err != nil || !bytes.Equal(got, r.Body) || last != 1 {
		t.Errorf("the copy is not the stream: %v, %d last frames", err, last)
	}
	return tally
}

// finalOf is the whole response of a recording, as the official client has it.
func finalOf(t *testing.T, r dialecttest.Recording) *sdk.Response {
	t.Helper()
	body := r.Body
	if r.Stream {
		for f, err := range sse.Frames(bytes.NewReader(r.Body), sse.Events) {
			if err != nil {
				t.Fatal(err)
			}
			if v := field.Of(f.Data, "response"); v != nil {
				body = bytes.Clone(v)
			}
		}
	}
	var v sdk.Response
	if err := json.Unmarshal(body, &v); err != nil {
		t.Fatal(err)
	}
	return &v
}

func callTypes(v *sdk.Response) string {
	s := ""
	for _, it := range v.Output {
		if it.Type == "function_call" || it.Type == "custom_tool_call" {
			s += "c"
		}
	}
	return s
}

// identities compares the buckets with the provider's own figures.
func identities(t *testing.T, v *sdk.Response, u *llm.Usage) {
	t.Helper()
	w := v.Usage
	if u.Prompt() != w.InputTokens || u.Cached() != w.InputTokensDetails.CachedTokens || u.Reasoning != w.OutputTokensDetails.ReasoningTokens {
		t.Errorf("input %d, cached %d, reasoning %d; the wire says %+v", u.Prompt(), u.Cached(), u.Reasoning, w)
	}
	if u.Prompt()+u.Completion() != w.TotalTokens || u.Completion() < u.Reasoning || u.Input < 0 {
		t.Errorf("total %d in buckets, %d on the wire: %+v", u.Prompt()+u.Completion(), w.TotalTokens, u)
	}
}

// official has the official client read the answer as Keytray writes it,
// streamed and whole (B13).
func official(t *testing.T, events []llm.Event, want *sdk.Response, s dialecttest.Summary) {
	t.Helper()
	replay := func(yield func(llm.Event, error) bool) {
		for _, e := range events {
			if !yield(e, nil) {
				return
			}
		}
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, hr *http.Request) {
		body, _ := io.ReadAll(hr.Body) // a body that is cut does not decode
		peek, err := Dialect{}.Peek(hr, body)
		if err != nil {
			t.Error(err)
		}
		w.Header().Set("Content-Type", Dialect{}.ContentType(peek))
		if err := (Dialect{}).EncodeResponse(w, &llm.Request{ID: "kt-1", Raw: body, Peek: peek}, replay); err != nil {
			t.Error(err)
		}
	}))
	defer server.Close()
	client := openai.NewClient(option.WithBaseURL(server.URL+"/"), option.WithAPIKey("local"), option.WithMaxRetries(0))
	params := sdk.ResponseNewParams{Model: "m", Input: sdk.ResponseNewParamsInputUnion{OfString: openai.String("x")}}
	whole, err := client.Responses.New(t.Context(), params)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "whole", whole, want, s)
	stream := client.Responses.NewStreaming(t.Context(), params)
	var last *sdk.Response
	text := ""
	seq := int64(-1)
	for stream.Next() {
		e := stream.Current()
		if e.SequenceNumber != seq+1 { // F1
			t.Fatalf("sequence number %d after %d", e.SequenceNumber, seq)
		}
		seq = e.SequenceNumber
		switch e.Type {
		case textDelta:
			text += e.Delta
		case "response.completed", "response.incomplete", "response.failed":
			last = &e.Response
		}
	}
	if stream.Err() != nil || last == nil {
		t.Fatal("streamed:", stream.Err())
	}
	if text != s.Text {
		t.Errorf("streamed deltas %q, want %q", text, s.Text)
	}
	same(t, "streamed", last, want, s)
}

func same(t *testing.T, what string, got, want *sdk.Response, s dialecttest.Summary) {
	t.Helper()
	if got.OutputText() != s.Text || got.ID != "resp_kt-1" || got.Model != "m" {
		t.Errorf("%s: %s of %s says %q, want %q", what, got.ID, got.Model, got.OutputText(), s.Text)
	}
	wantStatus := want.Status
	if wantStatus == "complete" { // of one gateway
		wantStatus = "completed"
	}
	if got.Status != wantStatus || callTypes(got) != callTypes(want) {
		t.Errorf("%s: %s with calls %s, want %s with %s", what, got.Status, callTypes(got), want.Status, callTypes(want))
	}
	if got.Usage.InputTokens != want.Usage.InputTokens || got.Usage.TotalTokens != want.Usage.TotalTokens || got.Usage.InputTokensDetails.CachedTokens != want.Usage.InputTokensDetails.CachedTokens {
		t.Errorf("%s: usage %+v, want %+v", what, got.Usage, want.Usage)
	}
	n := 0
	for _, it := range got.Output {
		if it.Type != "function_call" {
			continue
		}
		if c := s.Calls[n]; it.Name != c.Name || it.CallID == "" || it.Status != "completed" || !sameJSON(it.Arguments.OfString, string(c.Arguments)) {
			t.Errorf("%s: call %s(%s), want %s(%s)", what, it.Name, it.Arguments.OfString, c.Name, c.Arguments)
		}
		n++
	}
}

func sameJSON(a, b string) bool {
	var x, y any
	return json.Unmarshal([]byte(a), &x) == nil && json.Unmarshal([]byte(b), &y) == nil && reflect.DeepEqual(x, y)
}

// Real requests are read, or refused with the field at fault, and one that is
// read can be sent on.
func TestRecordedRequests(t *testing.T) {
	read, refused := 0, 0
	for _, r := range dialecttest.Recordings(t, "openai-responses") {
		p, err := Dialect{}.DecodeRequest(&llm.Request{Raw: r.Request})
		if err != nil {
			e := llm.AsError(err)
			refused++
			if e.Kind != llm.BadRequest || e.Param == "" || !strings.Contains(e.Message, ":") {
				t.Errorf("%s: %+v", r.Name, e)
			}
			if !strings.Contains("previous_response_id conversation background", e.Param) && !strings.Contains(e.Message, "compaction") && !strings.Contains(e.Message, "shorten") {
				t.Errorf("%s: %s", r.Name, e.Message)
			}
			continue
		}
		read++
		b, err := Dialect{}.EncodeRequest(&llm.Call{Model: llm.Model{Name: "m"}}, p)
		if err != nil || !json.Valid(b) {
			if e := llm.AsError(err); e.Param != "tools" {
				t.Errorf("%s: %v", r.Name, err)
			}
		}
	}
	t.Logf("%d requests read, %d refused", read, refused)
}
