package gemini

import (
	"io"
	"strconv"

	"keytray/proxy/llm"
	"keytray/proxy/sse"
)

// whole gathers the events and writes one answer. If they end in an error,
// nothing is written.
func (a *writer) whole(w io.Writer, events llm.Events) error {
	var stop llm.Event
	for e, err := range events {
		if err != nil {
			return err
		}
		a.take(e)
		if e.Kind == llm.Stop {
			stop = e
		}
	}
	_, err := w.Write(a.response(make([]byte, 0, 512+len(a.parts)), &stop))
	return err
}

// stream writes an answer for each event that says something, before the next
// event is taken.
func (a *writer) stream(w io.Writer, events llm.Events) error {
	array := a.r.Form == formArray
	begin, end := "data: ", "\n\n"
	if array {
		begin, end = "[", ""
	}
	var buf []byte
	for e, err := range events {
		buf = append(buf[:0], begin...)
		if err != nil {
			buf = appendError(buf, llm.AsError(err))
			if !array {
				// Google's own servers write an error bare into a stream, and
				// some of its SDKs look for it only there.
				buf = appendError(append(buf, end...), llm.AsError(err))
			}
			if _, werr := w.Write(append(buf, '\n')); werr != nil {
				return werr
			}
			return err
		}
		a.take(e)
		switch {
		case e.Kind == llm.Stop:
			buf = append(a.response(buf, &e), end...)
			if array {
				buf = append(buf, "]\n"...)
			}
		case e.Kind == llm.Ping: // B9
			a.begin()
			a.parts = append(a.parts, `"text":""}`...)
			fallthrough
		case len(a.parts) > 0:
			buf = append(a.response(buf, nil), end...)
		default:
			continue
		}
		a.parts = a.parts[:0]
		if array {
			begin = "\r\n,\r\n"
		}
		if _, err := w.Write(buf); err != nil {
			return err
		}
	}
	return nil
}

// response adds one GenerateContentResponse with the parts that are there;
// stop is the event that ends the answer, or nil.
func (a *writer) response(b []byte, stop *llm.Event) []byte {
	b = append(append(b, `{"candidates":[{"content":{"parts":[`...), a.parts...)
	b = append(b, `],"role":"model"}`...)
	if stop != nil {
		b = a.end(b, stop)
	}
	b = append(b, `,"index":0}]`...)
	if stop != nil && stop.Usage != nil && stop.Usage.Known {
		b = appendUsage(append(b, `,"usageMetadata":`...), stop.Usage, stop.Tier)
	}
	b = sse.AppendString(append(b, `,"modelVersion":`...), a.r.Model)
	b = sse.AppendString(append(b, `,"responseId":`...), a.id)
	return append(b, '}')
}

// end adds why the answer ended, and its sources.
func (a *writer) end(b []byte, stop *llm.Event) []byte {
	finish, message := finishReason(stop.Why)
	if a.broken != "" {
		message = "the model called " + a.broken + " with arguments that are no JSON object; the call is left out"
		if finish != "MAX_TOKENS" {
			finish = "MALFORMED_FUNCTION_CALL"
		}
	}
	b = append(append(append(b, `,"finishReason":"`...), finish...), '"')
	if message != "" {
		b = sse.AppendString(append(b, `,"finishMessage":`...), message)
	}
	if a.sources > 0 {
		b = append(append(b, `,"groundingMetadata":{"groundingChunks":[`...), a.chunks...)
		b = append(append(b, `],"groundingSupports":[`...), a.support...)
		b = append(b, "]}"...)
	}
	return b
}

// finishReason is Google's word for why an answer ended, and the provider's
// own where Google has none: clients check the reason against a list.
func finishReason(why llm.Why) (reason, message string) {
	switch why {
	case llm.EndTurn, llm.StopSequence, llm.CallTools, llm.PauseTurn, "":
		return "STOP", ""
	case llm.MaxTokens:
		return "MAX_TOKENS", ""
	case llm.ContentFilter, llm.Refused:
		return "SAFETY", ""
	case "RECITATION", "LANGUAGE", "OTHER", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "MALFORMED_FUNCTION_CALL", "IMAGE_SAFETY", "UNEXPECTED_TOOL_CALL", "NO_IMAGE":
		return string(why), ""
	}
	return "OTHER", "the provider's own reason: " + string(why)
}

// appendUsage writes UsageMetadata: the prompt includes what was cached, and
// the candidates exclude the thoughts (E13).
func appendUsage(b []byte, u *llm.Usage, tier string) []byte {
	thoughts := min(u.Reasoning, u.Completion())
	field := func(key string, n int64) {
		b = strconv.AppendInt(append(b, key...), n, 10)
	}
	field(`{"promptTokenCount":`, u.Prompt())
	if n := u.Cached(); n > 0 {
		field(`,"cachedContentTokenCount":`, n)
	}
	field(`,"candidatesTokenCount":`, u.Completion()-thoughts)
	if thoughts > 0 {
		field(`,"thoughtsTokenCount":`, thoughts)
	}
	field(`,"totalTokenCount":`, u.Prompt()+u.Completion())
	b = appendModalities(b, "promptTokensDetails", u.Prompt(), u.AudioInput+u.AudioCacheRead, u.ImageInput+u.ImageCacheRead)
	b = appendModalities(b, "cacheTokensDetails", u.Cached(), u.AudioCacheRead, u.ImageCacheRead)
	b = appendModalities(b, "candidatesTokensDetails", u.Completion()-thoughts, u.AudioOutput, u.ImageOutput)
	if tier != "" {
		b = sse.AppendString(append(b, `,"serviceTier":`...), tier)
	}
	return append(b, '}')
}

// appendModalities says how much of a sum was sound and images, if any was.
func appendModalities(b []byte, key string, all, audio, image int64) []byte {
	if audio+image == 0 {
		return b
	}
	b = append(append(append(b, `,"`...), key...), `":[{"modality":"TEXT","tokenCount":`...)
	b = strconv.AppendInt(b, max(all-audio-image, 0), 10)
	if audio > 0 {
		b = strconv.AppendInt(append(b, `},{"modality":"AUDIO","tokenCount":`...), audio, 10)
	}
	if image > 0 {
		b = strconv.AppendInt(append(b, `},{"modality":"IMAGE","tokenCount":`...), image, 10)
	}
	return append(b, "}]"...)
}
