package config

import "strings"

// Nearest returns the known word that a person most likely meant by word, or "". Words further away than a
// third of their letters are no help.
func Nearest(word string, known []string) string {
	if len(word) > 64 {
		return ""
	}
	word = plain(word)
	best, bestWay := "", 0
	for _, k := range known {
		way := distance(word, plain(k))
		if way > max(1, len(k)/3) || len(word) < 2 {
			continue
		}
		if best == "" || way < bestWay {
			best, bestWay = k, way
		}
	}
	return best
}

// plain forgets what people vary without meaning to: case, and how two words are joined.
func plain(s string) string {
	return strings.NewReplacer("-", "", "_", "", " ", "").Replace(strings.ToLower(s))
}

// distance counts the letters to insert, remove, replace or swap with their neighbour.
func distance(a, b string) int {
	s, t := []rune(a), []rune(b)
	var before []int
	last := make([]int, len(t)+1)
	for j := range last {
		last[j] = j
	}
	for i, r := range s {
		row := make([]int, len(t)+1)
		row[0] = i + 1
		for j, q := range t {
			change := last[j]
			if r != q {
				change++
			}
			row[j+1] = min(change, last[j+1]+1, row[j]+1)
			if i > 0 && j > 0 && r == t[j-1] && s[i-1] == q {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, last = last, row
	}
	return last[len(t)]
}
