package gemini_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"keytray/proxy/llm"
)

// write encodes events for a client that asks with config.
func write(t testing.TB, path, config string, events ...llm.Event) string {
	t.Helper()
	r, err := asked(path, `{"contents":"x","generationConfig":`+config+`}`)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := out.EncodeResponse(&b, r, play(nil, events...)); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func play(end error, events ...llm.Event) llm.Events {
	return func(yield func(llm.Event, error) bool) {
		for _, e := range events {
			if !yield(e, nil) {
				return
			}
		}
		if end != nil {
			yield(llm.Event{}, end)
		}
	}
}

// block is the events of one block.
func block(kind llm.BlockKind, i int, text, opaque, origin string) []llm.Event {
	e := []llm.Event{{Kind: llm.BlockStart, Block: kind, Index: i, ID: "id", Name: "f"}}
	if text != "" {
		e = append(e, llm.Event{Kind: llm.Delta, Block: kind, Index: i, Text: text})
	}
	return append(e, llm.Event{Kind: llm.BlockStop, Block: kind, Index: i, Opaque: opaque, Origin: origin})
}

func answer(why llm.Why, blocks ...[]llm.Event) []llm.Event {
	all := []llm.Event{{Kind: llm.Start, ID: "a1", Name: "real"}}
	for _, b := range blocks {
		all = append(all, b...)
	}
	return append(all, llm.Event{Kind: llm.Stop, Why: why, Usage: &llm.Usage{Known: true, Input: 5, CacheRead: 100, Output: 30, Reasoning: 20}, Tier: "flex"})
}

const (
	wholePath  = "/v1beta/models/m:generateContent"
	streamPath = "/v1beta/models/m:streamGenerateContent?alt=sse"
	arrayPath  = "/v1beta/models/m:streamGenerateContent"
	thoughts   = `{"thinkingConfig":{"includeThoughts":true}}`
)

func TestAnswerForms(t *testing.T) {
	events := answer(llm.EndTurn, block(llm.Text, 0, "a\n\"b\"", "", ""))
	const tail = `],"role":"model"},"finishReason":"STOP","index":0}],"usageMetadata":{"promptTokenCount":105,"cachedContentTokenCount":100,` +
		`"candidatesTokenCount":10,"thoughtsTokenCount":20,"totalTokenCount":135,"serviceTier":"flex"},"modelVersion":"m","responseId":"a1"}` // E13
	const head = `{"candidates":[{"content":{"parts":[`
	const text = `{"text":"a\n\"b\""}`
	const first = head + text + `],"role":"model"},"index":0}],"modelVersion":"m","responseId":"a1"}`
	for path, want := range map[string]string{
		wholePath:  head + text + tail,
		streamPath: "data: " + first + "\n\ndata: " + head + tail + "\n\n",
		arrayPath:  "[" + first + "\r\n,\r\n" + head + tail + "]\n",
	} {
		if got := write(t, path, `{}`, events...); got != want {
			t.Errorf("%s\n%s\nwant\n%s", path, got, want)
		}
	}
}

// parts are those of an answer, all frames joined.
func parts(t *testing.T, body string) string {
	t.Helper()
	var all []string
	for _, line := range strings.Split(strings.ReplaceAll(body, "data: ", ""), "\n\n") {
		if line == "" {
			continue
		}
		var v struct {
			Candidates []struct {
				Content struct{ Parts []json.RawMessage }
			}
		}
		if err := json.Unmarshal([]byte(line), &v); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		for _, p := range v.Candidates[0].Content.Parts {
			all = append(all, string(p))
		}
	}
	return strings.Join(all, " ")
}

func TestAnswerParts(t *testing.T) {
	sealed := llm.Seal("messages:anthropic", "sig")
	for _, c := range []struct {
		name, config    string
		events          []llm.Event
		whole, streamed string
	}{
		{
			"thoughts shown", thoughts, block(llm.Thinking, 0, "hm", "sig", "messages:anthropic"),
			`{"text":"hm","thought":true,"thoughtSignature":"` + sealed + `"}`,
			`{"text":"hm","thought":true} {"text":"","thought":true,"thoughtSignature":"` + sealed + `"}`,
		},
		{"thoughts not asked for", `{}`, block(llm.Thinking, 0, "hm", "sig", "messages:anthropic"), ``, ``}, // E14
		{
			"Google's own signature stays", `{}`, block(llm.Thinking, 0, "hm", "b3du", "gemini:google"),
			`{"text":"","thoughtSignature":"b3du"}`, `{"text":"","thoughtSignature":"b3du"}`,
		},
		{
			"a signature alone", thoughts, block(llm.Thinking, 0, "", "b3du", "gemini:google"),
			`{"text":"","thoughtSignature":"b3du"}`, `{"text":"","thoughtSignature":"b3du"}`,
		},
		{
			"text with a signature", `{}`, block(llm.Text, 0, "x", "b3du", "gemini"),
			`{"text":"x","thoughtSignature":"b3du"}`, `{"text":"x"} {"text":"","thoughtSignature":"b3du"}`,
		},
		{"redacted", `{}`, block(llm.Redacted, 0, "", "sig", "messages:anthropic"), // B5
			`{"text":"","thoughtSignature":"` + sealed + `"}`, `{"text":"","thoughtSignature":"` + sealed + `"}`},
		{
			"a call", `{}`, block(llm.ToolCall, 0, "{\n\"a\": \"\\n\"\n}", "sig", "chat:openrouter"),
			`{"functionCall":{"id":"id","name":"f","args":{"a": "\n"}},"thoughtSignature":"` + llm.Seal("chat:openrouter", "sig") + `"}`, "",
		},
		{"a call without arguments", `{}`, block(llm.ToolCall, 0, "", "", ""), `{"functionCall":{"id":"id","name":"f","args":{}}}`, ""}, // B7
		{"an image", `{}`, block(llm.Image, 0, "QQ==", "", ""), `{"inlineData":{"mimeType":"f","data":"QQ=="}}`, ""},
	} {
		if c.streamed == "" {
			c.streamed = c.whole
		}
		events := answer(llm.EndTurn, c.events)
		if got := parts(t, write(t, wholePath, c.config, events...)); got != c.whole {
			t.Errorf("%s, whole:\n%s\nwant\n%s", c.name, got, c.whole)
		}
		if got := parts(t, write(t, streamPath, c.config, events...)); got != c.streamed {
			t.Errorf("%s, streamed:\n%s\nwant\n%s", c.name, got, c.streamed)
		}
	}
}

// What goes out comes back as it was when the client keeps its parts.
func TestAnswerComesBack(t *testing.T) {
	events := answer(llm.CallTools,
		block(llm.Thinking, 0, "hm", "sig", "messages:anthropic"), block(llm.Redacted, 1, "", "red", "messages:anthropic"),
		block(llm.Text, 2, "text", "", ""), block(llm.ToolCall, 3, `{"a":1}`, "calls", "gemini:google"))
	for _, path := range []string{wholePath, streamPath} {
		kept := strings.ReplaceAll(parts(t, write(t, path, thoughts, events...)), "} {", "},{")
		p := mustAsk(t, `{"contents":[{"role":"model","parts":[`+kept+`]}]}`)
		var got []string
		for _, b := range p.Messages[0].Blocks {
			got = append(got, sprint(b.Kind, b.Text, b.Opaque, " ", b.Origin))
		}
		if s := strings.Join(got, "|"); s != `1hmsig messages:anthropic|2red messages:anthropic|0text |3{"a":1}calls gemini` {
			t.Errorf("%s: %s", path, s)
		}
	}
}

func TestAnswerEnds(t *testing.T) {
	for why, want := range map[llm.Why]string{
		llm.EndTurn: "STOP", llm.StopSequence: "STOP", llm.CallTools: "STOP", llm.PauseTurn: "STOP", llm.MaxTokens: "MAX_TOKENS",
		llm.ContentFilter: "SAFETY", llm.Refused: "SAFETY", "RECITATION": "RECITATION", "weird": "OTHER", // E18
	} {
		got := write(t, wholePath, `{}`, answer(why)...)
		if !strings.Contains(got, `"finishReason":"`+want+`"`) || (why == "weird") != strings.Contains(got, `"finishMessage":"the provider's own reason: weird"`) {
			t.Errorf("%s: %s", why, got)
		}
	}
	for why, want := range map[llm.Why]string{llm.CallTools: "MALFORMED_FUNCTION_CALL", llm.MaxTokens: "MAX_TOKENS"} {
		got := write(t, streamPath, `{}`, answer(why, block(llm.ToolCall, 0, `{"a":`, "", ""))...)
		if strings.Contains(got, "functionCall\"") || !strings.Contains(got, want) || !strings.Contains(got, "finishMessage") {
			t.Errorf("%s: %s", why, got)
		}
	}
}

// Parallel calls may grow side by side (E23).
func TestAnswerParallelCalls(t *testing.T) {
	d := func(kind llm.EventKind, i int, id, text string) llm.Event {
		return llm.Event{Kind: kind, Block: llm.ToolCall, Index: i, ID: id, Name: "f" + id, Text: text}
	}
	events := answer(llm.CallTools, []llm.Event{
		d(llm.BlockStart, 0, "x", ""), d(llm.BlockStart, 1, "y", ""), d(llm.Delta, 0, "", `{"a"`), d(llm.Delta, 1, "", `{"b":`),
		d(llm.Delta, 0, "", `:1}`), d(llm.BlockStop, 0, "", ""), d(llm.Delta, 1, "", `2}`), d(llm.BlockStop, 1, "", ""),
	})
	want := `{"functionCall":{"id":"x","name":"fx","args":{"a":1}}} {"functionCall":{"id":"y","name":"fy","args":{"b":2}}}`
	if got := parts(t, write(t, streamPath, `{}`, events...)); got != want {
		t.Error(got)
	}
}

func TestAnswerCites(t *testing.T) { // B11
	cite := func(i, start, end int, url string) llm.Event {
		return llm.Event{Kind: llm.Delta, Block: llm.Text, Index: i, Cite: &llm.Citation{URL: url, Title: "t", Start: start, End: end}}
	}
	one, two := block(llm.Text, 0, "abc", "", ""), block(llm.Text, 1, "def", "", "")
	events := answer(llm.EndTurn, append(one[:2:2], cite(0, 0, 3, "u"), one[2]), append(two[:2:2], cite(1, 1, 2, "v"), cite(1, 0, 0, "w"), two[2]))
	want := `"groundingMetadata":{"groundingChunks":[{"web":{"uri":"u","title":"t"}},{"web":{"uri":"v","title":"t"}},{"web":{"uri":"w","title":"t"}}],` +
		`"groundingSupports":[{"segment":{"startIndex":0,"endIndex":3},"groundingChunkIndices":[0]},{"segment":{"startIndex":4,"endIndex":5},"groundingChunkIndices":[1]}]}`
	for _, path := range []string{wholePath, streamPath} {
		if got := write(t, path, `{}`, events...); strings.Count(got, want) != 1 {
			t.Errorf("%s\nwants %s", got, want)
		}
	}
}

func TestAnswerPing(t *testing.T) { // B9
	events := append([]llm.Event{{Kind: llm.Start}, {Kind: llm.Ping}}, answer(llm.EndTurn)[1:]...)
	for _, path := range []string{streamPath, arrayPath} {
		if s := readString(t, &llm.Call{Stream: true}, write(t, path, `{}`, events...)); s.err != nil || s.text != "" {
			t.Errorf("%+v", s)
		}
	}
	if got := write(t, streamPath, `{}`, events...); strings.Count(got, "data: ") != 2 || strings.Contains(got, "\n:") {
		t.Error(got) // comments break Google's own SDKs
	}
}

// A failure in the middle is told, and the answer has no clean end (B10).
func TestAnswerBreaks(t *testing.T) {
	fail := &llm.Error{Kind: llm.Cut, Provider: "lab", Message: "it stopped"}
	const body = `{"error":{"code":502,"message":"lab: it stopped","status":"UNAVAILABLE"}}`
	events := answer("", block(llm.Text, 0, "x", "", ""))
	for path, want := range map[string]string{
		streamPath: "data: " + body + "\n\n" + body + "\n",
		arrayPath:  "\r\n,\r\n" + body + "\n",
		wholePath:  "",
	} {
		r, _ := asked(path, `{"contents":"x"}`)
		var b bytes.Buffer
		err := out.EncodeResponse(&b, r, play(fail, events[:len(events)-1]...))
		if !errors.Is(err, fail) || !strings.HasSuffix(b.String(), want) || path == wholePath && b.Len() > 0 || strings.Contains(b.String(), "finishReason") {
			t.Errorf("%s: %v\n%s", path, err, b.String())
		}
		if s := readString(t, &llm.Call{Stream: true}, b.String()); s.err == nil {
			t.Errorf("%s was read as a whole answer", path)
		}
	}
}

func TestEncodeError(t *testing.T) {
	for want, e := range map[string]*llm.Error{
		`400 {"error":{"code":400,"message":"bad","status":"INVALID_ARGUMENT","details":[{"@type":"type.googleapis.com/google.rpc.BadRequest","fieldViolations":[{"field":"contents","description":"bad"}]}]}}`:                                                   llm.Invalid("contents", "bad"),
		`429 {"error":{"code":429,"message":"lab: slow","status":"RESOURCE_EXHAUSTED","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"rate","domain":"lab"},{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"1.5s"}]}}`: {Kind: llm.RateLimited, Status: 429, Provider: "lab", Code: "rate", Message: "slow", RetryAfter: 1500 * time.Millisecond},
		`401 {"error":{"code":401,"message":"who","status":"UNAUTHENTICATED"}}`: {Kind: llm.Unauthorized, Message: "who"},
		`503 {"error":{"code":503,"message":"busy","status":"UNAVAILABLE"}}`:    {Kind: llm.Overloaded, Message: "busy"},
		`500 {"error":{"code":500,"message":"oh","status":"INTERNAL"}}`:         {Kind: llm.Internal, Message: "oh"},
	} {
		status, kind, body := out.EncodeError(e)
		if got := sprint(status, " ", string(body)); got != want || kind != "application/json" {
			t.Errorf("%s\nwant\n%s", got, want)
		}
		back := out.DecodeError(status, nil, body)
		if back.Kind != e.Kind && e.Kind != llm.Internal || back.RetryAfter != e.RetryAfter || back.Param != e.Param {
			t.Errorf("%s came back as %+v", body, back)
		}
	}
}
