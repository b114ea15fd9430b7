package llm

import (
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
)

func TestFields(t *testing.T) {
	const body = ` { "model" : "a\"b\\" , "messages":[{"x":"}]\"{"},[1]],"n":-1.5e3,"t":true,"o":{},"e":"" } `
	want := []string{`model="a\"b\\"`, `messages=[{"x":"}]\"{"},[1]]`, "n=-1.5e3", "t=true", "o={}", `e=""`}
	var got []string
	err := Fields([]byte(body), func(k, v []byte, at int) bool {
		if body[at:at+len(v)] != string(v) {
			t.Errorf("%s: at is %d", k, at)
		}
		got = append(got, fmt.Sprintf("%s=%s", k, v))
		return true
	})
	if err != nil || strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Fatalf("%v\n%s", err, strings.Join(got, "\n"))
	}
}

func TestFieldsRefusesWhatIsCutOrNoObject(t *testing.T) {
	whole := `{"model":"x","messages":[{"a":"b"}],"stream":true}`
	for i := range len(whole) {
		if Fields([]byte(whole[:i]), func(_, _ []byte, _ int) bool { return true }) == nil {
			t.Errorf("accepted %q", whole[:i])
		}
	}
	for _, s := range []string{"[]", `"x"`, whole + "}", whole + "x", "{,}", `{"a"}`, `{"a":}`, `{"a":1,}`, "<html>"} {
		if Fields([]byte(s), func(_, _ []byte, _ int) bool { return true }) == nil {
			t.Errorf("accepted %q", s)
		}
	}
	if Fields([]byte(whole), func(_, _ []byte, _ int) bool { return true }) != nil {
		t.Error("refused the whole body")
	}
}

func TestElements(t *testing.T) {
	const body = ` [ "a,]\"", {"b":[1,{}]} ,[[]], -1.5 ,null ] `
	want := []string{`"a,]\""`, `{"b":[1,{}]}`, `[[]]`, `-1.5`, `null`}
	var got []string
	err := Elements([]byte(body), func(v []byte, at int) bool {
		if body[at:at+len(v)] != string(v) {
			t.Errorf("%s: at is %d", v, at)
		}
		got = append(got, string(v))
		return true
	})
	if err != nil || strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Fatalf("%v\n%s", err, strings.Join(got, "\n"))
	}
	if err := Elements([]byte(" [ ] "), func([]byte, int) bool { t.Error("visited nothing"); return true }); err != nil {
		t.Error(err)
	}
	for _, s := range []string{"", "{}", "[1", "[1,", "[1,]", "[,]", `["a]`, "[1]x", "[1]]", "[1 2]", "null"} {
		if Elements([]byte(s), func([]byte, int) bool { return true }) == nil {
			t.Errorf("accepted %q", s)
		}
	}
}

func FuzzFields(f *testing.F) {
	f.Add([]byte(`{"a":"b\\","c":[{}],"d":null}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		var want map[string]json.RawMessage
		if json.Unmarshal(b, &want) != nil || want == nil {
			_ = Fields(b, func(_, _ []byte, _ int) bool { return true }) // must not panic
			return
		}
		got := map[string]string{}
		if err := Fields(b, func(k, v []byte, _ int) bool { got[string(k)] = string(v); return true }); err != nil {
			t.Fatalf("refused %q", b)
		}
		for k, v := range want {
			q, _ := json.Marshal(k)
			if g, ok := got[string(q[1:len(q)-1])]; ok && g != string(v) {
				t.Fatalf("%q: got %s, want %s", k, g, v)
			}
		}
	})
}

func TestPico(t *testing.T) {
	for s, want := range map[string]Pico{
		"0": 0, "1": USD, "0.003532": 3_532_000_000, "1e-12": 1, "0.0000000000005": 1,
		"0.0000000000004": 0, "-1.5": -3 * USD / 2, "9223372": 9_223_372 * USD,
	} {
		if p, err := ParsePico(s); err != nil || p != want {
			t.Errorf("%s: %d, %v", s, p, err)
		}
	}
	for _, s := range []string{"", "x", "1/3", "9223373", "NaN", "0." + strings.Repeat("1", 64)} {
		if p, err := ParsePico(s); err == nil {
			t.Errorf("%q read as %d", s, p)
		}
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for s, bad := range map[string]bool{"1e999999": true, "-1e999999": true, "1e-999999": false} {
		if p, err := ParsePico(s); p != 0 || (err != nil) != bad {
			t.Errorf("%s: %d, %v", s, p, err)
		}
	}
	if runtime.ReadMemStats(&after); after.TotalAlloc-before.TotalAlloc > 100_000 {
		t.Errorf("amounts beyond all bounds took %d bytes to read", after.TotalAlloc-before.TotalAlloc)
	}
	for p, want := range map[Pico]string{0: "0", 12 * USD: "12", 3_532_000_000: "0.003532", -3 * USD / 2: "-1.5", 1: "0.000000000001"} {
		if p.String() != want {
			t.Errorf("%d printed as %s", int64(p), p)
		}
	}
}

func TestErrorKeepsItsStatusAndCause(t *testing.T) {
	cause := errors.New("x")
	e := &Error{Status: 529, Kind: Overloaded, Message: "busy", Provider: "anthropic", Cause: cause}
	if e.HTTPStatus() != 529 || !errors.Is(e, cause) || e.Error() != "anthropic: busy" || !e.Retryable() {
		t.Error(e.HTTPStatus(), e)
	}
	if AsError(fmt.Errorf("wrapped: %w", e)) != e {
		t.Error("AsError lost the error")
	}
	if k := AsError(cause).Kind; k != Internal {
		t.Error(k)
	}
	for status, kind := range map[int]ErrorKind{401: Unauthorized, 429: RateLimited, 418: BadRequest, 529: Overloaded, 502: ServerError, 302: Garbage} {
		if KindOf(status) != kind {
			t.Errorf("%d is %s", status, KindOf(status))
		}
	}
}

func BenchmarkFields(b *testing.B) {
	body := []byte(`{"model":"gpt-4.1","messages":[{"role":"user","content":"` + strings.Repeat("word and word, ", 70_000) + `"}],"stream":true}`)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if err := Fields(body, func(_, _ []byte, _ int) bool { return true }); err != nil {
			b.Fatal(err)
		}
	}
}
