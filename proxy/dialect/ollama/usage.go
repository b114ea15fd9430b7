package ollama

import (
	"bytes"
	"encoding/json"

	"keytray/proxy/llm"
)

var (
	doneKey     = []byte(`"done":true`)
	errorKey    = []byte(`"error":`)
	messageKey  = []byte(`"message":`)
	contentKey  = []byte(`"content":"`)
	thinkingKey = []byte(`"thinking":"`)
	callsKey    = []byte(`"tool_calls":`)
)

// Tally reads a line of a stream, or a whole answer. Only the last line holds
// counts: prompt_eval_count is the whole prompt, and eval_count includes
// thinking (api.Metrics).
func (Dialect) Tally(c *llm.Call, t *llm.Tally, frame []byte) llm.Verdict {
	if c.Stream && !bytes.Contains(frame, doneKey) && bytes.Contains(frame, messageKey) {
		t.Good = true
		t.Text += length(frame, contentKey) + length(frame, thinkingKey)
		if bytes.Contains(frame, callsKey) {
			t.Why = llm.CallTools
		}
		return llm.Pass
	}
	var a answer
	if err := json.Unmarshal(frame, &a); err != nil {
		return llm.Pass // the decoder, or the client, says so
	}
	if a.Error != "" {
		t.Err = Dialect{}.DecodeError(0, nil, frame)
		return llm.Pass
	}
	if a.Message == nil {
		return llm.Pass
	}
	t.Good = true
	t.Text += int64(len(a.Message.Content) + len(a.Message.Thinking))
	if !a.Done {
		return llm.Pass
	}
	t.Why = why(a.DoneReason, t.Why == llm.CallTools || len(a.Message.ToolCalls) > 0)
	t.Model, t.Done = a.Model, true
	a.count(t)
	return llm.Last
}

// count takes the counts of a last line. Zeros are left out of it, so a last
// line without any counted nothing.
func (a *answer) count(t *llm.Tally) {
	t.Usage = llm.Usage{Known: true}
	if a.PromptEvalCount != nil {
		t.Usage.Input = max(0, *a.PromptEvalCount)
	}
	if a.EvalCount != nil {
		t.Usage.Output = max(0, *a.EvalCount)
	}
}

// length is about how long the string after key is.
func length(frame, key []byte) int64 {
	i := bytes.Index(frame, key)
	if i < 0 {
		return 0
	}
	return int64(max(0, bytes.IndexByte(frame[i+len(key):], '"')))
}
