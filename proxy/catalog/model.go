package catalog

import (
	"encoding/json"
	"fmt"
	"slices"

	"keytray/proxy/llm"
)

// Model is what the catalog lists of a model. Its slices are shared and must
// not be changed.
type Model struct {
	Provider string `json:"-"`
	ID       string `json:"-"`    // the provider's own name for it
	Name     string `json:"name"` // for people; "" where it is the id
	// Mode is what it is for: "" is chat, and responses is chat that only the
	// Responses API serves; embedding, rerank, image_generation, realtime ...
	Mode       string    `json:"mode"`
	Aliases    []string  `json:"aliases"`
	Context    int       `json:"context"`    // tokens of prompt and answer; 0 is unknown
	MaxOutput  int       `json:"max_output"` // tokens; 0 is unknown
	Released   string    `json:"released"`   // a day, 2026-04-24, a month, or ""
	Deprecated bool      `json:"deprecated"`
	Retires    string    `json:"retires"` // the day that the provider withdraws it, or ""
	Flags      llm.Flags `json:"flags"`
}

// LLM is what a dialect may know of the model.
func (m *Model) LLM() llm.Model {
	flags := m.Flags
	if m.Mode == "completion" && !flags.Has(llm.FlagCompletions) { // which is all that it does
		flags = append(slices.Clip(flags), llm.FlagCompletions)
	}
	return llm.Model{Provider: m.Provider, Name: m.ID, MaxOutput: m.MaxOutput, Flags: flags}
}

// Path is the model's full name: provider/id.
func (m *Model) Path() string { return m.Provider + "/" + m.ID }

// model is a decoded entry, with what it costs.
type model struct {
	Model
	costs
}

// costs is the price side of an entry.
type costs struct {
	Search   fee              `json:"search"`
	Request  fee              `json:"request"`
	Geo      map[string]rate  `json:"geo"`
	Endpoint map[string]rate  `json:"endpoint"`
	Prices   []Price          `json:"prices"`
	Tiers    map[string]Price `json:"tiers"`

	own   bool    // Prices are the user's own
	plain []Price // the listed ones then
}

// fee is USD per 1,000 calls, and the same in pico-USD for one.
type fee struct {
	usd string
	one rate
}

// UnmarshalJSON reads a decimal string.
func (f *fee) UnmarshalJSON(b []byte) error {
	if err := json.Unmarshal(b, &f.usd); err != nil || f.usd == "" {
		return err
	}
	var err error
	f.one, err = parse(f.usd, 1_000_000_000)
	return err
}

func decode(id string, raw []byte) (*model, error) {
	m := &model{}
	if err := json.Unmarshal(raw, &m.Model); err != nil {
		return nil, fmt.Errorf("model %s: %w", id, err)
	}
	if err := json.Unmarshal(raw, &m.costs); err != nil {
		return nil, fmt.Errorf("model %s: %w", id, err)
	}
	m.ID = id
	return m, nil
}
