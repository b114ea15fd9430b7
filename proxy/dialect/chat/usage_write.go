package chat

import "keytray/proxy/llm"

// appendUsage writes OpenAI's form: prompt_tokens is the whole prompt, caches,
// audio and images included (B2).
func appendUsage(b []byte, u *llm.Usage) []byte {
	prompt, completion := u.Prompt(), u.Completion()
	b = appendInt(append(b, `{"prompt_tokens":`...), prompt)
	b = appendInt(append(b, `,"completion_tokens":`...), completion)
	b = appendInt(append(b, `,"total_tokens":`...), prompt+completion)
	b = appendInt(append(b, `,"prompt_tokens_details":{"cached_tokens":`...), u.Cached())
	if n := u.CacheWrite5m + u.CacheWrite1h; n > 0 {
		b = appendInt(append(b, `,"cache_write_tokens":`...), n)
	}
	b = appendInt(append(b, `,"audio_tokens":`...), u.AudioInput+u.AudioCacheRead)
	if n := u.ImageInput + u.ImageCacheRead; n > 0 {
		b = appendInt(append(b, `,"image_tokens":`...), n)
	}
	b = appendInt(append(b, `},"completion_tokens_details":{"reasoning_tokens":`...), u.Reasoning)
	b = appendInt(append(b, `,"audio_tokens":`...), u.AudioOutput)
	if u.ImageOutput > 0 {
		b = appendInt(append(b, `,"image_tokens":`...), u.ImageOutput)
	}
	b = append(b, `,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}`...)
	if u.Searches > 0 {
		b = append(appendInt(append(b, `,"server_tool_use_details":{"web_search_requests":`...), u.Searches), '}')
	}
	return append(b, '}')
}
