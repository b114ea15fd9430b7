package messages

import "encoding/json"

// The types of answers, after anthropic-sdk-go v1.84: Message,
// MessageStreamEventUnion, ContentBlockUnion, Usage, BetaUsage and
// ErrorResponse. Fields that no neutral event holds are left out.

// event is one frame of a stream. A whole answer is its message alone.
type event struct {
	Type    string   `json:"type"`
	Message *message `json:"message"`       // message_start
	Index   int      `json:"index"`         // content_block_*
	Block   *block   `json:"content_block"` // content_block_start
	Delta   *delta   `json:"delta"`         // content_block_delta, message_delta
	Usage   *usage   `json:"usage"`         // message_delta
}

type message struct {
	Type        string       `json:"type"`
	ID          string       `json:"id"`
	Model       string       `json:"model"`
	Content     []block      `json:"content"`
	StopReason  string       `json:"stop_reason"`
	StopDetails *stopDetails `json:"stop_details"`
	Usage       *usage       `json:"usage"`
}

type stopDetails struct {
	Type        string `json:"type"`
	Explanation string `json:"explanation"`
}

type block struct {
	Type      string          `json:"type"`
	ID        string          `json:"id"`
	Name      string          `json:"name"`
	Text      string          `json:"text"`
	Thinking  string          `json:"thinking"`
	Signature string          `json:"signature"`
	Data      string          `json:"data"` // redacted_thinking
	Input     json.RawMessage `json:"input"`
	Citations []citation      `json:"citations"`
}

type citation struct {
	CitedText     string `json:"cited_text"`
	URL           string `json:"url"`            // web_search_result_location
	Title         string `json:"title"`          // ..., search_result_location
	DocumentTitle string `json:"document_title"` // char_location, page_location, content_block_location
	Source        string `json:"source"`         // search_result_location
}

type delta struct {
	Type        string       `json:"type"`
	Text        string       `json:"text"`
	Thinking    string       `json:"thinking"`
	Signature   string       `json:"signature"`
	PartialJSON string       `json:"partial_json"`
	Citation    *citation    `json:"citation"`
	StopReason  string       `json:"stop_reason"` // message_delta
	StopDetails *stopDetails `json:"stop_details"`
}

// usage is cumulative in message_delta, where a field that is there replaces
// message_start's.
type usage struct {
	Input      *int64      `json:"input_tokens"` // excludes both caches
	Output     *int64      `json:"output_tokens"`
	CacheRead  *int64      `json:"cache_read_input_tokens"`
	CacheWrite *int64      `json:"cache_creation_input_tokens"`
	Writes     *writes     `json:"cache_creation"`
	Details    *details    `json:"output_tokens_details"`
	Server     *serverUse  `json:"server_tool_use"`
	Iterations []iteration `json:"iterations"`
	Tier       string      `json:"service_tier"`
	Geo        string      `json:"inference_geo"`
	Speed      string      `json:"speed"`
}

type writes struct {
	For5m int64 `json:"ephemeral_5m_input_tokens"`
	For1h int64 `json:"ephemeral_1h_input_tokens"`
}

type details struct {
	Thinking int64 `json:"thinking_tokens"` // inside output_tokens
}

type serverUse struct {
	Searches int64 `json:"web_search_requests"`
}

// iteration is one sampling of an answer that took several. Those of type
// message and fallback_message are inside the usage around them; compaction
// and advisor_message are not.
type iteration struct {
	Type       string  `json:"type"`
	Model      string  `json:"model"`
	Input      *int64  `json:"input_tokens"`
	Output     *int64  `json:"output_tokens"`
	CacheRead  *int64  `json:"cache_read_input_tokens"`
	CacheWrite *int64  `json:"cache_creation_input_tokens"`
	Writes     *writes `json:"cache_creation"`
}
