package chat

import (
	"io"
	"net/http"
	"strings"

	"keytray/proxy/dialect/field"
	"keytray/proxy/dialect/openai"
	"keytray/proxy/llm"
	"keytray/proxy/sse"
)

// completions is the form of the legacy /v1/completions: a prompt in place of
// messages, and text in place of a message. To a provider that serves it, it
// goes as it is; to all others as one message of the user's.
const completions = "completions"

// form is which of the two forms a client uses.
func form(r *http.Request) string {
	if r != nil && r.URL != nil && strings.HasSuffix(r.URL.Path, "/completions") && !strings.HasSuffix(r.URL.Path, "/chat/completions") {
		return completions
	}
	return ""
}

// decodeCompletion reads a body of the legacy form.
func decodeCompletion(body []byte) (*llm.Prompt, error) {
	d := decoder{Settings: openai.Settings{Prompt: &llm.Prompt{}}, turns: turns{names: map[string]string{}}}
	var prompt, suffix string
	asked := false
	if err := field.Object("the request body", body, func(key string, v []byte) (err *llm.Error) {
		switch key {
		case "prompt":
			asked = !field.Null(v)
			prompt, err = promptText(v)
		case "suffix":
			suffix, err = field.String(key, v)
		case "echo":
			_, err = field.Bool(key, v) // the answer begins with the prompt
		case "logprobs": // a number here; 0 asks for them too
			if !field.Null(v) {
				d.Prompt.Lose(key)
			}
		case "best_of":
			if s := string(v); !field.Null(v) && s != "1" {
				d.Prompt.Lose(key)
			}
		case "messages", "tools", "functions", "tool_choice", "function_call":
			err = llm.Invalid(key, "%s is no field of /v1/completions: send the request to /v1/chat/completions", key)
		default:
			err = d.top(key, v)
		}
		return err
	}); err != nil {
		return nil, err
	}
	if !asked {
		return nil, llm.Invalid("prompt", "prompt is missing: send the text to complete")
	}
	d.messages = true
	if suffix != "" {
		d.Prompt.System = []llm.Block{{Text: "The user's message is the beginning and the end of a text, in <before> and <after>. Answer with what stands between them and with nothing else: no quotes, no fences, no comment."}}
		prompt = "<before>" + prompt + "</before><after>" + suffix + "</after>"
		d.Prompt.Lose("suffix: sent as an instruction")
	}
	d.Prompt.Messages = []llm.Message{{Role: llm.User, Blocks: []llm.Block{{Text: prompt}}}}
	if err := d.finish(); err != nil {
		return nil, err
	}
	return d.Prompt, nil
}

// promptText is the one text to complete.
func promptText(v []byte) (string, *llm.Error) {
	if field.Null(v) {
		return "", nil
	}
	if v[0] != '[' {
		return field.String("prompt", v)
	}
	n, s := 0, ""
	err := field.Array("prompt", v, func(param string, v []byte) (err *llm.Error) {
		if n++; v[0] == '[' || v[0] == '-' || v[0] >= '0' && v[0] <= '9' {
			return llm.Invalid("prompt", "prompt: tokens are known only to the models of their own provider, and this model is asked in words: send text")
		}
		s, err = field.String(param, v)
		return err
	})
	if err == nil && n != 1 {
		err = llm.Invalid("prompt", "prompt: this model completes one text in a call, not %d: send a call for each", n)
	}
	return s, err
}

// echoed is what a client wants to see again in front of the answer.
func echoed(body []byte) string {
	echo, prompt := false, ""
	_ = field.Object("the request body", body, func(key string, v []byte) *llm.Error { // it was read before
		switch key {
		case "echo":
			echo = string(v) == "true"
		case "prompt":
			prompt, _ = promptText(v)
		}
		return nil
	})
	if !echo {
		return ""
	}
	return prompt
}

// complete writes text_completion objects, or one. Thoughts have no place in
// them, and tools none to come from.
func (a *answer) complete(w io.Writer, events llm.Events) error {
	s := streamer{answer: a, w: w}
	text := echoed(a.r.Raw)
	for e, err := range events {
		if err != nil {
			if a.r.Stream {
				s.buf = append(openai.AppendError(append(s.buf[:0], "data: "...), llm.AsError(err)), "\n\n"...)
				if _, werr := w.Write(s.buf); werr != nil {
					return werr
				}
			}
			return err
		}
		s.buf = s.buf[:0]
		switch e.Kind {
		case llm.Start:
			if a.id = e.ID; a.id == "" {
				a.id = "cmpl-" + a.r.ID
			}
			s.head = a.completionHead(nil)
			if a.r.Stream && text != "" {
				s.textChunk(text)
			}
		case llm.Delta:
			switch {
			case e.Block != llm.Text && e.Block != llm.Refusal || e.Text == "":
			case a.r.Stream:
				s.textChunk(e.Text)
			default:
				a.content = append(a.content, e.Text...)
			}
		case llm.Ping:
			if a.r.Stream {
				s.buf = append(s.buf, ": ping\n\n"...)
			}
		case llm.Stop:
			if !a.r.Stream {
				s.buf = a.textCompletion(s.head, text, e)
				break
			}
			s.textStop(e)
		}
		if len(s.buf) == 0 {
			continue
		}
		if _, err := w.Write(s.buf); err != nil {
			return err
		}
	}
	return nil
}

func (a *answer) completionHead(b []byte) []byte {
	b = sse.AppendString(append(b, `{"id":`...), a.id)
	b = appendInt(append(b, `,"object":"text_completion","created":`...), a.created.Unix())
	b = sse.AppendString(append(b, `,"model":`...), a.r.Model)
	return append(b, `,"choices":[`...)
}

// reason is the finish_reason, of which the form knows three.
func (a *answer) reason(why llm.Why) string {
	switch reason, _ := a.finish(why); reason {
	case "length", "content_filter":
		return reason
	}
	return "stop"
}

func (a *answer) textCompletion(head []byte, echo string, e llm.Event) []byte {
	b := sse.AppendString(append(append([]byte(nil), head...), `{"text":`...), echo+string(a.content))
	b = append(b, `,"index":0,"logprobs":null,"finish_reason":"`...)
	b = append(append(b, a.reason(e.Why)...), `"}]`...)
	if e.Usage != nil && e.Usage.Known {
		b = appendUsage(append(b, `,"usage":`...), e.Usage)
	}
	return append(b, '}')
}

func (s *streamer) textChunk(text string) {
	s.buf = append(append(append(s.buf, "data: "...), s.head...), `{"text":`...)
	s.buf = sse.AppendString(s.buf, text)
	s.buf = append(s.buf, `,"index":0,"logprobs":null,"finish_reason":null}]`...)
	s.textEnd()
}

func (s *streamer) textEnd() {
	if s.r.IncludeUsage {
		s.buf = append(s.buf, `,"usage":null`...)
	}
	s.buf = append(s.buf, "}\n\n"...)
}

func (s *streamer) textStop(e llm.Event) {
	s.buf = append(append(append(s.buf, "data: "...), s.head...), `{"text":"","index":0,"logprobs":null,"finish_reason":"`...)
	s.buf = append(append(s.buf, s.reason(e.Why)...), `"}]`...)
	s.textEnd()
	if s.r.IncludeUsage && e.Usage != nil && e.Usage.Known {
		s.buf = append(append(append(s.buf, "data: "...), s.head...), ']')
		s.buf = appendUsage(append(s.buf, `,"usage":`...), e.Usage)
		s.buf = append(s.buf, "}\n\n"...)
	}
	s.buf = append(s.buf, "data: [DONE]\n\n"...)
}
