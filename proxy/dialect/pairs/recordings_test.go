package pairs_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws/protocol/eventstream"

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
			if ending == ".eventstream" {
				r.body, r.kind = unwrapped(t, b), "text/event-stream"
			}
			return r, true
		}
	}
	t.Fatal("no answer beside ", meta)
	return r, false
}

// unwrapped takes the events out of AWS's own framing, as the way to such a
// provider does. Claude's events are wrapped once more there.
func unwrapped(t *testing.T, b []byte) (out []byte) {
	t.Helper()
	decoder, src := eventstream.NewDecoder(), bytes.NewReader(b)
	for src.Len() > 0 {
		m, err := decoder.Decode(src, nil)
		if err != nil {
			t.Fatal(err)
		}
		kind, data := m.Headers.Get(":event-type").String(), m.Payload
		if kind == "chunk" {
			var chunk struct{ Bytes []byte }
			var e struct{ Type string }
			if err := errors.Join(json.Unmarshal(data, &chunk), json.Unmarshal(chunk.Bytes, &e)); err != nil {
				t.Fatal(err)
			}
			kind, data = e.Type, chunk.Bytes
		}
		out = sse.Append(out, kind, data)
	}
	return out
}
