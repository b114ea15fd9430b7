package chat

import (
	"testing"

	"keytray/proxy/dialect/dialecttest"
)

func TestConversations(t *testing.T) { dialecttest.Run(t, Dialect{}, Dialect{}) }
