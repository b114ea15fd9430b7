package llm

import (
	"strings"
	"testing"
)

// An outline gives the fields of a body as a scan does, and says what opaque
// data may be below them.
func TestOutline(t *testing.T) {
	sealed := Seal("messages:x", "sig")
	for body, want := range map[string]Opaque{
		`{}`:                               OpaqueNone,
		` { "model" : "m" , "n":[1,{}] } `: OpaqueNone,
		`{"m":[{"thinking":"far \"thinking\" along"}]}`:               OpaqueOwn,
		`{"m":[{"type":"redacted_thinking","data":"x"}]}`:             OpaqueOwn,
		`{"m":[{"signature":"x"}]}`:                                   OpaqueOwn,
		`{"m":[{"thoughtSignature":"x"}]}`:                            OpaqueOwn,
		`{"m":[{"thought_signature":"x"}]}`:                           OpaqueOwn,
		`{"m":[{"reasoning_details":[]}]}`:                            OpaqueOwn,
		`{"m":[{"encrypted_content":"x"}]}`:                           OpaqueOwn,
		`{"m":[{"any":"` + sealed + `"},{"signature":"x"}]}`:          OpaqueSealed,
		`{"m":[{"type":"text","text":"a signature of mine, so on"}]}`: OpaqueNone,
		`{"thinking":{"type":"enabled"}}`:                             OpaqueNone, // a setting
	} {
		type field struct {
			key, value string
			at         int
		}
		var scanned, listed, plain []field
		note := func(to *[]field) func(k, v []byte, at int) bool {
			return func(k, v []byte, at int) bool {
				*to = append(*to, field{string(k), string(v), at})
				return true
			}
		}
		o, err := Scan([]byte(body), note(&scanned))
		if err != nil || o.Opaque != want {
			t.Errorf("%s: %+v, %v, want %v", body, o, err, want)
			continue
		}
		r := &Request{Raw: []byte(body), Peek: Peek{Outline: o}}
		if err := r.Fields(note(&listed)); err != nil {
			t.Error(body, err)
		}
		if err := Fields(r.Raw, note(&plain)); err != nil {
			t.Error(body, err)
		}
		for i, f := range plain {
			if len(listed) != len(plain) || listed[i] != f || scanned[i] != f {
				t.Errorf("%s: scanned %v, outlined %v, want %v", body, scanned, listed, plain)
				break
			}
		}
	}
}

// A body that was not looked at, or is another than the one that was, may hold
// anything.
func TestMayHold(t *testing.T) {
	body := `{"m":[{"signature":"x"}]}`
	o, err := Scan([]byte(body), func(_, _ []byte, _ int) bool { return true })
	if err != nil {
		t.Fatal(err)
	}
	knows := &Call{Foreign: func(string) bool { return false }}
	for _, c := range []struct {
		name string
		raw  string
		o    *Outline
		call *Call
		want bool
	}{
		{"own, and no other provider known", body, o, &Call{}, false},
		{"own, and others known", body, o, knows, true},
		{"no outline", body, nil, &Call{}, true},
		{"another body", body + " ", o, &Call{}, true},
	} {
		if r := (&Request{Raw: []byte(c.raw), Peek: Peek{Outline: c.o}}); r.MayHold(c.call) != c.want {
			t.Errorf("%s: not %v", c.name, c.want)
		}
	}
	if o, err := Scan([]byte(body), func(_, _ []byte, _ int) bool { return false }); o != nil || err != nil {
		t.Errorf("a scan that was stopped: %+v, %v", o, err)
	}
	if o, err := Scan([]byte(body[:9]), func(_, _ []byte, _ int) bool { return true }); o != nil || err == nil {
		t.Errorf("a body that is cut off: %+v, %v", o, err)
	}
}

// Object and Array go through nested values in one pass, and give up on what
// is broken without leaving the body.
func TestWalk(t *testing.T) {
	names := func(body string) (string, int) {
		b, all := []byte(body), ""
		var value func(i int) int
		value = func(i int) int {
			switch b[i] {
			case '{':
				return Object(b, i, func(k []byte, i int) int { all += string(k) + " "; return value(i) })
			case '[':
				return Array(b, i, value)
			}
			return Skip(b, i)
		}
		return all, value(0)
	}
	for body, want := range map[string]string{
		`{}`: "", `[]`: "", `[ ]`: "", `7`: "",
		`{"a":1}`: "a ", `{ "a" : [ { "b" : "}" } , [] , {"c":{}} ] , "d" : null }`: "a b c d ",
	} {
		if got, end := names(body); got != want || end != len(body) {
			t.Errorf("%s: %q to %d", body, got, end)
		}
		for cut := 1; cut < len(body); cut++ {
			if _, end := names(body[:cut]); end >= 0 {
				t.Errorf("%s is whole to %d", body[:cut], end)
			}
		}
	}
	for _, body := range []string{`{"a" 1}`, `{a:1}`, `[1 2]`, `{"a":1 "b":2}`, `[,]`, `{"a":}`} {
		if _, end := names(body); end >= 0 {
			t.Errorf("%s is whole to %d", body, end)
		}
	}
	if end := Object([]byte(`"text"`), 0, nil); end != 6 {
		t.Errorf("a text that is no object ends at %d", end)
	}
	if end := Array([]byte(strings.Repeat(" ", 3)), 3, nil); end != -1 {
		t.Errorf("nothing ends at %d", end)
	}
}
