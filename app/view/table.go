package view

import (
	"strings"
	"unicode"
)

// Column is a column of a Table.
type Column struct {
	Title string
	Right bool // numbers line up at their last digit
	// Flexible columns give way, and end in "…", where the table is too wide.
	Flexible bool
	Least    int // places that it takes at least
}

// Table is text in columns, two spaces apart. The zero Table has none.
type Table struct {
	Columns []Column
	Rows    [][]string
}

// leastFlexible is how narrow a flexible column may get.
const leastFlexible = 8

// Lines gives the titles and the rows. They are cut to fit into width places
// of a terminal; 0 cuts nothing. What would move a terminal's cursor is taken
// out of every cell.
func (t *Table) Lines(width int) []string {
	widths := make([]int, len(t.Columns))
	for i, c := range t.Columns {
		widths[i] = max(c.Least, Width(c.Title))
	}
	rows := make([][]string, len(t.Rows))
	for n, row := range t.Rows {
		rows[n] = make([]string, len(t.Columns))
		for i := range min(len(row), len(t.Columns)) {
			rows[n][i] = PlainText(row[i])
			widths[i] = max(widths[i], Width(rows[n][i]))
		}
	}
	if width > 0 {
		t.narrow(widths, width)
	}
	titles := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		titles[i] = c.Title
	}
	out := []string{t.line(titles, widths)}
	for _, row := range rows {
		out = append(out, t.line(row, widths))
	}
	return out
}

// narrow takes places from the widest flexible column until all fits.
func (t *Table) narrow(widths []int, width int) {
	total := 2 * (len(widths) - 1)
	for _, w := range widths {
		total += w
	}
	for ; total > width; total-- {
		widest := -1
		for i, c := range t.Columns {
			if c.Flexible && widths[i] > max(leastFlexible, Width(c.Title)) && (widest < 0 || widths[i] > widths[widest]) {
				widest = i
			}
		}
		if widest < 0 {
			return
		}
		widths[widest]--
	}
}

func (t *Table) line(cells []string, widths []int) string {
	var b strings.Builder
	for i, c := range t.Columns {
		if i > 0 {
			b.WriteString("  ")
		}
		cell := cut(cells[i], widths[i])
		pad := strings.Repeat(" ", max(0, widths[i]-Width(cell)))
		if c.Right {
			b.WriteString(pad + cell)
		} else {
			b.WriteString(cell + pad)
		}
	}
	return strings.TrimRight(b.String(), " ")
}

// PlainText makes a text that others chose fit for one line of a terminal: spaces
// in place of line ends, and no control characters.
func PlainText(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.In(r, unicode.Bidi_Control) {
			return -1
		}
		return r
	}, s)
}

// cut bounds a text to a number of places, and marks that it did.
func cut(s string, places int) string {
	if Width(s) <= places {
		return s
	}
	used := 0
	for i, r := range s {
		if used += placesOf(r); used > places-1 {
			return s[:i] + "…"
		}
	}
	return s
}

// Width is how many places of a terminal a text takes.
func Width(s string) int {
	n := 0
	for _, r := range s {
		n += placesOf(r)
	}
	return n
}

func placesOf(r rune) int {
	switch {
	case unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf):
		return 0
	case r < 0x1100:
		return 1
	case unicode.In(r, unicode.Han, unicode.Hangul, unicode.Hiragana, unicode.Katakana),
		r >= 0x3000 && r <= 0x303f, r >= 0xff01 && r <= 0xff60, r >= 0x1f300 && r <= 0x1faff:
		return 2
	default:
		return 1
	}
}
