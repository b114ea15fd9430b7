package dialecttest

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
)

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
	if reflect.DeepEqual(got, want) || sameJSON(got, want) {
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

// sameJSON tells whether both are texts of the same JSON object, as the
// arguments of calls are.
func sameJSON(a, b any) bool {
	x, ok := a.(string)
	y, both := b.(string)
	if !ok || !both || !strings.HasPrefix(x, "{") || !strings.HasPrefix(y, "{") {
		return false
	}
	var v, w any
	return json.Unmarshal([]byte(x), &v) == nil && json.Unmarshal([]byte(y), &w) == nil && reflect.DeepEqual(v, w)
}
