package proxytest

import (
	"net/http"
	"strings"
	"time"
)

// Script says what a Provider answers and how. The zero Script is a short text. A Script is not changed by
// playing it, and may be played several times at once (with one Step, the plays share its permits).
type Script struct {
	Parts   []Part // what the answer says, in order; none is a short text
	Stop    Stop   // why it ended; empty is StopTools if there is a tool call, else StopEnd
	Usage   *Usage // nil is 12 tokens in and 7 out
	NoUsage bool   // no usage anywhere, whoever asks

	ChatUsage UsageWhen // when a streamed Chat answer states its usage
	Reasoning string    // Chat's field for thinking; empty is reasoning_content
	Model     string    // the model that the answer names; empty is the one asked for
	ID        string    // the answer's id; empty is the dialect's kind of id
	Choices   int       // answers given, in Chat and Gemini; 0 is as many as the request's n
	Header    http.Header

	Fail  *Fail // an error in the dialect's own shape, instead of the answer unless Fault says where
	Fault Fault // how the answer misbehaves
	After int   // frames sent before a Fault in the middle; for streams
	Size  int   // bytes, for FaultLarge and FaultBomb; 0 is 4 MiB
	Raw   *Raw  // bytes to send instead of all the above

	Step        <-chan struct{}         // one receive before each write; a closed channel lets all through
	Every       time.Duration           // wait before each write but the first
	HeaderFirst bool                    // send the headers before the first wait
	Regroup     func([][]byte) [][]byte // other writes of the same bytes: see ByBytes, InRunes, AtOnce, AtOffsets
	Ping        int                     // a keep-alive after every so many frames, of the dialect's kind
	CRLF        bool                    // lines of a stream end in CRLF, as Gemini's always do
	Tight       bool                    // no space after "data:"
}

// Raw is an answer byte by byte.
type Raw struct {
	Status int // 0 is 200
	Header http.Header
	Pieces [][]byte // each is written and flushed by itself
	End    End
}

// End is what happens to the connection after the last byte.
type End int

const (
	EndClean End = iota // the body ends as HTTP says
	EndAbort            // the connection is closed without the body's end
	EndHang             // silence until the client goes or the server is closed
)

// Stop is why an answer ended. Values other than the constants are sent as they are.
type Stop string

// The reasons that all dialects can give, if only as an ordinary end.
const (
	StopEnd      Stop = "end"
	StopTools    Stop = "tools"
	StopLength   Stop = "length"
	StopSequence Stop = "sequence" // Anthropic names it: END
	StopFilter   Stop = "filter"
)

// word returns the dialect's own word for the reason.
func (s Stop) word(d Dialect) string {
	words := map[Stop][4]string{
		StopEnd:      {"stop", "end_turn", "STOP", "stop"},
		StopTools:    {"tool_calls", "tool_use", "STOP", "stop"},
		StopLength:   {"length", "max_tokens", "MAX_TOKENS", "length"},
		StopSequence: {"stop", "stop_sequence", "STOP", "stop"},
		StopFilter:   {"content_filter", "refusal", "SAFETY", "stop"},
	}
	for i, each := range Dialects() {
		if w, known := words[s]; known && each == d {
			return w[i]
		}
	}
	return string(s)
}

// Usage counts tokens in buckets that do not overlap, except Reasoning, which is part of Output.
// Each dialect states it in its own way: Chat and Gemini add the cached tokens to the prompt's, Gemini
// takes the reasoning out of the answer's, Ollama knows nothing of caches.
type Usage struct {
	Input, CacheRead, CacheWrite5m, CacheWrite1h, Output, Reasoning int64

	Searches int64  // web searches, stated by Messages
	Cost     string // a JSON number of USD that Chat states as usage.cost, as OpenRouter does; empty is none
}

func (u Usage) prompt() int64 { return u.Input + u.CacheRead + u.CacheWrite5m + u.CacheWrite1h }

// UsageWhen is when a streamed Chat answer states its usage. Providers differ.
type UsageWhen string

const (
	UsageAsked  UsageWhen = ""       // in a last chunk of its own if include_usage is set, as OpenAI
	UsageAlways UsageWhen = "always" // in a last chunk of its own, asked or not
	UsageInline UsageWhen = "inline" // in the chunk with the finish reason
	UsageEvery  UsageWhen = "every"  // in every chunk, growing
)

// Kind is what a Part is.
type Kind string

// The kinds of parts. A dialect that has no form for a kind answers 501, so that no test passes by chance.
const (
	KindText     Kind = "text"
	KindThinking Kind = "thinking"
	KindMixed    Kind = "mixed" // thinking and text in one chunk of Chat and Ollama; Deltas holds the two
	KindRedacted Kind = "redacted"
	KindTool     Kind = "tool"
	KindImage    Kind = "image"
	KindRefusal  Kind = "refusal" // Chat has a field for it; elsewhere it is text
	KindVerbatim Kind = "verbatim"
)

// Part is a block of an answer.
type Part struct {
	Kind      Kind
	Deltas    []string // the pieces that a stream sends: of the text, the thinking or the arguments' JSON
	ID, Name  string   // of a tool call
	Signature string   // of thinking (Messages) or of any part (Gemini)
	Mime      string   // of an image
	Data      []byte   // an image; what is redacted; the JSON object of a verbatim part
	Only      Dialect  // of a verbatim part: other dialects leave it out
}

func (p Part) all() string { return strings.Join(p.Deltas, "") }

// Parts is the list of its arguments.
func Parts(parts ...Part) []Part { return parts }

// Text is text that a stream sends in these pieces.
func Text(deltas ...string) Part { return Part{Kind: KindText, Deltas: deltas} }

// Thinking is reasoning that a stream sends in these pieces, signed where the dialect signs it.
func Thinking(deltas ...string) Part {
	return Part{Kind: KindThinking, Deltas: deltas, Signature: "c2lnbmF0dXJl"}
}

// Mixed is reasoning and text that arrive in the same chunk.
func Mixed(thinking, text string) Part {
	return Part{Kind: KindMixed, Deltas: []string{thinking, text}}
}

// Redacted is reasoning that the provider encrypted (Messages only).
func Redacted(data string) Part { return Part{Kind: KindRedacted, Data: []byte(data)} }

// Call is a tool call whose arguments a stream sends in these fragments of JSON. None is a call without
// arguments, which each dialect writes in its own way.
func Call(id, name string, fragments ...string) Part {
	return Part{Kind: KindTool, ID: id, Name: name, Deltas: fragments}
}

// Image is a picture in the answer.
func Image(mime string, data []byte) Part { return Part{Kind: KindImage, Mime: mime, Data: data} }

// Refusal is a refusal in words.
func Refusal(deltas ...string) Part { return Part{Kind: KindRefusal, Deltas: deltas} }

// Verbatim is JSON of one dialect alone: a content block of Messages, a part of Gemini, or fields to add to
// the message or delta of Chat and Ollama.
func Verbatim(only Dialect, object string) Part {
	return Part{Kind: KindVerbatim, Only: only, Data: []byte(object)}
}
