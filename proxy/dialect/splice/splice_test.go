package splice

import (
	"bytes"
	"strings"
	"testing"

	"keytray/proxy/llm"
)

func TestModel(t *testing.T) {
	raw := []byte(`{"a":1, "model" : "mine","b":2}`)
	at := bytes.Index(raw, []byte(`"mine"`))
	c := &llm.Call{Model: llm.Model{Name: `its "own"`}}
	e, err := Model(c, &llm.Request{Raw: raw, Peek: llm.Peek{ModelAt: [2]int{at, at + len(`"mine"`)}}})
	if got := bytes.Join(Apply(raw, e), nil); err != nil || string(got) != `{"a":1, "model" : "its \"own\"","b":2}` {
		t.Errorf("%s %v", got, err)
	}
	for _, at := range [][2]int{{}, {5, 5}, {4, len(raw) + 1}} {
		if _, err := Model(c, &llm.Request{Raw: raw, Peek: llm.Peek{ModelAt: at}}); err == nil {
			t.Errorf("%v is a place", at)
		}
	}
}

// A field goes with one comma, wherever it stands.
func TestRemove(t *testing.T) {
	for in, want := range map[string]string{
		`{"x":0}`:                     `{}`,
		`{ "x" : 0 }`:                 `{ }`,
		`{"x":0,"a":1}`:               `{"a":1}`,
		`{"a":1,"x":0}`:               `{"a":1}`,
		"{\"a\":1 ,\n\t\"x\" : 0 \n}": "{\"a\":1  \n}",
		`{"a":1,"x":0 , "b":2}`:       `{"a":1, "b":2}`,
	} {
		at := strings.LastIndexByte(in, '0')
		if got := string(bytes.Join(Apply([]byte(in), Remove([]byte(in), at, at+1)), nil)); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
}

// Fields that stand beside each other may all go, such as one that a sloppy
// client sent twice.
func TestRemoveSeveral(t *testing.T) {
	for in, want := range map[string]string{
		`{"x":0,"x":0}`:                   `{}`,
		`{"x":0,"x":0,"a":1}`:             `{"a":1}`,
		`{"a":1,"x":0,"x":0}`:             `{"a":1}`,
		`{"a":1 , "x":0 , "x":0 , "x":0}`: `{"a":1 }`,
		`{"x":0,"a":1,"x":0}`:             `{"a":1}`,
	} {
		var edits []Edit
		for at := range in {
			if in[at] == '0' {
				edits = append(edits, Remove([]byte(in), at, at+1))
			}
		}
		if got := string(bytes.Join(Apply([]byte(in), edits...), nil)); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
}

func TestApply(t *testing.T) {
	body := []byte("0123456789")
	edits := []Edit{{8, 10, []byte("end")}, {0, 1, nil}, {4, 4, []byte("+")}, {5, 7, nil}}
	pieces := Apply(body, edits...)
	if got := string(bytes.Join(pieces, nil)); got != "123+47end" {
		t.Error(got)
	}
	_ = append(pieces[0], 'x')
	if string(body) != "0123456789" {
		t.Errorf("a piece that grows writes into the body: %s", body)
	}
	if got := Apply(body); len(got) != 1 || &got[0][0] != &body[0] {
		t.Errorf("a body without edits is copied: %q", got)
	}
}
