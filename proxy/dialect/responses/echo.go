package responses

import (
	"bytes"
	"encoding/json"
	"time"

	"keytray/proxy/dialect/field"
	"keytray/proxy/llm"
	"keytray/proxy/sse"
)

// echo is what a response repeats of its request, which strict clients want.
type echo struct {
	before []byte // fields, each with a comma before it
	tier   []byte
}

// echoed are the fields that are repeated, with what stands for one that the
// request does not have.
var echoed = []struct{ key, unset string }{
	{"instructions", "null"},
	{"max_output_tokens", "null"},
	{"max_tool_calls", "null"},
	{"metadata", "{}"},
	{"parallel_tool_calls", "true"},
	{"previous_response_id", "null"},
	{"prompt_cache_key", "null"},
	{"reasoning", `{"effort":null,"summary":null}`},
	{"safety_identifier", "null"},
	{"store", "true"},
	{"temperature", "1.0"},
	{"text", `{"format":{"type":"text"}}`},
	{"tool_choice", `"auto"`},
	{"tools", "[]"},
	{"top_logprobs", "0"},
	{"top_p", "1.0"},
	{"truncation", `"disabled"`},
	{"user", "null"},
}

func readEcho(r *llm.Request) echo {
	found := map[string][]byte{}
	_ = llm.Fields(r.Raw, func(key, v []byte, _ int) bool { // the body was read before
		if !field.Null(v) {
			found[string(key)] = v
		}
		return true
	})
	var e echo
	for _, f := range echoed {
		e.before = append(append(append(e.before, `,"`...), f.key...), `":`...)
		if v, ok := found[f.key]; ok {
			e.before = append(e.before, compact(v)...)
		} else {
			e.before = append(e.before, f.unset...)
		}
	}
	e.tier = []byte("null")
	if v, ok := found["service_tier"]; ok {
		e.tier = compact(v)
	}
	return e
}

// compact is a JSON value on one line, as frames need it.
func compact(v []byte) []byte {
	if bytes.IndexByte(v, '\n') < 0 && bytes.IndexByte(v, '\r') < 0 {
		return v
	}
	var out bytes.Buffer
	if json.Compact(&out, v) != nil {
		return []byte("null")
	}
	return out.Bytes()
}

// ending is how far the answer is.
type ending struct {
	kind, status string
	reason       string // why it is incomplete
	err          *llm.Error
	usage        *llm.Usage
	tier         string
	over         bool
}

// object writes the response as it is now.
func (a *answer) object(b []byte, end ending) []byte {
	b = sse.AppendString(append(b, `{"id":`...), ID(a.r))
	b = appendInt(append(b, `,"object":"response","created_at":`...), a.created.Unix())
	b = append(append(append(b, `,"status":"`...), end.status...), `","background":false,"completed_at":`...)
	if end.status == "completed" {
		b = appendInt(b, max(time.Now().Unix(), a.created.Unix()))
	} else {
		b = append(b, "null"...)
	}
	b = append(b, `,"error":`...)
	if end.err != nil {
		b = append(sse.AppendString(append(b, `{"code":`...), failureCode(end.err)), `,"message":`...)
		b = append(sse.AppendString(b, end.err.Error()), '}')
	} else {
		b = append(b, "null"...)
	}
	b = append(b, `,"incomplete_details":`...)
	if end.reason != "" {
		b = append(sse.AppendString(append(b, `{"reason":`...), end.reason), '}')
	} else {
		b = append(b, "null"...)
	}
	b = sse.AppendString(append(b, `,"model":`...), a.r.Model)
	b = append(b, a.echo.before...)
	b = append(b, `,"output":[`...)
	n := 0
	for _, item := range a.done {
		if item == nil || !end.over {
			continue
		}
		if n++; n > 1 {
			b = append(b, ',')
		}
		b = append(b, item...)
	}
	b = append(b, `],"service_tier":`...)
	switch {
	case !end.over:
		b = append(b, a.echo.tier...)
	case end.tier != "":
		b = sse.AppendString(b, end.tier)
	default:
		b = append(b, "null"...)
	}
	b = append(b, `,"usage":`...)
	if end.over && end.err == nil {
		b = appendUsage(b, end.usage)
	} else {
		b = append(b, "null"...)
	}
	return append(b, '}')
}

// failureCode is OpenAI's code for an answer that broke.
func failureCode(e *llm.Error) string {
	if e.Code != "" {
		return e.Code
	}
	switch e.Kind {
	case llm.RateLimited:
		return "rate_limit_exceeded"
	case llm.NoCredit, llm.OverBudget:
		return "insufficient_quota"
	case llm.BadRequest, llm.Filtered:
		return "invalid_prompt"
	}
	return "server_error"
}

// appendUsage writes OpenAI's form: input_tokens is the whole prompt, caches,
// audio and images included. Strict clients want some usage, so that one which
// is not known is all zeros.
func appendUsage(b []byte, u *llm.Usage) []byte {
	if u == nil {
		u = &llm.Usage{}
	}
	in, out := u.Prompt(), u.Completion()
	b = appendInt(append(b, `{"input_tokens":`...), in)
	b = appendInt(append(b, `,"input_tokens_details":{"cached_tokens":`...), u.Cached())
	b = appendInt(append(b, `,"cache_write_tokens":`...), u.CacheWrite5m+u.CacheWrite1h)
	b = some(b, "audio_tokens", u.AudioInput+u.AudioCacheRead)
	b = some(b, "image_tokens", u.ImageInput+u.ImageCacheRead)
	b = appendInt(append(b, `},"output_tokens":`...), out)
	b = appendInt(append(b, `,"output_tokens_details":{"reasoning_tokens":`...), u.Reasoning)
	b = some(b, "audio_tokens", u.AudioOutput)
	b = some(b, "image_tokens", u.ImageOutput)
	b = appendInt(append(b, `},"total_tokens":`...), in+out)
	b = append(b, '}')
	if u.Searches > 0 {
		b = appendInt(append(b, `,"tool_usage":{"web_search":{"num_requests":`...), u.Searches)
		b = append(b, "}}"...)
	}
	return b
}

func some(b []byte, key string, n int64) []byte {
	if n == 0 {
		return b
	}
	return appendInt(append(append(append(b, `,"`...), key...), `":`...), n)
}
