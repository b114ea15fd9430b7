package proxytest_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/tidwall/gjson"

	"keytray/proxy/proxytest"
)

// body returns a request in the dialect.
func body(d proxytest.Dialect, model string, stream bool) string {
	switch d {
	case proxytest.Gemini:
		return `{"contents":[{"role":"user","parts":[{"text":"hi"}]}]}`
	default:
		streamed := "false"
		if stream {
			streamed = "true"
		}
		return `{"model":"` + model + `","stream":` + streamed + `,"messages":[{"role":"user","content":"hi"}]}`
	}
}

// post sends a request and returns the answer, whose body the caller closes.
func post(ctx context.Context, t *testing.T, base string, d proxytest.Dialect, model string, stream bool) *http.Response {
	t.Helper()
	response, err := try(ctx, base, d, model, stream)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { response.Body.Close() })
	return response
}

func try(ctx context.Context, base string, d proxytest.Dialect, model string, stream bool) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, base+d.Path(model, stream), strings.NewReader(body(d, model, stream)))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer sk-test")
	request.Header.Set("X-Api-Key", "sk-test")
	request.Header.Set("X-Goog-Api-Key", "sk-test")
	request.Header.Set("Accept-Encoding", "identity")
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return client.Do(request)
}

func read(t *testing.T, r *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// reading is what an answer says, in one form for all dialects.
type reading struct {
	text, thinking, stop string
	calls                []string // name and arguments
	in, out              int64
	ended                bool
}

// add reads one JSON object of an answer: a whole one or what one frame carries.
func (r *reading) add(d proxytest.Dialect, data string) {
	v := gjson.Parse(data)
	each := func(path string, do func(gjson.Result)) {
		v.Get(path).ForEach(func(_, x gjson.Result) bool { do(x); return true })
	}
	call := func(index int64, name, arguments string) {
		if int(index) == len(r.calls) {
			r.calls = append(r.calls, name)
		}
		r.calls[index] += arguments
	}
	set := func(to *int64, from gjson.Result) {
		if from.Exists() {
			*to = from.Int()
		}
	}
	switch d {
	case proxytest.Chat:
		if data == "[DONE]" {
			r.ended = true
		}
		for _, field := range []string{"message", "delta"} {
			m := v.Get("choices.0." + field)
			r.text += m.Get("content").String()
			r.thinking += m.Get("reasoning_content").String()
			for i, c := range m.Get("tool_calls").Array() {
				if index := c.Get("index"); index.Exists() {
					i = int(index.Int())
				}
				call(int64(i), c.Get("function.name").String(), c.Get("function.arguments").String())
			}
		}
		r.stop += v.Get("choices.0.finish_reason").String()
		set(&r.in, v.Get("usage.prompt_tokens"))
		set(&r.out, v.Get("usage.completion_tokens"))
	case proxytest.Messages:
		each("content", func(b gjson.Result) {
			r.text += b.Get("text").String()
			r.thinking += b.Get("thinking").String()
			if b.Get("type").Str == "tool_use" {
				call(int64(len(r.calls)), b.Get("name").Str, b.Get("input").Raw)
			}
		})
		if b := v.Get("content_block"); b.Get("type").Str == "tool_use" {
			call(int64(len(r.calls)), b.Get("name").Str, "")
		}
		r.text += v.Get("delta.text").String()
		r.thinking += v.Get("delta.thinking").String()
		if v.Get("delta.partial_json").String() != "" {
			r.calls[len(r.calls)-1] += v.Get("delta.partial_json").String()
		}
		r.stop += v.Get("stop_reason").String() + v.Get("delta.stop_reason").String()
		set(&r.in, v.Get("usage.input_tokens"))
		set(&r.out, v.Get("usage.output_tokens"))
		r.ended = r.ended || v.Get("type").Str == "message_stop"
	case proxytest.Gemini:
		each("candidates.0.content.parts", func(p gjson.Result) {
			if p.Get("thought").Bool() {
				r.thinking += p.Get("text").String()
			} else {
				r.text += p.Get("text").String()
			}
			if c := p.Get("functionCall"); c.Exists() {
				call(int64(len(r.calls)), c.Get("name").Str, c.Get("args").Raw)
			}
		})
		r.stop += v.Get("candidates.0.finishReason").String()
		r.ended = r.stop != ""
		set(&r.in, v.Get("usageMetadata.promptTokenCount"))
		r.out = v.Get("usageMetadata.candidatesTokenCount").Int() + v.Get("usageMetadata.thoughtsTokenCount").Int()
	case proxytest.Ollama:
		r.text += v.Get("message.content").String()
		r.thinking += v.Get("message.thinking").String()
		each("message.tool_calls", func(c gjson.Result) {
			call(c.Get("function.index").Int(), c.Get("function.name").Str, c.Get("function.arguments").Raw)
		})
		r.stop += v.Get("done_reason").String()
		r.ended = v.Get("done").Bool()
		set(&r.in, v.Get("prompt_eval_count"))
		set(&r.out, v.Get("eval_count"))
	}
}

// frames returns the data of a stream's frames.
func frames(d proxytest.Dialect, stream string) []string {
	var out []string
	for line := range strings.Lines(stream) {
		line = strings.TrimRight(line, "\r\n")
		data, isData := strings.CutPrefix(line, "data:")
		if d == proxytest.Ollama {
			data, isData = line, line != ""
		}
		if isData {
			out = append(out, strings.TrimPrefix(data, " "))
		}
	}
	return out
}
