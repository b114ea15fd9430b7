package messages_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/anthropics/anthropic-sdk-go"
	"github.com/anthropics/anthropic-sdk-go/option"

	"keytray/proxy/dialect/dialecttest"
	"keytray/proxy/dialect/messages"
	"keytray/proxy/llm"
)

// told is what the official client makes of an answer.
func told(m *anthropic.BetaMessage) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s %q %q\n", m.Role, m.StopReason, m.StopDetails.Type, m.StopDetails.Explanation)
	for _, c := range m.Content {
		switch c.Type {
		case "text":
			fmt.Fprintf(&b, "text %q", c.Text)
			for _, q := range c.Citations {
				fmt.Fprintf(&b, " cites %q %q", q.URL+q.Source, q.CitedText)
			}
		case "thinking":
			if c.Signature == llm.Seal("", "") { // it has none (D13)
				c.Signature = ""
			}
			fmt.Fprintf(&b, "thinking %q %q", c.Thinking, c.Signature)
		case "redacted_thinking":
			fmt.Fprintf(&b, "redacted %q", c.Data)
		case "tool_use":
			var input bytes.Buffer
			raw, _ := json.Marshal(c.Input)
			_ = json.Compact(&input, raw)
			fmt.Fprintf(&b, "call %s %s %s", c.ID, c.Name, input.String())
		default: // of the provider's own tools, which are not shown
			continue
		}
		b.WriteByte('\n')
	}
	u := m.Usage
	fmt.Fprintf(&b, "in %d read %d wrote %d (%d, %d) out %d searches %d", u.InputTokens, u.CacheReadInputTokens, u.CacheCreationInputTokens,
		u.CacheCreation.Ephemeral5mInputTokens, u.CacheCreation.Ephemeral1hInputTokens, u.OutputTokens, u.ServerToolUse.WebSearchRequests)
	return b.String()
}

// read has the official client read an answer's bytes.
func read(stream bool, body []byte) (*anthropic.BetaMessage, error) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", messages.Dialect{}.ContentType(llm.Peek{Stream: stream}))
		_, _ = w.Write(body) // the client sees what is missing
	}))
	defer server.Close()
	client := anthropic.NewClient(option.WithBaseURL(server.URL), option.WithAPIKey("local"), option.WithMaxRetries(0))
	params := anthropic.BetaMessageNewParams{Model: "m", MaxTokens: 9, Messages: []anthropic.BetaMessageParam{{Role: "user", Content: []anthropic.BetaContentBlockParamUnion{anthropic.NewBetaTextBlock("x")}}}}
	if !stream {
		return client.Beta.Messages.New(context.Background(), params)
	}
	events := client.Beta.Messages.NewStreaming(context.Background(), params)
	var m anthropic.BetaMessage
	for events.Next() {
		if err := m.Accumulate(events.Current()); err != nil {
			return &m, err
		}
	}
	return &m, events.Err()
}

// The official client reads every recorded answer of Anthropic's, and what
// becomes of it when it is translated and written again, streamed and whole:
// both say the same.
func TestOfficialClientReadsRecordings(t *testing.T) {
	count := map[string]int{}
	for _, recorded := range dialecttest.Recordings(t, "anthropic-messages") {
		name, stream, body := recorded.Name, recorded.Stream, recorded.Body
		if !stream && !bytes.Contains(body, []byte(`"content"`)) {
			count["left out: refusals, embeddings"]++
			continue
		}
		original, err := read(stream, body)
		if err != nil {
			t.Errorf("%s: the client cannot read the original: %v", name, err)
			continue
		}
		want := told(original)
		for _, again := range []bool{false, true} {
			r := request(t, asked)
			r.Stream = again
			c := &llm.Call{Stream: stream, Model: llm.Model{Provider: "anthropic"}}
			var sent bytes.Buffer
			if err := (messages.Dialect{}).EncodeResponse(&sent, r, messages.Dialect{}.DecodeResponse(c, bytes.NewReader(body))); err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			if again {
				legal(t, name, sent.String())
			}
			m, err := read(again, sent.Bytes())
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			if got := told(m); got != want {
				t.Errorf("%s, streamed %v, then %v:\n%s\nwant\n%s", name, stream, again, got, want)
				continue
			}
			count[fmt.Sprintf("streamed %v, read as streamed %v", stream, again)]++
		}
	}
	t.Log(count)
}

