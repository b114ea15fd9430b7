package chat

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"keytray/proxy/llm"
)

func patched(t testing.TB, body string, c *llm.Call) (string, [][]byte) {
	t.Helper()
	p, err := Dialect{}.Peek(nil, []byte(body))
	if err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	pieces, err := Dialect{}.Patch(c, &llm.Request{Raw: []byte(body), Peek: p})
	if err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	return string(bytes.Join(pieces, nil)), pieces
}

func TestPatch(t *testing.T) {
	const usage = `"stream_options":{"include_usage":true}`
	for _, tt := range []struct {
		in, want string
		own      bool
		flags    llm.Flags
	}{
		{in: `{"model":"a","messages":[]}`, want: `{"model":"m/\"1\"","messages":[]}`},
		{in: ` { "messages" : [ ] , "model" : "a" } `, want: ` { "messages" : [ ] , "model" : "m/\"1\"" } `},
		{in: `{"model":"a","stream":false}`, want: `{"model":"m/\"1\"","stream":false}`},
		{in: `{"model":"a","stream":true}`, want: `{"model":"m/\"1\"",` + usage + `,"stream":true}`, own: true}, // I20
		{in: `{"stream":true,"model":"a"}`, want: `{"stream":true,"model":"m/\"1\"",` + usage + `}`, own: true},
		{in: `{"model":"a","stream":true,"stream_options":{"include_usage":true}}`, want: `{"model":"m/\"1\"","stream":true,` + usage + `}`},
		{in: `{"model":"a","stream":true,"stream_options":null}`, want: `{"model":"m/\"1\"","stream":true,` + usage + `}`, own: true},
		{in: `{"model":"a","stream":true,"stream_options":{}}`, want: `{"model":"m/\"1\"","stream":true,` + usage + `}`, own: true},
		{in: `{"stream_options":{"include_usage":false,"x":[1]},"model":"a","stream":true}`, want: `{"stream_options":{"include_usage":true,"x":[1]},"model":"m/\"1\"","stream":true}`, own: true},
		{in: `{"model":"a","stream":true}`, want: `{"model":"m/\"1\"","stream":true}`, flags: llm.Flags{llm.FlagNoStreamOptions}},
		{in: `{"model":"a" , "stream_options": {"include_usage":true} , "stream":true}`, want: `{"model":"m/\"1\"" ,  "stream":true}`, flags: llm.Flags{llm.FlagNoStreamOptions}},
		{in: `{"stream":true,"model":"a" , "stream_options": {"include_usage":true} }`, want: `{"stream":true,"model":"m/\"1\""  }`, flags: llm.Flags{llm.FlagNoStreamOptions}},
	} {
		c := &llm.Call{Model: llm.Model{Name: `m/"1"`, Flags: tt.flags}}
		got, _ := patched(t, tt.in, c)
		if got != tt.want || c.OwnUsage != tt.own {
			t.Errorf("%s\n got %s (own %v)\nwant %s (own %v)", tt.in, got, c.OwnUsage, tt.want, tt.own)
		}
	}
}

func TestPatchSharesTheBody(t *testing.T) {
	body := []byte(`{"model":"a","stream":true,"messages":[{"role":"user","content":"` + strings.Repeat("x", 1<<20) + `"}]}`)
	p, err := Dialect{}.Peek(nil, body)
	if err != nil {
		t.Fatal(err)
	}
	pieces, err := Dialect{}.Patch(&llm.Call{Model: llm.Model{Name: "b"}}, &llm.Request{Raw: body, Peek: p})
	if err != nil {
		t.Fatal(err)
	}
	last := pieces[len(pieces)-1]
	if &last[0] != &body[len(body)-len(last)] || len(last) < 1<<20 {
		t.Error("the prompt was copied")
	}
}

func TestPeek(t *testing.T) {
	for _, tt := range []struct{ in, param, message string }{
		{`{"model":"a","stream_options":true}`, "stream_options", "must be an object"},
		{`{"model":"a","stream_options":{"include_usage":1}}`, "stream_options.include_usage", "must be true or false"},
	} {
		_, err := Dialect{}.Peek(nil, []byte(tt.in))
		e := llm.AsError(err)
		if err == nil || e.Kind != llm.BadRequest || e.Param != tt.param || !strings.Contains(e.Message, tt.message) {
			t.Errorf("%q: %+v", tt.in, err)
		}
	}
	p, err := Dialect{}.Peek(nil, []byte(`{"stream":true,"mod\u0065l":"a/\u0062","stream_options":{"include_usage":true}}`))
	if want := (llm.Peek{Model: "a/b", Stream: true, IncludeUsage: true, ModelAt: [2]int{28, 38}, Outline: p.Outline}); err != nil || p != want || p.Outline == nil {
		t.Errorf("%+v %v", p, err)
	}
}

// What is patched is the same JSON but for the model and the usage asked for.
func FuzzPatch(f *testing.F) {
	for _, s := range []string{
		`{"model":"a","stream":true}`, `{"stream":true,"stream_options":{"a":1,"include_usage":false},"model":"x"}`,
		`{"stream_options":null,"model":"\u0061","stream":true,"m":[{"model":"y"}]}`, `{"model":"a","stream":true,"stream_options":{}} `,
		`{"model":"a","stream":true,"str\u0065am_options":{"include_usag\u0065":false}}`,
	} {
		f.Add([]byte(s), true)
		f.Add([]byte(s), false)
	}
	f.Fuzz(func(t *testing.T, body []byte, refused bool) {
		p, err := Dialect{}.Peek(nil, body)
		if err != nil || !json.Valid(body) {
			return
		}
		c := &llm.Call{Model: llm.Model{Name: "new\"model"}}
		if refused {
			c.Model.Flags = llm.Flags{llm.FlagNoStreamOptions}
		}
		pieces, err := Dialect{}.Patch(c, &llm.Request{Raw: body, Peek: p})
		if err != nil {
			return
		}
		var before, after map[string]any
		if err := json.Unmarshal(body, &before); err != nil {
			t.Fatal(err)
		}
		out := bytes.Join(pieces, nil)
		if err := json.Unmarshal(out, &after); err != nil {
			t.Fatalf("%q became %q: %v", body, out, err)
		}
		before["model"] = c.Model.Name
		switch {
		case !p.Stream:
		case refused:
			delete(before, "stream_options")
		default:
			o, _ := before["stream_options"].(map[string]any)
			if o == nil {
				o = map[string]any{}
			}
			o["include_usage"] = true
			before["stream_options"] = o
		}
		if !reflect.DeepEqual(before, after) {
			t.Fatalf("%q became %q", body, out)
		}
	})
}
