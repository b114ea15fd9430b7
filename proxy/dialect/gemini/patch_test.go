package gemini_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"keytray/proxy/llm"
)

func patched(t testing.TB, c *llm.Call, body string) string {
	t.Helper()
	pieces, err := out.Patch(c, &llm.Request{Inbound: out, Raw: []byte(body)})
	if err != nil {
		t.Fatal(err)
	}
	return string(bytes.Join(pieces, nil))
}

func TestPatch(t *testing.T) {
	const lost = "contents: thoughtSignature of another provider"
	ours, theirs := llm.Seal("gemini:google", "b3du"), llm.Seal("messages:anthropic", "sig")
	for _, c := range []struct{ name, body, want string }{
		{"nothing to do", `{"contents" : [{"role":"model","parts":[{"text":"x", "thoughtSignature":"b3du"}]}]}`, ""},
		{"the client's own bypass", `{"contents":[{"parts":[{"functionCall":{},"thoughtSignature":"skip_thought_signature_validator"}]}]}`, ""},
		{"a foreign one behind", `{"contents":[{"parts":[{"text":"x" , "thoughtSignature" : "stray"},{"text":"y"}]}]}`, `{"contents":[{"parts":[{"text":"x"},{"text":"y"}]}]}`},
		{"a foreign one in front", `{"contents":[{"parts":[{ "thoughtSignature":"stray" , "text":"x"}]}]}`, `{"contents":[{"parts":[{  "text":"x"}]}]}`},
		{"a foreign one alone", `{"contents":[{"parts":[{"thought_signature":"stray"}]}]}`, `{"contents":[{"parts":[{"text":""}]}]}`},
		{"on a call (E2)", `{"contents":{"parts":{"functionCall":{"name":"f"},"thoughtSignature":"stray"}}}`, `{"contents":{"parts":{"functionCall":{"name":"f"},"thoughtSignature":"c2tpcF90aG91Z2h0X3NpZ25hdHVyZV92YWxpZGF0b3I="}}}`},
		{"sealed by another", `{"contents":[{"parts":[{"text":"x","thoughtSignature":"` + theirs + `"}]}]}`, `{"contents":[{"parts":[{"text":"x"}]}]}`},
		{"our own, sealed", `{"contents":[{"parts":[{"text":"x","thoughtSignature":"` + ours + `"}]}]}`, `{"contents":[{"parts":[{"text":"x","thoughtSignature":"b3du"}]}]}`},
		{"in arguments", `{"contents":[{"parts":[{"functionCall":{"args":{"thoughtSignature":"stray"}}}]}]}`, ""},
		{"a model in the body", `{"model":"models/alias","contents":[]}`, `{"model":"models/real","contents":[]}`},
		{"counted", `{"generateContentRequest":{"model":"models/alias","contents":[{"parts":[{"text":"x","thoughtSignature":"stray"}]}]}}`, `{"generateContentRequest":{"model":"models/real","contents":[{"parts":[{"text":"x"}]}]}}`},
	} {
		call := &llm.Call{Model: llm.Model{Provider: "google", Name: "real"}, Foreign: func(o string) bool { return o == "stray" || strings.HasPrefix(o, "skip_") }}
		want := c.want
		if want == "" {
			want = c.body
		}
		if got := patched(t, call, c.body); got != want {
			t.Errorf("%s:\n%s\nwant\n%s", c.name, got, want)
		}
		removed := strings.Contains(c.body, "stray") && c.want != "" || strings.Contains(c.body, theirs)
		if strings.Join(call.Lost, "|") != map[bool]string{true: lost}[removed] {
			t.Errorf("%s: lost %q", c.name, call.Lost)
		}
	}
}

// Where nothing is known of signatures, the bytes are the client's own.
func TestPatchSharesTheBody(t *testing.T) {
	r := &llm.Request{Raw: []byte(`{"contents":[{"role":"model","parts":[{"thoughtSignature":"any"}]}]}`)}
	pieces, err := out.Patch(model(), r)
	if err != nil || len(pieces) != 1 || &pieces[0][0] != &r.Raw[0] {
		t.Errorf("%q, %v", pieces, err)
	}
}

func TestTallyMarksSignatures(t *testing.T) {
	var made []string
	c := &llm.Call{Stream: true, Made: func(o string) { made = append(made, o) }}
	out.Tally(c, &llm.Tally{}, []byte(candidate(`{"text":"a","thoughtSignature":"czE="},{"functionCall":{"name":"f"},"thoughtSignature":"czI="}`, "")))
	if strings.Join(made, " ") != "czE= czI=" {
		t.Errorf("%q", made)
	}
}

func TestTallyCounts(t *testing.T) {
	c := &llm.Call{Counts: true}
	var sum llm.Tally
	if v := out.Tally(c, &sum, []byte(`{"totalTokens":31,"promptTokensDetails":[]}`)); v != llm.Last || !sum.Good || !sum.Done || !sum.Usage.Known || sum.Usage.Prompt() != 0 {
		t.Errorf("%v %+v", v, sum)
	}
	sum = llm.Tally{}
	out.Tally(c, &sum, []byte(`{"error":{"code":404,"message":"no","status":"NOT_FOUND"}}`))
	if sum.Good || sum.Err == nil || sum.Err.Kind != llm.NotFound {
		t.Errorf("%+v", sum)
	}
	sum = llm.Tally{}
	if out.Tally(c, &sum, []byte(`<html>`)); sum.Good {
		t.Errorf("%+v", sum)
	}
}

// FuzzPatch: what Patch makes of any body is JSON that says the same but for
// signatures and models.
func FuzzPatch(f *testing.F) {
	f.Add([]byte(`{"model":"a","contents":[{"parts":[{"thoughtSignature":"x","text":"y"},{"thought_signature":"` + llm.Seal("a", "b") + `"}]}]}`))
	f.Add([]byte(`{"contents":{"parts":{"functionCall":{},"thoughtSignature":"\"x"}},"generateContentRequest":{"model":"a:b"}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		if !json.Valid(body) || body[0] != '{' {
			return
		}
		c := &llm.Call{Model: llm.Model{Name: "real"}, Foreign: func(string) bool { return true }}
		pieces, err := out.Patch(c, &llm.Request{Raw: body})
		if b := bytes.Join(pieces, nil); err != nil || !json.Valid(b) {
			t.Fatalf("%s became %s, %v", body, b, err)
		}
	})
}

// FuzzRequest decodes anything; what can be read can be sent to Google.
func FuzzRequest(f *testing.F) {
	f.Add([]byte(`{"contents":[{"role":"model","parts":[{"functionCall":{"name":"f"},"thoughtSignature":"x"}]},{"parts":[{"functionResponse":{"name":"f","response":{"error":1}}},{"inlineData":{"mimeType":"a/b","data":"QQ"}}]}],"systemInstruction":"s"}`))
	f.Add([]byte(`{"contents":"x","tools":[{"functionDeclarations":[{"name":"f","parameters":{"type":"OBJECT","properties":{"a":{"anyOf":[{}],"nullable":true}}}}]},{"googleSearch":{}}],"toolConfig":{"functionCallingConfig":{"mode":"ANY"}},"generationConfig":{"responseSchema":{"type":"STRING"}}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		p, err := out.DecodeRequest(&llm.Request{Inbound: out, Raw: body})
		if err != nil {
			if _, ok := err.(*llm.Error); !ok {
				t.Fatalf("%v is no *llm.Error", err)
			}
			return
		}
		if b, err := out.EncodeRequest(model(), p); err == nil && !json.Valid(b) {
			t.Fatalf("%s became %s", body, b)
		}
	})
}
