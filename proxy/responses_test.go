package proxy

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"keytray/proxy/dialect/chat"
	"keytray/proxy/llm"
)

// plainResponses is an inbound dialect of that name which translates nothing.
type plainResponses struct{ chat.Dialect }

func (plainResponses) Name() string { return responsesName }

func (plainResponses) Patterns() []llm.Pattern {
	return []llm.Pattern{{Method: http.MethodPost, Path: "/responses"}}
}

// maker is a table with one provider that answers in the dialect's own bytes,
// or as if translated.
type maker struct {
	*desk
	provider   string
	translates bool
	passed     []string
}

func (m *maker) Target(*llm.Request) (llm.Target, error) { return wrapped{m}, nil }

// wrapped is a target that only watches another.
type wrapped struct{ llm.Target }

func (w wrapped) Unwrap() llm.Target { return w.Target }

func (m *maker) Copies(*llm.Request) (string, bool) { return m.provider, !m.translates }

func (m *maker) Pass(provider string, r *llm.Request) (llm.Target, error) {
	m.passed = append(m.passed, provider+" "+r.Method+" "+r.Path+"?"+r.Query)
	return passing{}, nil
}

type passing struct{}

func (passing) Do(context.Context, *llm.Request) (*llm.Response, error) {
	return whole(`{"from":"the provider"}`), nil
}

// answersWith makes answers with rising ids, streamed or whole as asked.
func (m *maker) answersWith(output string) {
	var n atomic.Int32
	m.do = func(_ context.Context, r *llm.Request) (*llm.Response, error) {
		id := fmt.Sprintf("resp_%s%d", m.provider, n.Add(1))
		object := func(status, output string) string {
			return fmt.Sprintf(`{"id":"%s","object":"response","status":"%s","output":[%s]}`, id, status, output)
		}
		resp := whole(object("completed", output))
		if r.Stream {
			resp = answer(&steps{err: io.EOF, pieces: []string{
				"event: response.created\ndata: {\"type\":\"response.created\",\"response\":" + object("in_progress", "") + "}\n\n",
				"data: {\"type\":\"response.output_text.delta\",\"delta\":\"hi\"}\n\nevent: response.completed\ndata: {\"type\":\"resp",
				"onse.completed\",\"response\":" + object("completed", output) + "}\n\n",
			}}, true)
		}
		resp.Copied = true // bytes of the dialect, whoever made them
		resp.Target = m.provider + "/m"
		if m.translates {
			resp.Target = "/" // a translated answer has no maker
		}
		return resp, nil
	}
}

// keeper is a front door for the dialect.
func keeper(m *maker, keep bool) *Handler {
	h, _ := door(m.desk, func(o *Options) {
		o.Table = func() Table { return m }
		o.KeepResponses = func() bool { return keep }
		o.Token = func(token string) (string, bool) {
			tool, ok := strings.CutPrefix(token, "kt-")
			return tool, ok
		}
	})
	in := plainResponses{}
	h.router.Handle("/responses", h.guard(in, h.handle(in))).Methods(http.MethodPost)
	h.keptRoutes(in)
	return h
}

const (
	saidItem = `{"type":"message","id":"msg_1","role":"assistant","content":[{"type":"output_text","text":"hi"}]}`
	orphan   = `{"type":"reasoning","id":"rs_1","summary":[]}`
	sealed   = `{"type":"reasoning","id":"rs_2","summary":[],"encrypted_content":"b3BhcXVl"}`
	userItem = `{"type":"message","role":"user","content":"one"}`
)

// input is what the target was asked last.
func (m *maker) input(t *testing.T) string {
	t.Helper()
	r := m.last(t)
	var body struct {
		Input json.RawMessage
		Prev  string `json:"previous_response_id"`
		Model string
	}
	if err := json.Unmarshal(r.Raw, &body); err != nil {
		t.Fatalf("%v in %s", err, r.Raw)
	}
	if at := r.ModelAt; string(r.Raw[at[0]:at[1]]) != `"m"` {
		t.Errorf("the model is saidItem to be at %q", r.Raw[at[0]:at[1]])
	}
	if body.Prev != "" {
		return "prev " + body.Prev
	}
	return string(body.Input)
}

// F15: kept here, an answer is continued by any provider, with its sealed
// reasoning and without what only its maker could look up.
func TestContinueKept(t *testing.T) {
	for _, stream := range []string{"false", "true"} {
		m := &maker{desk: &desk{}, provider: "lab", translates: true}
		m.answersWith(orphan + "," + sealed + "," + saidItem)
		h := keeper(m, true)
		call(h, "POST", "/v1/responses", `{"model":"m","stream":`+stream+`,"input":"one"}`)
		call(h, "POST", "/v1/responses", `{"model":"m","stream":`+stream+`,"previous_response_id":"resp_lab1","input":[{"type":"message","role":"user","content":"two"}],"x":{"a":1}}`)
		two := `{"type":"message","role":"user","content":"two"}`
		if got, want := m.input(t), "["+userItem+","+sealed+","+saidItem+","+two+"]"; got != want {
			t.Errorf("stream %s: the second call's input is %s, want %s", stream, got, want)
		}
		if !strings.Contains(string(m.last(t).Raw), `"x":{"a":1}`) {
			t.Error("another field was lost")
		}
		call(h, "POST", "/v1/responses", `{"input":"three","model":"m","previous_response_id":"resp_lab2"}`)
		if got := strings.Count(m.input(t), saidItem); got != 2 || !strings.Contains(m.input(t), "three") {
			t.Errorf("the third call's input is %s", m.input(t))
		}
		if n, size := h.Kept(); n != 3 || size == 0 {
			t.Errorf("%d answers are kept in %d bytes", n, size)
		}
	}
}

