package main

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// write lays a file out: the provider's facts one to a line, then its models,
// each a compact block with one price to a line.
func write(w *bytes.Buffer, e *entry) error {
	head, err := plain(e, "  ")
	if err != nil {
		return err
	}
	w.WriteString(strings.TrimSuffix(head, "\n}"))
	if len(e.models) == 0 {
		w.WriteString("\n}\n")
		return nil
	}
	w.WriteString(",\n  \"models\": {")
	for i, id := range slices.Sorted(maps.Keys(e.models)) {
		if i > 0 {
			w.WriteByte(',')
		}
		name, err := plain(id, "")
		if err != nil {
			return err
		}
		body, err := e.models[id].block()
		if err != nil {
			return err
		}
		w.WriteString("\n    " + name + ": " + body)
	}
	w.WriteString("\n  }\n}\n")
	return nil
}

// block is a model: its facts in one line, each price and tier in its own.
func (m *model) block() (string, error) {
	facts := *m
	facts.Prices, facts.Tiers = nil, nil
	s, err := plain(facts, "")
	if err != nil {
		return "", err
	}
	s = strings.TrimSuffix(s, "}")
	sep := func() string {
		if s == "{" {
			return ""
		}
		return ","
	}
	for i, p := range m.Prices {
		j, err := plain(p, "")
		if err != nil {
			return "", err
		}
		if i == 0 {
			s += sep() + "\n      \"prices\": ["
		} else {
			s += ",\n        "
		}
		s += j
	}
	if len(m.Prices) > 0 {
		s += "]"
	}
	for i, k := range slices.Sorted(maps.Keys(m.Tiers)) {
		j, err := plain(m.Tiers[k], "")
		if err != nil {
			return "", err
		}
		if i == 0 {
			s += sep() + "\n      \"tiers\": {"
		} else {
			s += ",\n        "
		}
		s += `"` + k + `":` + j
	}
	if len(m.Tiers) > 0 {
		s += "}"
	}
	return s + "}", nil
}

// plain is JSON without escapes for HTML.
func plain(v any, indent string) (string, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return "", err
	}
	s := strings.TrimSuffix(b.String(), "\n")
	if indent == "" {
		return s, nil
	}
	// Only the top level is broken into lines: what is inside stays in line.
	var fields []string
	dec := json.NewDecoder(strings.NewReader(s))
	if _, err := dec.Token(); err != nil {
		return "", err
	}
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return "", err
		}
		var raw json.RawMessage
		if err := dec.Decode(&raw); err != nil {
			return "", err
		}
		k, err := json.Marshal(key)
		if err != nil {
			return "", err
		}
		fields = append(fields, indent+string(k)+": "+string(raw))
	}
	return "{\n" + strings.Join(fields, ",\n") + "\n}", nil
}
