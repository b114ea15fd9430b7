package app

import (
	"encoding/json"
	"fmt"
	"os"
	"testing"
	"time"

	"keytray/assets"
	"keytray/proxy/catalog"
	"keytray/proxy/llm"
)

// costCase is a worked case: a provider's usage on the wire, and the exact USD.
type costCase struct {
	ID, Provider, Dialect, Model string
	At                           time.Time
	Usage                        json.RawMessage
	Context                      struct {
		Tier   string `json:"service_tier"`
		Status int
	} `json:"response_context"`
	Request struct{ Via, Endpoint string }
	USD     string `json:"expected_usd"`
	Stated  string `json:"provider_reported_usd"`
}

// whole is an answer of the dialect that holds the usage.
func (c costCase) whole() string {
	tier := ""
	if c.Context.Tier != "" {
		tier = fmt.Sprintf(`"service_tier":%q,`, c.Context.Tier)
	}
	switch c.Dialect {
	case "chat":
		return `{"object":"chat.completion",` + tier + `"choices":[{"index":0,"message":{"role":"assistant","content":"x"},"finish_reason":"stop"}],"usage":` + string(c.Usage) + `}`
	case "messages":
		return `{"type":"message","role":"assistant","model":"` + c.Model + `","content":[{"type":"text","text":"x"}],"stop_reason":"end_turn","usage":` + string(c.Usage) + `}`
	case "gemini":
		return `{"candidates":[{"content":{"role":"model","parts":[{"text":"x"}]},"finishReason":"STOP"}],"usageMetadata":` + string(c.Usage) + `}`
	case "responses":
		return `{"object":"response","id":"r","status":"completed",` + tier + `"output":[{"type":"message","role":"assistant","content":[{"type":"output_text","text":"x"}]}],"usage":` + string(c.Usage) + `}`
	case "converse":
		return `{"output":{"message":{"role":"assistant","content":[{"text":"x"}]}},"stopReason":"end_turn","usage":` + string(c.Usage) + `}`
	case "ollama":
		return `{"model":"m","message":{"role":"assistant","content":"x"},"done":true,"done_reason":"stop",` + string(c.Usage[1:])
	default:
		return ""
	}
}

// TestCostCases prices answers as they come from the wire, to the pico-USD.
func TestCostCases(t *testing.T) {
	b, err := os.ReadFile("testdata/cost-cases.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []costCase
	if err := json.Unmarshal(b, &cases); err != nil {
		t.Fatal(err)
	}
	cat, err := catalog.Load(assets.Providers())
	if err != nil {
		t.Fatal(err)
	}
	if len(cases) < 42 {
		t.Errorf("only %d cases", len(cases))
	}
	for _, c := range cases {
		t.Run(c.ID, func(t *testing.T) {
			var tally llm.Tally
			if c.Context.Status == 0 {
				out := outbound(c.Dialect)
				out.Tally(&llm.Call{Model: cat.Call(c.Provider, c.Model)}, &tally, []byte(c.whole()))
				if !tally.Good || !tally.Usage.Known {
					t.Fatalf("no usage was seen in %s: %+v", c.whole(), tally)
				}
			}
			at := catalog.Context{At: c.At, Tier: tally.Tier, Geo: tally.Geo, Endpoint: c.Request.Endpoint, Unbilled: c.Context.Status >= 400}
			if c.Request.Via == "batch" {
				at.Tier = "batch"
			}
			got := cat.Cost(c.Provider, c.Model, tally.Usage, at)
			want, err := llm.ParsePico(c.USD)
			if err != nil {
				t.Fatal(err)
			}
			if got.Pico != want || got.Kind == catalog.Unpriced || got.Kind == catalog.AtLeast {
				t.Errorf("cost %s %s, want %s (usage %+v, computed %s)", got.Pico, got.Kind, c.USD, tally.Usage, got.Computed)
			}
			if (c.Stated != "") != (got.Kind == catalog.Stated) {
				t.Errorf("kind %s, stated by the provider: %q", got.Kind, c.Stated)
			}
		})
	}
}
