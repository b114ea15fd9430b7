// Package pairs_test tests every dialect against every other one. A dialect
// joins with one line in a list below, and a conversation with a folder in
// ../testdata: there is no code for a pair.
package pairs_test

import (
	"testing"

	"keytray/proxy/dialect/chat"
	"keytray/proxy/dialect/converse"
	"keytray/proxy/dialect/dialecttest"
	"keytray/proxy/dialect/gemini"
	"keytray/proxy/dialect/messages"
	"keytray/proxy/dialect/ollama"
	"keytray/proxy/dialect/responses"
	"keytray/proxy/llm"
)

// inbounds are the dialects of clients.
var inbounds = []llm.Inbound{
	chat.Dialect{},
	messages.Dialect{},
	gemini.Dialect{},
	ollama.Dialect{},
	responses.Dialect{},
}

// outbounds are the dialects of providers.
var outbounds = []llm.Outbound{
	chat.Dialect{},
	messages.Dialect{},
	gemini.Dialect{},
	ollama.Dialect{},
	responses.Dialect{},
	converse.Dialect{},
}

// Covers A1, A3, A4, A14, A17, A25, B2, B7, B8, B9, B12, B13, C11, E8, E9,
// E13, E14, E16, H5, H6, H7 and J2 as far as the conversations hold them.
func TestPairs(t *testing.T) { dialecttest.Pairs(t, inbounds, outbounds) }
