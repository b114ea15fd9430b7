package ollama

import (
	"bytes"
	"encoding/json"
)

// request is api.ChatRequest, with schemas and arguments as they came.
type request struct {
	Model    string          `json:"model"`
	Messages []message       `json:"messages"`
	Tools    []tool          `json:"tools,omitempty"`
	Format   json.RawMessage `json:"format,omitempty"`
	Think    any             `json:"think,omitempty"` // api.ThinkValue: a bool or a level
	Options  *options        `json:"options,omitempty"`
	Stream   bool            `json:"stream"` // sent always: Ollama streams when it is absent
}

// message is api.Message. Images are base64, as Go writes bytes.
type message struct {
	Role       string     `json:"role"`
	Content    string     `json:"content"`
	Thinking   string     `json:"thinking,omitempty"`
	Images     []string   `json:"images,omitempty"`
	ToolCalls  []toolCall `json:"tool_calls,omitempty"`
	ToolName   string     `json:"tool_name,omitempty"`
	ToolCallID string     `json:"tool_call_id,omitempty"`
}

// toolCall is api.ToolCall. Arguments are an object.
type toolCall struct {
	ID       string `json:"id,omitempty"`
	Function struct {
		Index     int             `json:"index"`
		Name      string          `json:"name"`
		Arguments json.RawMessage `json:"arguments"`
	} `json:"function"`
}

// tool is api.Tool.
type tool struct {
	Type     string `json:"type"`
	Function struct {
		Name        string          `json:"name"`
		Description string          `json:"description,omitempty"`
		Parameters  json.RawMessage `json:"parameters"`
	} `json:"function"`
}

// options are those of api.Options that a prompt can ask for.
type options struct {
	NumPredict       *int     `json:"num_predict,omitempty"`
	Temperature      *float64 `json:"temperature,omitempty"`
	TopP             *float64 `json:"top_p,omitempty"`
	TopK             *int     `json:"top_k,omitempty"`
	Stop             []string `json:"stop,omitempty"`
	Seed             *int64   `json:"seed,omitempty"`
	FrequencyPenalty *float64 `json:"frequency_penalty,omitempty"`
	PresencePenalty  *float64 `json:"presence_penalty,omitempty"`
}

// answer is api.ChatResponse, a whole one or one line of a stream, or the
// error that may take its place. The second part is api.GenerateResponse's.
type answer struct {
	Model           string   `json:"model"`
	Message         *message `json:"message"`
	Done            bool     `json:"done"`
	DoneReason      string   `json:"done_reason"`
	PromptEvalCount *int64   `json:"prompt_eval_count"`
	EvalCount       *int64   `json:"eval_count"`

	Response  *string    `json:"response"`
	Thinking  string     `json:"thinking"`
	ToolCalls []toolCall `json:"tool_calls"`
	Image     string     `json:"image"`

	// Error is a string (gin.H{"error": …} in server/routes.go); behind some
	// proxies it is an object.
	Error json.RawMessage `json:"error"`
}

// marshal writes JSON without escaping for HTML.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}
