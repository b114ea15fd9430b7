package gemini_test

import (
	"testing"

	"keytray/proxy/dialect/chat"
	"keytray/proxy/dialect/dialecttest"
	"keytray/proxy/dialect/gemini"
	"keytray/proxy/dialect/messages"
	"keytray/proxy/dialect/ollama"
	"keytray/proxy/llm"
)

// Covers A1, A19, A25, B7, B13, C11, E8, E9, E14, E16, E21, E22, J2 as far as
// the conversations hold them.
func TestConversations(t *testing.T) { dialecttest.Run(t, gemini.Dialect{}, chat.Dialect{}) }

// Covers B13, B7, E8, E9, E13, E14, E16, E21, J2, J10 toward gemini clients.
func TestConversationsBothWays(t *testing.T) { dialecttest.Run(t, gemini.Dialect{}, gemini.Dialect{}) }

func TestConversationsOfOthers(t *testing.T) {
	for _, other := range []llm.Outbound{chat.Dialect{}, messages.Dialect{}, ollama.Dialect{}} {
		t.Run(other.Name(), func(t *testing.T) { dialecttest.Run(t, other, gemini.Dialect{}) })
	}
}
