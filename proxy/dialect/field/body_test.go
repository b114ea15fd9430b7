package field

import (
	"strings"
	"testing"

	"keytray/proxy/llm"
)

func TestPeek(t *testing.T) {
	for _, tt := range []struct{ in, param, message string }{
		{``, "", "empty"},
		{`hello`, "", "not JSON"},
		{`[1]`, "", "must be a JSON object"},
		{`null`, "", "must be a JSON object"},
		{`{"model":"a","messages":[{"role":"user"`, "", "cut off after 39 bytes"},
		{`{"model":"a"`, "", "cut off"},
		{`{"model":"a"}}`, "", "not JSON"},
		{`{"messages":[]}`, "model", "missing"},
		{`{"model":""}`, "model", "empty"},
		{`{"model":null}`, "model", "must be a string, not null"},
		{`{"model":7}`, "model", "must be a string, not a number"},
		{`{"model":"a","model":"b"}`, "model", "twice"},
		{`{"model":"a","stream":"yes"}`, "stream", "must be true or false, not a string"},
		{`{"model":"a","x":[1]}`, "x", "x is bad"},
		{`{"model":"a","n":nul`, "", "cut off"},
		{`{"model":"a"} x`, "", "not JSON"},
	} {
		p, err := Peek(llm.Peek{}, []byte(tt.in), func(p *llm.Peek, key string, v []byte) *llm.Error {
			if key == "x" {
				return llm.Invalid(key, "%s is bad", key)
			}
			return nil
		})
		e := llm.AsError(err)
		if err == nil || e.Kind != llm.BadRequest || e.Param != tt.param || !strings.Contains(e.Message, tt.message) || p != (llm.Peek{}) {
			t.Errorf("%q: %+v %+v", tt.in, p, err)
		}
	}
	const body = `{"stream":true,"mod\u0065l":"a/\u0062","n":3}`
	for _, counts := range []bool{false, true} {
		p, err := Peek(llm.Peek{Form: "f", Counts: counts}, []byte(body), func(p *llm.Peek, key string, v []byte) *llm.Error {
			if key != "n" || string(v) != "3" {
				t.Errorf("%s: %s is read by another", key, v)
			}
			p.IncludeUsage = true
			return nil
		})
		want := llm.Peek{Form: "f", Counts: counts, Model: "a/b", Stream: !counts, IncludeUsage: true, ModelAt: [2]int{28, 38}, Outline: p.Outline}
		if err != nil || p != want || p.Outline == nil {
			t.Errorf("%+v %v, want %+v", p, err, want)
		}
	}
	if _, err := Peek(llm.Peek{}, []byte(body), nil); err != nil {
		t.Error(err)
	}
}
