package pairs_test

import (
	"fmt"
	"os"
	"path"
	"slices"
	"strings"
	"testing"
)

// book counts what passes for each pair of dialects, and holds it against the
// counts in testdata/recorded.txt. Differences that are known and meant are
// listed in testdata/known.txt with their reason, and pass.
type book struct {
	pairs  []string // in the order of their first result
	passed map[string]int
	of     map[string]int
	meant  map[string]int // of those that passed: with a difference that is listed
	list   []*known
}

// known is a line of testdata/known.txt: pair, recording, what differs, why.
// The first three are patterns of path.Match.
type known struct {
	pair, name, what, why string
	used                  bool
}

func newBook(t *testing.T) *book {
	t.Helper()
	b := &book{passed: map[string]int{}, of: map[string]int{}, meant: map[string]int{}}
	for _, line := range strings.Split(readText(t, knowns), "\n") {
		if line == "" || line[0] == '#' {
			continue
		}
		f := strings.Split(line, "\t")
		if len(f) != 4 {
			t.Fatalf("%s: not four fields: %q", knowns, line)
		}
		b.list = append(b.list, &known{pair: f[0], name: f[1], what: f[2], why: f[3]})
	}
	return b
}

const counts, knowns = "testdata/recorded.txt", "testdata/known.txt"

func (b *book) add(t *testing.T, from, to, form, name string, failures []string) {
	t.Helper()
	pair := from + "->" + to + ":" + form
	if b.of[pair] == 0 {
		b.pairs = append(b.pairs, pair)
	}
	b.of[pair]++
	good := true
	for _, f := range failures {
		what, _, _ := strings.Cut(f, ":")
		if !b.known(pair, name, what) {
			t.Errorf("%s %s: %s", pair, name, f)
			good = false
		}
	}
	if good {
		b.passed[pair]++
		if len(failures) > 0 {
			b.meant[pair]++
		}
	}
}

func (b *book) known(pair, name, what string) bool {
	for _, k := range b.list {
		one, _ := path.Match(k.pair, pair)
		two, _ := path.Match(k.name, name)
		three, _ := path.Match(k.what, what)
		if one && two && three {
			k.used = true
			return true
		}
	}
	return false
}

// table is a line for each pair.
func (b *book) table() string {
	slices.Sort(b.pairs)
	var s strings.Builder
	for _, p := range b.pairs {
		fmt.Fprintf(&s, "%s\t%d of %d", p, b.passed[p], b.of[p])
		if n := b.meant[p]; n > 0 {
			fmt.Fprintf(&s, ", %d with a known difference", n)
		}
		s.WriteByte('\n')
	}
	return s.String()
}

func (b *book) close(t *testing.T) {
	t.Helper()
	for _, k := range b.list {
		if !k.used {
			t.Errorf("%s lists %s %s %s, but there is no such difference", knowns, k.pair, k.name, k.what)
		}
	}
	table := b.table()
	t.Log("\n" + table)
	if os.Getenv("KEYTRAY_UPDATE") != "" {
		if err := os.WriteFile(counts, []byte(table), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if want := readText(t, counts); table != want {
		t.Errorf("%s has other counts; KEYTRAY_UPDATE=1 rewrites it", counts)
		for _, line := range strings.Split(want, "\n") {
			if !strings.Contains(table, line+"\n") {
				t.Errorf("wanted %s", line)
			}
		}
	}
}

func readText(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
