package proxy

import (
	"keytray/proxy/dialect/chat"
	"keytray/proxy/dialect/gemini"
	"keytray/proxy/dialect/messages"
	"keytray/proxy/dialect/ollama"
	"keytray/proxy/llm"
)

// inbounds are the dialects that clients may speak. The first one's shape is
// used for errors on paths that belong to none.
var inbounds = []llm.Inbound{
	chat.Dialect{},
	gemini.Dialect{},
	messages.Dialect{},
	ollama.Dialect{},
}

// Dialects are the names of the dialects that clients may speak.
func Dialects() []string {
	var all []string
	for _, in := range inbounds {
		all = append(all, in.Name())
	}
	return all
}
