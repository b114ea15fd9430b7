package gemini_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"keytray/proxy/llm"
)

// candidate is a chunk with parts and, if not empty, a finish reason.
func candidate(parts, finish string) string {
	if finish != "" {
		finish = `,"finishReason":"` + finish + `"`
	}
	return `{"candidates":[{"content":{"role":"model","parts":[` + parts + `]}` + finish + `,"index":0}],` +
		`"usageMetadata":{"promptTokenCount":7,"candidatesTokenCount":2,"totalTokenCount":9},"modelVersion":"m-1","responseId":"r-1"}`
}

func TestAnswers(t *testing.T) {
	for _, tt := range []struct {
		name   string
		chunks []string
		want   string // text|thinking|refusal|calls|opaque|images|why
		lost   string
	}{
		{"text", []string{candidate(`{"text":"a"}`, ""), candidate(`{"text":"b"},{"text":"c"}`, "STOP")}, "abc||||||end", ""},
		{"escapes", []string{candidate(`{"text":"\u00e9\n\"\\ \ud83d\ude00 é"}`, "STOP")}, "é\n\"\\ 😀 é||||||end", ""},
		{"broken UTF-8", []string{candidate("{\"text\":\"a\xff\"}", "STOP")}, "a\ufffd||||||end", ""},
		{"E14 thoughts", []string{candidate(`{"text":"t","thought":true}`, ""), candidate(`{"text":"a","thought":false}`, "STOP")}, "a|t|||||end", ""},
		{"a signature in the text", []string{candidate(`{"text":"a","thoughtSignature":"czE="}`, ""), candidate(`{"text":"b"}`, "STOP")}, "ab||||czE=||end", ""},
		{"a signature after the text", []string{candidate(`{"text":"a"}`, ""), candidate(`{"text":"","thoughtSignature":"czE="}`, "STOP")}, "a||||czE=||end", ""},
		{"two signatures", []string{candidate(`{"text":"a","thoughtSignature":"czE="},{"text":"b","thoughtSignature":"czI="}`, "STOP")}, "ab||||czE=,czI=||end", ""},
		{"a signature after a call", []string{candidate(`{"functionCall":{"name":"f","args":{}}},{"text":"","thoughtSignature":"czE="}`, "STOP")}, "|||f{}|czE=||tool_calls", ""},
		{"B7 a call without arguments", []string{candidate(`{"functionCall":{"name":"f"}}`, "STOP")}, "|||f{}|||tool_calls", ""},
		{"arguments keep their bytes", []string{candidate(`{"functionCall":{"name":"f","args":{"b": 1, "a":"é"}},"thoughtSignature":"czE="}`, "STOP")}, `|||f{"b": 1, "a":"é"}|czE=||tool_calls`, ""},
		{"E9 parallel calls", []string{candidate(`{"functionCall":{"name":"f","args":{"n":1}}},{"functionCall":{"name":"f","args":{"n":2}}}`, ""), candidate(`{"functionCall":{"name":"f","args":{"n":3}}}`, "STOP")}, `|||f{"n":1},f{"n":2},f{"n":3}|||tool_calls`, ""},
		{"a call and a limit", []string{candidate(`{"functionCall":{"name":"f","args":{}}}`, "MAX_TOKENS")}, "|||f{}|||max_tokens", ""},
		{"E18 a tool that is not there", []string{candidate(`{"functionCall":{"name":"f","args":{}}}`, "UNEXPECTED_TOOL_CALL")}, "|||f{}|||tool_calls", ""},
		{"length", []string{candidate(`{"text":"a"}`, "MAX_TOKENS")}, "a||||||max_tokens", ""},
		{"length without content", []string{`{"candidates":[{"content":{"role":"model"},"finishReason":"MAX_TOKENS"}]}`}, "||||||max_tokens", ""},
		{"E18 safety", []string{candidate(`{"text":"a"}`, ""), `{"candidates":[{"finishReason":"SAFETY","safetyRatings":[]}]}`}, "a||||||content_filter", ""},
		{"recitation", []string{candidate(``, "RECITATION")}, "||||||content_filter", ""},
		{"image safety", []string{candidate(``, "IMAGE_SAFETY")}, "||||||content_filter", ""},
		{"a reason of its own", []string{candidate(`{"text":"a"}`, "LANGUAGE")}, "a||||||LANGUAGE", ""},
		{"E18 a blocked prompt", []string{`{"promptFeedback":{"blockReason":"SAFETY"},"usageMetadata":{"promptTokenCount":7}}`}, "||The prompt was blocked: SAFETY||||content_filter", ""},
		{"E18 blocked, and told why", []string{`{"promptFeedback":{"blockReasonMessage":"Bad.","blockReason":"OTHER"}}`}, "||The prompt was blocked: OTHER: Bad.||||content_filter", ""},
		{"an image", []string{candidate(`{"text":"a"},{"inlineData":{"mimeType":"image/png","data":"QQ=="}},{"text":"b"}`, "STOP")}, "ab|||||image/png;QQ==|end", ""},
		{"a draft image", []string{candidate(`{"inlineData":{"mimeType":"image/png","data":"QQ=="},"thought":true}`, "STOP")}, "||||||end", "answer: a draft image of the model's thinking"},
		{
			"code",
			[]string{candidate(`{"executableCode":{"language":"PYTHON","code":"print(1)"}},{"codeExecutionResult":{"outcome":"OUTCOME_OK","output":"1\n"}}`, "STOP")},
			"\n```python\nprint(1)\n```\n\n```\n1\n```\n||||||end", "",
		},
		{"Google's own tools", []string{candidate(`{"toolCall":{"toolType":"X","id":"1"},"thoughtSignature":"czE="},{"text":"a"}`, "STOP")}, "a||||||end", "answer: a part called toolCall"},
		{"only the first candidate", []string{`{"candidates":[{"index":1,"content":{"parts":[{"text":"x"}]},"finishReason":"STOP"},{"index":0,"content":{"parts":[{"text":"a"}]},"finishReason":"STOP"}]}`}, "a||||||end", ""},
		{"text after the reason", []string{candidate(`{"text":"a"}`, "STOP"), candidate(`{"text":"b"}`, "STOP")}, "ab||||||end", ""},
		{"an unspecified reason", []string{candidate(`{"text":"a"}`, "FINISH_REASON_UNSPECIFIED"), candidate(`{"text":"b"}`, "STOP")}, "ab||||||end", ""},
		{
			"arguments in pieces", []string{
				candidate(`{"functionCall":{"name":"f","willContinue":true},"thoughtSignature":"czE="}`, ""),
				candidate(`{"functionCall":{"partialArgs":[{"jsonPath":"$.city.name","stringValue":"New ","willContinue":true}],"willContinue":true}}`, ""),
				candidate(`{"functionCall":{"partialArgs":[{"jsonPath":"$.city.name","stringValue":"Delhi"},{"jsonPath":"$.n[0]","numberValue":1.50},{"jsonPath":"$['a.b']","boolValue":true},{"jsonPath":"$.n[1]","boolValue":false},{"jsonPath":"$.n[7]","boolValue":false},{"jsonPath":"$.z","nullValue":"NULL_VALUE"},{"jsonPath":"$.q[x]","boolValue":true},{"jsonPath":"$..q","boolValue":true}],"willContinue":true}}`, ""),
				candidate(`{"functionCall":{}}`, ""), candidate(`{"functionCall":{"name":"g"}}`, "STOP"),
			}, `|||f{"city":{"name":"New Delhi"},"n":[1.50,false],"a.b":true,"z":null},g{}|czE=||tool_calls`, "",
		},
		{"pieces that never end", []string{candidate(`{"functionCall":{"name":"f","partialArgs":[{"jsonPath":"$.a","stringValue":"x"},{"jsonPath":"nonsense","stringValue":"x"}],"willContinue":true}}`, "MAX_TOKENS")}, `|||f{"a":"x"}|||max_tokens`, ""},
	} {
		check := func(how string, stream bool, body io.Reader) {
			c := model()
			c.Stream = stream
			s := read(t, c, body)
			if s.err != nil {
				t.Errorf("%s, %s: %v", tt.name, how, s.err)
				return
			}
			var calls []string
			for _, call := range s.calls {
				calls = append(calls, call.Name+call.Text)
			}
			got := strings.Join([]string{s.text, s.thinking, s.refusal, strings.Join(calls, ","), strings.Join(s.opaque, ","), strings.Join(s.images, ","), string(s.stop.Why)}, "|")
			if got != tt.want {
				t.Errorf("%s, %s:\ngot  %q\nwant %q", tt.name, how, got, tt.want)
			}
			if strings.Join(c.Lost, "|") != tt.lost {
				t.Errorf("%s, %s: lost %q, want %q", tt.name, how, c.Lost, tt.lost)
			}
		}
		check("streamed", true, strings.NewReader(stream(tt.chunks...)))
		check("byte by byte", true, iotest.OneByteReader(strings.NewReader(stream(tt.chunks...)))) // J2
		check("as an array", true, strings.NewReader("["+strings.Join(tt.chunks, "\n,\r\n")+"]\n"))
		if len(tt.chunks) == 1 {
			check("whole", false, strings.NewReader(tt.chunks[0]))
			check("whole though a stream was asked for", true, strings.NewReader("\n "+tt.chunks[0]))
		}
	}
}

