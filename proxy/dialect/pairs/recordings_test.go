package pairs_test

import (
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"keytray/proxy/sse"
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
	root := os.Getenv("KEYTRAY_RECORDED")
	if root == "" {
		root = filepath.Join("..", "..", "..", "..", "shared", "recorded")
	}
	if _, err := os.Stat(root); err != nil {
		t.Skip("no recorded answers here")
	}
	var all []recording
	for _, f := range folders {
		if outbound(f.dialect) == nil {
			continue
		}
		metas, err := filepath.Glob(filepath.Join(root, f.folder, "*.meta.json"))
		if err != nil || len(metas) == 0 {
			t.Fatal("no recordings in", f.folder, err)
		}
		for _, path := range metas {
			if r, ok := recorded(t, f.dialect, path); ok {
				all = append(all, r)
			}
		}
	}
	return all
}

// recorded reads one recording; ok is false of what is no conversation.
func recorded(t *testing.T, dialect, meta string) (r recording, ok bool) {
	t.Helper()
	b, err := os.ReadFile(meta)
	if err != nil {
		t.Fatal(err)
	}
	var m struct {
		Status int
		Path   string
		Kind   string `json:"content_type"`
	}
	if err := json.Unmarshal(b, &m); err != nil {
		t.Fatal(meta, err)
	}
	stem := strings.TrimSuffix(meta, ".meta.json")
	r = recording{dialect: dialect, name: filepath.Base(stem), answer: answer{status: m.Status, kind: "application/json"}}
	if dialect == "ollama" && m.Path != "/api/chat" || strings.Contains(r.name, "_embed__") {
		return r, false
	}
	for _, ending := range []string{".json", ".sse", ".ndjson", ".eventstream"} {
		if b, err := os.ReadFile(stem + ".response" + ending); err == nil {
			r.body, r.stream = b, ending != ".json"
			if ending == ".sse" {
				r.kind = "text/event-stream"
			}
			if ending == ".eventstream" && dialect == "messages" { // the same events in AWS's own framing
				r.body, r.kind = unwrapped(b), "text/event-stream"
			}
			return r, true
		}
	}
	t.Fatal("no answer beside ", meta)
	return r, false
}

var awsBytes = regexp.MustCompile(`"bytes":"([A-Za-z0-9+/=]+)"`)

// unwrapped takes the events of Messages out of AWS's framing.
func unwrapped(b []byte) (out []byte) {
	for _, m := range awsBytes.FindAllSubmatch(b, -1) {
		if data, err := base64.StdEncoding.DecodeString(string(m[1])); err == nil {
			var e struct{ Type string }
			_ = json.Unmarshal(data, &e) // it is compared below
			out = sse.Append(out, e.Type, data)
		}
	}
	return out
}
