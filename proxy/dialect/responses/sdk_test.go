package responses

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	sdk "github.com/openai/openai-go/v3/responses"

	"keytray/proxy/llm"
)

// The official client reads what Keytray writes, streamed and whole alike, and
// the errors of both.
func TestOfficialClient(t *testing.T) {
	fail := &llm.Error{Kind: llm.RateLimited, Message: "slow down", Provider: "groq", Status: 429}
	parts := append(call(0, "c1", "find", `{"q":`, `1}`), call(1, "c2", "edit", `{"input":"a\nb"}`)...)
	parts = append(parts, words("Hi")[1:4]...)
	for i := range 3 {
		parts[len(parts)-3+i].Index = 2
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, hr *http.Request) {
		var d Dialect
		body, _ := io.ReadAll(hr.Body) // a body that is cut has no model
		peek, err := d.Peek(hr, body)
		if err == nil && strings.HasPrefix(hr.URL.Path, "/fail") {
			err = fail
		}
		if err != nil {
			status, kind, body := d.EncodeError(llm.AsError(err))
			w.Header().Set("Content-Type", kind)
			w.WriteHeader(status)
			_, _ = w.Write(body) // the client's error shows it
			return
		}
		events := script(llm.CallTools, parts)
		if strings.HasPrefix(hr.URL.Path, "/broken") {
			events = func(yield func(llm.Event, error) bool) {
				yield(llm.Event{Kind: llm.Start}, nil)
				yield(llm.Event{}, fail)
			}
		}
		w.Header().Set("Content-Type", d.ContentType(peek))
		_ = d.EncodeResponse(w, &llm.Request{ID: "kt-1", Raw: body, Peek: peek}, events) // the client's error shows it
	}))
	defer server.Close()
	client := func(path string) openai.Client {
		return openai.NewClient(option.WithBaseURL(server.URL+path), option.WithAPIKey("local"), option.WithMaxRetries(0))
	}
	params := sdk.ResponseNewParams{
		Model: "m", Input: sdk.ResponseNewParamsInputUnion{OfString: openai.String("x")},
		Tools: []sdk.ToolUnionParam{
			{OfCustom: &sdk.CustomToolParam{Name: "edit"}},
			{OfFunction: &sdk.FunctionToolParam{Name: "find", Parameters: map[string]any{"type": "object"}}},
		},
	}
	check := func(what string, r *sdk.Response) {
		t.Helper()
		if len(r.Output) != 3 || r.OutputText() != "Hi" || r.Status != "completed" || r.Usage.TotalTokens != 2 || len(r.Tools) != 2 {
			t.Fatalf("%s: %s", what, r.RawJSON())
		}
		one, two := r.Output[0].AsFunctionCall(), r.Output[1].AsCustomToolCall()
		if one.CallID != "c1" || one.Name != "find" || one.Arguments != `{"q":1}` || two.CallID != "c2" || two.Name != "edit" || two.Input != "a\nb" {
			t.Errorf("%s: %s", what, r.RawJSON())
		}
	}
	good, broken, failing := client("/v1/"), client("/broken/"), client("/fail/")
	whole, err := good.Responses.New(t.Context(), params)
	if err != nil {
		t.Fatal(err)
	}
	check("whole", whole)

	stream := good.Responses.NewStreaming(t.Context(), params)
	input := ""
	var last sdk.ResponseStreamEventUnion
	for stream.Next() {
		last = stream.Current()
		if last.Type == inputDelta {
			input += last.Delta
		}
	}
	if stream.Err() != nil || input != "a\nb" {
		t.Fatal(stream.Err(), input)
	}
	check("streamed", &last.Response)

	stream = broken.Responses.NewStreaming(t.Context(), params) // F17
	for stream.Next() {
		last = stream.Current()
	}
	if last.Type != "response.failed" || last.Response.Error.Code != "rate_limit_exceeded" || last.Response.Status != "failed" {
		t.Errorf("%v %s", stream.Err(), last.RawJSON())
	}
	_, err = failing.Responses.New(t.Context(), params)
	if e, ok := err.(*openai.Error); !ok || e.StatusCode != 429 || e.Message != "groq: slow down" || e.Code != "rate_limit_exceeded" {
		t.Errorf("%v", err)
	}
	n, err := good.Responses.InputTokens.Count(t.Context(), sdk.InputTokenCountParams{Model: openai.String("m"), Input: sdk.InputTokenCountParamsInputUnion{OfString: openai.String("x")}})
	if err != nil || n.InputTokens != 1 || n.Object != "response.input_tokens" {
		t.Errorf("%+v %v", n, err)
	}
}
