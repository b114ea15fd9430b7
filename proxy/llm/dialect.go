package llm

import (
	"io"
	"net/http"
	"slices"
)

// Inbound faces clients that speak one dialect.
// Its methods may be called from many goroutines at once.
type Inbound interface {
	// Name is the dialect's name: chat, responses, messages, gemini, ollama.
	Name() string
	// Patterns are the endpoints that this dialect serves.
	Patterns() []Pattern
	// Peek scans a request without decoding it. The error is an [*Error].
	Peek(r *http.Request, body []byte) (Peek, error)
	// DecodeRequest turns the client's body into a prompt. Fields that no
	// prompt can hold are named in Prompt.Lost. The error is an [*Error].
	DecodeRequest(r *Request) (*Prompt, error)
	// EncodeResponse writes an answer in the client's form: frames if
	// r.Stream, else one whole body. It writes each event's translation
	// before it takes the next event. When events end in an error, a stream
	// is closed with the dialect's own error event, a whole answer is not
	// written at all, and in both cases the error is returned.
	EncodeResponse(w io.Writer, r *Request, events Events) error
	// EncodeError gives an error the dialect's shape.
	EncodeError(e *Error) (status int, contentType string, body []byte)
	// ContentType of the answer to such a request, streamed or whole.
	ContentType(p Peek) string
}

// A Pattern is an endpoint of an inbound dialect, in gorilla/mux syntax and
// without a version prefix that all of them share.
type Pattern struct {
	Method string
	Path   string
}

// Outbound faces providers that speak one dialect.
// Its methods may be called from many goroutines at once.
type Outbound interface {
	// Name is the dialect's name.
	Name() string
	// Copies tells whether r can be sent in the client's own bytes: the client
	// speaks this dialect, and in a form that the model of c takes. Else the
	// prompt is translated.
	Copies(c *Call, r *Request) bool
	// URL is where the call goes. base has no trailing slash.
	URL(c *Call, base string) string
	// EncodeRequest writes the provider's form of a prompt. What cannot be
	// carried is named with c.Lose, or refused with an [*Error].
	EncodeRequest(c *Call, p *Prompt) ([]byte, error)
	// Patch turns a client's body of this same dialect into the provider's:
	// the model name is replaced, and what metering needs is added. The
	// pieces, in order, are the body; they share memory with r.Raw.
	Patch(c *Call, r *Request) ([][]byte, error)
	// DecodeResponse reads an answer, streamed or whole as c.Stream says,
	// into events. Tool names that EncodeRequest changed are restored.
	// An answer that ends without its closing signal ends in an error.
	DecodeResponse(c *Call, body io.Reader) Events
	// DecodeError reads a refusal: a non-2xx status with any body.
	DecodeError(status int, h http.Header, body []byte) *Error
	// Tally looks at one frame (the data of an SSE event, an NDJSON line, or
	// a whole body) in passing, adds what it says to t, and rules on it.
	Tally(c *Call, t *Tally, frame []byte) Verdict
	// Framing of this call's stream.
	Framing(c *Call) Framing
}

// Framing is how a stream is cut into frames.
type Framing uint8

// The framings.
const (
	SSE Framing = iota
	NDJSON
	JSONArray // the elements of one JSON array
)

// A Verdict is what Tally says should happen to a frame of a byte copy.
type Verdict uint8

// The verdicts.
const (
	Pass Verdict = iota // send it on
	Drop                // it is there only because Keytray asked for it
	Last                // it ends the answer: finish the row first, then send it
)

// Call is one translated exchange: what Patch or EncodeRequest learn on the
// way out is there when the answer comes back. One goroutine at a time.
type Call struct {
	Model  Model
	Stream bool
	// Form and Counts are the request's, in a byte copy; see [Peek].
	Form   string
	Counts bool
	Tools  map[string]string // provider's tool name -> client's, where changed
	Lost   []string          // fields dropped or approximated, in the client's terms
	// OwnUsage is set when Keytray asked for a stream's usage and the client
	// did not: the extra frame is dropped again.
	OwnUsage bool
	// FormatTool is the provider's name of a tool whose input is the answer's
	// text: how a format is had from a model that knows no formats. "" is none.
	FormatTool string
	// Foreign tells whether opaque data is known to come from another provider
	// than this call's; nil knows nothing.
	Foreign func(opaque string) bool
	// Made notes opaque data that this call's provider made, for Foreign to
	// know later. It may be nil; use [Call.Mark].
	Made func(opaque string)
}

// Origin marks opaque data that the provider of this call made in a dialect:
// "messages:anthropic".
func (c *Call) Origin(dialect string) string {
	if c.Model.Provider == "" {
		return dialect
	}
	return dialect + ":" + c.Model.Provider
}

// Owns tells whether opaque data may go to the provider of this call, in the
// given dialect: its origin is the same, or names the dialect alone, as where
// a client's own form tells no more, and no other provider is known to have
// made it.
func (c *Call) Owns(dialect, origin, opaque string) bool {
	if origin == c.Origin(dialect) {
		return true
	}
	return origin == dialect && (c.Foreign == nil || !c.Foreign(opaque))
}

// Mark notes that this call's provider made some opaque data.
func (c *Call) Mark(opaque string) {
	if c.Made != nil && opaque != "" {
		c.Made(opaque)
	}
}

