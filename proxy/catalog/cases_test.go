package catalog

import (
	"cmp"
	"encoding/json"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"keytray/proxy/llm"
)

// costCase is one worked example: counts, and the exact USD.
type costCase struct {
	ID, Provider, Dialect, Model string
	At                           time.Time
	Request                      struct{ Via, Endpoint string }
	Context                      struct {
		Tier   string `json:"service_tier"`
		Status int
	} `json:"response_context"`
	Usage struct {
		Tier string `json:"service_tier"`
	}
	Breakdown []struct {
		Kind  string
		Count int64
	}
	Expected string `json:"expected_usd"`
	Stated   string `json:"provider_reported_usd"`
}

// usage maps a case's breakdown onto buckets: reading the wire is the
// dialects' part.
func (c *costCase) usage(t *testing.T) llm.Usage {
	u := llm.Usage{Known: c.Context.Status == 0}
	for _, b := range c.Breakdown {
		into := &u
		kind := b.Kind
		if what, model, ok := strings.Cut(kind, " claude-"); ok {
			kind = what
			model, advisor := strings.CutSuffix("claude-"+model, " (advisor)")
			if advisor {
				if len(u.Also) == 0 {
					u.Also = []llm.OtherUsage{{Model: model, Usage: llm.Usage{Known: true}}}
				}
				into = &u.Also[0].Usage
			}
		}
		switch kind {
		case "input", "input_text", "input text+video", "input billed":
			into.Input += b.Count
		case "cache_read", "cache_read text+video":
			into.CacheRead += b.Count
		case "cache_write", "cache_write_5m":
			into.CacheWrite5m += b.Count
		case "cache_write_1h":
			into.CacheWrite1h += b.Count
		case "output", "output_text", "output billed":
			into.Output += b.Count
		case "output reasoning":
			into.Output += b.Count
			into.Reasoning += b.Count
		case "input_audio":
			into.AudioInput += b.Count
		case "cache_read_audio":
			into.AudioCacheRead += b.Count
		case "output_audio":
			into.AudioOutput += b.Count
		case "output_image":
			into.ImageOutput += b.Count
		case "web_search":
			into.Searches += b.Count
		case "usage.cost":
		default:
			t.Fatalf("a breakdown has %q, which this test does not know", b.Kind)
		}
	}
	if c.Stated != "" {
		p, err := llm.ParsePico(c.Stated)
		if err != nil {
			t.Fatal(err)
		}
		u.Stated, u.HasStated = p, true
	}
	return u
}

func shared(t *testing.T, path string) []byte {
	t.Helper()
	name := filepath.Join("..", "..", "..", "shared", path)
	if dir := os.Getenv("KEYTRAY_SHARED"); dir != "" {
		name = filepath.Join(dir, path)
	}
	b, err := os.ReadFile(name)
	if os.IsNotExist(err) {
		t.Skipf("no %s beside this checkout", path)
	}
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestCostCases(t *testing.T) {
	var file struct{ Cases []costCase }
	if err := json.Unmarshal(shared(t, "data/cost-cases.json"), &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Cases) == 0 {
		t.Fatal("no cases")
	}
	c := load(t)
	for _, want := range file.Cases {
		t.Run(want.ID, func(t *testing.T) {
			ctx := Context{At: want.At, Tier: cmp.Or(want.Context.Tier, want.Usage.Tier), Endpoint: want.Request.Endpoint, Unbilled: want.Context.Status >= 400}
			if want.Request.Via == "batch" {
				ctx.Tier = "batch"
			}
			got := c.Cost(want.Provider, want.Model, want.usage(t), ctx)
			usd, ok := new(big.Rat).SetString(want.Expected)
			if !ok {
				t.Fatal(want.Expected)
			}
			gap := usd.Sub(usd, big.NewRat(int64(got.Pico), int64(llm.USD)))
			if want.Stated == "" && (gap.Sign() != 0 || got.Kind != Exact) {
				t.Errorf("%s USD, %s; want %s exactly\n%s", got.Pico, got.Kind, want.Expected, got.Price)
			}
			if want.Stated != "" && (gap.Abs(gap).Cmp(big.NewRat(1, int64(llm.USD))) >= 0 || got.Kind != Stated) {
				t.Errorf("%s USD, %s; want %s stated", got.Pico, got.Kind, want.Expected)
			}
			if want.Stated != "" && got.ComputedKind == Exact && want.Breakdown[0].Kind != "usage.cost" && got.Computed != got.Stated {
				t.Errorf("computed %s beside %s stated", got.Computed, got.Stated)
			}
			ctx.Sum = true
			if sum := c.Cost(want.Provider, want.Model, want.usage(t), ctx); sum.Pico != got.Pico || sum.Kind != got.Kind || sum.Price != nil {
				t.Errorf("the sum alone is %s, %s, at the price %s; want %s, %s, and none", sum.Pico, sum.Kind, sum.Price, got.Pico, got.Kind)
			}
		})
	}
}
