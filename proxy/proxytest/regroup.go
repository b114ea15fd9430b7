package proxytest

import (
	"bytes"
	"unicode/utf8"
)

// ByBytes regroups a stream into writes of n bytes, whatever they cut.
func ByBytes(n int) func([][]byte) [][]byte {
	return func(pieces [][]byte) [][]byte {
		var out [][]byte
		for all := bytes.Join(pieces, nil); len(all) > 0; {
			k := min(n, len(all))
			out, all = append(out, all[:k]), all[k:]
		}
		return out
	}
}

// InRunes cuts each piece within each of its runes of several bytes, so that no write but the last of a
// piece ends on a whole one.
func InRunes(pieces [][]byte) [][]byte {
	var out [][]byte
	for _, p := range pieces {
		from := 0
		for i := 0; i < len(p); {
			_, size := utf8.DecodeRune(p[i:])
			if size > 1 {
				out = append(out, p[from:i+1])
				from = i + 1
			}
			i += size
		}
		out = append(out, p[from:])
	}
	return out
}

// AtOnce writes all in one.
func AtOnce(pieces [][]byte) [][]byte { return [][]byte{bytes.Join(pieces, nil)} }

// AtOffsets cuts the stream at these offsets from its start, in rising order; those beyond its end do
// nothing.
func AtOffsets(offsets ...int) func([][]byte) [][]byte {
	return func(pieces [][]byte) [][]byte {
		all := bytes.Join(pieces, nil)
		var out [][]byte
		from := 0
		for _, at := range offsets {
			if at > from && at < len(all) {
				out = append(out, all[from:at])
				from = at
			}
		}
		return append(out, all[from:])
	}
}
