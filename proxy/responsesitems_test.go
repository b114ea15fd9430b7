package proxy

import (
	"strings"
	"testing"
)

// F15: a client that has its answers kept refers to their items in its next
// step; any provider gets the items themselves.
func TestItemReferences(t *testing.T) {
	const ref, next = `{"type":"item_reference","id":"msg_1"}`, `{"type":"message","role":"user","content":"two"}`
	ask := func(input string) string { return `{"model":"m","x":{"a":1},"input":[` + input + `]}` }
	m := &maker{desk: &desk{}, provider: "lab", translates: true}
	m.answersWith(orphan + "," + sealed + "," + saidItem)
	h := keeper(m, true)
	call(h, "POST", "/v1/responses", `{"model":"m","input":"one"}`)
	const refs = `{"type":"item_reference","id":"rs_1"},{"type":"item_reference","id":"rs_2"},` + ref
	if w := call(h, "POST", "/v1/responses", ask(userItem+","+refs+","+next)); w.Code != 200 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if got, want := m.input(t), "["+userItem+","+sealed+","+saidItem+","+next+"]"; got != want {
		t.Errorf("the provider got %s, want %s", got, want)
	}
	if !strings.Contains(string(m.last(t).Raw), `"x":{"a":1}`) {
		t.Error("another field was lost")
	}
	// What was kept of that call has the items too.
	call(h, "POST", "/v1/responses", `{"model":"m","previous_response_id":"resp_lab2","input":"three"}`)
	if got := m.input(t); strings.Contains(got, "item_reference") || strings.Count(got, saidItem) != 2 {
		t.Errorf("the third call's input is %s", got)
	}
	// A provider that is called in the client's bytes gets them too, if it did
	// not make the answer.
	m.translates = false
	call(h, "POST", "/v1/responses", ask(ref+","+next))
	if got, want := m.input(t), "["+saidItem+","+next+"]"; got != want {
		t.Errorf("another provider got %s, want %s", got, want)
	}

	m.translates = true
	before := m.calls()
	w := call(h, "POST", "/v1/responses", ask(next+`,{"type":"item_reference","id":"msg_lost"}`))
	message, _ := problem(t, w)
	if w.Code != 400 || !strings.HasPrefix(message, "input[1] refers to the item msg_lost") || strings.Contains(message, "keep_responses") || m.calls() != before {
		t.Errorf("%d %s", w.Code, message)
	}
	w = call(h, "POST", "/v1/responses", ask(ref+","+next), "Authorization", "Bearer kt-other")
	if w.Code != 400 || m.calls() != before {
		t.Errorf("another tool's item: %d %s", w.Code, w.Body)
	}
	h.Forget()
	if w = call(h, "POST", "/v1/responses", ask(ref+","+next)); w.Code != 400 || len(h.kept.byItem) != 0 {
		t.Errorf("a forgotten item: %d %s", w.Code, w.Body)
	}

	h = keeper(m, false)
	call(h, "POST", "/v1/responses", `{"model":"m","input":"one"}`)
	before = m.calls()
	w = call(h, "POST", "/v1/responses", ask(ref+","+next))
	message, _ = problem(t, w)
	if w.Code != 400 || !strings.Contains(message, "store to false in the tool") || !strings.Contains(message, "keep_responses: true in config.yaml") || m.calls() != before {
		t.Errorf("%d %s", w.Code, message)
	}
}

// The provider that made an answer is sent the client's own bytes.
func TestItemReferencesToTheirMaker(t *testing.T) {
	m := &maker{desk: &desk{}, provider: "lab"}
	m.answersWith(saidItem)
	for _, keep := range []bool{true, false} {
		h := keeper(m, keep)
		call(h, "POST", "/v1/responses", `{"model":"m","input":"one"}`)
		const body = `{"model":"m","input":[{"type":"item_reference","id":"msg_1"},{"type":"item_reference","id":"msg_0"}]}`
		if call(h, "POST", "/v1/responses", body); string(m.last(t).Raw) != body {
			t.Errorf("kept %t: its maker got %s", keep, m.last(t).Raw)
		}
	}
}
