package proxytest

import (
	"encoding/base64"
	"encoding/json"
)

// The shapes of Google's GenerateContentResponse, whole and as the elements of a stream.

func (a *answer) geminiUsage(output, thoughts int64) object {
	u := a.usage
	o := object{
		"promptTokenCount", u.prompt(), "candidatesTokenCount", output - thoughts,
		"totalTokenCount", u.prompt() + output,
		"promptTokensDetails",
		[]any{object{"modality", "TEXT", "tokenCount", u.prompt()}},
	}
	if u.CacheRead > 0 {
		o = append(o, "cachedContentTokenCount", u.CacheRead)
	}
	if thoughts > 0 {
		o = append(o, "thoughtsTokenCount", thoughts)
	}
	return o
}

// geminiParts returns the answer's parts; in a stream text comes in its pieces, and calls and images whole.
func (a *answer) geminiParts(stream bool) ([]any, error) {
	var parts []any
	texts := func(p Part, rest ...any) {
		pieces := p.Deltas
		if !stream {
			pieces = []string{p.all()}
		}
		for i, d := range pieces {
			o := append(object{"text", d}, rest...)
			if p.Signature != "" && i == len(pieces)-1 {
				o = append(o, "thoughtSignature", p.Signature)
			}
			parts = append(parts, o)
		}
	}
	for _, p := range a.Parts {
		switch p.Kind {
		case KindText, KindRefusal:
			texts(p)
		case KindThinking:
			texts(p, "thought", true)
		case KindMixed:
			texts(Text(p.Deltas[0]), "thought", true)
			texts(Text(p.Deltas[1]))
		case KindTool:
			call := object{"name", p.Name, "args", p.arguments()}
			if p.ID != "" {
				call = append(call, "id", p.ID)
			}
			o := object{"functionCall", call}
			if p.Signature != "" {
				o = append(o, "thoughtSignature", p.Signature)
			}
			parts = append(parts, o)
		case KindImage:
			parts = append(parts, object{"inlineData", object{
				"mimeType", p.Mime, "data", base64.StdEncoding.EncodeToString(p.Data),
			}})
		case KindVerbatim:
			if p.Only == Gemini {
				parts = append(parts, json.RawMessage(p.Data))
			}
		default:
			return nil, errNoForm{Gemini, p.Kind}
		}
	}
	return parts, nil
}

// geminiBody is one response object: the parts of each candidate, why it ended, and the usage so far.
func (a *answer) geminiBody(parts []any, finish Stop, output, thoughts int64) []byte {
	var body object
	switch {
	case a.Fault == FaultNoAnswer:
		body = object{"promptFeedback", object{"blockReason", "SAFETY"}}
	default:
		var candidates []any
		for i := range a.Choices {
			c := object{"content", object{"parts", parts, "role", "model"}}
			if finish != "" {
				c = append(c, "finishReason", finish.word(Gemini))
			}
			candidates = append(candidates, append(c, "index", i))
		}
		body = object{"candidates", candidates}
	}
	if !a.NoUsage {
		body = append(body, "usageMetadata", a.geminiUsage(output, thoughts))
	}
	return encode(append(body, "modelVersion", a.model, "responseId", a.id("test-response")))
}

func (a *answer) geminiWhole() ([]byte, error) {
	parts, err := a.geminiParts(false)
	if err != nil {
		return nil, err
	}
	return a.geminiBody(parts, a.stop, a.usage.Output, a.usage.Reasoning), nil
}

func (a *answer) geminiFrames() ([]frame, error) {
	parts, err := a.geminiParts(true)
	if err != nil {
		return nil, err
	}
	var frames []frame
	for i, p := range parts {
		output := a.usage.Output * int64(i+1) / int64(len(parts)+1)
		frames = append(frames, frame{data: a.geminiBody([]any{p}, "", output, min(a.usage.Reasoning, output))})
	}
	last := a.geminiBody([]any{object{"text", ""}}, a.stop, a.usage.Output, a.usage.Reasoning)
	return append(frames, frame{data: last, end: true}), nil
}
