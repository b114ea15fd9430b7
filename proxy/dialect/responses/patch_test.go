package responses

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"keytray/proxy/llm"
)

func patched(t testing.TB, body string, c *llm.Call) string {
	t.Helper()
	p, err := Dialect{}.Peek(nil, []byte(body))
	if err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	pieces, err := Dialect{}.Patch(c, &llm.Request{Raw: []byte(body), Peek: p})
	if err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	return string(bytes.Join(pieces, nil))
}

// F10, F15: another provider's reasoning is taken out, with the ids of what
// followed it; all else stays as it is.
func TestPatch(t *testing.T) {
	sealed := llm.Seal("messages:anthropic", "sig")
	mine := `{"type":"reasoning","id":"rs_1","encrypted_content":"mine"}`
	theirs := `{ "type":"reasoning", "id":"rs_2", "summary":[], "encrypted_content":"theirs" }`
	ours := `{"type":"reasoning","id":"rs_3","encrypted_content":"` + sealed + `"}`
	call := `{"type":"function_call","id":"fc_1","call_id":"c"}`
	bare := `{"type":"function_call","call_id":"c"}`
	output := `{"call_id":"c","type":"function_call_output" , "id" : "fco_1"}`
	user := `{"role":"user","id":"msg_1","content":"x"}`
	for _, tt := range []struct{ in, want string }{
		{` { "input" : "x" , "model" : "a" } `, ` { "input" : "x" , "model" : "m" } `},
		{`{"model":"a","input":[` + mine + `,` + call + `]}`, `{"model":"m","input":[` + mine + `,` + call + `]}`},
		{`{"model":"a","input":[` + theirs + `,` + call + ` , ` + user + `]}`, `{"model":"m","input":[` + bare + ` , ` + user + `]}`},
		{`{"input":[` + user + ` , ` + ours + `, ` + call + `,` + output + `],"model":"a"}`, `{"input":[` + user + `, ` + bare + `,{"call_id":"c","type":"function_call_output" }],"model":"m"}`},
		{`{"model":"a","input":[` + user + `,` + theirs + `,` + ours + `]}`, `{"model":"m","input":[` + user + `]}`},
		{`{"model":"a","input":[` + theirs + `,` + ours + `,` + user + `]}`, `{"model":"m","input":[` + user + `]}`},
		{`{"model":"a","input":[` + theirs + `,` + mine + `,` + call + `]}`, `{"model":"m","input":[` + mine + `,` + call + `]}`},
		{`{"model":"a","input":[` + ours + `]}`, `{"model":"m","input":[]}`},
		{`{"model":"a","input":[` + ours + `,` + user + `,{"type":"item_reference","id":"rs_3"}]}`, `{"model":"m","input":[` + user + `]}`},
		{`{"model":"a","input":[{"type":"reasoning","encrypted_content":null},` + call + `]}`, `{"model":"m","input":[{"type":"reasoning","encrypted_content":null},` + call + `]}`},
		{`{"model":"a","input":"say \"encrypted_content\""}`, `{"model":"m","input":"say \"encrypted_content\""}`},
	} {
		c := &llm.Call{Model: llm.Model{Name: "m"}, Foreign: func(s string) bool { return s == "theirs" }}
		got := patched(t, tt.in, c)
		if got != tt.want {
			t.Errorf("%s\n got %s\nwant %s", tt.in, got, tt.want)
		}
		changed := strings.Contains(tt.in, "theirs") || strings.Contains(tt.in, sealed)
		if changed != (len(c.Lost) == 1) {
			t.Errorf("%s: lost %q", tt.in, c.Lost)
		}
	}
}

func TestPatchSharesTheBody(t *testing.T) {
	body := []byte(`{"model":"a","input":"` + strings.Repeat("x", 1<<20) + `"}`)
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

// What is patched is the same JSON but for the model, and foreign reasoning.
func FuzzPatch(f *testing.F) {
	for _, s := range []string{
		`{"model":"a","input":"x"}`,
		`{"input":[{"type":"reasoning","encrypted_content":"t","id":"r"},{"id":"x"},{"type":"function_call","id":"y","a":1}],"model":"a"}`,
		`{"model":"a","input":[{"id":"1"},{"type":"reasoning","encrypted_content":"t"} , {"type":"reasoning","encrypted_content":"t"}]}`,
		`{"model":"a","input":[{"type":"reasoning","encrypted_content":"k"},{"a":{"id":"x"},"id":null}]}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		p, err := Dialect{}.Peek(nil, body)
		if err != nil || !json.Valid(body) {
			return
		}
		c := &llm.Call{Model: llm.Model{Name: "new\"model"}, Foreign: func(s string) bool { return s == "t" }}
		pieces, err := Dialect{}.Patch(c, &llm.Request{Raw: body, Peek: p})
		if err != nil {
			t.Fatal(err)
		}
		out := bytes.Join(pieces, nil)
		var before, after map[string]any
		if err := json.Unmarshal(body, &before); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(out, &after); err != nil {
			t.Fatalf("%q became %q: %v", body, out, err)
		}
		before["model"] = c.Model.Name
		if len(c.Lost) > 0 {
			delete(before, "input")
			delete(after, "input")
		}
		if !reflect.DeepEqual(before, after) {
			t.Fatalf("%q became %q", body, out)
		}
	})
}
