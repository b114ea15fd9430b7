package ollama_test

import (
	"testing"

	"keytray/proxy/dialect/chat"
	"keytray/proxy/dialect/dialecttest"
	"keytray/proxy/dialect/ollama"
)

// Covers A1, A25, B7, B13, C11, H2, H5, H6, H7, H13, H14, J2 as far as the
// conversations hold them.
func TestConversations(t *testing.T) { dialecttest.Run(t, ollama.Dialect{}, chat.Dialect{}) }
