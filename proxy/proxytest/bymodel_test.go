package proxytest_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"keytray/proxy/proxytest"
)

// TestByModel asks for every name in every dialect: each must be played, and those that are not about an
// error must be whole answers.
func TestByModel(t *testing.T) {
	provider := proxytest.NewByModel()
	server := proxytest.Start(t, provider)
	silent := []string{"hang", "stall", "cut", "slow", "endless", "bomb"}
	failing := []string{
		"html", "empty", "redirect", "inside", "error-after", "garbage", "fin", "gzip", "gzip-hidden", "zstd", "echo-key", "no-answer", "refusal",
	}
	for _, name := range proxytest.ModelNames() {
		if slices.Contains(silent, name) {
			continue
		}
		for _, d := range proxytest.Dialects() {
			for _, stream := range []bool{false, true} {
				response := post(t.Context(), t, server.URL, d, name, stream)
				text := read(t, response)
				if response.StatusCode == http.StatusNotImplemented {
					if d == proxytest.Messages && name == "image" {
						continue
					}
					t.Errorf("%s in %s: %s", name, d, text)
				}
				if strings.HasPrefix(name, "error-4") || strings.HasPrefix(name, "error-5") {
					if response.StatusCode/100 == 2 {
						t.Errorf("%s in %s: %s", name, d, response.Status)
					}
					continue
				}
				if slices.Contains(failing, name) {
					continue
				}
				var got reading
				if stream {
					for _, f := range frames(d, text) {
						got.add(d, f)
					}
				} else {
					got.add(d, text)
				}
				if got.stop == "" || got.text == "" && got.calls == nil {
					t.Errorf("%s in %s, stream %v: %+v", name, d, stream, got)
				}
			}
		}
	}
}

func TestByModelNames(t *testing.T) {
	server := proxytest.Start(t, proxytest.NewByModel())
	for _, c := range []struct {
		model, header string
		status        int
		says          string
	}{
		{"text", "", 200, "Hello from the test provider."},
		{"gpt-6-luna", "", 200, "Hello from the test provider."},
		{"openai/json", "", 200, `{"city":"Paris","degrees":18}`},
		{"json:latest", "", 200, `{"city":"Paris","degrees":18}`},
		{"text", "json", 200, `{"city":"Paris","degrees":18}`},
		{"error-418", "", 418, ""},
		{"error-999", "", 200, "Hello from the test provider."},
	} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+"/v1/chat/completions",
			strings.NewReader(body(proxytest.Chat, c.model, false)))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set(proxytest.ScriptHeader, c.header)
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		var got reading
		got.add(proxytest.Chat, read(t, response))
		if response.StatusCode != c.status || got.text != c.says {
			t.Errorf("%s (header %q): %d %q", c.model, c.header, response.StatusCode, got.text)
		}
	}
}

// TestToolLoopEnds: a request that brings a tool's result gets text, so that a client's loop ends.
func TestToolLoopEnds(t *testing.T) {
	server := proxytest.Start(t, proxytest.NewByModel())
	for d, messages := range map[proxytest.Dialect]string{
		proxytest.Chat:     `"messages":[{"role":"user","content":"hi"},{"role":"tool","tool_call_id":"c","content":"18"}]`,
		proxytest.Messages: `"messages":[{"role":"user","content":[{"type":"tool_result","tool_use_id":"c","content":"18"}]}]`,
		proxytest.Gemini:   `"contents":[{"role":"user","parts":[{"functionResponse":{"name":"get_weather","response":{}}}]}]`,
		proxytest.Ollama:   `"messages":[{"role":"tool","content":"18","tool_name":"get_weather"}]`,
	} {
		response, err := http.Post(server.URL+d.Path("tool", false), "application/json",
			strings.NewReader(`{"model":"tool","stream":false,`+messages+`}`))
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		var got reading
		got.add(d, read(t, response))
		if got.text != "It is 18 degrees in Paris." || got.calls != nil {
			t.Errorf("%s: %+v", d, got)
		}
	}
}
