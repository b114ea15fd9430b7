package cli

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"keytray/app"
)

func TestSince(t *testing.T) {
	zone := time.Local
	t.Cleanup(func() { time.Local = zone })
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Skip("no time zones here")
	}
	time.Local = berlin
	// The day on which the clock went back: 25 hours.
	now := time.Date(2026, 10, 25, 15, 30, 0, 0, berlin)
	for in, want := range map[string]string{
		"":                     "0001-01-01T00:00:00Z",
		"today":                "2026-10-25T00:00:00+02:00",
		"Yesterday":            "2026-10-24T00:00:00+02:00",
		"1d":                   "2026-10-25T00:00:00+02:00",
		"7d":                   "2026-10-19T00:00:00+02:00",
		"2w":                   "2026-10-12T00:00:00+02:00",
		"24h":                  "2026-10-24T16:30:00+02:00",
		"90m":                  "2026-10-25T14:00:00+01:00",
		"2026-11-01":           "2026-11-01T00:00:00+01:00",
		"2026-10-01 08:05":     "2026-10-01T08:05:00+02:00",
		"2026-10-01T08:05:00Z": "2026-10-01T08:05:00Z",
	} {
		got, err := since(now, in)
		if err != nil || got.Format(time.RFC3339) != want {
			t.Errorf("%q is %s, %v; want %s", in, got.Format(time.RFC3339), err, want)
		}
	}
	for _, in := range []string{"7", "d", "0d", "-1d", "7x", "2026-13-01", "soon", " "} {
		if got, err := since(now, in); err == nil {
			t.Errorf("%q is %s", in, got)
		}
	}
}

func TestAlike(t *testing.T) {
	for _, c := range []struct {
		have, said string
		want       bool
	}{
		{"openai", "opneai", true},
		{"openai", "openi", true},
		{"openai", "open", true},
		{"openai", "openai-x", true},
		{"openai", "anthropic", false},
		{"groq", "grok", true},
		{"xai", "zai", true},
		{"xai", "", false},
		{"openrouter", "opnrotr", false},
		{"google", "gogle", true},
	} {
		if got := alike(c.have, c.said); got != c.want {
			t.Errorf("alike(%q, %q) is %v", c.have, c.said, got)
		}
	}
}

func TestQuoteRepeatsNoSecret(t *testing.T) {
	for _, s := range []string{"sk-short", "AIzaSy", "gsk_12", "0123456789012345678901234"} {
		if got := quote(s); strings.Contains(got, s) {
			t.Errorf("%q is repeated: %s", s, got)
		}
	}
	if got := quote("opnai"); got != `"opnai"` {
		t.Error(got)
	}
}

func TestAdvice(t *testing.T) {
	for _, c := range []struct{ said, remedy, want string }{
		{"it broke", "", "it broke"},
		{"it broke.", "Mend it.", "it broke; mend it."},
		{"it broke", "KEYTRAY_HOME is wrong.", "it broke; KEYTRAY_HOME is wrong."},
		{"it broke; Mend it.", "Mend it.", "it broke; Mend it."},
		{"a\x1b[2Jb\nc", "", "a [2Jb\n  c"},
	} {
		if got := advice(c.said, c.remedy); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}

func TestExitCodes(t *testing.T) {
	cmd := &cobra.Command{Use: "keytray"}
	for _, c := range []struct {
		err  error
		code int
		said string
	}{
		{nil, 0, ""},
		{codeError(7), 7, ""},
		{errors.New("no"), 1, "keytray: no\n"},
		{context.Canceled, 1, "keytray: stopped\n"},
		{usagef(cmd, "what"), 2, "keytray: what (see `keytray --help`)\n"},
	} {
		var b bytes.Buffer
		f := &face{env: Env{Stderr: &b}}
		if code := f.fail(cmd, c.err); code != c.code || b.String() != c.said {
			t.Errorf("%v: code %d, said %q", c.err, code, b.String())
		}
	}
}

// A full disk behind a pipe is no success.
func TestOutputThatCannotBeWrittenIsAFailure(t *testing.T) {
	var errs bytes.Buffer
	code := Run(t.Context(), []string{"version"}, Env{Stdout: fullDisk{}, Stderr: &errs, Getenv: func(string) string { return "" }})
	if code != 1 || !strings.Contains(errs.String(), "no space left") {
		t.Errorf("code %d, %q", code, errs.String())
	}
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errors.New("no space left on the disk") }

// Every command says what it does in a sentence, explains itself and gives an
// example that begins with its own name.
func TestHelpTeaches(t *testing.T) {
	f := &face{env: Env{}.complete()}
	var walk func(*cobra.Command)
	walk = func(c *cobra.Command) {
		if c.Short == "" || strings.HasSuffix(c.Short, ".") {
			t.Errorf("%s: short help %q", c.CommandPath(), c.Short)
		}
		if !strings.HasSuffix(c.Long, ".") {
			t.Errorf("%s: long help %q", c.CommandPath(), c.Long)
		}
		if !strings.Contains(c.Example, c.CommandPath()) {
			t.Errorf("%s: example %q", c.CommandPath(), c.Example)
		}
		for line := range strings.Lines(c.Long) {
			if c.Long != strings.TrimRight(line, "\n") && len([]rune(line)) > 82 {
				t.Errorf("%s: a line of %d in its help: %s", c.CommandPath(), len(line), line)
			}
		}
		for _, sub := range c.Commands() {
			walk(sub)
		}
	}
	walk(f.root())
}

func TestMerged(t *testing.T) {
	got := merged([]string{"A=1", "B=2", "A=3"}, []string{"A=4", "C=5", "C=6"})
	if want := "B=2 A=4 C=6"; strings.Join(got, " ") != want {
		t.Errorf("got %v, want %s", got, want)
	}
}

// Rows end in another order than they begin; each is printed once, and none is
// lost because an earlier one still runs.
func TestFollowerPrintsEachRowOnce(t *testing.T) {
	var out bytes.Buffer
	p := &follower{out: &out, asJSON: true, passed: map[int64]bool{}}
	row := func(id int64, status app.RowStatus) app.Row { return app.Row{ID: id, Status: status} }
	for _, rows := range [][]app.Row{
		{row(1, "ok"), row(2, "running"), row(3, "ok")},
		{row(2, "running"), row(3, "ok"), row(4, "error")},
		{row(2, "cut"), row(3, "ok"), row(4, "error"), row(5, "running")},
		{row(5, "ok")},
	} {
		if err := p.take(rows); err != nil {
			t.Fatal(err)
		}
	}
	var ids []string
	for _, l := range strings.Split(strings.TrimSpace(out.String()), "\n") {
		id, _, _ := strings.Cut(strings.TrimPrefix(l, `{"id":`), ",")
		ids = append(ids, id)
	}
	if got := strings.Join(ids, " "); got != "1 3 4 2 5" || p.floor != 5 || len(p.passed) != 0 {
		t.Errorf("printed %s, floor %d, %d remembered", got, p.floor, len(p.passed))
	}
}
