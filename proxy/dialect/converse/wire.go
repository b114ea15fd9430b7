package converse

import "encoding/json"

// The types of answers, after the reference of Converse and ConverseStream.
// Fields that no neutral event holds are left out.

// answer is a whole answer.
type answer struct {
	Output *struct {
		Message *struct {
			Content []content `json:"content"`
		} `json:"message"`
	} `json:"output"`
	StopReason  string       `json:"stopReason"`
	Usage       *usage       `json:"usage"`
	Tier        *serviceTier `json:"serviceTier"`
	Performance *performance `json:"performanceConfig"`
}

type serviceTier struct {
	Type string `json:"type"`
}

type performance struct {
	Latency string `json:"latency"`
}

// content is one block; one of its fields is set.
type content struct {
	Text      *string    `json:"text"`
	ToolUse   *toolUse   `json:"toolUse"`
	Reasoning *reasoning `json:"reasoningContent"`
	Image     *struct {
		Format string `json:"format"`
		Source struct {
			Bytes string `json:"bytes"`
		} `json:"source"`
	} `json:"image"`
	Citations *struct {
		Content []struct {
			Text string `json:"text"`
		} `json:"content"`
		Citations []citation `json:"citations"`
	} `json:"citationsContent"`
}

type toolUse struct {
	ID    string          `json:"toolUseId"`
	Name  string          `json:"name"`
	Input json.RawMessage `json:"input"`
}

type reasoning struct {
	Text *struct {
		Text      string `json:"text"`
		Signature string `json:"signature"`
	} `json:"reasoningText"`
	Redacted string `json:"redactedContent"` // base64
}

type citation struct {
	Title  string `json:"title"`
	Source string `json:"source"`
	Quotes []struct {
		Text string `json:"text"`
	} `json:"sourceContent"`
	Location struct {
		Web struct {
			URL string `json:"url"`
		} `json:"web"`
	} `json:"location"`
}

// usage as metadata tells it, in a stream and in a whole answer alike.
type usage struct {
	Input      *int64 `json:"inputTokens"` // excludes both caches
	Output     *int64 `json:"outputTokens"`
	CacheRead  *int64 `json:"cacheReadInputTokens"`
	CacheWrite *int64 `json:"cacheWriteInputTokens"`
	Details    []struct {
		TTL   string `json:"ttl"`
		Input int64  `json:"inputTokens"`
	} `json:"cacheDetails"`
}

// metadata is a stream's last event.
type metadata struct {
	Usage       *usage       `json:"usage"`
	Tier        *serviceTier `json:"serviceTier"`
	Performance *performance `json:"performanceConfig"`
}
