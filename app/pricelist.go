package app

import (
	"encoding/json"
	"fmt"
	"math/big"
	"strings"
)

// modelsDev is where models.dev publishes its list. It is asked only when the
// user says so.
const modelsDev = "https://models.dev/api.json"

// listNames are the providers that models.dev calls otherwise.
var listNames = map[string]string{
	"bedrock": "amazon-bedrock", "fireworks": "fireworks-ai", "together": "togetherai", "moonshot": "moonshotai", "vertex": "google-vertex",
}

// listPrice is what a list says of one model: USD per million tokens by kind.
type listPrice struct {
	rates map[string]string
	over  int64
	long  map[string]string
}

// listRates are models.dev's figures of one length of prompt.
type listRates struct {
	Input       json.Number `json:"input"`
	Output      json.Number `json:"output"`
	Reasoning   json.Number `json:"reasoning"`
	CacheRead   json.Number `json:"cache_read"`
	CacheWrite  json.Number `json:"cache_write"`
	InputAudio  json.Number `json:"input_audio"`
	OutputAudio json.Number `json:"output_audio"`
}

// priceList reads models.dev's api.json: providers by id, and their models by
// id, each with what it costs. What is not told is left out.
func priceList(b []byte) (map[string]map[string]listPrice, error) {
	var file map[string]struct {
		Models map[string]struct {
			Cost *struct {
				listRates
				Tiers []struct {
					listRates
					Tier struct {
						Type string
						Size int64
					}
				} `json:"tiers"`
				Over200K *listRates `json:"context_over_200k"`
			} `json:"cost"`
		} `json:"models"`
	}
	if err := json.Unmarshal(b, &file); err != nil {
		return nil, fmt.Errorf("this is not models.dev's list (api.json): %w", err)
	}
	out := map[string]map[string]listPrice{}
	for id, p := range file {
		for name, m := range p.Models {
			if m.Cost == nil {
				continue
			}
			price := listPrice{rates: m.Cost.told()}
			switch {
			case len(m.Cost.Tiers) == 1 && m.Cost.Tiers[0].Tier.Type == "context":
				price.over, price.long = m.Cost.Tiers[0].Tier.Size, m.Cost.Tiers[0].told()
			case len(m.Cost.Tiers) == 0 && m.Cost.Over200K != nil:
				price.over, price.long = 200_000, m.Cost.Over200K.told()
			}
			if out[id] == nil {
				out[id] = map[string]listPrice{}
			}
			out[id][name] = price
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("this is not models.dev's list (api.json): no model in it has a price")
	}
	return out, nil
}

// told are the figures that are given, by the catalog's names. models.dev knows
// one lifetime of a cache, which is the short one.
func (r *listRates) told() map[string]string {
	out := map[string]string{}
	for _, x := range []struct {
		kind string
		n    json.Number
	}{
		{"input", r.Input},
		{"output", r.Output},
		{"reasoning", r.Reasoning},
		{"cache_read", r.CacheRead},
		{"cache_write_5m", r.CacheWrite},
		{"input_audio", r.InputAudio},
		{"output_audio", r.OutputAudio},
	} {
		if s, ok := decimal(x.n.String()); ok {
			out[x.kind] = s
		}
	}
	return out
}

// decimal writes a number plainly, without what floating point adds to it.
func decimal(s string) (string, bool) {
	if len(s) > 40 {
		return "", false
	}
	x, ok := new(big.Rat).SetString(s)
	if !ok || x.Sign() < 0 {
		return "", false
	}
	s = strings.TrimRight(x.FloatString(9), "0")
	return strings.TrimSuffix(s, "."), true
}

// sameUSD compares two decimals.
func sameUSD(a, b string) bool {
	x, okX := new(big.Rat).SetString(a)
	y, okY := new(big.Rat).SetString(b)
	return okX && okY && x.Cmp(y) == 0
}
