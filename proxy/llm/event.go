package llm

import "iter"

// Events is an answer in neutral steps. A complete answer is
//
//	Start (BlockStart Delta* BlockStop)* Stop
//
// with Ping anywhere between. Blocks do not overlap unless they are tool
// calls, whose Index tells them apart. An error ends the sequence, and a
// sequence that ends with neither Stop nor error does not occur.
type Events = iter.Seq2[Event, error]

// EventKind tells events apart.
type EventKind uint8

// The kinds of event.
const (
	Start      EventKind = iota // ID and Name (the model) if known; Usage if known already
	BlockStart                  // Index, Block; ToolCall: ID, Name; Image: Name is the MIME type
	Delta                       // Index, Text, or Cite
	BlockStop                   // Index; Opaque: the block's signature or redacted data
	Stop                        // Why, Usage, Tier
	Ping                        // the provider is alive; nothing to show
)

// Event is one neutral step of an answer.
type Event struct {
	Kind  EventKind
	Block BlockKind // of BlockStart, Delta and BlockStop alike
	Index int       // of the block within the answer, from 0, rising
	ID    string
	Name  string
	// Text is a piece of text or thinking, of a call's arguments as JSON
	// text, of an image's base64, or of a vector's: float32, little-endian.
	Text   string
	Cite   *Citation
	Why    Why
	Usage  *Usage // the whole usage so far, never a difference
	Tier   string
	Opaque string
	Origin string // of BlockStop with Opaque: who made it, as in [Block]
}

// Citation points from the answer's text to a source.
type Citation struct {
	URL   string
	Title string
	Quote string
	Start int // of the cited span in the block's text, in bytes; 0, 0 if unknown
	End   int
}

// Why an answer ended.
type Why string

// The reasons. A provider's reason that is none of these is kept as it is.
const (
	EndTurn       Why = "end"
	MaxTokens     Why = "max_tokens"
	StopSequence  Why = "stop_sequence"
	CallTools     Why = "tool_calls"
	ContentFilter Why = "content_filter"
	Refused       Why = "refusal"
	PauseTurn     Why = "pause"
)

// PromptSize is what the answer to a call for the size of a prompt says, in
// tokens; see [Peek].
func PromptSize(events Events) (n int64, err error) {
	for e, err := range events {
		if err != nil {
			return 0, err
		}
		if e.Usage != nil {
			n = e.Usage.Prompt()
		}
	}
	return n, nil
}
