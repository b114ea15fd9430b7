package messages_test

import (
	"testing"

	"keytray/proxy/dialect/chat"
	"keytray/proxy/dialect/dialecttest"
	"keytray/proxy/dialect/messages"
)

// Covers A1, A3, A4, A14, A17, A25, B2, B7, B9, B12, B13 and J2 as far as the
// conversations hold them.
func TestConversations(t *testing.T) { dialecttest.Run(t, messages.Dialect{}, chat.Dialect{}) }
