package field

import (
	"encoding/json"
	"testing"
)

// What encoding/json reads is read the same. Control characters without an
// escape, which it refuses, are let pass: some servers write them.
func FuzzText(f *testing.F) {
	for _, s := range []string{`"a"`, `"\n\u00e9\ud83d\ude00\ud83d\u0041\udc00"`, "\"\xff\"", `"\/\b\f\t\r\"\\` + "`\"`", `"\x"`, `"\u12g4"`, `"a\`, `"\u12"`, `"\"`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var want string
		got, ok := Text(b)
		if got != Unquote(b) {
			t.Fatalf("%q: %q, and %q unquoted", b, got, Unquote(b))
		}
		if len(b) < 2 || b[0] != '"' || b[len(b)-1] != '"' {
			if ok || got != "" {
				t.Fatalf("%q is no string, but %q", b, got)
			}
			return
		}
		err := json.Unmarshal(b, &want)
		if err == nil && (!ok || got != want) {
			t.Fatalf("%q: %q %v, want %q", b, got, ok, want)
		}
		if err != nil && ok && plain(b[1:len(b)-1]) {
			t.Fatalf("%q: %q, but %v", b, got, err)
		}
	})
}

// plain tells the inside of a string from one that has raw control characters
// or quotes, at which encoding/json stops.
func plain(in []byte) bool {
	for i := 0; i < len(in); i++ {
		switch {
		case in[i] < ' ' || in[i] == '"':
			return false
		case in[i] == '\\':
			i++
		}
	}
	return true
}
