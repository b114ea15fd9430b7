package catalog

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// TestFlagsAreTheVocabularys finds a flag that no dialect could ask for: a
// slip of the pen in the data would go unseen.
func TestFlagsAreTheVocabularys(t *testing.T) {
	known := map[string]bool{}
	files, err := filepath.Glob("../llm/*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		src, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, src, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			v, ok := n.(*ast.ValueSpec)
			if !ok || !strings.HasPrefix(v.Names[0].Name, "Flag") || len(v.Values) != 1 {
				return true
			}
			if lit, ok := v.Values[0].(*ast.BasicLit); ok {
				s, err := strconv.Unquote(lit.Value)
				if err != nil {
					t.Fatal(err)
				}
				known[s] = true
			}
			return true
		})
	}
	if !known["reasoning"] {
		t.Fatal("the flags of proxy/llm were not found")
	}
	c := load(t)
	open := func(f string) string { // a flag that ends in a name of somebody else's
		if kind, name, ok := strings.Cut(f, ":"); ok && name != "" {
			return kind + ":"
		}
		return f
	}
	for _, p := range c.Providers() {
		for _, f := range p.Flags {
			if !known[open(f)] {
				t.Errorf("%s: no dialect knows %q", p.ID, f)
			}
		}
		for _, m := range c.Models(p.ID) {
			for _, f := range m.Flags {
				if !known[open(f)] {
					t.Errorf("%s: no dialect knows %q", m.Path(), f)
				}
				if m.Flags.Has("no_" + f) {
					t.Errorf("%s: %s and its opposite", m.Path(), f)
				}
			}
		}
	}
}