// The provider that made an answer continues it by itself.
func TestMakerContinues(t *testing.T) {
	m := &maker{desk: &desk{}, provider: "lab"}
	m.answersWith(saidItem)
	for _, keep := range []bool{true, false} {
		h := keeper(m, keep)
		w := call(h, "POST", "/v1/responses", `{"model":"m","input":"one"}`)
		id := field(t, w, "id")
		body := `{"model":"m","previous_response_id":"` + id + `","input":"two"}`
		call(h, "POST", "/v1/responses", body)
		if got := string(m.last(t).Raw); got != body {
			t.Errorf("kept %t: its maker got %s", keep, got)
		}
		// Nobody was to keep this one.
		id = field(t, call(h, "POST", "/v1/responses", `{"model":"m","store":false,"input":"one"}`), "id")
		if n, _ := h.Kept(); n != map[bool]int{true: 2}[keep] {
			t.Errorf("%d answers are kept", n)
		}
		before := m.calls()
		message, _ := problem(t, call(h, "POST", "/v1/responses", `{"model":"m","previous_response_id":"`+id+`","input":"two"}`))
		if !strings.Contains(message, "store set to false") || m.calls() != before {
			t.Errorf("what nobody kept: %s", message)
		}
	}
}

func field(t *testing.T, w *httptest.ResponseRecorder, name string) string {
	t.Helper()
	var all map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &all); err != nil {
		t.Fatalf("%v: %d %s", err, w.Code, w.Body)
	}
	s, _ := all[name].(string)
	return s
}

// F15: what is not kept is refused before a cent is spent, and the refusal
// says what to do.
func TestNotKept(t *testing.T) {
	m := &maker{desk: &desk{}, provider: "lab"}
	m.answersWith(saidItem)
	h := keeper(m, false)
	id := field(t, call(h, "POST", "/v1/responses", `{"model":"m","input":"one"}`), "id")
	m.provider = "other"
	for _, translates := range []bool{true, false} {
		m.translates = translates
		before := m.calls()
		w := call(h, "POST", "/v1/responses", `{"model":"m","previous_response_id":"`+id+`","input":"two"}`)
		message, code := problem(t, w)
		if w.Code != 400 || code != "previous_response_not_found" || !strings.Contains(message, "made and kept by lab") || !strings.Contains(message, "keep_responses: true") || m.calls() != before {
			t.Errorf("translated %t: %d %s after %d calls", translates, w.Code, w.Body, m.calls()-before)
		}
	}
	m.translates = true
	message, _ := problem(t, call(h, "POST", "/v1/responses", `{"model":"m","previous_response_id":"resp_unknown","input":"two"}`))
	if !strings.Contains(message, "whole conversation in input") || !strings.Contains(message, "keep_responses: true") {
		t.Error(message)
	}
	// Another tool's answer is nobody's.
	m.translates, m.provider = true, "lab"
	h = keeper(m, true)
	m.answersWith(saidItem)
	call(h, "POST", "/v1/responses", `{"model":"m","input":"one"}`)
	w := call(h, "POST", "/v1/responses", `{"model":"m","previous_response_id":"resp_lab1","input":"two"}`, "Authorization", "Bearer kt-other")
	if w.Code != 400 {
		t.Errorf("another tool continued the answer: %d", w.Code)
	}
}

