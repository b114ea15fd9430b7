package gemini_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"google.golang.org/genai"

	"keytray/proxy"
	"keytray/proxy/dialect/chat"
	"keytray/proxy/dialect/gemini"
	"keytray/proxy/dialect/messages"
	"keytray/proxy/dialect/ollama"
	"keytray/proxy/llm"
	"keytray/proxy/upstream"
)

// house is a front door with one leaf behind it, and a provider that answers
// as it is told and keeps what it was sent.
type house struct {
	URL string

	mu       sync.Mutex
	leaf     *upstream.Leaf
	asked    *http.Request
	sent     []byte
	attempts []llm.Attempt
}

func (h *house) Target(*llm.Request) (llm.Target, error) { return h.leaf, nil }
func (h *house) Models(string, bool) []proxy.Model       { return nil }
func (h *house) May(string, string) bool                 { return true }
func (h *house) Begin(*llm.Attempt) error                { return nil }

func (h *house) Ollama(*http.Request, bool) (*http.Response, error) {
	return nil, llm.Invalid("", "no Ollama")
}

func (h *house) Finish(a *llm.Attempt) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.attempts = append(h.attempts, *a)
}

// open starts a house whose provider speaks out's dialect.
func open(t *testing.T, out llm.Outbound, answer http.HandlerFunc) *house {
	t.Helper()
	h := &house{}
	provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		h.mu.Lock()
		h.asked, h.sent = r, body
		h.mu.Unlock()
		answer(w, r)
	}))
	t.Cleanup(provider.Close)
	n := upstream.NewNetwork()
	t.Cleanup(n.Close)
	n.Allow([]string{strings.TrimPrefix(provider.URL, "http://")})
	h.leaf = &upstream.Leaf{
		Model: llm.Model{Provider: "lab", Name: "real-model"}, Outbound: out, Base: provider.URL + "/base", Network: n, Record: h,
		Sign: func(_ context.Context, r *http.Request) (upstream.Signature, error) {
			r.Header.Set("X-Goog-Api-Key", "the-real-key")
			return upstream.Signature{Label: "work"}, nil
		},
	}
	door := httptest.NewServer(proxy.New(proxy.Options{
		Table:   func() proxy.Table { return h },
		Token:   func(token string) (string, bool) { return "tool", token == "kt-good" },
		Without: func() proxy.Access { return proxy.Refuse },
	}))
	t.Cleanup(door.Close)
	h.URL = door.URL
	return h
}

func (h *house) row(t *testing.T) llm.Attempt {
	t.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.attempts) == 0 {
		t.Fatal("no row")
	}
	return h.attempts[len(h.attempts)-1]
}

