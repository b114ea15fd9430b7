package pairs_test

import (
	"strings"
	"testing"

	"keytray/proxy/dialect/dialecttest"
)

// folders of recorded answers, and the dialect in each.
var folders = []struct{ folder, dialect string }{
	{"openai-chat", "chat"},
	{"openai-responses", "responses"},
	{"anthropic-messages", "messages"},
	{"gemini-generate", "gemini"},
	{"ollama-native", "ollama"},
	{"bedrock-converse", "converse"},
}

// A recording is a real provider's answer.
type recording struct {
	dialect, name string
	answer
}

// recordings reads the real answers, which are not in this repository.
func recordings(t *testing.T) []recording {
	t.Helper()
	var all []recording
	for _, f := range folders {
		if outbound(f.dialect) == nil {
			continue
		}
		for _, r := range dialecttest.Recordings(t, f.folder) {
			if f.dialect == "ollama" && r.Path != "/api/chat" || strings.Contains(r.Name, "_embed__") {
				continue // no conversation
			}
			kind := "application/json"
			if r.Stream && f.dialect != "ollama" {
				kind = "text/event-stream"
			}
			all = append(all, recording{f.dialect, r.Name, answer{status: r.Status, kind: kind, stream: r.Stream, body: r.Body}})
		}
	}
	return all
}
