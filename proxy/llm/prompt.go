package llm

import (
	"encoding/json"
	"slices"
)

// Prompt is a decoded request in neutral form. It is immutable once decoded.
type Prompt struct {
	System    []Block // leading instructions, in order; only Text blocks
	Messages  []Message
	Tools     []Tool
	Choice    Choice
	Limits    Limits
	Format    Format
	Reasoning Reasoning
	User      string   // an end user's id, as the client gave it
	Tier      string   // the service tier asked for
	CacheKey  string   // which prompts share a cache (prompt_cache_key)
	Verbosity string   // of the text: low, medium, high; "" is unset
	Embed     *Embed   // of a call that asks for embeddings; nil of all others
	Lost      []string // fields of the client's body that this form cannot hold
}

// Lose notes, while the prompt is decoded, that a field of the client's body
// was dropped: "logit_bias". A field is noted once.
func (p *Prompt) Lose(field string) {
	if !slices.Contains(p.Lost, field) {
		p.Lost = append(p.Lost, field)
	}
}

// Role of a message.
type Role string

// The roles. Tool results are blocks of a user message. A system message
// here stands in mid-conversation; leading ones are in Prompt.System.
const (
	User      Role = "user"
	Assistant Role = "assistant"
	System    Role = "system"
)

// Message is one turn. Neighbours may have the same role.
type Message struct {
	Role   Role
	Name   string
	Blocks []Block
}

// BlockKind tells the parts of a message and of an answer apart.
type BlockKind uint8

// The kinds of block.
const (
	Text BlockKind = iota
	Thinking
	Redacted // thinking that only its provider can read; Opaque holds it
	ToolCall
	ToolResult
	Image
	Document
	Audio
	Refusal
	Vector // an embedding; only in answers
)

// Block is a part of a message.
type Block struct {
	Kind BlockKind
	// Text of Text, Thinking and Refusal; a ToolCall's arguments as JSON text,
	// as they came, which may be empty or broken.
	Text    string
	ID      string  // ToolCall, ToolResult: the call's id
	Name    string  // ToolCall, ToolResult: the function; Document: the file name
	Content []Block // ToolResult: Text, Image, Document
	Failed  bool    // ToolResult: the tool reported an error
	Media   Media   // Image, Document, Audio
	// Opaque is provider data that must go back unchanged: a thinking block's
	// signature, redacted thinking, a thought signature on a call. Origin is
	// who made it, as [Call.Origin] says; toward another it is never sent.
	Opaque string
	Origin string
	Cache  string // a cache mark's lifetime: "5m", "1h", or "" for no mark
}

// Media is an image, a document or a sound: inline, or a URL that Keytray
// itself never fetches.
type Media struct {
	Type   string // MIME type; may be empty for a URL
	Data   string // base64
	URL    string
	FileID string // a file kept at the provider
	Detail string // an image's wanted detail: low, high, auto
}

// Tool is something that the model may call. Schema keeps the client's
// bytes, key order included, so that prompt caches hit.
type Tool struct {
	Kind        ToolKind
	Name        string // of a Hosted tool: what it does, in one of the words below
	Description string
	Schema      json.RawMessage // JSON Schema of the arguments; may be nil
	Strict      *bool
	Cache       string
	// Raw is the client's own definition of a Custom or Hosted tool, and
	// Origin the dialect it is written in.
	Raw    json.RawMessage
	Origin string
}

// ToolKind tells who runs a tool and what its input is.
type ToolKind uint8

// The kinds of tool.
const (
	Function ToolKind = iota // the client runs it; its input is JSON
	// Custom is run by the client, and its input is free text. Schema is that
	// of [CustomSchema], for dialects that know only functions, and the
	// arguments of its calls are such JSON in prompts and events alike.
	Custom
	// Hosted is run by the provider. A dialect that has no such tool drops and
	// reports it; it refuses the request if no tool is left or this one is
	// forced, since then the answer would be another one.
	Hosted
)

// CustomSchema is the form of a custom tool's input as JSON.
const CustomSchema = `{"type":"object","properties":{"input":{"type":"string"}},"required":["input"]}`

// What hosted tools do. A kind of one provider alone keeps its own word.
const (
	WebSearch = "web_search"
	WebFetch  = "web_fetch"
	RunCode   = "code_execution"
)

// Choice says whether and which tool must be called.
type Choice struct {
	Mode     ChoiceMode
	Name     string // of ChooseNamed
	Parallel *bool  // false: one call at most; nil: not said
}

// ChoiceMode is how tools may be used.
type ChoiceMode uint8

// The modes. ChooseUnset is what clients that say nothing get.
const (
	ChooseUnset ChoiceMode = iota
	ChooseAuto
	ChooseNone
	ChooseAny // some tool must be called
	ChooseNamed
)

// Limits bound and shape the sampling. Nil is unset; zero is zero.
type Limits struct {
	MaxTokens        *int
	Temperature      *float64
	TopP             *float64
	TopK             *int
	Stop             []string
	Seed             *int64
	FrequencyPenalty *float64
	PresencePenalty  *float64
}

// Format is the shape that the answer's text must have.
type Format struct {
	Kind   FormatKind
	Name   string          // of the schema
	Schema json.RawMessage // of FormatSchema
	Strict *bool
}

// FormatKind tells formats apart.
type FormatKind uint8

// The formats.
const (
	FormatText FormatKind = iota
	FormatJSON
	FormatSchema
)

// Reasoning is how much thought is asked for. The zero value asks nothing.
type Reasoning struct {
	Effort string // none, minimal, low, medium, high, xhigh, max; "" is unset
	Budget *int   // thinking tokens; 0 is off, -1 is as the model likes
	// Show is whether the thoughts are to be shown: auto, concise, detailed,
	// or none; "" is unset.
	Show string
}

// Embed is what a call for embeddings asks for.
type Embed struct {
	Inputs     []EmbedInput
	Dimensions *int
	Task       string // what the vectors are for, in the client's word
}

// EmbedInput is one text, or the tokens of one.
type EmbedInput struct {
	Text   string
	Tokens []int // in place of Text
}
