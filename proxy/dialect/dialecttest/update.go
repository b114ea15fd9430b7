package dialecttest

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"testing"
)

// rewrite tells whether KEYTRAY_UPDATE is set: what pairs of dialects differ in
// is then written into the D.via.I files, to be read before it is kept.
func rewrite() bool { return os.Getenv("KEYTRAY_UPDATE") != "" }

// update merges v into a file of the conversation, if it is asked for.
func (c conversation) update(t *testing.T, name string, v map[string]any) {
	t.Helper()
	if !rewrite() || len(v) == 0 {
		return
	}
	var old any
	if c.has(name) {
		if err := json.Unmarshal(c.read(t, name), &old); err != nil {
			t.Fatal(err)
		}
	}
	o, _ := old.(map[string]any)
	for k, field := range v {
		if o == nil {
			o = map[string]any{}
		}
		o[k] = field
	}
	b, err := json.MarshalIndent(o, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(c.dir, name), append(b, '\n'), 0o644); err != nil {
		t.Fatal(err)
	}
}

// updateRequest writes what got differs from base in.
func (c conversation) updateRequest(t *testing.T, base, got []byte, name string) {
	t.Helper()
	if rewrite() {
		p, _ := patchOf(parse(t, base), parse(t, got)).(map[string]any)
		c.update(t, name, p)
	}
}

// updateSummary writes what got differs in from the want files of names.
func (c conversation) updateSummary(t *testing.T, got Summary, name string, names ...string) {
	t.Helper()
	if rewrite() {
		want := c.want(t, names...).Summary
		want.Opaque = nil
		p, _ := patchOf(parse(t, []byte(text(want))), parse(t, []byte(text(got)))).(map[string]any)
		c.update(t, name, p)
	}
}

func parse(t *testing.T, b []byte) (v any) {
	t.Helper()
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// patchOf is the merge patch that makes b of a.
func patchOf(a, b any) any {
	x, ok := a.(map[string]any)
	y, both := b.(map[string]any)
	if !ok || !both {
		return b
	}
	p := map[string]any{}
	for k := range x {
		if _, kept := y[k]; !kept {
			p[k] = nil
		}
	}
	for k, v := range y {
		if old, had := x[k]; !had || !reflect.DeepEqual(old, v) {
			p[k] = patchOf(old, v)
		}
	}
	return p
}
