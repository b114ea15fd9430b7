package proxy

import (
	"slices"

	"keytray/proxy/dialect/chat"
	"keytray/proxy/dialect/embed"
	"keytray/proxy/dialect/gemini"
	"keytray/proxy/dialect/messages"
	"keytray/proxy/dialect/ollama"
	"keytray/proxy/dialect/responses"
	"keytray/proxy/dialect/verbatim"
	"keytray/proxy/llm"
)

// inbounds are the dialects that clients may speak. The first one's shape is
// used for errors on paths that belong to none.
// Vectors come before gemini and ollama, whose patterns take in theirs.
var inbounds = slices.Concat([]llm.Inbound{chat.Dialect{}}, embed.All(), []llm.Inbound{
	gemini.Dialect{},
	messages.Dialect{},
	ollama.Dialect{},
	responses.Dialect{},
})

// passed are the calls that go through as they are.
var passed = verbatim.All(chat.Dialect{})

// Dialects are the names of the dialects that clients may speak.
func Dialects() []string {
	var all []string
	for _, in := range inbounds {
		all = append(all, in.Name())
	}
	return all
}
