package chat

import (
	"io"
	"strconv"
	"time"
	"unicode/utf8"

	"keytray/proxy/dialect/field"
	"keytray/proxy/llm"
	"keytray/proxy/sse"
)

// EncodeResponse writes chat.completion.chunk frames, or one chat.completion.
// The answer's model is the one that the client asked for.
func (Dialect) EncodeResponse(w io.Writer, r *llm.Request, events llm.Events) error {
	a := answer{r: r, created: r.Start, legacy: legacyFunctions(r.Raw), custom: customNames(r.Raw)}
	if a.created.IsZero() {
		a.created = time.Now()
	}
	switch {
	case r.Form == completions:
		return a.complete(w, events)
	case r.Stream:
		return a.stream(w, events)
	}
	return a.whole(w, events)
}

// answer is what one answer has said so far, streamed or whole.
type answer struct {
	r       *llm.Request
	created time.Time
	legacy  bool            // the client wants function_call in place of tool_calls
	custom  map[string]bool // the client's tools that take free text
	id      string

	content   []byte // of all text blocks
	blockAt   int    // where the current text block starts in content
	reasoning []byte // of all thinking blocks; not kept in a stream
	thought   int    // its length
	thoughtAt int    // where the current thinking block starts in it
	refusal   []byte
	cites     []byte // annotations, comma-separated
	details   []byte // reasoning_details, comma-separated
	images    []byte // comma-separated
	image     []byte // of the current block: a data URL
	calls     []call
	entries   int // in details
	pictures  int // in images
	hasText   bool
	refused   bool
}

// call is one tool call of the answer; its place in the list is its index.
type call struct {
	block    int // the event's index
	id, name string
	args     []byte
	started  bool // some argument text was written
	custom   bool // args are those of a custom tool
	text     llm.FreeText
}

// newCall begins a call of one of the client's tools.
func (a *answer) newCall(e llm.Event) {
	c := call{block: e.Index, id: e.ID, name: e.Name, custom: a.custom[e.Name]}
	c.text.Unquote = field.Unquote
	a.calls = append(a.calls, c)
}

func (a *answer) call(block int) int {
	for i := len(a.calls) - 1; i >= 0; i-- {
		if a.calls[i].block == block {
			return i
		}
	}
	return -1
}

// begin takes the id of the answer, or makes one.
func (a *answer) begin(e llm.Event) {
	a.id = e.ID
	if a.id == "" {
		a.id = "chatcmpl-" + a.r.ID
	}
}

// annotate writes a citation as a url_citation, whose indices count characters
// of the whole content.
func (a *answer) annotate(dst []byte, c *llm.Citation) []byte {
	start, end := 0, 0
	if block := a.content[a.blockAt:]; c.End > c.Start && c.Start >= 0 && c.End <= len(block) {
		before := utf8.RuneCount(a.content[:a.blockAt])
		start = before + utf8.RuneCount(block[:c.Start])
		end = before + utf8.RuneCount(block[:c.End])
	}
	dst = append(dst, `{"type":"url_citation","url_citation":{"start_index":`...)
	dst = strconv.AppendInt(dst, int64(start), 10)
	dst = append(dst, `,"end_index":`...)
	dst = strconv.AppendInt(dst, int64(end), 10)
	dst = append(dst, `,"url":`...)
	dst = sse.AppendString(dst, c.URL)
	dst = append(dst, `,"title":`...)
	dst = sse.AppendString(dst, c.Title)
	if c.Quote != "" {
		dst = append(dst, `,"content":`...)
		dst = sse.AppendString(dst, c.Quote)
	}
	return append(dst, "}}"...)
}

// picture writes an image as OpenRouter and its clients do.
func (a *answer) picture(dst []byte) []byte {
	dst = append(dst, `{"type":"image_url","image_url":{"url":`...)
	dst = sse.AppendString(dst, string(a.image))
	dst = append(dst, `},"index":`...)
	dst = append(appendInt(dst, int64(a.pictures)), '}')
	a.pictures++
	return dst
}

// openImage begins a data URL.
func (a *answer) openImage(mime string) {
	if mime == "" {
		mime = "image/png"
	}
	a.image = append(append(append(a.image[:0], "data:"...), mime...), ";base64,"...)
}

// detail writes a block's opaque data so that the client can send it back. In
// a stream its text has gone out already.
func (a *answer) detail(dst []byte, e llm.Event) []byte {
	d := entry{kind: e.Block, opaque: e.Opaque, origin: e.Origin, index: a.entries}
	switch {
	case e.Block == llm.ToolCall:
		if i := a.call(e.Index); i >= 0 {
			d.id = a.calls[i].id
		}
	case e.Block == llm.Thinking && a.r.Stream:
		d.span = [2]int{a.thoughtAt, a.thought}
	case e.Block == llm.Thinking:
		d.text = string(a.reasoning[a.thoughtAt:])
	}
	a.entries++
	return appendDetail(dst, d)
}

// finish is the finish_reason, and the provider's own if chat has no such.
func (a *answer) finish(why llm.Why) (reason, native string) {
	switch why {
	case llm.EndTurn, llm.StopSequence, llm.PauseTurn:
		return "stop", ""
	case llm.MaxTokens:
		return "length", ""
	case llm.CallTools:
		if a.legacy {
			return "function_call", ""
		}
		return "tool_calls", ""
	case llm.ContentFilter:
		return "content_filter", ""
	case llm.Refused:
		if a.refused { // OpenAI's refusals end like any answer
			return "stop", ""
		}
		return "content_filter", ""
	}
	// Clients check the reason against a list: an unknown one breaks them.
	if len(a.calls) > 0 {
		return "tool_calls", string(why)
	}
	return "stop", string(why)
}

// legacyFunctions tells a client of the functions that tools replaced.
func legacyFunctions(body []byte) bool {
	functions, tools := false, false
	_ = llm.Fields(body, func(key, v []byte, _ int) bool { // the body was read before
		switch string(key) {
		case "functions":
			functions = !field.Null(v)
		case "tools":
			tools = !field.Null(v)
		}
		return true
	})
	return functions && !tools
}

func appendInt(dst []byte, n int64) []byte { return strconv.AppendInt(dst, n, 10) }
