package keys

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
)

func TestLentTokens(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tokens.json")
	tokens := openTokens(t, path, None{})
	want := func(token, secret, tool string) {
		t.Helper()
		if got, ok := tokens.CheckLent(token, secret); got != tool || ok != (tool != "") {
			t.Errorf("lent to %q, %v; want %q", got, ok, tool)
		}
	}
	lend := func(from *Tokens, tool, secret string) string {
		t.Helper()
		s, err := from.Lend(tool, secret)
		if err != nil {
			t.Fatal(err)
		}
		return s.Reveal()
	}
	for _, tool := range []string{"py", "py-run", "other"} {
		if _, note, err := tokens.Create(t.Context(), tool); err != nil || note == nil {
			t.Fatal(note, err)
		}
	}
	py := lend(tokens, "py", "this run")
	want(py, "this run", "py")
	want(lend(openTokens(t, path, None{}), "py", "this run"), "this run", "py") // another process's
	want(lend(tokens, "py-run", "this run"), "this run", "py-run")
	want(py, "the next run", "")
	want(py, "", "")
	want(lend(tokens, "py", ""), "", "")
	want(py+"a", "this run", "")
	want(strings.Replace(py, "-py-", "-other-", 1), "this run", "")
	want(strings.Replace(py, "-py-", "-nobody-", 1), "this run", "")
	want(LentPrefix, "this run", "")
	want("kt-local-run-py", "this run", "")
	wantTool(t, tokens, py, "") // Check knows them not
	if used := tokens.List()[2].LastUsed; used.IsZero() {
		t.Errorf("no last use in %v", tokens.List())
	}
	if _, err := tokens.Lend("nobody", "this run"); !errors.Is(err, ErrUnknown) {
		t.Error(err)
	}
	if _, err := tokens.Lend("env", "this run"); err == nil {
		t.Error("lent one of a static tool's")
	}

	if _, _, err := tokens.Rotate(t.Context(), "py"); err != nil {
		t.Fatal(err)
	}
	want(py, "this run", "")
	again := lend(tokens, "py", "this run")
	want(again, "this run", "py")
	if _, err := tokens.Revoke(t.Context(), "py"); err != nil {
		t.Fatal(err)
	}
	want(again, "this run", "")
}
