package proxy

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// A client's header tells whose list it reads.
func TestModelShapes(t *testing.T) {
	h, _ := ollamaDoor()
	const claude = `{"type":"model","id":"anthropic/claude-sonnet","display_name":"Claude Sonnet","created_at":"2026-01-01T00:00:00Z","max_input_tokens":200000,"max_tokens":64000}`
	const echo = `{"type":"model","id":"demo/echo","display_name":"demo/echo","created_at":"1970-01-01T00:00:00Z"}`
	const google = `{"name":"models/anthropic/claude-sonnet","version":"1","displayName":"Claude Sonnet","inputTokenLimit":200000,"outputTokenLimit":64000,"supportedGenerationMethods":["generateContent","countTokens"],"thinking":true}`
	anthropic, goog := []string{"Anthropic-Version", "2023-06-01"}, []string{"X-Goog-Api-Key", "kt-good"}
	for _, c := range []struct {
		path   string
		header []string
		start  string
		holds  string
	}{
		{"/v1/models", anthropic, `{"data":[` + echo + `,`, `],"has_more":false,"first_id":"demo/echo","last_id":"openrouter/meta/llama"}`},
		{"/models", anthropic, `{"data":[` + echo, claude},
		{"/v1/models/anthropic/claude-sonnet", anthropic, claude, ""},
		{"/v1/models", goog, `{"models":[{"name":"models/demo/echo","version":"1","displayName":"demo/echo","supportedGenerationMethods":["generateContent","countTokens"]},`, google + `,`},
		{"/v1beta/models", nil, `{"models":[`, google},
		{"/v1beta/models?key=kt-good", []string{"Authorization", ""}, `{"models":[`, google},
		{"/v1beta/models/anthropic/claude-sonnet", nil, google, ""},
		{"/v1beta/models/models/anthropic/claude-sonnet", nil, google, ""},
		{"/v1/models/anthropic%2Fclaude-sonnet", goog, google, ""},
		{"/v1/models/anthropic/claude-sonnet", nil, `{"id":"anthropic/claude-sonnet","object":"model","created":1767225600,"owned_by":"anthropic"}`, ""},
	} {
		w := call(h, "GET", c.path, "", c.header...)
		body := w.Body.String()
		if w.Code != 200 || !strings.HasPrefix(body, c.start) || !strings.Contains(body, c.holds) || c.holds == "" && body != c.start || !json.Valid(w.Body.Bytes()) {
			t.Errorf("%s %s: %d %s", c.path, c.header, w.Code, body)
		}
	}
	for name, at := range map[string]struct {
		path   string
		header []string
		want   string
	}{
		"chat":     {"/v1/models/absent", nil, `"code":"model_not_found"`},
		"messages": {"/v1/models/absent", anthropic, `"type":"not_found_error"`},
		"gemini":   {"/v1beta/models/absent", nil, `"status":"NOT_FOUND"`},
	} {
		w := call(h, "GET", at.path, "", at.header...)
		if registered := inbound(name).Name() == name; w.Code != 404 || !strings.Contains(w.Body.String(), "absent") || registered && !strings.Contains(w.Body.String(), at.want) {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
}

func manyModels(n int) []Model {
	var all []Model
	for i := range n {
		all = append(all, Model{ID: fmt.Sprintf("lab/m%d", i), Owner: "lab"})
	}
	return all
}

func TestAnthropicPages(t *testing.T) {
	h, _ := door(&desk{list: manyModels(7)})
	for query, want := range map[string]string{
		"":                              "0 1 2 3 4 5 6 false",
		"limit=3":                       "0 1 2 true",
		"limit=3&after_id=lab/m2":       "3 4 5 true",
		"limit=3&after_id=lab/m5":       "6 false",
		"limit=3&after_id=lab/m6":       " false",
		"limit=3&before_id=lab/m5":      "2 3 4 true",
		"limit=3&before_id=lab/m2":      "0 1 false",
		"limit=5000&before_id=lab%2Fm1": "0 false",
		"limit=9&after_id=lab/m1&before_id=lab/m4": "2 3 false",
	} {
		w := call(h, "GET", "/v1/models?"+query, "", "Anthropic-Version", "2023-06-01")
		var page struct {
			Data    []struct{ ID string }
			More    bool    `json:"has_more"`
			FirstID *string `json:"first_id"`
			LastID  *string `json:"last_id"`
		}
		if err := json.Unmarshal(w.Body.Bytes(), &page); err != nil || w.Code != 200 {
			t.Fatalf("%s: %d %s", query, w.Code, w.Body)
		}
		var got []string
		for _, m := range page.Data {
			got = append(got, strings.TrimPrefix(m.ID, "lab/m"))
		}
		if s := fmt.Sprint(strings.Join(got, " "), " ", page.More); s != want {
			t.Errorf("%s: %s, want %s", query, s, want)
		}
		if len(page.Data) == 0 && (page.FirstID != nil || page.LastID != nil) || len(page.Data) > 0 && (*page.FirstID != page.Data[0].ID || *page.LastID != page.Data[len(page.Data)-1].ID) {
			t.Errorf("%s: %s", query, w.Body)
		}
	}
	for _, query := range []string{"limit=0", "limit=x", "after_id=lab/m9", "before_id=x"} {
		w := call(h, "GET", "/v1/models?"+query, "", "Anthropic-Version", "2023-06-01")
		if param, _, _ := strings.Cut(query, "="); w.Code != 400 || !strings.Contains(w.Body.String(), param) {
			t.Errorf("%s: %d %s", query, w.Code, w.Body)
		}
	}
}

func TestGooglePages(t *testing.T) {
	h, _ := door(&desk{list: manyModels(7)})
	var got []string
	token, pages := "", 0
	for {
		w := call(h, "GET", "/v1beta/models?pageSize=3&pageToken="+url.QueryEscape(token), "")
		var page struct {
			Models []struct{ Name string }
			Next   string `json:"nextPageToken"`
		}
		if err := json.Unmarshal(w.Body.Bytes(), &page); err != nil || w.Code != 200 {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		for _, m := range page.Models {
			got = append(got, m.Name)
		}
		if pages++; page.Next == "" {
			break
		}
		token = page.Next
	}
	if pages != 3 || len(got) != 7 || got[6] != "models/lab/m6" || len(slices.Compact(got)) != 7 {
		t.Errorf("%d pages, %q", pages, got)
	}
	for _, query := range []string{"pageSize=-1", "pageToken=***", "pageToken=eA"} {
		w := call(h, "GET", "/v1beta/models?"+query, "")
		if param, _, _ := strings.Cut(query, "="); w.Code != 400 || !strings.Contains(w.Body.String(), param) {
			t.Errorf("%s: %d %s", query, w.Code, w.Body)
		}
	}
}