func (h *house) client(t *testing.T) *genai.Client {
	t.Helper()
	c, err := genai.NewClient(t.Context(), &genai.ClientConfig{
		APIKey: "kt-good", Backend: genai.BackendGeminiAPI, HTTPOptions: genai.HTTPOptions{BaseURL: h.URL},
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// post is a call as a program makes it that has no SDK.
func (h *house) post(t *testing.T, path, body string) (*http.Response, string) {
	t.Helper()
	resp, err := http.Post(h.URL+path, "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Logf("%s: %v", path, err)
		return resp, string(b) + "\x00cut"
	}
	return resp, string(b)
}

// canned answers with a file of a conversation.
func canned(t *testing.T, out llm.Outbound, conversation string) http.HandlerFunc {
	t.Helper()
	dir := filepath.Join("..", "testdata", conversation)
	whole, err := os.ReadFile(filepath.Join(dir, out.Name()+".answer.json"))
	if err != nil {
		t.Fatal(err)
	}
	name, kind := ".answer.sse", "text/event-stream"
	if out.Framing(&llm.Call{}) == llm.NDJSON {
		name, kind = ".answer.ndjson", "application/x-ndjson"
	}
	streamed, err := os.ReadFile(filepath.Join(dir, out.Name()+name))
	if err != nil {
		t.Fatal(err)
	}
	return func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.Header.Get("Accept"), "event-stream") || r.Header.Get("X-Want-Stream") != "" {
			w.Header().Set("Content-Type", kind)
			_, _ = w.Write(streamed)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(whole)
	}
}

// ndjson has an ollama provider stream: its dialect asks in the body alone.
func ndjson(t *testing.T, h *house, next http.HandlerFunc) http.HandlerFunc {
	t.Helper()
	return func(w http.ResponseWriter, r *http.Request) {
		if bytes.Contains(h.sent, []byte(`"stream":true`)) {
			r.Header.Set("X-Want-Stream", "1")
		}
		next(w, r)
	}
}

var weather = &genai.GenerateContentConfig{
	ThinkingConfig: &genai.ThinkingConfig{IncludeThoughts: true},
	Tools: []*genai.Tool{{FunctionDeclarations: []*genai.FunctionDeclaration{{
		Name: "get_weather", Description: "Current weather of a city",
		Parameters: &genai.Schema{Type: genai.TypeObject, Properties: map[string]*genai.Schema{"city": {Type: genai.TypeString}}, Required: []string{"city"}},
	}}}},
}

// TestOfficialClient asks providers of every dialect, streamed and whole.
func TestOfficialClient(t *testing.T) {
	for _, out := range []llm.Outbound{chat.Dialect{}, messages.Dialect{}, ollama.Dialect{}, gemini.Dialect{}} {
		for _, conversation := range []string{"text", "tools", "thinking", "parallel-tools"} {
			t.Run(out.Name()+"/"+conversation, func(t *testing.T) {
				var h *house
				answer := canned(t, out, conversation)
				h = open(t, out, func(w http.ResponseWriter, r *http.Request) { ndjson(t, h, answer)(w, r) })
				client := h.client(t)
				whole, err := client.Models.GenerateContent(t.Context(), "some/model:x", genai.Text("hi"), weather)
				if err != nil {
					t.Fatal(err)
				}
				var streamed genai.GenerateContentResponse
				chunks := 0
				for chunk, err := range client.Models.GenerateContentStream(t.Context(), "some/model:x", genai.Text("hi"), weather) {
					if err != nil {
						t.Fatal(err)
					}
					chunks++
					gather(&streamed, chunk)
				}
				a, b := tellOf(whole), tellOf(&streamed)
				if a != b { // B13
					t.Errorf("whole\n%s\nstreamed\n%s", a, b)
				}
				if chunks < 2 || len(whole.Candidates) != 1 || whole.UsageMetadata.TotalTokenCount == 0 {
					t.Errorf("%d chunks, whole %s", chunks, a)
				}
				if strings.Contains(conversation, "tools") && len(whole.FunctionCalls()) == 0 || conversation == "thinking" && !strings.Contains(a, "thought ") {
					t.Errorf("said too little: %s", a)
				}
				if out.Name() != "gemini" && whole.ModelVersion != "some/model:x" {
					t.Errorf("model %q", whole.ModelVersion)
				}
				if row := h.row(t); row.Outcome != llm.OK || row.Tally.Usage.Output == 0 {
					t.Errorf("row %+v", row)
				}
			})
		}
	}
}

// gather adds a chunk to an answer as clients do.
func gather(all, chunk *genai.GenerateContentResponse) {
	if len(all.Candidates) == 0 {
		all.Candidates = []*genai.Candidate{{Content: &genai.Content{}}}
	}
	if chunk.UsageMetadata != nil {
		all.UsageMetadata = chunk.UsageMetadata
	}
	all.ModelVersion = chunk.ModelVersion
	for _, c := range chunk.Candidates {
		if c.Content != nil {
			all.Candidates[0].Content.Parts = append(all.Candidates[0].Content.Parts, c.Content.Parts...)
		}
		if c.FinishReason != "" {
			all.Candidates[0].FinishReason = c.FinishReason
		}
		if c.GroundingMetadata != nil {
			all.Candidates[0].GroundingMetadata = c.GroundingMetadata
		}
	}
}

// tellOf is what an answer says, however it is cut into parts. Ids that were
// made up are left out.
func tellOf(r *genai.GenerateContentResponse) string {
	var text, thought, rest strings.Builder
	if len(r.Candidates) == 0 {
		return "nothing"
	}
	if c := r.Candidates[0].Content; c != nil {
		for _, p := range c.Parts {
			switch {
			case p.FunctionCall != nil:
				rest.WriteString("call " + p.FunctionCall.Name + sprint(p.FunctionCall.Args) + "\n")
			case p.InlineData != nil:
				rest.WriteString("media " + p.InlineData.MIMEType + sprint(len(p.InlineData.Data)) + "\n")
			case p.ExecutableCode != nil, p.CodeExecutionResult != nil:
				rest.WriteString("code\n")
			case p.Thought:
				thought.WriteString(p.Text)
			default:
				text.WriteString(p.Text)
			}
			if len(p.ThoughtSignature) > 0 {
				rest.WriteString("signed " + sprint(len(p.ThoughtSignature)) + "\n")
			}
		}
	}
	var u genai.GenerateContentResponseUsageMetadata
	if r.UsageMetadata != nil {
		u = *r.UsageMetadata
	}
	return "text " + text.String() + "\nthought " + thought.String() + "\n" + rest.String() + string(r.Candidates[0].FinishReason) +
		sprint(u.PromptTokenCount+u.ToolUsePromptTokenCount, u.CachedContentTokenCount, u.CandidatesTokenCount, u.ThoughtsTokenCount, u.TotalTokenCount)
}

// TestCopies follows a client's own bytes to Google and back.
func TestCopies(t *testing.T) {
	const body = `{"contents":[ {"parts":[{"text":"hi"}]} ]}`
	const array = "[{\n \"candidates\": [{\"content\":{\"parts\":[{\"text\":\"a\"}],\"role\":\"model\"},\"index\":0}]\n}\n,\r\n" +
		`{"candidates":[{"content":{"parts":[{"text":"b"}],"role":"model"},"finishReason":"STOP","index":0}],"usageMetadata":{"promptTokenCount":3,"candidatesTokenCount":2,"totalTokenCount":5}}` + "\n]\n"
	frames := stream(candidate(`{"text":"a"}`, ""), candidate(`{"text":"b"}`, "STOP"))
	cases := []struct{ name, path, answer, kind, asked string }{
		{"whole", "/v1beta/models/alias:generateContent?key=kt-good", candidate(`{"text":"ab"}`, "STOP"), "application/json; charset=UTF-8", "/base/models/real-model:generateContent"},
		{"of version 1", "/v1/models/alias:generateContent?key=kt-good", candidate(`{"text":"ab"}`, "STOP"), "application/json", "/base/models/real-model:generateContent"},
		{"stream", "/v1beta/models/alias:streamGenerateContent?key=kt-good&alt=sse", frames, "text/event-stream", "/base/models/real-model:streamGenerateContent?alt=sse"},
		{"array", "/v1beta/models/a/b:c:streamGenerateContent?key=kt-good", array, "application/json; charset=UTF-8", "/base/models/real-model:streamGenerateContent"},
		{"count", "/v1beta/models/alias:countTokens?key=kt-good", `{"totalTokens": 31}`, "application/json", "/base/models/real-model:countTokens"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			h := open(t, gemini.Dialect{}, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", c.kind)
				_, _ = io.WriteString(w, c.answer)
			})
			resp, got := h.post(t, c.path, body)
			if resp.StatusCode != 200 || got != c.answer || resp.Header.Get("Content-Type") != c.kind {
				t.Errorf("%d %s\n%q, want\n%q", resp.StatusCode, resp.Header.Get("Content-Type"), got, c.answer)
			}
			if string(h.sent) != body || h.asked.URL.String() != c.asked || h.asked.Header.Get("X-Goog-Api-Key") != "the-real-key" {
				t.Errorf("sent %s to %s", h.sent, h.asked.URL)
			}
			row := h.row(t)
			if row.Outcome != llm.OK || !row.Tally.Usage.Known || c.name == "array" && row.Tally.Usage.Output != 2 || c.name == "count" && row.Tally.Usage.Input != 0 {
				t.Errorf("row %+v", row)
			}
		})
	}
}

