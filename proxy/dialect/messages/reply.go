package messages

import (
	"io"
	"strconv"
	"strings"

	"keytray/proxy/llm"
	"keytray/proxy/sse"
)

// EncodeResponse writes a message as events or whole, or the size of a prompt
// where only that was asked for. The message's model is the one that the
// client asked for.
func (Dialect) EncodeResponse(w io.Writer, r *llm.Request, events llm.Events) error {
	a := reply{r: r}
	switch {
	case r.Counts:
		return writeCount(w, events)
	case r.Stream:
		return a.stream(w, events)
	}
	return a.whole(w, events)
}

// writeCount answers a call for the size of a prompt.
func writeCount(w io.Writer, events llm.Events) error {
	n, err := llm.PromptSize(events)
	if err == nil {
		_, err = w.Write(append(strconv.AppendInt([]byte(`{"input_tokens":`), n, 10), '}'))
	}
	return err
}

// reply is what an answer says at its ends, streamed or whole.
type reply struct {
	r       *llm.Request
	id      string
	refusal []byte // the model's words for it
	calls   int
}

// begin takes the id of the answer, or makes one.
func (a *reply) begin(e llm.Event) {
	a.id = e.ID
	if a.id == "" {
		a.id = "msg_" + a.r.ID
	}
}

// appendHead begins a message, up to its content.
func (a *reply) appendHead(b []byte) []byte {
	b = sse.AppendString(append(b, `{"id":`...), a.id)
	b = sse.AppendString(append(b, `,"type":"message","role":"assistant","model":`...), a.r.Model)
	return append(b, `,"content":[`...)
}

// appendWhy says why the answer ended.
func (a *reply) appendWhy(b []byte, why llm.Why) []byte {
	reason := a.reason(why)
	b = append(append(append(b, `"stop_reason":"`...), reason...), `","stop_sequence":`...)
	b = a.appendSequence(b, reason)
	if reason != "refusal" {
		return append(b, `,"stop_details":null`...)
	}
	b = append(b, `,"stop_details":{"type":"refusal","category":null,"explanation":`...)
	if len(a.refusal) == 0 {
		return append(b, "null}"...)
	}
	return append(sse.AppendString(b, string(a.refusal)), '}')
}

// appendSequence names the sequence that ended the answer. Others do not say
// which it was, so it is known only where there is one.
func (a *reply) appendSequence(b []byte, reason string) []byte {
	if reason == "stop_sequence" {
		if p, err := a.r.Prompt(); err == nil && len(p.Limits.Stop) == 1 {
			return sse.AppendString(b, p.Limits.Stop[0])
		}
	}
	return append(b, "null"...)
}

// reason is the stop_reason. Clients check it against a list.
func (a *reply) reason(why llm.Why) string {
	switch why {
	case llm.MaxTokens:
		return "max_tokens"
	case llm.StopSequence:
		return "stop_sequence"
	case llm.PauseTurn:
		return "pause_turn"
	case llm.ContentFilter, llm.Refused:
		return "refusal"
	case "compaction":
		return string(why)
	}
	switch {
	case a.calls > 0:
		return "tool_use"
	case len(a.refusal) > 0:
		return "refusal"
	}
	return "end_turn"
}

// signed is what a thinking block is signed with: as its provider made it if
// that speaks this dialect, else with a note of who it was, so that it goes
// back to no other.
func signed(opaque, origin string) string {
	if opaque == "" || origin == name || strings.HasPrefix(origin, name+":") {
		return opaque
	}
	return llm.Seal(origin, opaque)
}

// appendCitation writes a citation as one of a web search. Its index in the
// search is a note that none was made by Anthropic, for when it comes back.
func appendCitation(b []byte, c *llm.Citation) []byte {
	b = sse.AppendString(append(b, `{"type":"web_search_result_location","cited_text":`...), c.Quote)
	b = sse.AppendString(append(b, `,"url":`...), c.URL)
	b = append(b, `,"title":`...)
	if c.Title == "" {
		b = append(b, "null"...)
	} else {
		b = sse.AppendString(b, c.Title)
	}
	return append(sse.AppendString(append(b, `,"encrypted_index":`...), llm.Seal("", "")), '}')
}

// picture stands for an image of the answer: the dialect has no place for it.
func picture(mime string) string {
	if mime == "" {
		mime = "image"
	}
	return "[The model made a picture (" + mime + "), which this API cannot carry.]"
}

// appendUsage writes what is known of the usage, without braces: input_tokens
// excludes both caches (D15).
func appendUsage(b []byte, u *llm.Usage) []byte {
	if u == nil {
		u = &llm.Usage{}
	}
	b = strconv.AppendInt(append(b, `"input_tokens":`...), u.Input+u.AudioInput+u.ImageInput, 10)
	b = strconv.AppendInt(append(b, `,"cache_creation_input_tokens":`...), u.CacheWrite5m+u.CacheWrite1h, 10)
	b = strconv.AppendInt(append(b, `,"cache_read_input_tokens":`...), u.Cached(), 10)
	b = strconv.AppendInt(append(b, `,"cache_creation":{"ephemeral_5m_input_tokens":`...), u.CacheWrite5m, 10)
	return append(strconv.AppendInt(append(b, `,"ephemeral_1h_input_tokens":`...), u.CacheWrite1h, 10), '}')
}

// appendSpent adds what only the end of an answer tells.
func appendSpent(b []byte, u *llm.Usage) []byte {
	if u == nil {
		u = &llm.Usage{}
	}
	b = strconv.AppendInt(append(b, `,"output_tokens":`...), u.Completion(), 10)
	if u.Reasoning > 0 {
		b = append(strconv.AppendInt(append(b, `,"output_tokens_details":{"thinking_tokens":`...), u.Reasoning, 10), '}')
	}
	if u.Searches > 0 {
		b = strconv.AppendInt(append(b, `,"server_tool_use":{"web_search_requests":`...), u.Searches, 10)
		b = append(b, `,"web_fetch_requests":0}`...)
	}
	return b
}

// tierWord is a service tier that Anthropic's clients know, or "".
func tierWord(tier string) string {
	switch tier {
	case "standard", "default":
		return "standard"
	case "priority", "batch":
		return tier
	}
	return ""
}