func TestStartAndStop(t *testing.T) {
	c := model()
	c.Stream = true
	s := readString(t, c, stream(candidate(`{"text":"a"}`, ""), `{"candidates":[{"finishReason":"STOP"}]}`, `{"usageMetadata":{"promptTokenCount":7,"candidatesTokenCount":5,"serviceTier":"FLEX"}}`, "[DONE]"))
	if s.id != "r-1" || s.model != "m-1" || s.stop.Tier != "flex" || s.stop.Usage.Output != 5 || !s.stop.Usage.Known {
		t.Errorf("%+v, usage %+v", s, s.stop.Usage)
	}
}

func TestLoneSignature(t *testing.T) { // an empty text block would be refused by others
	s := readString(t, model(), candidate(`{"functionCall":{"name":"f"}},{"text":"","thoughtSignature":"czE="}`, "STOP"))
	if fmt.Sprint(s.kinds) != fmt.Sprint([]llm.BlockKind{llm.ToolCall, llm.Thinking}) {
		t.Errorf("blocks %v", s.kinds)
	}
}

func TestIDs(t *testing.T) { // E9, E23
	s := readString(t, model(), candidate(`{"functionCall":{"id":"x","name":"f"}},{"functionCall":{"id":"x","name":"f"}},{"functionCall":{"name":"f"}},{"functionCall":{"name":"f"}}`, "STOP"))
	ids := map[string]bool{}
	for _, c := range s.calls {
		ids[c.ID] = true
	}
	if len(ids) != 4 || ids[""] || s.calls[0].ID != "x" || !strings.HasPrefix(s.calls[2].ID, "call_") {
		t.Errorf("%v", ids)
	}
}