// The official client sends to, and is answered by, this dialect.
func TestOfficialClient(t *testing.T) {
	think := block(llm.Thinking, 0, "hm")
	think[2].Opaque, think[2].Origin = "sig", "gemini:google"
	events := around(llm.CallTools, think, block(llm.Text, 1, "ä\n"),
		[]llm.Event{begin(llm.ToolCall, 2, "c1", "f"), end(llm.ToolCall, 2)},
		[]llm.Event{begin(llm.ToolCall, 3, "c2", "f"), piece(llm.ToolCall, 3, `{"x":1}`), end(llm.ToolCall, 3)})
	events[len(events)-1].Usage = &llm.Usage{Input: 6, CacheRead: 100, CacheWrite5m: 50, Output: 9, Reasoning: 2, Known: true}
	refused := &llm.Error{Kind: llm.RateLimited, Status: 429, Message: "slow down", Provider: "groq"}
	var got *llm.Prompt
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, hr *http.Request) {
		var d messages.Dialect
		body, _ := io.ReadAll(hr.Body)
		peek, err := d.Peek(hr, body)
		if err != nil {
			t.Error(err)
		}
		r := &llm.Request{ID: "1", Inbound: d, Raw: body, Header: hr.Header, Peek: peek}
		p, err := r.Prompt()
		if err == nil && p.User == "refuse" {
			err = refused
		}
		if err != nil {
			status, kind, b := d.EncodeError(llm.AsError(err))
			w.Header().Set("Content-Type", kind)
			w.WriteHeader(status)
			_, _ = w.Write(b) // the client's error shows it
			return
		}
		got = p
		w.Header().Set("Content-Type", d.ContentType(peek))
		_ = d.EncodeResponse(w, r, func(yield func(llm.Event, error) bool) { // the client's error shows it
			for _, e := range events {
				if p.User == "break" && e.Block == llm.ToolCall {
					yield(llm.Event{}, &llm.Error{Kind: llm.Overloaded, Message: "busy"})
					return
				}
				if !yield(e, nil) {
					return
				}
			}
		})
	}))
	defer server.Close()
	client := anthropic.NewClient(option.WithBaseURL(server.URL), option.WithAPIKey("local"), option.WithMaxRetries(0))
	ctx := context.Background()
	ask := func(user string) anthropic.MessageNewParams {
		return anthropic.MessageNewParams{
			Model: "m", MaxTokens: 99, System: []anthropic.TextBlockParam{{Text: "s"}},
			Messages: []anthropic.MessageParam{anthropic.NewUserMessage(anthropic.NewTextBlock("x"), anthropic.NewImageBlockBase64("image/png", "AA"))},
			Tools:    []anthropic.ToolUnionParam{{OfTool: &anthropic.ToolParam{Name: "f", InputSchema: anthropic.ToolInputSchemaParam{Properties: map[string]any{}}}}},
			Metadata: anthropic.MetadataParam{UserID: anthropic.String(user)},
			Thinking: anthropic.ThinkingConfigParamOfEnabled(2048),
		}
	}
	check := func(what string, m anthropic.Message) {
		t.Helper()
		if len(m.Content) != 4 || m.Content[0].Thinking != "hm" || m.Content[0].Signature != llm.Seal("gemini:google", "sig") || m.Content[1].Text != "ä\n" ||
			string(m.Content[2].Input) != "{}" || string(m.Content[3].Input) != `{"x":1}` || m.Content[3].ID != "c2" {
			t.Errorf("%s: %+v", what, m.Content)
		}
		u := m.Usage
		if m.StopReason != "tool_use" || m.Model != "m" || u.InputTokens != 6 || u.CacheReadInputTokens != 100 || u.CacheCreationInputTokens != 50 || u.OutputTokens != 9 {
			t.Errorf("%s: %s %+v", what, m.StopReason, u)
		}
	}
	m, err := client.Messages.New(ctx, ask("u"))
	if err != nil {
		t.Fatal(err)
	}
	check("whole", *m)
	if got.User != "u" || len(got.Tools) != 1 || len(got.Messages[0].Blocks) != 2 || *got.Reasoning.Budget != 2048 || got.System[0].Text != "s" || len(got.Lost) > 0 {
		t.Errorf("%+v", got)
	}

	stream := func(user string) (m anthropic.Message, err error) {
		s := client.Messages.NewStreaming(ctx, ask(user))
		for s.Next() {
			if err := m.Accumulate(s.Current()); err != nil {
				t.Error(err)
			}
		}
		return m, s.Err()
	}
	streamed, err := stream("u")
	if err != nil {
		t.Fatal(err)
	}
	check("streamed", streamed)

	// An answer goes back as it came: the thought returns to who signed it.
	again := ask("u")
	again.Messages = append(again.Messages, streamed.ToParam(), anthropic.NewUserMessage(anthropic.NewToolResultBlock("c1", "one", false), anthropic.NewToolResultBlock("c2", "two", true)))
	if _, err := client.Messages.New(ctx, again); err != nil {
		t.Fatal(err)
	}
	back := got.Messages[1].Blocks
	if len(back) != 4 || back[0].Opaque != "sig" || back[0].Origin != "gemini:google" || back[3].Text != `{"x":1}` || !got.Messages[2].Blocks[1].Failed {
		t.Errorf("%+v", got.Messages[1:])
	}

	n, err := client.Messages.CountTokens(ctx, anthropic.MessageCountTokensParams{Model: "m", Messages: ask("u").Messages})
	if err != nil || n.InputTokens != 156 {
		t.Errorf("count: %+v %v", n, err)
	}

	var e *anthropic.Error
	if _, err := client.Messages.New(ctx, ask("refuse")); !errors.As(err, &e) || e.StatusCode != 429 || !strings.Contains(e.RawJSON(), `"rate_limit_error","message":"groq: slow down"`) {
		t.Errorf("refused: %v", err)
	}
	if _, err := stream("refuse"); !errors.As(err, &e) || e.StatusCode != 429 {
		t.Errorf("refused: %v", err)
	}
	if m, err := stream("break"); err == nil || !strings.Contains(err.Error(), "overloaded_error") || m.StopReason != "" { // B10
		t.Errorf("broken: %v %s", err, m.StopReason)
	}
}