// Lose notes that a field was dropped or approximated: "logit_bias", or
// "temperature: this model takes none". A field is noted once.
func (c *Call) Lose(field string) {
	if !slices.Contains(c.Lost, field) {
		c.Lost = append(c.Lost, field)
	}
}

// Model is what an outbound dialect may know of the model it calls.
type Model struct {
	Provider  string // catalog id
	Name      string // the provider's own name for it
	MaxOutput int    // tokens; 0 is unknown
	Flags     Flags  // capabilities and quirks, of the model and its provider
}

// Flags are named facts about a provider or a model, from the catalog.
type Flags []string

// Has tells whether the flag is set.
func (f Flags) Has(flag string) bool { return slices.Contains(f, flag) }

// Flags that dialects ask for. A capability that is not set is not assumed
// absent: unknown models get what the client asked for.
const (
	FlagReasoning   = "reasoning"    // thinks when asked
	FlagNoReasoning = "no_reasoning" // known not to think: effort is dropped and reported
	FlagTools       = "tools"
	FlagNoTools     = "no_tools"
	FlagVision      = "vision"
	FlagNoVision    = "no_vision"

	FlagMaxCompletionTokens = "max_completion_tokens" // chat: rejects max_tokens
	FlagNoSampling          = "no_sampling"           // rejects temperature, top_p, top_k
	FlagNoPrefill           = "no_prefill"            // rejects a trailing assistant message
	FlagNoStreamOptions     = "no_stream_options"     // chat: rejects stream_options; usage comes anyway
	FlagJSONSchema          = "json_schema"           // native structured output
	FlagNoJSONSchema        = "no_json_schema"
	FlagThinkingAdaptive    = "thinking_adaptive" // messages: thinking{adaptive} and output_config.effort
	FlagThinkingBudget      = "thinking_budget"   // messages, gemini: a token budget
	FlagThinkingLevel       = "thinking_level"    // gemini: low, high ...; ollama: the same, where others are merely told to think
	FlagNoThinkingOff       = "no_thinking_off"   // chat, gemini, ollama, responses: thinking cannot be turned off
	FlagSystemRole          = "system_role"       // chat: knows no developer role
	FlagNoParallelControl   = "no_parallel_control"

	FlagOneSampler      = "one_sampler"        // messages: rejects top_p beside temperature
	FlagNoXHigh         = "no_xhigh"           // chat, messages, responses: knows no effort between high and max
	FlagNoPenalties     = "no_penalties"       // rejects frequency_penalty and presence_penalty
	FlagNoSystem        = "no_system"          // gemini: takes no system instruction (Gemma 3)
	FlagNoTier          = "no_tier"            // gemini: the body cannot name a service tier (Vertex)
	FlagNoJSONWithTools = "no_json_with_tools" // gemini: no JSON output in a request that has tools (before Gemini 3)
	FlagToolMedia       = "tool_media"         // gemini: a function response may hold images and PDFs (from Gemini 3 on)
	FlagSearchPerPrompt = "search_per_prompt"  // gemini: one fee per grounded answer, not per query (before Gemini 3)

	FlagCustomTools      = "custom_tools"      // chat: takes custom tools; others get functions
	FlagCompletions      = "completions"       // chat: serves legacy completions too
	FlagTopK             = "top_k"             // chat, converse: takes top_k
	FlagCacheControl     = "cache_control"     // chat, converse: takes cache marks on parts and tools
	FlagReasoningHistory = "reasoning_history" // chat, converse, responses: wants the reasoning of earlier turns back

	FlagNoMaxEffort  = "no_max_effort" // chat, responses: xhigh is the most thought
	FlagThreeEfforts = "three_efforts" // chat, responses: low, medium and high alone
	FlagNoMinimal    = "no_minimal"    // chat, responses: low is the least thought
	FlagShortUser    = "short_user"    // chat, responses: a user's id has 64 characters at most

	FlagNoStop           = "no_stop"            // chat: takes no stop sequences
	FlagNoSampledThought = "no_sampled_thought" // chat, responses: rejects temperature and top_p when told to think
	FlagNoToolThought    = "no_tool_thought"    // chat: takes no functions while it thinks; the Responses API does
	FlagMistralFields    = "mistral_fields"     // chat: knows no fields but Mistral's own, of which some have other names

	FlagNovaFields      = "nova_fields"      // converse: reasoningConfig and inferenceConfig.topK; no cache of tools
	FlagEffortField     = "effort_field"     // converse: takes reasoning_effort
	FlagReasoningConfig = "reasoning_config" // converse: takes reasoning_config
	FlagNoForcedTool    = "no_forced_tool"   // converse: a toolChoice of any or tool is refused
	FlagCacheHour       = "cache_hour"       // converse: keeps a cache for an hour where asked

	FlagBedrockInvoke = "bedrock_invoke" // messages: spoken by Bedrock's InvokeModel
	FlagVertexRaw     = "vertex_raw"     // messages: spoken by Vertex AI's rawPredict
	// FlagBeta begins the flag of each anthropic-beta that a host knows
	// ("beta:context-1m-2025-08-07"); one that has such flags gets no other.
	FlagBeta = "beta:"

	FlagNoCustomTools = "no_custom_tools" // responses: knows functions alone
	FlagNoHostedTools = "no_hosted_tools" // responses: runs no tools itself
)
