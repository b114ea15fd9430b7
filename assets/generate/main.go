// Command generate writes assets/providers/*.json: one file for each provider
// of a neutral list of providers, models and prices (-list), with what the two
// hand-written tables beside this file know better. The list is an input and
// is not kept here; the files that come out are read and checked by people.
package main

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
)

//go:embed providers.json
var providersTable []byte

//go:embed models.json
var modelsTable []byte

func main() {
	list := flag.String("list", "", "the neutral list, a JSON file")
	out := flag.String("out", "providers", "the folder for the providers' files")
	flag.Parse()
	if err := run(*list, *out); err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}

func run(list, out string) error {
	if list == "" {
		return errors.New("say which list to read with -list FILE")
	}
	b, err := os.ReadFile(list)
	if err != nil {
		return fmt.Errorf("read the list: %w", err)
	}
	files, err := generate(b)
	if err != nil {
		return err
	}
	for name, body := range files {
		if err := os.WriteFile(filepath.Join(out, name), body, 0o644); err != nil {
			return fmt.Errorf("write a provider: %w", err)
		}
	}
	return nil
}

// generate turns a list into files, by name.
func generate(list []byte) (map[string][]byte, error) {
	var l neutral
	if err := json.Unmarshal(list, &l); err != nil {
		return nil, fmt.Errorf("decode the list: %w", err)
	}
	hand, err := readTables()
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{}
	for _, p := range l.Providers {
		e, err := hand.provider(p)
		if err != nil {
			return nil, err
		}
		b := builder{list: &l, hand: hand, entry: e, dates: map[string]string{}}
		for _, m := range l.Models {
			if m.Provider != p.ID {
				continue
			}
			if err := b.add(m); err != nil {
				return nil, fmt.Errorf("%s/%s: %w", m.Provider, m.ID, err)
			}
		}
		if e.Sources = b.dates; len(b.dates) > 0 {
			e.AsOf = l.Generated
		}
		var buf bytes.Buffer
		if err := write(&buf, e); err != nil {
			return nil, fmt.Errorf("%s: %w", p.ID, err)
		}
		files[p.ID+".json"] = buf.Bytes()
	}
	return files, hand.unused()
}