func TestKeptAnswers(t *testing.T) {
	m := &maker{desk: &desk{}, provider: "lab", translates: true}
	m.answersWith(saidItem)
	h := keeper(m, true)
	first := call(h, "POST", "/v1/responses", `{"model":"m","input":"one"}`).Body.String()
	call(h, "POST", "/v1/responses", `{"model":"m","previous_response_id":"resp_lab1","input":[{"id":"msg_own","role":"user","content":"two"}]}`)
	if w := call(h, "GET", "/v1/responses/resp_lab1", ""); w.Code != 200 || w.Body.String() != first || w.Header().Get("Content-Type") != "application/json" {
		t.Errorf("GET: %d %s", w.Code, w.Body)
	}
	if w := call(h, "GET", "/v1/responses/resp_lab1?stream=true", ""); w.Code != 400 {
		t.Errorf("GET as a stream: %d", w.Code)
	}
	w := call(h, "GET", "/v1/responses/resp_lab2/input_items?order=asc", "")
	var list struct {
		Object  string
		Data    []struct{ ID, Content any }
		FirstID string `json:"first_id"`
		LastID  string `json:"last_id"`
		HasMore bool   `json:"has_more"`
	}
	if err := json.Unmarshal(w.Body.Bytes(), &list); err != nil || list.Object != "list" || len(list.Data) != 3 || list.LastID != "msg_own" || list.HasMore || list.FirstID == "" {
		t.Errorf("input_items: %s (%v)", w.Body, err)
	}
	w = call(h, "GET", "/v1/responses/resp_lab2/input_items?limit=1&after=msg_own", "")
	if err := json.Unmarshal(w.Body.Bytes(), &list); err != nil || len(list.Data) != 1 || list.Data[0].ID != "msg_1" || !list.HasMore {
		t.Errorf("a page of input_items: %s (%v)", w.Body, err)
	}
	for _, q := range []string{"limit=0", "limit=x", "order=up", "after=nobody"} {
		if w := call(h, "GET", "/v1/responses/resp_lab2/input_items?"+q, ""); w.Code != 400 {
			t.Errorf("%s: %d", q, w.Code)
		}
	}
	if w := call(h, "POST", "/v1/responses/resp_lab2/cancel", ""); w.Code != 400 {
		t.Errorf("cancel: %d", w.Code)
	}
	if w := call(h, "GET", "/v1/responses/resp_lab1", "", "Authorization", "Bearer kt-other"); w.Code != 404 {
		t.Errorf("another tool: %d", w.Code)
	}
	if w := call(h, "DELETE", "/v1/responses/resp_lab1", ""); w.Code != 200 || w.Body.String() != `{"id":"resp_lab1","object":"response","deleted":true}` {
		t.Errorf("DELETE: %d %s", w.Code, w.Body)
	}
	w = call(h, "GET", "/v1/responses/resp_lab1", "")
	if message, _ := problem(t, w); w.Code != 404 || !strings.Contains(message, "resp_lab1") {
		t.Errorf("deleted: %d %s", w.Code, w.Body)
	}
	if w := call(h, "GET", "/v1/responses/resp_lab1", "", "Authorization", ""); w.Code != 401 {
		t.Errorf("without a token: %d", w.Code)
	}
	h.Forget()
	if w := call(h, "GET", "/v1/responses/resp_lab2", ""); w.Code != 404 {
		t.Errorf("forgotten: %d", w.Code)
	}
}

// What a provider made and keeps is asked for there.
func TestMakersAnswers(t *testing.T) {
	for _, keep := range []bool{false, true} {
		m := &maker{desk: &desk{}, provider: "lab"}
		m.answersWith(saidItem)
		h := keeper(m, keep)
		call(h, "POST", "/v1/responses", `{"model":"m","stream":true,"input":"one"}`)
		for _, c := range []string{"GET /responses/resp_lab1", "GET /responses/resp_lab1/input_items", "POST /responses/resp_lab1/cancel", "DELETE /responses/resp_lab1"} {
			method, path, _ := strings.Cut(c, " ")
			m.passed = nil
			w := call(h, method, "/v1"+path+"?a=b", "")
			own := keep && method != "DELETE"
			if got := fmt.Sprint(m.passed); own != (got == "[]") || !own && (got != "[lab "+c+"?a=b]" || w.Body.String() != `{"from":"the provider"}`) {
				t.Errorf("kept %t, %s: passed %s, answered %d %s", keep, c, got, w.Code, w.Body)
			}
		}
		if w := call(h, "GET", "/v1/responses/resp_unknown", ""); w.Code != 404 || len(m.passed) > 1 {
			t.Errorf("unknown: %d", w.Code)
		}
		if n, _ := h.Kept(); n != 0 {
			t.Errorf("%d answers are kept", n)
		}
	}
}

func TestShelf(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShelf(10_000, 3, time.Hour)
		put := func(id, prev string, size int) {
			s.put(&kept{tool: "t", id: id, prev: prev, whole: true, input: []byte(strings.Repeat("1", size))})
		}
		put("a", "", 1)
		put("b", "a", 1)
		put("c", "", 1)
		if items, ok := s.chain("t", "b"); !ok || string(items) != "1,1" { // a use of a as well
			t.Errorf("%s, %t", items, ok)
		}
		put("d", "", 1)
		if s.get("t", "c") != nil || s.get("t", "a") == nil {
			t.Error("what was not used longest should go first")
		}
		s.remove("t", "a")
		if _, ok := s.chain("t", "b"); ok {
			t.Error("a chain with a hole")
		}
		put("e", "", 4000)
		put("f", "", 4000)
		put("g", "", 4000)
		if n, size := s.size(); n != 2 || size > 10_000 || s.get("t", "g") == nil {
			t.Errorf("%d answers in %d bytes", n, size)
		}
		put("h", "", 6000)
		if s.get("t", "h") != nil || s.get("t", "g") == nil {
			t.Error("one large answer pushed the others out")
		}
		time.Sleep(61 * time.Minute)
		if s.get("t", "g") != nil {
			t.Error("kept for ever")
		}
		put("x", "x", 1)
		if _, ok := s.chain("t", "x"); ok {
			t.Error("an answer that continues itself")
		}
	})
}
