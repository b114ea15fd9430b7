package llm

import (
	"encoding/json"
	"testing"
)

func plain(quoted []byte) (s string) {
	_ = json.Unmarshal(quoted, &s)
	return s
}

// A custom tool's text is the same in pieces of any size. F8
func FuzzFreeText(f *testing.F) {
	f.Add("a\"b\\\n😀é\u0001", uint8(3), false)
	f.Add("{\"input\": \"\\ud83d\\ude00\\ud83d\"}", uint8(1), true)
	f.Fuzz(func(t *testing.T, s string, step uint8, raw bool) {
		args := s
		if !raw {
			b, err := json.Marshal(map[string]string{"input": s})
			if err != nil {
				t.Fatal(err)
			}
			args = string(b)
		}
		r := FreeText{Unquote: plain}
		got := ""
		for rest := args; rest != ""; {
			n := min(int(step)%7+1, len(rest))
			got += r.Add(rest[:n])
			rest = rest[n:]
		}
		got += r.Rest()
		if want := InputText(args); json.Valid([]byte(args)) && inputStart([]byte(args)) < 0 || !raw {
			if got != want {
				t.Fatalf("%q in steps of %d: %q, want %q", args, step, got, want)
			}
		}
	})
}
