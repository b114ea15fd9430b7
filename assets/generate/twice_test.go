package main

import (
	"bytes"
	"encoding/json"
	"testing"
)

// noDuplicates fails for a field that an object has twice, which decoding
// would hide.
func noDuplicates(t *testing.T, b []byte) {
	dec := json.NewDecoder(bytes.NewReader(b))
	var open []map[string]bool
	var key []bool
	for {
		tok, err := dec.Token()
		if err != nil {
			return
		}
		switch d := tok.(type) {
		case json.Delim:
			if d == '{' || d == '[' {
				open, key = append(open, map[string]bool{}), append(key, d == '{')
				continue
			}
			open, key = open[:len(open)-1], key[:len(key)-1]
		case string:
			if at := len(key) - 1; at >= 0 && key[at] {
				if open[at][d] {
					t.Errorf("%q is there twice", d)
				}
				open[at][d] = true
				skip(dec, &open, &key)
				continue
			}
		}
	}
}

// skip reads the value of a field, unless it opens an object or array.
func skip(dec *json.Decoder, open *[]map[string]bool, key *[]bool) {
	tok, err := dec.Token()
	if err != nil {
		return
	}
	if d, ok := tok.(json.Delim); ok && (d == '{' || d == '[') {
		*open, *key = append(*open, map[string]bool{}), append(*key, d == '{')
	}
}
