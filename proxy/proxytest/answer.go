package proxytest

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// The moment at which every answer was made.
const (
	createdUnix = 1767225600
	createdText = "2026-01-01T00:00:00Z"
)

// asked is what an encoder wants to know of a request, in any dialect.
type asked struct {
	Model         string
	Stream        *bool
	StreamOptions struct {
		IncludeUsage bool `json:"include_usage"`
	} `json:"stream_options"`
	N int
}

// answer is a Script made ready for one request: nothing in it is left to be chosen.
type answer struct {
	Script
	dialect Dialect
	model   string
	usage   Usage
	stop    Stop
	asked   asked
	failed  Fail // what a fault in the middle says
	sse     bool // Gemini's alt=sse
	stream  bool
}

// errNoForm says that a dialect cannot carry a part.
type errNoForm struct {
	dialect Dialect
	kind    Kind
}

func (e errNoForm) Error() string {
	return fmt.Sprintf("the test provider's script has a part (%s) that the dialect %s has no form for", e.kind, e.dialect)
}

func newAnswer(s Script, seen *Seen) *answer {
	a := &answer{Script: s, dialect: seen.Dialect, model: seen.Model, stream: seen.Stream}
	_ = json.Unmarshal(seen.Body, &a.asked) // a body that is no JSON asks for nothing
	a.sse = a.dialect != Gemini || seen.Query.Get("alt") == "sse"
	if s.Model != "" {
		a.model = s.Model
	}
	if len(a.Parts) == 0 && s.Fault != FaultNoAnswer {
		a.Parts = Parts(Text("Hello", " from", " the", " test", " provider", "."))
	}
	if s.Fault == FaultNoAnswer {
		a.Parts = nil
	}
	if s.Fault == FaultLarge {
		a.Parts = append(a.Parts[:len(a.Parts):len(a.Parts)], Text(string(spaces(s.size()))))
	}
	a.usage = Usage{Input: 12, Output: 7}
	if s.Usage != nil {
		a.usage = *s.Usage
	}
	if a.stop = s.Stop; a.stop == "" {
		a.stop = StopEnd
		for _, p := range a.Parts {
			if p.Kind == KindTool {
				a.stop = StopTools
			}
		}
	}
	if s.Fail != nil {
		a.failed = s.Fail.to(seen)
	}
	if a.Choices == 0 {
		a.Choices = max(1, a.asked.N)
	}
	return a
}

func (s Script) size() int {
	if s.Size > 0 {
		return s.Size
	}
	return 4 << 20
}

func spaces(n int) []byte { return bytes.Repeat([]byte{' '}, n) }

// whole returns the answer as one body.
func (a *answer) whole() ([]byte, error) {
	switch a.dialect {
	case Messages:
		return a.messagesWhole()
	case Gemini:
		return a.geminiWhole()
	case Ollama:
		return a.ollamaWhole()
	default:
		return a.chatWhole()
	}
}

// frames returns the answer as the frames of a stream.
func (a *answer) frames() ([]frame, error) {
	switch a.dialect {
	case Messages:
		return a.messagesFrames()
	case Gemini:
		return a.geminiFrames()
	case Ollama:
		return a.ollamaFrames()
	default:
		return a.chatFrames()
	}
}

// id returns the script's id, or one of the dialect's kind.
func (a *answer) id(usual string) string {
	if a.ID != "" {
		return a.ID
	}
	return usual
}

// callID returns the id of the tool call at this place in the answer.
func (p Part) callID(prefix string, place int) string {
	if p.ID != "" {
		return p.ID
	}
	return fmt.Sprintf("%stest%d", prefix, place)
}

// arguments returns the whole arguments as a JSON object. Fragments that make none, because the test wants
// it so, become the object {"_": "what they are"}, since these dialects have no other form.
func (p Part) arguments() json.RawMessage {
	text := p.all()
	if text == "" {
		return json.RawMessage("{}")
	}
	if !json.Valid([]byte(text)) {
		return encode(object{"_", text})
	}
	return json.RawMessage(text)
}

// fields returns the keys and values of a verbatim part.
func (p Part) fields() (object, error) {
	var values map[string]json.RawMessage
	if err := json.Unmarshal(p.Data, &values); err != nil {
		return nil, fmt.Errorf("the test provider's script has a verbatim part that is no object: %w", err)
	}
	var o object
	for key, value := range values {
		o = append(o, key, value)
	}
	return o, nil
}
