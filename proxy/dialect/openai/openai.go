// Package openai holds what OpenAI's own APIs share on the wire, and the many
// that copied them: errors and how long to wait after them, usage, the names of
// functions, parts of messages, the settings of a request, and the reading of
// an answer. The dialects chat and responses are made with it.
//
// Wire facts are from OpenAI's API reference, the types of openai-go, and what
// the providers named beside them answered.
package openai

import "bytes"

// Done tells the frame that ends a stream.
func Done(frame []byte) bool { return bytes.Equal(bytes.TrimSpace(frame), []byte("[DONE]")) }

// ByteAt is where a character of a text starts, or -1: citations count
// characters.
func ByteAt(text []byte, char int) int {
	if char < 0 {
		return -1
	}
	for i := range string(text) {
		if char == 0 {
			return i
		}
		char--
	}
	if char == 0 {
		return len(text)
	}
	return -1
}
