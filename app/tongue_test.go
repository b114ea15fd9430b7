package app

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"keytray/proxy"
)

// tongue is how a client asks and listens in one dialect.
type tongue struct {
	dialect string
	path    func(model string, stream bool) string
	// body has %q for the model, %q for the text and %t for whether to stream, in this order.
	body string
	// hear is what one frame, or a whole answer, says.
	hear func(frame utterance) (text string, end bool)
}

// tongues has one for each dialect that clients may speak.
var tongues = []tongue{
	{"chat", fixed("/v1/chat/completions"), `{"model":%q,"messages":[{"role":"user","content":%q}],"stream":%t}`, func(f utterance) (string, bool) {
		text, end := "", false
		for _, c := range f.Choices {
			text += c.Delta.Content + c.Message.Content
			end = end || c.Finish != ""
		}
		return text, end
	}},
	{"messages", fixed("/v1/messages"), `{"model":%q,"max_tokens":1000,"messages":[{"role":"user","content":%q}],"stream":%t}`, func(f utterance) (string, bool) {
		text := f.delta.Text
		for _, c := range f.Content {
			text += c.Text
		}
		return text, f.Type == "message_stop" || f.Type == "message"
	}},
	{"gemini", func(model string, stream bool) string {
		if stream {
			return "/v1beta/models/" + model + ":streamGenerateContent?alt=sse"
		}
		return "/v1beta/models/" + model + ":generateContent"
	}, `{"x_model":%q,"contents":[{"role":"user","parts":[{"text":%q}]}],"x_stream":%t}`, func(f utterance) (string, bool) {
		text, end := "", false
		for _, c := range f.Candidates {
			for _, p := range c.Content.Parts {
				text += p.Text
			}
			end = end || c.FinishReason != ""
		}
		return text, end
	}},
	{"ollama", fixed("/api/chat"), `{"model":%q,"messages":[{"role":"user","content":%q}],"stream":%t}`, func(f utterance) (string, bool) {
		return f.message.Content, f.Done
	}},
	{"responses", fixed("/v1/responses"), `{"model":%q,"input":%q,"stream":%t}`, func(f utterance) (string, bool) {
		text := ""
		if f.Type == "response.output_text.delta" {
			_ = json.Unmarshal(f.Delta, &text) // no text then
		}
		for _, o := range f.Output {
			for _, c := range o.Content {
				text += c.Text
			}
		}
		return text, f.Type == "response.completed" || f.Object == "response" && f.Status == "completed"
	}},
}

func fixed(path string) func(string, bool) string {
	return func(string, bool) string { return path }
}

// allTongues are the tongues of all dialects that clients may speak; a dialect without one fails the test.
func allTongues(t *testing.T) []tongue {
	t.Helper()
	var all []tongue
	for _, d := range proxy.Dialects() {
		if strings.HasPrefix(d, "embed-") {
			continue // which asks for no answer
		}
		i := slices.IndexFunc(tongues, func(x tongue) bool { return x.dialect == d })
		if i < 0 {
			t.Fatalf("no client of this test speaks %s", d)
		}
		all = append(all, tongues[i])
	}
	return all
}

// utterance is what frames and answers of all dialects say.
type utterance struct {
	Type, Object, Status string
	Error                json.RawMessage
	Choices              []struct {
		Delta, Message struct{ Content string }
		Finish         string `json:"finish_reason"`
	}
	Delta      json.RawMessage
	Content    []struct{ Text string }
	Candidates []struct {
		Content      struct{ Parts []struct{ Text string } }
		FinishReason string
	}
	Message json.RawMessage
	Done    bool
	Output  []struct{ Content []struct{ Text string } }

	Response struct{ Error json.RawMessage } // of a stream of Responses that failed

	delta   struct{ Text string }
	message struct{ Content string }
}

// hearing is what a client had of an answer.
type hearing struct {
	text  string
	ended bool   // the dialect's end was seen
	told  string // the message of an error, as the dialect tells it
}

// add takes in a frame or a whole answer.
func (h *hearing) add(t tongue, data []byte) error {
	var f utterance
	if err := json.Unmarshal(data, &f); err != nil {
		return fmt.Errorf("%w in %s", err, data)
	}
	_ = json.Unmarshal(f.Delta, &f.delta)     // absent, or text
	_ = json.Unmarshal(f.Message, &f.message) // absent, or a head
	if f.Error == nil {
		f.Error = f.Response.Error
	}
	if len(f.Error) > 0 && string(f.Error) != "null" {
		var e struct{ Message string }
		if json.Unmarshal(f.Error, &e.Message) != nil && json.Unmarshal(f.Error, &e) != nil || e.Message == "" {
			return fmt.Errorf("an error without a message: %s", data)
		}
		h.told = e.Message
		return nil
	}
	text, end := t.hear(f)
	h.text += text
	h.ended = h.ended || end
	return nil
}

// listen reads a stream; after each frame more is asked whether to go on.
func (t tongue) listen(in io.Reader, more func(hearing) bool) (hearing, error) {
	var h hearing
	r := bufio.NewReader(in)
	for {
		line, err := r.ReadString('\n')
		line = strings.TrimSpace(line)
		if data, ok := strings.CutPrefix(line, "data:"); ok {
			line = strings.TrimSpace(data)
		}
		if strings.HasPrefix(line, "{") && (err == nil || err == io.EOF) {
			if err := h.add(t, []byte(line)); err != nil {
				return h, err
			}
			if !more(h) {
				return h, nil
			}
		}
		if err == io.EOF {
			return h, nil
		}
		if err != nil {
			return h, err
		}
	}
}
