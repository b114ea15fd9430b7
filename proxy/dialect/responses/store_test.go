package responses

import (
	"encoding/json"
	"testing"

	"keytray/proxy/llm"
)

func TestItemsOf(t *testing.T) {
	for body, want := range map[string]string{
		`{"input":"Hi"}`:                                                `[{"type":"message","role":"user","content":"Hi"}]`,
		`{"input":[{"a":1}, {"b":2}],"model":1}`:                        `[{"a":1},{"b":2}]`,
		`{"id":"r","output":[{"a":1}]}`:                                 `[{"a":1}]`,
		`{"type":"response.completed","response":{"output":[{"a":1}]}}`: `[{"a":1}]`,
		`{"model":"m"}`:                                                 `null`,
	} {
		items, err := Items([]byte(body))
		b, _ := json.Marshal(items)
		if err != nil || string(b) != want {
			t.Errorf("%s: %s %v", body, b, err)
		}
	}
	for _, body := range []string{`{"input":7}`, `{"input":[`, `[]`} {
		if _, err := Items([]byte(body)); err == nil || llm.AsError(err).Kind != llm.BadRequest {
			t.Errorf("%s: %v", body, err)
		}
	}
}

// F15: a request that continues an answer is made whole from what was kept.
func TestExpand(t *testing.T) {
	previous := []json.RawMessage{[]byte(`{"role":"user","content":"a"}`), []byte(`{"id":"m1","role":"assistant","content":"b"}`)}
	for body, want := range map[string]string{
		`{"model":"m", "previous_response_id":"r","input":"c","x":1.0}`:                                                 `{"model":"m","input":[{"role":"user","content":"a"},{"id":"m1","role":"assistant","content":"b"},{"type":"message","role":"user","content":"c"}],"x":1.0}`,
		`{"previous_response_id":"r","input":[{"type":"item_reference","id":"m1"},{"type":"item_reference","id":"z"}]}`: `{"input":[{"role":"user","content":"a"},{"id":"m1","role":"assistant","content":"b"},{"type":"item_reference","id":"z"}]}`,
		`{"previous_response_id":"r"}`: `{"input":[{"role":"user","content":"a"},{"id":"m1","role":"assistant","content":"b"}]}`,
	} {
		got, err := Expand(previous, []byte(body))
		if err != nil || string(got) != want {
			t.Errorf("%s\n got %s %v\nwant %s", body, got, err, want)
		}
	}
	whole, err := Expand(previous, []byte(`{"model":"m","previous_response_id":"r","input":"c"}`))
	if err != nil {
		t.Fatal(err)
	}
	if got := show(prompt(t, string(whole))); got != "user[text a] assistant[text b] user[text c]" {
		t.Error(got)
	}
	if _, err := Expand(nil, []byte(`{"input":[}`)); err == nil {
		t.Error("a broken body was expanded")
	}
}

func TestResolve(t *testing.T) {
	body := []byte(`{"previous_response_id":"r","input":[{"type":"item_reference","id":"a"},{"type":"item_reference","id":"b"},{"role":"user","content":"x"}]}`)
	previous, refs := Refers(body)
	if previous != "r" || len(refs) != 2 || refs[0] != "a" {
		t.Errorf("%q %q", previous, refs)
	}
	got, err := Resolve(func(id string) json.RawMessage {
		if id == "a" {
			return json.RawMessage(`{"whole":1}`)
		}
		return nil
	}, body)
	if err != nil || string(got) != `{"previous_response_id":"r","input":[{"whole":1},{"type":"item_reference","id":"b"},{"role":"user","content":"x"}]}` {
		t.Errorf("%s %v", got, err)
	}
}
