package gemini

import (
	"io"
	"strconv"
	"strings"

	"keytray/proxy/llm"
	"keytray/proxy/sse"
)

// EncodeResponse writes GenerateContentResponses, as SSE or as the elements of
// an array, or one whole one; or how many tokens were counted. The answer's
// model is the one that the client asked for.
func (Dialect) EncodeResponse(w io.Writer, r *llm.Request, events llm.Events) error {
	if r.Counts {
		return writeCount(w, events)
	}
	a := writer{r: r, thoughts: showsThoughts(r)}
	if r.Stream {
		return a.stream(w, events)
	}
	return a.whole(w, events)
}

// showsThoughts tells whether the client asked for thoughts. The request was
// decoded before, as its answer is translated.
func showsThoughts(r *llm.Request) bool {
	p, err := r.Prompt()
	return err == nil && p.Reasoning.Show != "" && p.Reasoning.Show != "none"
}

func writeCount(w io.Writer, events llm.Events) error {
	n, err := llm.PromptSize(events)
	if err == nil {
		_, err = w.Write(append(strconv.AppendInt([]byte(`{"totalTokens":`), n, 10), '}'))
	}
	return err
}

// writer is what one answer has said so far, streamed or whole.
type writer struct {
	r        *llm.Request
	thoughts bool // the client wants to see them
	id       string

	parts   []byte // to be written, comma-separated
	open    []block
	said    int    // bytes of text so far, where citations count from
	textAt  int    // where the current text block starts in them
	chunks  []byte // groundingChunks, comma-separated
	support []byte // groundingSupports, comma-separated
	sources int
	broken  string // a function whose arguments are no JSON object
}

// block is one that grows. Calls and media are one part each, which is written
// once it is whole; they may grow side by side.
type block struct {
	index    int
	id, name string
	text     []byte
	wrote    bool // some text of it has gone out
}

func (a *writer) block(index int) *block {
	for i := len(a.open) - 1; i >= 0; i-- {
		if a.open[i].index == index {
			return &a.open[i]
		}
	}
	return nil
}

// take adds what an event says to the parts. Text is added at once in a
// stream, else at the end of its block.
func (a *writer) take(e llm.Event) {
	switch e.Kind {
	case llm.Start:
		if a.id = e.ID; a.id == "" {
			a.id = a.r.ID
		}
	case llm.BlockStart:
		a.open = append(a.open, block{index: e.Index, id: e.ID, name: e.Name})
		if e.Block == llm.Text {
			a.textAt = a.said
		}
	case llm.Delta:
		if e.Cite != nil {
			a.cite(e.Cite)
		}
		if e.Text != "" {
			a.delta(e)
		}
	case llm.BlockStop:
		a.close(e)
	case llm.Stop, llm.Ping:
	}
}

func (a *writer) delta(e llm.Event) {
	b := a.block(e.Index)
	if b == nil {
		return
	}
	switch e.Block {
	case llm.Text, llm.Refusal:
		a.said += len(e.Text)
	case llm.Thinking:
		if !a.thoughts {
			return // its tokens are in the usage all the same
		}
	case llm.ToolCall, llm.Image, llm.Document, llm.Audio:
		b.text = append(b.text, e.Text...)
		return
	default:
		return
	}
	if !a.r.Stream {
		b.text = append(b.text, e.Text...)
		return
	}
	b.wrote = true
	a.begin()
	a.parts = append(sse.AppendString(append(a.parts, `"text":`...), e.Text), thoughtMark(e.Block)...)
	a.parts = append(a.parts, '}')
}

func thoughtMark(k llm.BlockKind) string {
	if k == llm.Thinking {
		return `,"thought":true`
	}
	return ""
}

// begin opens a part.
func (a *writer) begin() {
	if len(a.parts) > 0 {
		a.parts = append(a.parts, ',')
	}
	a.parts = append(a.parts, '{')
}

