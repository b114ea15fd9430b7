package converse_test

import (
	"testing"

	"keytray/proxy/dialect/chat"
	"keytray/proxy/dialect/converse"
	"keytray/proxy/dialect/dialecttest"
)

// Covers G1, G3, G6, G10, G11 and J2 as far as the conversations hold them.
func TestConversations(t *testing.T) { dialecttest.Run(t, converse.Dialect{}, chat.Dialect{}) }
