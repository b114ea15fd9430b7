package proxytest_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tidwall/gjson"

	"keytray/proxy/proxytest"
)

// recorded returns the folder of recorded answers of real providers, or skips.
func recorded(t *testing.T) string {
	t.Helper()
	folder := os.Getenv("KEYTRAY_RECORDED")
	if folder == "" {
		folder = filepath.Join("..", "..", "..", "shared", "recorded")
	}
	if _, err := os.Stat(folder); err != nil {
		t.Skip("no recorded answers of real providers here (set KEYTRAY_RECORDED)")
	}
	return folder
}

// paths adds the path of every field of a value, without array indices, to the set. What tools are given
// and the model's own words are not the dialect's.
func paths(set map[string]bool, prefix string, v gjson.Result) {
	if !v.IsObject() && !v.IsArray() {
		return
	}
	v.ForEach(func(key, value gjson.Result) bool {
		path := prefix
		if v.IsObject() {
			path += "." + key.Str
			set[path] = true
		}
		if key.Str != "input" && key.Str != "args" && key.Str != "arguments" {
			paths(set, path, value)
		}
		return true
	})
}

// TestShapes compares the fields of every answer that NewByModel gives with those of real providers'
// answers: the test provider may say less than they do, but nothing that none of them says.
func TestShapes(t *testing.T) {
	folder := recorded(t)
	server := proxytest.Start(t, proxytest.NewByModel())
	names := []string{"text", "think", "tools", "image", "cache", "cost", "length", "choices", "inline", "error-400", "error-404", "error-429"}
	for d, c := range map[proxytest.Dialect]struct {
		folder string
		known  []string // fields that real providers are known to send, but did not when they were recorded
	}{
		proxytest.Chat: {"openai-chat", []string{
			// OpenRouter's answers with pictures
			".choices.message.images", ".choices.message.images.type", ".choices.message.images.image_url",
			".choices.message.images.image_url.url", ".choices.delta.images", ".choices.delta.images.type",
			".choices.delta.images.image_url", ".choices.delta.images.image_url.url",
		}},
		proxytest.Messages: {"anthropic-messages", nil},
		proxytest.Gemini: {"gemini-generate", []string{
			".error", ".error.code", ".error.message", ".error.status",
			".error.details", ".error.details.@type", ".error.details.retryDelay",
			".candidates.content.parts.inlineData", ".candidates.content.parts.inlineData.data",
			".candidates.content.parts.inlineData.mimeType", ".usageMetadata.cachedContentTokenCount",
		}},
		proxytest.Ollama: {"ollama-native", []string{".message.images"}},
	} {
		files, err := filepath.Glob(filepath.Join(folder, c.folder, "*.response.*"))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: no recordings in %s: %v", d, c.folder, err)
		}
		for _, stream := range []bool{false, true} {
			real := map[string]bool{}
			for _, p := range c.known {
				real[p] = true
			}
			for _, file := range files {
				data, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				streamed := strings.HasSuffix(file, ".sse") || strings.HasSuffix(file, ".ndjson")
				if json.Valid(data) {
					if !stream || gjson.GetBytes(data, "error").Exists() {
						paths(real, "", gjson.ParseBytes(data))
					}
				} else if streamed && stream {
					for _, f := range frames(d, string(data)) {
						paths(real, "", gjson.Parse(f))
					}
				}
			}
			ours := map[string]bool{}
			for _, name := range names {
				if name == "image" && d == proxytest.Messages {
					continue // Anthropic's models make none
				}
				text := read(t, post(t.Context(), t, server.URL, d, name, stream))
				if json.Valid([]byte(text)) {
					paths(ours, "", gjson.Parse(text))
					continue
				}
				for _, f := range frames(d, text) {
					paths(ours, "", gjson.Parse(f))
				}
			}
			var odd []string
			for p := range ours {
				if !real[p] {
					odd = append(odd, p)
				}
			}
			slices.Sort(odd)
			if odd != nil {
				t.Errorf("%s, stream %v: no provider sends %s", d, stream, strings.Join(odd, " "))
			}
			if len(ours) < 5 {
				t.Errorf("%s, stream %v: only %d fields", d, stream, len(ours))
			}
		}
	}
}
