package chat

import (
	"encoding/json"
	"testing"
)

func FuzzUnquote(f *testing.F) {
	for _, s := range []string{`"a"`, `"\n\u00e9\ud83d\ude00\ud83d\u0041\udc00"`, "\"\xff\"", `"\/\b\f\t\r\"\\` + "`\"`"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var want string
		got := unquote(b)
		if len(b) < 2 || b[0] != '"' || json.Unmarshal(b, &want) != nil {
			return
		}
		if b[len(b)-1] != '"' { // space after the string
			return
		}
		if got != want {
			t.Fatalf("%q: %q, want %q", b, got, want)
		}
	})
}
