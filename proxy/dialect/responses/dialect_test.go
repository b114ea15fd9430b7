package responses_test

import (
	"testing"

	"keytray/proxy/dialect/chat"
	"keytray/proxy/dialect/dialecttest"
	"keytray/proxy/dialect/gemini"
	"keytray/proxy/dialect/messages"
	"keytray/proxy/dialect/ollama"
	"keytray/proxy/dialect/responses"
	"keytray/proxy/llm"
)

func TestConversations(t *testing.T) {
	dialecttest.Run(t, responses.Dialect{}, responses.Dialect{})
}

// Clients of this dialect reach every kind of provider, and clients of others
// reach providers of this one.
func TestConversationsAcross(t *testing.T) {
	for _, out := range []llm.Outbound{chat.Dialect{}, messages.Dialect{}, gemini.Dialect{}, ollama.Dialect{}} {
		t.Run("to "+out.Name(), func(t *testing.T) { dialecttest.Run(t, out, responses.Dialect{}) })
	}
	t.Run("from chat", func(t *testing.T) { dialecttest.Run(t, responses.Dialect{}, chat.Dialect{}) })
}
