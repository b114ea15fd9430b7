package keys

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

const canary = "sk-CANARY-0123456789abcdef3f9a"

func secret(t testing.TB, s string) Secret {
	t.Helper()
	out, err := NewSecret(s)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// Every way of writing a secret, and of writing what holds one, shows dots or nothing.
func TestSecretNeverPrints(t *testing.T) {
	s := secret(t, canary)
	type hidden struct{ s Secret }
	type pointer struct{ s *Secret }
	memory := &Memory{}
	if err := memory.Set(t.Context(), "a", canary); err != nil {
		t.Fatal(err)
	}
	ring := NewRing(Options{Flags: map[string]Secret{"openai": s}, Keychain: memory})
	values := []any{
		s, &s,
		hidden{s},
		&hidden{s},
		pointer{&s},
		[]Secret{s},
		map[string]Secret{"a": s},
		Key{Provider: "openai", Secret: s},
		[]Key{{Secret: s}},
		memory, ring, ring.CachedAll(),
		Options{Flags: map[string]Secret{"a": s}},
		fmt.Errorf("wrapped: %v", s),
		struct{ any }{hidden{s}},
	}
	var seen strings.Builder
	for _, v := range values {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%p", "%T", "%10.3s", "%U", "% x"} {
			fmt.Fprintf(&seen, verb+"\n", v)
		}
		fmt.Fprintln(&seen, v)
		if b, err := json.Marshal(v); err == nil {
			seen.Write(b)
		}
		if b, err := yaml.Marshal(v); err == nil {
			seen.Write(b)
		}
		if b, err := xml.Marshal(v); err == nil {
			seen.Write(b)
		}
		var log bytes.Buffer
		slog.New(slog.NewTextHandler(&log, nil)).Info("x", "v", v)
		slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "v", v)
		seen.Write(log.Bytes())
	}
	for _, part := range []string{canary, "CANARY", fmt.Sprintf("%x", canary), fmt.Sprintf("%X", canary), fmt.Sprintf("% x", canary)} {
		if at := strings.Index(seen.String(), part); at >= 0 {
			t.Errorf("the secret got out: …%s…", seen.String()[max(0, at-60):at+10])
		}
	}
	for _, tc := range []struct{ got, want string }{
		{fmt.Sprint(s), dots},
		{fmt.Sprintf("%#v", s), dots},
		{s.GoString(), dots},
		{s.Hint(), "••••3f9a"},
		{s.Reveal(), canary},
	} {
		if tc.got != tc.want {
			t.Errorf("got %q, want %q", tc.got, tc.want)
		}
	}
	if b, err := json.Marshal(s); err != nil || string(b) != `"••••"` {
		t.Errorf("JSON is %s, %v", b, err)
	}
	if err := readJSON(`"••••"`, &s); err == nil {
		t.Error("dots were read back as a secret")
	}
}

func readJSON(text string, into any) error { return json.Unmarshal([]byte(text), into) }

func TestNewSecret(t *testing.T) {
	for _, tc := range []struct{ name, in, want, wrong string }{
		{"plain", "sk-abc", "sk-abc", ""},
		{"trimmed", " \t sk-abc\r\n\n", "sk-abc", ""},
		{"byte order mark", "\ufeffsk-abc\u200b\u00a0", "sk-abc", ""},
		{"one quotation mark", `"sk`, `"sk`, ""},
		{"all visible ASCII", "!#$%&'()*+,-./09:;<=>?@AZ[]^_`az{|}~", "!#$%&'()*+,-./09:;<=>?@AZ[]^_`az{|}~", ""},
		{"empty", "", "", "is empty"},
		{"only space", " \n\t", "", "is empty"},
		{"line break", "sk-secretpart\nsk-other", "", "line break after character 13"},
		{"carriage return", "sk-secretpart\rX", "", "line break"},
		{"control", "sk-secret\x07part", "", "control character (U+0007) at position 10"},
		{"delete", "sk-secret\x7fpart", "", "control character (U+007F)"},
		{"nul", "sk-secret\x00part", "", "U+0000"},
		{"UTF-16", "s\x00k\x00", "", "UTF-16"},
		{"space inside", "sk-secret part", "", "space at position 10"},
		{"non-breaking space inside", "sk-secret\u00a0part", "", "space at position 10"},
		{"letter beyond ASCII", "sk-secretpärt", "", "U+00E4"},
		{"long dash", "sk–secretpart", "", "U+2013"},
		{"not UTF-8", "sk-secret\xff", "", "not text"},
		{"Bearer", "Bearer sk-secretpart", "", "Bearer"},
		{"quoted", `"sk-secretpart"`, "", "quotation marks"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := NewSecret(tc.in)
			if tc.wrong == "" {
				if err != nil || got.Reveal() != tc.want {
					t.Fatalf("got %q, %v", got.Reveal(), err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), tc.wrong) {
				t.Fatalf("got %v, want an error about %q", err, tc.wrong)
			}
			if strings.Contains(err.Error(), "secret") || !got.IsZero() {
				t.Fatalf("the error quotes the input, or a secret came with it: %v", err)
			}
		})
	}
}

func TestHint(t *testing.T) {
	for n := 1; n <= 40; n++ {
		v := strings.Repeat("x", n)
		shown := strings.TrimPrefix(secret(t, v).Hint(), dots)
		if len(shown) > 4 || len(shown) > n/4 {
			t.Errorf("a secret of %d characters shows %d", n, len(shown))
		}
		if n >= 16 && len(shown) != 4 {
			t.Errorf("a secret of %d characters shows %d, want 4", n, len(shown))
		}
	}
	if got := (Secret{}).Hint(); got != dots {
		t.Errorf("the zero secret's hint is %q", got)
	}
}

func TestSecretEqual(t *testing.T) {
	if a := secret(t, "abc"); !a.Equal(secret(t, " abc")) || a.Equal(secret(t, "abd")) || a.Equal(Secret{}) || !(Secret{}).Equal(Secret{}) {
		t.Error("Equal is wrong")
	}
}

func TestLabels(t *testing.T) {
	for _, tc := range []struct{ in, want, wrong string }{
		{"", "default", ""},
		{"  work ", "work", ""},
		{"Büro 2.a_b-c@d+e", "Büro 2.a_b-c@d+e", ""},
		{"a/b", "", `'/'`},
		{"a\nb", "", `'\n'`},
		{"a'b", "", "use letters"},
		{"\xff", "", "use letters"},
		{strings.Repeat("a", 65), "", "65 bytes"},
	} {
		got, err := CleanLabel(tc.in)
		if got != tc.want || (err == nil) != (tc.wrong == "") || err != nil && !strings.Contains(err.Error(), tc.wrong) {
			t.Errorf("%q: got %q, %v", tc.in, got, err)
		}
	}
	for _, id := range []string{"", "index", "token", "Open AI", "a/b", strings.Repeat("a", 65)} {
		if checkProvider(id) == nil {
			t.Errorf("the provider %q was accepted", id)
		}
	}
}

func FuzzNewSecret(f *testing.F) {
	f.Add("sk-abc")
	f.Add("\ufeff a\x00b")
	f.Fuzz(func(t *testing.T, in string) {
		s, err := NewSecret(in)
		if (err == nil) == s.IsZero() {
			t.Fatalf("err %v, zero %v", err, s.IsZero())
		}
		for _, b := range []byte(s.Reveal()) {
			if b <= ' ' || b > '~' {
				t.Fatalf("byte %#x got through", b)
			}
		}
	})
}