func TestCitations(t *testing.T) { // B11, I10
	const grounded = `"groundingMetadata":{"webSearchQueries":["a","b"],"groundingChunks":[{"web":{"uri":"https://a","title":"A"}},{"retrievedContext":{"uri":"gs://b","text":"B."}},{"web":{"uri":"https://c"}}],` +
		`"groundingSupports":[{"segment":{"endIndex":5,"text":"Hello"},"groundingChunkIndices":[0,1,9]}]}`
	last := `{"candidates":[{"finishReason":"STOP",` + grounded + `,"citationMetadata":{"citationSources":[{"startIndex":1,"endIndex":3,"uri":"https://d"}]}}],"usageMetadata":{"promptTokenCount":1}}`
	c := model()
	c.Stream = true
	s := readString(t, c, stream(candidate(`{"text":"Hello"}`, ""), last))
	want := "[{https://a A  0 5} {gs://b  B. 0 5} {https://c   0 0} {https://d   1 3}]"
	if got := fmt.Sprint(s.cites); got != want || s.blocks != 1 || s.stop.Usage.Searches != 2 {
		t.Errorf("%s in %d blocks, %d searches", got, s.blocks, s.stop.Usage.Searches)
	}
	s = readString(t, c, stream(candidate(`{"text":"Hello"},{"functionCall":{"name":"f"}}`, ""), last))
	if len(s.cites) != 4 || s.cites[0].End != 0 || s.blocks != 3 {
		t.Errorf("after a call: %v in %d blocks", s.cites, s.blocks)
	}
}

