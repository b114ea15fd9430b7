package gemini_test

import (
	"testing"

	"keytray/proxy/dialect/chat"
	"keytray/proxy/dialect/dialecttest"
	"keytray/proxy/dialect/gemini"
)

// Covers A1, A19, A25, B7, B13, C11, E8, E9, E14, E16, E21, E22, J2 as far as
// the conversations hold them.
func TestConversations(t *testing.T) { dialecttest.Run(t, gemini.Dialect{}, chat.Dialect{}) }
