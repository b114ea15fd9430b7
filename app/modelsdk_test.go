package app

import (
	"errors"
	"slices"
	"testing"

	"github.com/anthropics/anthropic-sdk-go"
	anthropicoption "github.com/anthropics/anthropic-sdk-go/option"
	"google.golang.org/genai"

	"keytray/proxy/proxytest"
)

// Anthropic's own client reads the list, page by page, and one of its models.
func TestAnthropicClientListsModels(t *testing.T) {
	h, _ := lab(t, proxytest.Chat, proxytest.New())
	addr, err := h.Addr()
	if err != nil {
		t.Fatal(err)
	}
	c := anthropic.NewClient(anthropicoption.WithBaseURL("http://"+addr+"/"), anthropicoption.WithAPIKey(h.token), anthropicoption.WithMaxRetries(0))
	for _, limit := range []int64{0, 7} {
		p := anthropic.ModelListParams{}
		if limit > 0 {
			p.Limit = anthropic.Int(limit)
		}
		var ids []string
		pages := c.Models.ListAutoPaging(t.Context(), p)
		for pages.Next() {
			m := pages.Current()
			ids = append(ids, m.ID)
			if m.Type != "model" || m.DisplayName == "" || m.CreatedAt.IsZero() {
				t.Errorf("%+v", m)
			}
		}
		if err := pages.Err(); err != nil {
			t.Fatal(err)
		}
		sameAsListed(t, h, ids)
	}
	m, err := c.Models.Get(t.Context(), "openai/gpt-5", anthropic.ModelGetParams{})
	if err != nil || m.ID != "openai/gpt-5" || m.DisplayName != "GPT-5" || m.MaxInputTokens == 0 || m.MaxTokens == 0 || m.CreatedAt.Year() < 2025 {
		t.Errorf("%+v, %v", m, err)
	}
	var refused *anthropic.Error
	if _, err := c.Models.Get(t.Context(), "openai/none", anthropic.ModelGetParams{}); !errors.As(err, &refused) || refused.StatusCode != 404 {
		t.Errorf("%v", err)
	}
}

// Google's own client reads the list, page by page, and one of its models.
func TestGoogleClientListsModels(t *testing.T) {
	h, _ := lab(t, proxytest.Chat, proxytest.New())
	addr, err := h.Addr()
	if err != nil {
		t.Fatal(err)
	}
	for _, version := range []string{"v1beta", "v1"} {
		c, err := genai.NewClient(t.Context(), &genai.ClientConfig{
			APIKey: h.token, Backend: genai.BackendGeminiAPI,
			HTTPOptions: genai.HTTPOptions{BaseURL: "http://" + addr, APIVersion: version},
		})
		if err != nil {
			t.Fatal(err)
		}
		var ids []string
		page, err := c.Models.List(t.Context(), &genai.ListModelsConfig{PageSize: 9})
		for err == nil {
			for _, m := range page.Items {
				ids = append(ids, m.Name[len("models/"):])
				if m.DisplayName == "" || !slices.Contains(m.SupportedActions, "generateContent") {
					t.Errorf("%+v", m)
				}
			}
			page, err = page.Next(t.Context())
		}
		if !errors.Is(err, genai.ErrPageDone) {
			t.Fatal(err)
		}
		sameAsListed(t, h, ids)
		for _, name := range []string{"models/openai/gpt-5", "openai/gpt-5"} {
			m, err := c.Models.Get(t.Context(), name, nil)
			if err != nil {
				t.Errorf("%s %s: %v", version, name, err)
			} else if m.Name != "models/openai/gpt-5" || m.DisplayName != "GPT-5" || m.InputTokenLimit == 0 || m.OutputTokenLimit == 0 || !m.Thinking {
				t.Errorf("%s %s: %+v", version, name, m)
			}
		}
		var refused genai.APIError
		if _, err := c.Models.Get(t.Context(), "models/openai/none", nil); !errors.As(err, &refused) || refused.Code != 404 {
			t.Errorf("%v", err)
		}
	}
}

// sameAsListed checks that a client saw every model once, in order.
func sameAsListed(t *testing.T, h *house, ids []string) {
	t.Helper()
	var want []string
	for _, m := range h.Models(t.Context()) {
		want = append(want, m.ID)
	}
	if len(want) < 20 || !slices.Equal(ids, want) {
		t.Errorf("%d models, want %d: %q", len(ids), len(want), ids)
	}
}
