package responses

import (
	"strconv"

	"keytray/proxy/dialect/field"
	"keytray/proxy/dialect/openai"
	"keytray/proxy/llm"
)

// frame is what one event says, as slices of its bytes; nil is absent or null.
type frame struct {
	kind                         string
	output, content, summary     int // indices; -1 is absent
	itemID, delta, text, refusal []byte
	args, input, name            []byte
	item, part, response         []byte
	annotation, err              []byte
}

// readFrame scans an event. It checks the structure that it looks at, and not
// what it skips.
func readFrame(b []byte) (frame, error) {
	f := frame{output: -1, content: -1, summary: -1}
	err := llm.Fields(b, func(key, v []byte, _ int) bool {
		if field.Null(v) {
			return true
		}
		switch string(key) {
		case "type":
			f.kind = kindWord(v)
		case "output_index":
			f.output = index(v)
		case "content_index":
			f.content = index(v)
		case "summary_index":
			f.summary = index(v)
		case "item_id":
			f.itemID = v
		case "delta":
			f.delta = v
		case "text":
			f.text = v
		case "refusal":
			f.refusal = v
		case "arguments":
			f.args = v
		case "input":
			f.input = v
		case "name":
			f.name = v
		case "item":
			f.item = v
		case "part":
			f.part = v
		case "response":
			f.response = v
		case "annotation":
			f.annotation = v
		case "error":
			f.err = v
		}
		return true
	})
	return f, err
}

// The types of events that come often, so that their names cost nothing.
const (
	textDelta    = "response.output_text.delta"
	argsDelta    = "response.function_call_arguments.delta"
	inputDelta   = "response.custom_tool_call_input.delta"
	summaryDelta = "response.reasoning_summary_text.delta"
	thoughtDelta = "response.reasoning_text.delta"
	refusalDelta = "response.refusal.delta"
)

func kindWord(v []byte) string {
	if len(v) < 2 || v[0] != '"' {
		return ""
	}
	switch in := v[1 : len(v)-1]; string(in) {
	case textDelta:
		return textDelta
	case argsDelta:
		return argsDelta
	case summaryDelta:
		return summaryDelta
	case thoughtDelta:
		return thoughtDelta
	default:
		return string(in)
	}
}

// maxIndex bounds what a provider may call an item or a part of one.
const maxIndex = 1 << 12

func index(v []byte) int {
	n, err := strconv.Atoi(string(v))
	if err != nil || n < 0 || n > maxIndex {
		return -1
	}
	return n
}

// outcome is what the response object of a terminal event, or a whole body,
// says of the answer's end.
type outcome struct {
	id, model, status, tier, reason string
	err, usage, output, toolUsage   []byte
}

func readOutcome(v []byte) outcome {
	var o outcome
	_ = llm.Fields(v, func(key, v []byte, _ int) bool { // what is no object says nothing
		if field.Null(v) {
			return true
		}
		switch string(key) {
		case "id":
			o.id = field.Unquote(v)
		case "model":
			o.model = field.Unquote(v)
		case "status":
			o.status = field.Unquote(v)
		case "service_tier":
			o.tier = field.Unquote(v)
		case "incomplete_details":
			o.reason = field.Unquote(field.Of(v, "reason"))
		case "error":
			o.err = v
		case "usage":
			o.usage = v
		case "output":
			o.output = v
		case "tool_usage":
			o.toolUsage = v
		}
		return true
	})
	return o
}

// why is why the answer ended, before what it holds is known; broken tells
// that it did not end in order.
func (o *outcome) why() (why llm.Why, broken bool) {
	switch o.status {
	case "failed", "cancelled", "queued", "in_progress":
		return "", true
	case "incomplete":
		switch o.reason {
		case "max_output_tokens", "max_tokens", "":
			return llm.MaxTokens, false
		case "content_filter":
			return llm.ContentFilter, false
		}
		return llm.Why(o.reason), false
	}
	return llm.EndTurn, false
}

// failure is the error of an answer that did not end in order.
func (o *outcome) failure(raw []byte) *llm.Error {
	e := openai.Refusal(wrapError(o.err))
	if e == nil {
		e = &llm.Error{Message: "the provider could not finish the answer"}
		if o.status != "" {
			e.Message += ": its status is " + o.status
		}
	}
	return openai.InAnswer(name, e, raw)
}

func wrapError(v []byte) []byte {
	if v == nil {
		return nil
	}
	return append(append([]byte(`{"error":`), v...), '}')
}

// errorOf is the error in an error event, or in a frame of a gateway's own
// shape. Nil is none.
func errorOf(f *frame, raw []byte) *llm.Error {
	if f.kind != "error" && (f.kind != "" || f.err == nil || !field.Truthy(f.err)) {
		return nil
	}
	e := openai.Refusal(raw)
	if e != nil && e.Code == "error" { // the event's own type
		e.Code = ""
	}
	return openai.InAnswer(name, e, raw)
}
