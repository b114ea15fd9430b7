package app

import (
	"fmt"
	"strings"
	"testing"

	"github.com/coder/websocket"
	"github.com/tidwall/gjson"

	"keytray/proxy/proxytest"
)

// B5, B12: through the front door, a chat client that keeps nothing but the
// call gives Claude its signed thinking back; forgotten, it does not.
func TestRemembersSignedThinking(t *testing.T) {
	p := proxytest.New(proxytest.Script{Parts: proxytest.Parts(
		proxytest.Thinking("hm"), proxytest.Call("toolu_01A09q90qw90lq917835lq9", "read", `{"a":1}`),
	)}, proxytest.Script{})
	h, prefix := lab(t, proxytest.Messages, p)
	tools := `"tools":[{"type":"function","function":{"name":"read"}}]`
	if r := h.chat(prefix+"claude-haiku-5-5", tools); r.status != 200 {
		t.Fatalf("%d %s", r.status, r.body)
	}
	if calls, size := h.Remembered(); calls != 1 || size == 0 {
		t.Errorf("%d calls in %d bytes are remembered", calls, size)
	}
	second := fmt.Sprintf(`{"model":%q,%s,"messages":[{"role":"user","content":"hello there"},
		{"role":"assistant","content":null,"tool_calls":[{"id":"toolu_01A09q90qw90lq917835lq9","type":"function","function":{"name":"read","arguments":"{\"a\":1}"}}]},
		{"role":"tool","tool_call_id":"toolu_01A09q90qw90lq917835lq9","content":"done"}]}`, prefix+"claude-haiku-5-5", tools)
	turn := func() gjson.Result {
		t.Helper()
		if r := h.do("POST", "/v1/chat/completions", second); r.status != 200 {
			t.Fatalf("%d %s", r.status, r.body)
		}
		return gjson.GetBytes(p.Last().Body, "messages.1.content")
	}
	if got := turn(); got.Get("0.signature").String() != "c2lnbmF0dXJl" || got.Get("1.type").String() != "tool_use" {
		t.Errorf("Claude got %s back", got.Raw)
	}
	h.Forget()
	if calls, size := h.Remembered(); calls != 0 || size != 0 {
		t.Errorf("%d calls in %d bytes are left", calls, size)
	}
	if got := turn(); got.Get("0.type").String() != "tool_use" {
		t.Errorf("forgotten, Claude got %s back", got.Raw)
	}
}

// The Responses API over a chat model: an answer is continued by its id where
// that is turned on, and always within one WebSocket, which Close ends.
func TestContinuesResponses(t *testing.T) {
	for _, keep := range []bool{false, true} {
		p := proxytest.New(proxytest.Script{Parts: proxytest.Parts(proxytest.Text("Hello", " you"))})
		yaml := fmt.Sprintf("keep_responses: %t\n", keep) + provider("lab", "chat", proxytest.Start(t, p).URL+"/v1")
		h := open(t, yaml, "LAB_KEY="+canary)
		first := h.do("POST", "/v1/responses", `{"model":"lab/text","input":"one"}`)
		if first.status == 404 {
			t.Skip("this Keytray does not speak responses")
		}
		id := gjson.Get(first.body, "id").String()
		second := h.do("POST", "/v1/responses", fmt.Sprintf(`{"model":"lab/text","previous_response_id":%q,"input":"two"}`, id))
		if !keep {
			if second.status != 400 || !strings.Contains(second.body, "keep_responses: true") || !strings.Contains(second.body, "previous_response_not_found") {
				t.Errorf("%d %s", second.status, second.body)
			}
		} else if got := said(p); second.status != 200 || got != "one|Hello you|two" {
			t.Errorf("%d: the provider was told %s", second.status, got)
		}
		if got := h.do("GET", "/v1/responses/"+id, ""); keep != (got.status == 200) || keep && got.body != first.body {
			t.Errorf("kept %t: GET is %d %s", keep, got.status, got.body)
		}
		if n, _ := h.KeptResponses(); (n == 2) != keep {
			t.Errorf("kept %t: %d", keep, n)
		}

		addr, _ := h.Addr()
		c, _, err := websocket.Dial(t.Context(), "ws://"+addr+"/v1/responses", &websocket.DialOptions{HTTPHeader: map[string][]string{"Authorization": {"Bearer kt-test"}}})
		if err != nil {
			t.Fatal(err)
		}
		defer c.CloseNow()
		ask := func(more string) string {
			t.Helper()
			if err := c.Write(t.Context(), websocket.MessageText, []byte(`{"type":"response.create","model":"lab/text","store":false,`+more+`}`)); err != nil {
				t.Fatal(err)
			}
			for {
				_, b, err := c.Read(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				switch e := gjson.ParseBytes(b); e.Get("type").String() {
				case "response.completed":
					return e.Get("response.id").String()
				case "error", "response.failed":
					t.Fatal(e.Raw)
				}
			}
		}
		id = ask(`"input":"one"`)
		ask(fmt.Sprintf(`"previous_response_id":%q,"input":[{"role":"user","content":"two"}]`, id))
		if got := said(p); got != "one|Hello you|two" {
			t.Errorf("over the WebSocket the provider was told %s", got)
		}
		if row := h.last(); row.Inbound != "responses" || !row.Streamed || row.Tool != "env" || row.Usage.Output != 7 {
			t.Errorf("row %+v", row)
		}
		if err := h.Close(); err != nil { // it does not wait for the client to go
			t.Error(err)
		}
	}
}

// said is what the last request to a chat provider says, in order.
func said(p *proxytest.Provider) string {
	var all []string
	for _, m := range gjson.GetBytes(p.Last().Body, "messages").Array() {
		s := m.Get("content")
		if s.IsArray() {
			s = s.Get("0.text")
		}
		all = append(all, s.String())
	}
	return strings.Join(all, "|")
}
