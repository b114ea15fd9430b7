package gemini

import "encoding/json"

// The body of generateContent and streamGenerateContent: GenerateContentRequest
// of ai.google.dev/api/generate-content. What changes least comes first, as
// Google's implicit cache goes by prefix.
type request struct {
	SystemInstruction *content          `json:"systemInstruction,omitempty"`
	Tools             []json.RawMessage `json:"tools,omitempty"`
	ToolConfig        *toolConfig       `json:"toolConfig,omitempty"`
	Contents          []content         `json:"contents"`
	GenerationConfig  *generationConfig `json:"generationConfig,omitempty"`
	ServiceTier       string            `json:"serviceTier,omitempty"` // standard, flex, priority; not at Vertex
}

// content is a turn: Content of the caching reference.
type content struct {
	Role  string `json:"role,omitempty"` // user or model; none in systemInstruction
	Parts []part `json:"parts"`
}

// part holds one kind of data, and a thought signature beside it.
type part struct {
	Text             *string           `json:"text,omitempty"`
	Thought          bool              `json:"thought,omitempty"`
	InlineData       *blob             `json:"inlineData,omitempty"`
	FileData         *fileData         `json:"fileData,omitempty"`
	FunctionCall     *functionCall     `json:"functionCall,omitempty"`
	FunctionResponse *functionResponse `json:"functionResponse,omitempty"`
	ThoughtSignature string            `json:"thoughtSignature,omitempty"` // base64
}

type blob struct {
	MimeType string `json:"mimeType"`
	Data     string `json:"data"` // base64
}

type fileData struct {
	MimeType string `json:"mimeType,omitempty"`
	FileURI  string `json:"fileUri"`
}

type functionCall struct {
	ID   string          `json:"id,omitempty"`
	Name string          `json:"name"`
	Args json.RawMessage `json:"args"`
}

// functionResponse: Google reads "output" or "error" of Response, or all of it
// if it has neither. Parts exist from Gemini 3 on.
type functionResponse struct {
	ID       string          `json:"id,omitempty"`
	Name     string          `json:"name"`
	Response json.RawMessage `json:"response"`
	Parts    []part          `json:"parts,omitempty"`
}

// functions is the Tool object of all functions; Google's own tools have one
// each.
type functions struct {
	FunctionDeclarations []functionDeclaration `json:"functionDeclarations"`
}

// functionDeclaration: parametersJsonSchema takes full JSON Schema, where
// parameters takes a subset of OpenAPI's and fails on every other keyword.
type functionDeclaration struct {
	Name                 string          `json:"name"`
	Description          string          `json:"description,omitempty"`
	ParametersJSONSchema json.RawMessage `json:"parametersJsonSchema"`
}

type toolConfig struct {
	FunctionCallingConfig functionCallingConfig `json:"functionCallingConfig"`
}

type functionCallingConfig struct {
	Mode                 string   `json:"mode"` // AUTO, ANY, NONE
	AllowedFunctionNames []string `json:"allowedFunctionNames,omitempty"`
}

type generationConfig struct {
	MaxOutputTokens    *int            `json:"maxOutputTokens,omitempty"`
	Temperature        *float64        `json:"temperature,omitempty"`
	TopP               *float64        `json:"topP,omitempty"`
	TopK               *int            `json:"topK,omitempty"`
	StopSequences      []string        `json:"stopSequences,omitempty"`
	Seed               *int32          `json:"seed,omitempty"`
	PresencePenalty    *float64        `json:"presencePenalty,omitempty"`
	FrequencyPenalty   *float64        `json:"frequencyPenalty,omitempty"`
	ResponseMimeType   string          `json:"responseMimeType,omitempty"`
	ResponseJSONSchema json.RawMessage `json:"responseJsonSchema,omitempty"`
	ThinkingConfig     *thinkingConfig `json:"thinkingConfig,omitempty"`
}

// thinkingConfig: a level and a budget exclude each other.
type thinkingConfig struct {
	IncludeThoughts bool   `json:"includeThoughts,omitempty"`
	ThinkingBudget  *int   `json:"thinkingBudget,omitempty"` // 0 is off, -1 as the model likes
	ThinkingLevel   string `json:"thinkingLevel,omitempty"`  // MINIMAL, LOW, MEDIUM, HIGH
}

// What answers hold beside text and calls; read with encoding/json, as they
// are rare.

type executableCode struct {
	Language string `json:"language"`
	Code     string `json:"code"`
}

type codeExecutionResult struct {
	Outcome string `json:"outcome"`
	Output  string `json:"output"`
}

// answerCall is a functionCall of an answer. At Vertex its arguments may come
// in pieces, if streamFunctionCallArguments was asked for.
type answerCall struct {
	ID           string          `json:"id"`
	Name         string          `json:"name"`
	Args         json.RawMessage `json:"args"`
	PartialArgs  []partialArg    `json:"partialArgs"`
	WillContinue bool            `json:"willContinue"`
}

type partialArg struct {
	JSONPath     string          `json:"jsonPath"`
	StringValue  *string         `json:"stringValue"`
	NumberValue  json.RawMessage `json:"numberValue"`
	BoolValue    *bool           `json:"boolValue"`
	NullValue    json.RawMessage `json:"nullValue"`
	WillContinue bool            `json:"willContinue"`
}

type promptFeedback struct {
	BlockReason        string `json:"blockReason"`
	BlockReasonMessage string `json:"blockReasonMessage"` // Vertex
}

type groundingMetadata struct {
	WebSearchQueries []string `json:"webSearchQueries"`
	GroundingChunks  []struct {
		Web              *groundingSource `json:"web"`
		RetrievedContext *groundingSource `json:"retrievedContext"`
		Maps             *groundingSource `json:"maps"`
	} `json:"groundingChunks"`
	GroundingSupports []struct {
		Segment               segment `json:"segment"`
		GroundingChunkIndices []int   `json:"groundingChunkIndices"`
	} `json:"groundingSupports"`
}

type groundingSource struct {
	URI   string `json:"uri"`
	Title string `json:"title"`
	Text  string `json:"text"`
}

// segment is a span of a part's text, in bytes.
type segment struct {
	PartIndex  int    `json:"partIndex"`
	StartIndex int    `json:"startIndex"`
	EndIndex   int    `json:"endIndex"`
	Text       string `json:"text"`
}

// citationMetadata: the Gemini API says citationSources, Vertex citations.
type citationMetadata struct {
	CitationSources []citationSource `json:"citationSources"`
	Citations       []citationSource `json:"citations"`
}

type citationSource struct {
	StartIndex int    `json:"startIndex"`
	EndIndex   int    `json:"endIndex"`
	URI        string `json:"uri"`
	Title      string `json:"title"`
}
