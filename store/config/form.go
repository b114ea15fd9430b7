package config

import "strings"

// form is what a name may look like: ASCII characters, of one set at its start
// and of another in the rest, at most so many. The sets are written as in a
// regular expression's brackets. (As regular expressions the lengths alone
// would take half a megabyte of every start.)
type form struct {
	first, rest string
	most        int
}

// MatchString tells whether s has the form.
func (f form) MatchString(s string) bool {
	if s == "" || len(s) > f.most || !within(s[0], f.first) {
		return false
	}
	for i := 1; i < len(s); i++ {
		if !within(s[i], f.rest) {
			return false
		}
	}
	return true
}

// within tells whether c is in a set such as a-z0-9._-; a dash that means
// itself stands at the end.
func within(c byte, set string) bool {
	for ; len(set) > 2 && set[1] == '-'; set = set[3:] {
		if set[0] <= c && c <= set[2] {
			return true
		}
	}
	return strings.IndexByte(set, c) >= 0
}
