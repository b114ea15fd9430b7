package dialecttest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"keytray/proxy/llm"
)

// A conversation is one folder of testdata.
type conversation struct{ name, dir string }

// expect is what the want files of a conversation say.
type expect struct {
	Summary
	Flags     llm.Flags `json:"flags"`
	MaxOutput int       `json:"max_output"`
	Lost      []string  `json:"lost"` // sorted
}

func conversations(t *testing.T) []conversation {
	t.Helper()
	const root = "../testdata"
	dirs, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	var all []conversation
	for _, d := range dirs {
		if d.IsDir() {
			all = append(all, conversation{d.Name(), filepath.Join(root, d.Name())})
		}
	}
	if len(all) == 0 {
		t.Fatal("no conversations in " + root)
	}
	return all
}

func (c conversation) has(name string) bool {
	_, err := os.Stat(filepath.Join(c.dir, name))
	return err == nil
}

func (c conversation) read(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(c.dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// stream is the name of the file with out's streamed answer.
func (c conversation) stream(out llm.Outbound) string {
	if out.Framing(&llm.Call{}) == llm.NDJSON {
		return out.Name() + ".answer.ndjson"
	}
	return out.Name() + ".answer.sse"
}

// want reads want.json, patched by each name.want.json that exists.
func (c conversation) want(t *testing.T, names ...string) expect {
	t.Helper()
	files := []string{"want.json"}
	for _, n := range names {
		if c.has(n + ".want.json") {
			files = append(files, n+".want.json")
		}
	}
	var merged any
	for _, f := range files {
		var v any
		if err := json.Unmarshal(c.read(t, f), &v); err != nil {
			t.Fatalf("%s/%s: %v", c.name, f, err)
		}
		merged = merge(merged, v)
	}
	b, err := json.Marshal(merged)
	if err != nil {
		t.Fatal(err)
	}
	var e expect
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&e); err != nil {
		t.Fatalf("%s: the want files: %v", c.name, err)
	}
	slices.Sort(e.Lost)
	return e
}

// merge applies a JSON merge patch (RFC 7396).
func merge(base, patch any) any {
	p, ok := patch.(map[string]any)
	if !ok {
		return patch
	}
	out := map[string]any{}
	if b, ok := base.(map[string]any); ok {
		maps.Copy(out, b)
	}
	for k, v := range p {
		if v == nil {
			delete(out, k)
		} else {
			out[k] = merge(out[k], v)
		}
	}
	return out
}

func mergeText(t *testing.T, base, patch []byte) []byte {
	t.Helper()
	var b, p any
	if err := json.Unmarshal(base, &b); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(patch, &p); err != nil {
		t.Fatal(err)
	}
	return []byte(text(merge(b, p)))
}

// frames cuts a body the way a slow provider would send it.
func frames(out llm.Outbound, stream bool, body []byte) [][]byte {
	if !stream {
		return [][]byte{body}
	}
	end := []byte("\n\n")
	if out.Framing(&llm.Call{}) == llm.NDJSON {
		end = end[:1]
	}
	all := bytes.SplitAfter(body, end)
	if len(all[len(all)-1]) == 0 {
		all = all[:len(all)-1]
	}
	return all
}

// diffJSON compares two JSON texts, whatever the order of their keys, and
// says where they part.
func diffJSON(got, want []byte) string {
	var g, w any
	if err := json.Unmarshal(got, &g); err != nil {
		return fmt.Sprintf("not JSON: %v\n%s", err, got)
	}
	if err := json.Unmarshal(want, &w); err != nil {
		return fmt.Sprintf("the wanted text is not JSON: %v", err)
	}
	return diff("", g, w)
}

func diff(at string, got, want any) string {
	switch w := want.(type) {
	case map[string]any:
		g, ok := got.(map[string]any)
		if !ok {
			break
		}
		all := ""
		for _, k := range slices.Sorted(maps.Keys(w)) {
			if v, ok := g[k]; ok {
				all += diff(at+"."+k, v, w[k])
			} else {
				all += fmt.Sprintf("%s.%s: missing, want %s\n", at, k, text(w[k]))
			}
		}
		for _, k := range slices.Sorted(maps.Keys(g)) {
			if _, ok := w[k]; !ok {
				all += fmt.Sprintf("%s.%s: unexpected %s\n", at, k, text(g[k]))
			}
		}
		return all
	case []any:
		g, ok := got.([]any)
		if !ok || len(g) != len(w) {
			break
		}
		all := ""
		for i := range w {
			all += diff(fmt.Sprintf("%s[%d]", at, i), g[i], w[i])
		}
		return all
	}
	if reflect.DeepEqual(got, want) {
		return ""
	}
	return fmt.Sprintf("%s: got  %s\n%*s want %s\n", at, text(got), len(at)+1, "", text(want))
}

func text(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(b)
}
