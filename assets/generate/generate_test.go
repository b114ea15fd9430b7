package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestFilesAreWhatTheListGives generates again, where the list is at hand.
func TestFilesAreWhatTheListGives(t *testing.T) {
	name := filepath.Join("..", "..", "..", "shared", "data", "prices.json")
	if env := os.Getenv("KEYTRAY_LIST"); env != "" {
		name = env
	}
	list, err := os.ReadFile(name)
	if os.IsNotExist(err) {
		t.Skip("the list that the files come from is not at hand")
	}
	if err != nil {
		t.Fatal(err)
	}
	want, err := generate(list)
	if err != nil {
		t.Fatal(err)
	}
	for name, body := range want {
		got, err := os.ReadFile(filepath.Join("..", "providers", name))
		if err != nil {
			t.Error(err)
			continue
		}
		if !bytes.Equal(got, body) {
			t.Errorf("%s differs from what the list gives: run go generate ./assets", name)
		}
	}
}

// file is a provider's file, read back strictly.
type file struct {
	entry
	Models map[string]struct {
		model
		Prices []flat          `json:"prices"`
		Tiers  map[string]flat `json:"tiers"`
	} `json:"models"`
}

// flat is a price as it stands in a file.
type flat map[string]any

func TestEveryFileIsWellFormed(t *testing.T) {
	names, err := filepath.Glob("../providers/*.json")
	if err != nil || len(names) < 27 {
		t.Fatal(len(names), err)
	}
	for _, name := range names {
		t.Run(filepath.Base(name), func(t *testing.T) {
			b, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			noDuplicates(t, b)
			dec := json.NewDecoder(bytes.NewReader(b))
			dec.DisallowUnknownFields()
			var f file
			if err := dec.Decode(&f); err != nil {
				t.Fatal(err)
			}
			checkProvider(t, &f, strings.TrimSuffix(filepath.Base(name), ".json"))
			for id, m := range f.Models {
				if strings.TrimSpace(id) != id || id == "" || strings.HasSuffix(id, "-") {
					t.Errorf("%q is no name for a model", id)
				}
				if m.Context < 0 || m.Context > 20_000_000 || m.MaxOutput < 0 || m.MaxOutput > 20_000_000 {
					t.Errorf("%s: limits %d, %d", id, m.Context, m.MaxOutput)
				}
				if len(m.Released) == len("2026-01") {
					m.Released += "-01" // the list knows the month
				}
				checkDay(t, id, m.Released)
				checkDay(t, id, m.Retires)
				for _, a := range m.Aliases {
					if _, taken := f.Models[a]; taken {
						t.Errorf("%s: its alias %s is a model too", id, a)
					}
				}
				for _, p := range m.Prices {
					checkPrice(t, id, p, f.Sources, false)
				}
				for tier, p := range m.Tiers {
					checkPrice(t, id+" "+tier, p, f.Sources, true)
				}
				checkProportions(t, id, m.Prices, m.Tiers, f.AsOf)
				for _, s := range []string{m.Search, m.Request} {
					checkAmount(t, id, s)
				}
			}
		})
	}
}