// An array that stops in the middle never gets its closing bracket.
func TestCopyOfACutArray(t *testing.T) {
	h := open(t, gemini.Dialect{}, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `[{"candidates":[{"content":{"parts":[{"text":"a"}],"role":"model"},"index":0}]}`+"\n]\n")
	})
	_, got := h.post(t, "/v1beta/models/m:streamGenerateContent?key=kt-good", `{"contents":"x"}`)
	if !strings.HasSuffix(got, "}\x00cut") || h.row(t).Outcome != llm.Broken {
		t.Errorf("%q, row %+v", got, h.row(t))
	}
}

// TestArrayOfAnother has a provider of another dialect answer as an array.
func TestArrayOfAnother(t *testing.T) {
	h := open(t, chat.Dialect{}, canned(t, chat.Dialect{}, "text"))
	resp, got := h.post(t, "/v1beta/models/m:streamGenerateContent?key=kt-good", `{"contents":[{"parts":[{"text":"hi"}]}]}`)
	s := readString(t, &llm.Call{}, got)
	if s.err != nil || s.text == "" || s.stop.Why != llm.EndTurn || !strings.HasPrefix(got, "[{") || !strings.HasSuffix(got, "}]\n") ||
		!strings.Contains(got, "}\r\n,\r\n{") || !strings.HasPrefix(resp.Header.Get("Content-Type"), "application/json") {
		t.Errorf("%+v\n%s", s, got)
	}
	if resp.Header.Get("Keytray-Target") != "lab/real-model" {
		t.Error(resp.Header)
	}
}