func TestBrokenAnswers(t *testing.T) {
	hello := candidate(`{"text":"a"}`, "")
	for _, tt := range []struct {
		name   string
		stream bool
		body   string
		kind   llm.ErrorKind
		code   string
	}{
		{"cut stream", true, stream(hello), llm.Cut, ""},
		{"cut in a frame", true, stream(hello) + `data: {"candidates":[{"con`, llm.Cut, ""},
		{"cut array", true, "[" + hello + ",", llm.Cut, ""},
		{"cut array, after a chunk", true, "[" + hello, llm.Cut, ""},
		{"cut whole", false, hello[:50], llm.Cut, ""},
		{"whole without a reason", false, hello, llm.Cut, ""},
		{"empty stream", true, "", llm.Cut, ""},
		{"empty whole", false, " \n", llm.Cut, ""},
		{"only comments", true, ": hi\n\n", llm.Cut, ""},
		{"a page", false, "<html>", llm.Garbage, ""},
		{"garbage", true, stream(hello, "nonsense"), llm.Garbage, ""},
		{"a number", true, stream("1"), llm.Garbage, ""},
		{"garbage in an array", true, "[" + hello + ",x]", llm.Garbage, ""},
		{"a part that is none", true, stream(candidate(`{"text":1}`, "STOP")), llm.Garbage, ""},
		{"a call that is none", true, stream(candidate(`{"functionCall":"f"}`, "STOP")), llm.Garbage, ""},
		{"E18 no candidates", false, `{"candidates":[],"modelVersion":"m","usageMetadata":{"promptTokenCount":7}}`, llm.Garbage, ""},
		{"E18 nothing at all", false, `{}`, llm.Garbage, ""},
		{"E18 a malformed call", true, stream(hello, `{"candidates":[{"finishReason":"MALFORMED_FUNCTION_CALL","finishMessage":"print(f())"}]}`), llm.Garbage, "MALFORMED_FUNCTION_CALL"},
		{"E18 a tool that is not there, without a call", false, `{"candidates":[{"finishReason":"UNEXPECTED_TOOL_CALL"}]}`, llm.Garbage, "UNEXPECTED_TOOL_CALL"},
		{"B10 an error in the stream", true, stream(hello, `{"error":{"code":503,"message":"The model is overloaded.","status":"UNAVAILABLE"}}`), llm.Overloaded, "UNAVAILABLE"},
		{"an error array", true, `[{"error":{"code":429,"message":"Slow down.","status":"RESOURCE_EXHAUSTED"}}]`, llm.RateLimited, "RESOURCE_EXHAUSTED"},
		{"an error with status 200", false, `{"error":{"code":400,"message":"No.","status":"INVALID_ARGUMENT"}}`, llm.BadRequest, "INVALID_ARGUMENT"},
	} {
		c := model()
		c.Stream = tt.stream
		s := readString(t, c, tt.body)
		if s.err == nil || s.err.Kind != tt.kind || s.err.Code != tt.code || s.err.Outbound != "gemini" || s.err.Message == "" {
			t.Errorf("%s: %+v", tt.name, s.err)
		}
	}
	reset := errors.New("connection reset")
	c := model()
	c.Stream = true
	s := read(t, c, io.MultiReader(strings.NewReader(stream(hello)), iotest.ErrReader(reset)))
	if s.err == nil || s.err.Kind != llm.Cut || !errors.Is(s.err, reset) {
		t.Errorf("a reset: %v", s.err)
	}
	s = read(t, c, io.MultiReader(strings.NewReader(stream(candidate(`{"text":"a"}`, "STOP"))), iotest.ErrReader(reset)))
	if s.err != nil || s.text != "a" {
		t.Errorf("a reset after the end: %v", s.err)
	}
}

// TestUnbuffered reads a stream whose next frame comes only after the last
// one's text was yielded.
func TestUnbuffered(t *testing.T) {
	r, w := io.Pipe()
	next := make(chan string)
	go func() {
		for s := range next {
			if _, err := io.WriteString(w, s); err != nil {
				return
			}
		}
		_ = w.Close()
	}()
	c := model()
	c.Stream = true
	texts := []string{"a", "b", "c"}
	next <- stream(candidate(`{"text":"a"}`, ""))
	got := ""
	for e, err := range out.DecodeResponse(c, r) {
		if err != nil {
			t.Fatal(err)
		}
		if e.Kind == llm.Delta {
			if got += e.Text; len(got) < len(texts) {
				next <- stream(candidate(`{"text":"`+texts[len(got)]+`"}`, ""))
			} else {
				next <- stream(candidate(``, "STOP"))
				close(next)
			}
		}
	}
	if got != "abc" {
		t.Error(got)
	}
}

func TestStoppingEarly(t *testing.T) {
	c := model()
	c.Stream = true
	for n := range 6 {
		for range out.DecodeResponse(c, strings.NewReader(stream(candidate(`{"text":"a"},{"functionCall":{"name":"f"}}`, "STOP")))) {
			if n--; n < 0 {
				break
			}
		}
	}
}
