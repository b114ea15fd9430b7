package config

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/token"
)

// FuzzParse holds that any bytes are settings or problems that stand in the file, and that an edit of a good file
// changes its setting alone and loses no comment.
func FuzzParse(f *testing.F) {
	f.Add([]byte(first))
	for _, c := range refusals() {
		f.Add([]byte(c.text))
	}
	for _, c := range edits() {
		f.Add([]byte(c.before))
	}
	for _, c := range hostile() {
		if len(c.text) < 1000 {
			f.Add([]byte(c.text))
		}
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if len(text) > 4096 {
			return
		}
		cfg, _, problems := parse("f", text)
		if problems != nil {
			checkProblems(t, text, problems)
			return
		}
		want := *cfg
		want.Active = "lab"
		want.Providers = slices.Clone(cfg.Providers)
		lab := Provider{ID: "lab", Dialect: "chat", BaseURL: "http://127.0.0.1:1/v1", Models: []string{"a b:"[:1], "9"}}
		if i := slices.IndexFunc(want.Providers, func(p Provider) bool { return p.ID == "lab" }); i >= 0 {
			want.Providers[i] = lab
		} else {
			want.Providers = append(want.Providers, lab)
		}
		e := &Edit{doc: document{file: "f", raw: text}}
		if err := e.SetActive("lab"); err != nil {
			return
		}
		before := comments(text)
		if _, had := cfg.Provider("lab"); !had {
			if err := e.SetProvider(lab); err != nil {
				return
			}
			if after := comments(e.doc.raw); !slices.Equal(before, after) {
				t.Fatalf("comments were %q, now %q\n%s\n---\n%s", before, after, text, e.doc.raw)
			}
		} else if err := e.SetProvider(lab); err != nil {
			return
		}
		got, err := Parse("f", e.doc.raw)
		if err != nil {
			if strings.Contains(err.Error(), "name of a provider") {
				return // a route called lab was there
			}
			t.Fatalf("an edit broke the file: %v\n%s\n---\n%s", err, text, e.doc.raw)
		}
		if !reflect.DeepEqual(got, &want) {
			t.Fatalf("got %+v\nwant %+v\n%s\n---\n%s", got, &want, text, e.doc.raw)
		}
	})
}

func checkProblems(t *testing.T, text []byte, problems Problems) {
	t.Helper()
	if len(problems) == 0 || len(problems) > mostProblems+1 {
		t.Fatalf("%d problems", len(problems))
	}
	lines := strings.Count(string(text), "\n") + 1
	for _, p := range problems {
		if p.File == "" || p.Message == "" || p.Line < 0 || p.Line > lines || (p.Line > 0) != (p.Column > 0) {
			t.Fatalf("problem %+v in %d lines", p, lines)
		}
	}
}

// comments returns the words of all comments, sorted.
func comments(text []byte) []string {
	src, problems := newSource("f", text)
	if problems != nil {
		return nil
	}
	var out []string
	for _, t := range lexer.Tokenize(src.text) {
		if t.Type == token.CommentType {
			out = append(out, strings.TrimSpace(t.Value))
		}
	}
	slices.Sort(out)
	return out
}