// TestOfficialClientErrors: refusals before anything is sent, of the provider,
// and in the middle of an answer (B10, J9, E18).
func TestOfficialClientErrors(t *testing.T) {
	more := make(chan struct{})
	h := open(t, chat.Dialect{}, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Accept") == "text/event-stream" {
			w.Header().Set("Content-Type", "text/event-stream")
			_, _ = io.WriteString(w, `data: {"choices":[{"index":0,"delta":{"content":"Hel"}}]}`+"\n\n")
			_ = http.NewResponseController(w).Flush() // else the client gets nothing, and fails
			<-more
			_, _ = io.WriteString(w, `data: {"error":{"message":"engine on fire","code":503}}`+"\n\n")
			return
		}
		w.Header().Set("Retry-After", "7")
		w.WriteHeader(http.StatusTooManyRequests)
		_, _ = io.WriteString(w, `<html><title>Slow down</title></html>`)
	})
	client := h.client(t)
	var e genai.APIError
	_, err := client.Models.GenerateContent(t.Context(), "m", genai.Text("hi"), nil)
	if !errors.As(err, &e) || e.Code != 429 || e.Status != "RESOURCE_EXHAUSTED" || !strings.Contains(sprint(e.Details), "7s") {
		t.Errorf("%+v", err)
	}
	_, err = client.Models.GenerateContent(t.Context(), "m", genai.Text("hi"), &genai.GenerateContentConfig{CachedContent: "cachedContents/x"})
	if !errors.As(err, &e) || e.Code != 400 || e.Status != "INVALID_ARGUMENT" || !strings.Contains(e.Message, "cachedContent") {
		t.Errorf("%+v", err)
	}
	said := ""
	err = nil
	for chunk, e := range client.Models.GenerateContentStream(t.Context(), "m", genai.Text("hi"), nil) {
		if e != nil {
			err = e
			break
		}
		if said += chunk.Text(); said == "Hel" {
			close(more)
		}
		if len(chunk.Candidates) > 0 && chunk.Candidates[0].FinishReason != "" {
			t.Error("a broken answer has a finish reason")
		}
	}
	if said != "Hel" || !errors.As(err, &e) || e.Code != 503 || !strings.Contains(e.Message, "engine on fire") {
		t.Errorf("%q, then %+v", said, err)
	}
	if row := h.row(t); row.Outcome != llm.Failed {
		t.Errorf("row %+v", row)
	}
}

// TestOfficialClientCounts counts where the provider speaks this dialect.
func TestOfficialClientCounts(t *testing.T) {
	h := open(t, gemini.Dialect{}, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"totalTokens": 31}`)
	})
	n, err := h.client(t).Models.CountTokens(t.Context(), "m", genai.Text("hi"), nil)
	if err != nil || n.TotalTokens != 31 {
		t.Errorf("%+v, %v", n, err)
	}
	var b bytes.Buffer
	r := &llm.Request{Inbound: out, Raw: []byte(`{"contents":"x"}`), Peek: llm.Peek{Model: "m", Counts: true}}
	events := func(yield func(llm.Event, error) bool) {
		_ = yield(llm.Event{Kind: llm.Start}, nil) && yield(llm.Event{Kind: llm.Stop, Usage: &llm.Usage{Input: 12}}, nil)
	}
	if err := out.EncodeResponse(&b, r, events); err != nil || b.String() != `{"totalTokens":12}` { // C16
		t.Errorf("%s, %v", b.String(), err)
	}
}
