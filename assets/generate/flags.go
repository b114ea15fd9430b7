package main

import (
	"slices"
	"strings"
)

// flags are the facts that dialects ask for: the list's capabilities, where
// their presence or absence can be trusted, then the table's. A flag of the
// table takes the place of its opposite.
func flags(in listModel, rules []*rule) []string {
	var out []string
	set := func(f string) {
		no, is := strings.CutPrefix(f, "no_")
		out = slices.DeleteFunc(out, func(o string) bool { return (is && o == no) || o == "no_"+f || o == f })
		out = append(out, f)
	}
	if in.Mode == "chat" || in.Mode == "responses" {
		for _, c := range in.Capabilities {
			switch c {
			case "reasoning", "tools":
				set(c)
			case "structured_output":
				set("json_schema")
			}
		}
		switch {
		case slices.Contains(in.Modalities.Input, "image"):
			set("vision")
		case slices.Contains(in.Sources["input"], "models.dev"):
			set("no_vision") // this source names every modality; others leave them out
		}
	}
	for _, r := range rules {
		for _, f := range r.Flags {
			set(f)
		}
	}
	slices.Sort(out)
	return out
}
