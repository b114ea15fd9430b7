package view

import (
	"math"
	"strings"
	"testing"
)

func TestTable(t *testing.T) {
	table := &Table{
		Columns: []Column{{Title: "NAME", Flexible: true}, {Title: "N", Right: true}, {Title: "NOTE"}},
		Rows: [][]string{
			{"short", "1", ""},
			{"a name that is rather long", "1,234", "x"},
			{"日本語", "7"},
		},
	}
	for _, c := range []struct {
		name  string
		width int
		want  string
	}{
		{"all", 0, `
NAME                            N  NOTE
short                           1
a name that is rather long  1,234  x
日本語                          7`},
		{"wide enough", 80, `
NAME                            N  NOTE
short                           1
a name that is rather long  1,234  x
日本語                          7`},
		{"cut", 30, `
NAME                   N  NOTE
short                  1
a name that is r…  1,234  x
日本語                 7`},
		{"never below its least", 3, `
NAME          N  NOTE
short         1
a name …  1,234  x
日本語        7`},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := strings.Join(table.Lines(c.width), "\n")
			if want := strings.TrimPrefix(c.want, "\n"); got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

func TestTableKeepsItsLeastWidths(t *testing.T) {
	table := &Table{Columns: []Column{{Title: "A", Least: 5}, {Title: "B"}}, Rows: [][]string{{"1", "2"}, {"longer than five", "3"}}}
	want := "A                 B\n1                 2\nlonger than five  3"
	if got := strings.Join(table.Lines(0), "\n"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	table.Rows = table.Rows[:1]
	if got := strings.Join(table.Lines(0), "\n"); got != "A      B\n1      2" {
		t.Errorf("got\n%s", got)
	}
}

// What a provider says must not move a terminal's cursor or turn its text around.
func TestPlainText(t *testing.T) {
	for in, want := range map[string]string{
		"plain":                 "plain",
		"two\nlines\tand  tabs": "two lines and tabs",
		"\x1b[31mred\x1b[0m":    "[31mred[0m",
		"a\u202eb\u0007c":       "abc",
		"héllo 日本":              "héllo 日本",
		"bad \xff byte":         "bad \ufffd byte",
	} {
		if got := PlainText(in); got != want {
			t.Errorf("%q gives %q, want %q", in, got, want)
		}
	}
}

func TestWidth(t *testing.T) {
	for in, want := range map[string]int{"": 0, "abc": 3, "日本": 4, "e\u0301": 1, "…": 1, "••••3f9a": 8, "한글": 4, "🙂": 2} {
		if got := Width(in); got != want {
			t.Errorf("%q is %d places, want %d", in, got, want)
		}
	}
}

func TestDecimal(t *testing.T) {
	for in, want := range map[int64]string{
		0:                  "0",
		1:                  "0.000000000001",
		450_000_000:        "0.00045",
		1_000_000_000_000:  "1",
		12_345_600_000_000: "12.3456",
		-2_500_000_000_000: "-2.5",
		math.MaxInt64:      "9223372.036854775807",
		math.MinInt64:      "-9223372.036854775808",
	} {
		if got := Decimal(in); got != want {
			t.Errorf("%d is %s, want %s", in, got, want)
		}
	}
}
