package ollama_test

import (
	"testing"

	"keytray/proxy/dialect/chat"
	"keytray/proxy/dialect/dialecttest"
	"keytray/proxy/dialect/gemini"
	"keytray/proxy/dialect/messages"
	"keytray/proxy/dialect/ollama"
	"keytray/proxy/llm"
)

// Covers A1, A17, A25, B7, B13, C11, H2, H3, H5, H6, H7, H13, H14, J2 as far as
// the conversations hold them.
func TestConversations(t *testing.T) {
	t.Run("of chat clients", func(t *testing.T) { dialecttest.Run(t, out, chat.Dialect{}) })
	t.Run("both ways", func(t *testing.T) { dialecttest.Run(t, out, out) })
	for _, to := range []llm.Outbound{chat.Dialect{}, messages.Dialect{}, gemini.Dialect{}} {
		t.Run("to "+to.Name(), func(t *testing.T) { dialecttest.Run(t, to, ollama.Dialect{}) })
	}
}