// close ends a block: what is one part is written, with the signature that
// came with it. The signature of text that has gone out follows in a part of
// its own, as Google has it.
func (a *writer) close(e llm.Event) {
	b := a.block(e.Index)
	if b == nil {
		return
	}
	sign := signature(e)
	switch e.Block {
	case llm.ToolCall:
		a.call(b, sign)
	case llm.Image, llm.Document, llm.Audio:
		a.begin()
		a.parts = sse.AppendString(append(a.parts, `"inlineData":{"mimeType":`...), mediaType(e.Block, b.name))
		a.parts = sse.AppendString(append(a.parts, `,"data":`...), string(b.text))
		a.parts = append(a.parts, '}')
		a.sign(sign)
	case llm.Thinking:
		// A signature without the thoughts that it signs is of use to Google's
		// models alone.
		if ours(e) || a.thoughts {
			a.text(b, sign, a.thoughts && !(ours(e) && !b.wrote && len(b.text) == 0))
		}
	case llm.Text, llm.Refusal, llm.Redacted:
		a.text(b, sign, false)
	}
	for i := range a.open {
		if &a.open[i] == b {
			a.open = append(a.open[:i], a.open[i+1:]...)
			return
		}
	}
}

// text writes what is left of a text block to write, if anything.
func (a *writer) text(b *block, sign string, thought bool) {
	if len(b.text) == 0 && sign == "" {
		return
	}
	a.begin()
	a.parts = sse.AppendString(append(a.parts, `"text":`...), string(b.text))
	if thought {
		a.parts = append(a.parts, thoughtMark(llm.Thinking)...)
	}
	a.sign(sign)
}

// sign closes a part, with its signature if it has one.
func (a *writer) sign(sign string) {
	if sign != "" {
		a.parts = sse.AppendString(append(a.parts, `,"thoughtSignature":`...), sign)
	}
	a.parts = append(a.parts, '}')
}

// call writes a function call. Arguments are an object in this dialect; where
// a model did not write one, the call is left out and the answer says why it
// ended, as Google's do.
func (a *writer) call(b *block, sign string) {
	args := b.text
	if len(args) == 0 {
		args = []byte("{}") // B7
	}
	if !isObject(args) {
		a.broken = b.name
		return
	}
	a.begin()
	a.parts = sse.AppendString(append(a.parts, `"functionCall":{"id":`...), b.id)
	a.parts = sse.AppendString(append(a.parts, `,"name":`...), b.name)
	a.parts = appendLine(append(a.parts, `,"args":`...), args)
	a.parts = append(a.parts, '}')
	a.sign(sign)
}

// appendLine adds JSON without the newlines between its tokens, which would
// end a frame. In strings they are escaped.
func appendLine(dst, b []byte) []byte {
	for _, c := range b {
		if c != '\n' && c != '\r' {
			dst = append(dst, c)
		}
	}
	return dst
}

// ours tells opaque data that a provider of this dialect made.
func ours(e llm.Event) bool {
	dialect, _, _ := strings.Cut(e.Origin, ":")
	return e.Opaque != "" && dialect == name
}

// signature is opaque data as a thoughtSignature: Google's own as it is, and
// another's with its origin in it.
func signature(e llm.Event) string {
	switch {
	case e.Opaque == "":
		return ""
	case ours(e):
		return e.Opaque
	}
	return llm.Seal(e.Origin, e.Opaque)
}

func mediaType(kind llm.BlockKind, given string) string {
	switch {
	case given != "":
		return given
	case kind == llm.Image:
		return "image/png"
	case kind == llm.Audio:
		return "audio/wav"
	}
	return "application/octet-stream"
}

// cite gathers a source; a client reads them all at the end.
func (a *writer) cite(c *llm.Citation) {
	if a.sources > 0 {
		a.chunks = append(a.chunks, ',')
	}
	a.chunks = sse.AppendString(append(a.chunks, `{"web":{"uri":`...), c.URL)
	a.chunks = append(sse.AppendString(append(a.chunks, `,"title":`...), c.Title), "}}"...)
	if c.End > c.Start {
		if len(a.support) > 0 {
			a.support = append(a.support, ',')
		}
		a.support = append(a.support, `{"segment":{"startIndex":`...)
		a.support = strconv.AppendInt(a.support, int64(a.textAt+c.Start), 10)
		a.support = append(a.support, `,"endIndex":`...)
		a.support = strconv.AppendInt(a.support, int64(a.textAt+c.End), 10)
		a.support = append(a.support, `},"groundingChunkIndices":[`...)
		a.support = append(strconv.AppendInt(a.support, int64(a.sources), 10), "]}"...)
	}
	a.sources++
}
