package messages_test

import (
	"bytes"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"keytray/proxy/dialect/messages"
	"keytray/proxy/llm"
)

func patched(t *testing.T, c *llm.Call, body string) string {
	t.Helper()
	c.Model.Name = "m2"
	pieces, err := messages.Dialect{}.Patch(c, request(t, body))
	if err != nil {
		t.Fatal(err)
	}
	return string(bytes.Join(pieces, nil))
}

// A byte copy differs in the model's name, and in what Anthropic would refuse.
func TestPatchCutsForeignReasoning(t *testing.T) {
	const (
		own    = `{"type":"thinking", "thinking":"mine","signature":"EqQB"}`
		none   = `{"type":"thinking","thinking":"x"}`
		empty  = `{"signature":"","thinking":"x","type":"thinking"}`
		stray  = `{"type":"thinking","thinking":"x","signature":"stray"}`
		hidden = `{"type":"redacted_thinking","data":"mine"}`
		txt    = `{"type":"text","text":"a","cache_control":{"type":"ephemeral"}}`
	)
	sealed := `{"type":"thinking","thinking":"x","signature":"` + llm.Seal("gemini:google", "g") + `"}`
	sealedHidden := `{"type":"redacted_thinking","data":"` + llm.Seal("chat", "g") + `"}`
	const unsigned, others = "messages: earlier reasoning that is not signed", "messages: earlier reasoning of another provider"
	for name, c := range map[string]struct {
		blocks, want string
		lost         []string
	}{
		"nothing to do": {own + ` , ` + txt, own + ` , ` + txt, nil},
		"first":         {none + ` , ` + txt, txt, []string{unsigned}},
		"last":          {txt + ",\n" + empty, txt, []string{unsigned}},
		"in the midst":  {own + "," + sealed + ", " + sealedHidden + "," + txt, own + "," + txt, []string{others}},
		"here and there": {
			none + "," + own + "," + stray + "," + hidden + "," + txt + "," + sealed,
			own + "," + hidden + "," + txt,
			[]string{unsigned, others},
		},
	} {
		call := &llm.Call{Foreign: func(opaque string) bool { return opaque == "stray" }}
		body := func(model, blocks string) string {
			return `{"model":"` + model + `","messages":[{"role":"user","content":"\"thinking\""}, {"content":[` + blocks + `],"role":"assistant"} ,{"role":"user","content":[{"type":"text","text":"b"}]}],"thinking":{"type":"enabled","budget_tokens":1024}}`
		}
		if got := patched(t, call, body("m", c.blocks)); got != body("m2", c.want) || !slices.Equal(call.Lost, c.lost) {
			t.Errorf("%s: lost %q\n%s\nwant\n%s", name, call.Lost, got, body("m2", c.want))
		}
	}
	// A user's words are never cut, whatever they look like.
	body := `{"model":"m","messages":[{"role":"user","content":[` + none + `]},{"role":"assistant","content":"thinking"}]}`
	if got := patched(t, &llm.Call{}, body); got != strings.Replace(body, `"m"`, `"m2"`, 1) {
		t.Error(got)
	}
}

// A message of which nothing is left goes as a whole.
func TestPatchCutsEmptyMessages(t *testing.T) {
	const gone = `{"role":"assistant","content":[{"type":"thinking","thinking":"x"},{"type":"thinking","thinking":"y"}]}`
	for body, want := range map[string]string{
		`{"messages":[{"role":"user","content":"a"},` + gone + `, {"role":"user","content":"b"}],"model":"m"}`: `{"messages":[{"role":"user","content":"a"},{"role":"user","content":"b"}],"model":"m2"}`,
		`{"messages":[{"role":"user","content":"a"},` + gone + `],"model":"m"}`:                                `{"messages":[{"role":"user","content":"a"}],"model":"m2"}`,
		`{"messages":[` + gone + `],"model":"m"}`:                                                              `{"messages":[],"model":"m2"}`,
	} {
		if got := patched(t, &llm.Call{}, body); got != want {
			t.Errorf("%s\nwant %s", got, want)
		}
	}
}

// With a budget, Anthropic wants calls to follow the thinking that led to them:
// where that is another provider's, this one answer is made without thinking.
func TestPatchInTheMiddleOfCalls(t *testing.T) {
	const foreign = `{"type":"thinking","thinking":"x"},`
	body := func(model, thought, thinking string) string {
		return `{"model":"` + model + `","thinking":` + thinking + `,"messages":[{"role":"user","content":"a"},{"role":"assistant","content":[` + thought + `{"type":"tool_use","id":"t","name":"f","input":{}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"t"}]}]}`
	}
	const enabled, adaptive = `{"type":"enabled","budget_tokens":1024}`, `{"type":"adaptive"}`
	c := &llm.Call{}
	if got := patched(t, c, body("m", foreign, enabled)); got != body("m2", "", `{"type":"disabled"}`) || len(c.Lost) != 2 {
		t.Errorf("lost %q\n%s", c.Lost, got)
	}
	c = &llm.Call{}
	if got := patched(t, c, body("m", foreign, adaptive)); got != body("m2", "", adaptive) || len(c.Lost) != 1 {
		t.Errorf("lost %q\n%s", c.Lost, got)
	}
	const own = `{"type":"thinking","thinking":"x","signature":"EqQB"},`
	if got := patched(t, &llm.Call{}, body("m", own, enabled)); got != body("m2", own, enabled) {
		t.Error(got)
	}
}

// Citations that were made for another provider's search are not Anthropic's.
func TestPatchCutsForeignCitations(t *testing.T) {
	b := block(llm.Text, 0, "sky")
	b = []llm.Event{b[0], b[1], {Kind: llm.Delta, Block: llm.Text, Cite: &llm.Citation{URL: "u"}}, b[2]}
	answer := said(t, false, around(llm.EndTurn, b)...)
	content := answer[strings.Index(answer, `"content":`)+10 : strings.Index(answer, `,"stop_reason"`)]
	if !strings.Contains(content, "citations") {
		t.Fatal(content)
	}
	c := &llm.Call{}
	got := patched(t, c, conversation(`{"role":"assistant","content":`+content+`}`))
	if want := strings.Replace(conversation(`{"role":"assistant","content":[{"type":"text","text":"sky","citations":null}]}`), `"m"`, `"m2"`, 1); got != want || len(c.Lost) != 1 {
		t.Errorf("lost %q\n%s", c.Lost, got)
	}
}

// What a client is answered by others can always go back to Anthropic.
func TestAnswersOfOthersGoBack(t *testing.T) {
	think := block(llm.Thinking, 0, "hm")
	think[2].Opaque, think[2].Origin = "sig", "gemini:google"
	events := around(llm.EndTurn, think, block(llm.Thinking, 1, "unsigned"),
		[]llm.Event{begin(llm.Redacted, 2, "", ""), {Kind: llm.BlockStop, Block: llm.Redacted, Index: 2, Opaque: "x", Origin: "chat"}}, block(llm.Text, 3, "a"))
	answer := said(t, false, events...)
	content := answer[strings.Index(answer, `"content":`)+10 : strings.Index(answer, `,"stop_reason"`)]
	got := patched(t, &llm.Call{}, conversation(`{"role":"assistant","content":`+content+`}`))
	if want := strings.Replace(conversation(`{"role":"assistant","content":[{"type":"text","text":"a"}]}`), `"m"`, `"m2"`, 1); got != want {
		t.Error(got)
	}
}

func TestPatchOfClaudeCode(t *testing.T) {
	got := patched(t, &llm.Call{}, claudeCode)
	if want := strings.Replace(claudeCode, `"claude-x"`, `"m2"`, 1); got != want {
		t.Error(got)
	}
}

// A call for the size of a prompt costs nothing and is complete.
func TestCounts(t *testing.T) {
	d, c := messages.Dialect{}, &llm.Call{Counts: true}
	if u := d.URL(c, "https://e.org/v1"); u != "https://e.org/v1/messages/count_tokens" {
		t.Error(u)
	}
	if u := d.URL(&llm.Call{}, "https://e.org/v1"); u != "https://e.org/v1/messages" {
		t.Error(u)
	}
	var tally llm.Tally
	if v := d.Tally(c, &tally, []byte(`{"input_tokens": 641}`)); v != llm.Last || !tally.Good || !tally.Done || !tally.Usage.Known || tally.Usage.Prompt() != 0 {
		t.Errorf("%+v", tally)
	}
	tally = llm.Tally{}
	if d.Tally(c, &tally, []byte(`{"type":"error","error":{"type":"not_found_error","message":"model: x"}}`)); tally.Good || tally.Err == nil || tally.Err.Kind != llm.NotFound {
		t.Errorf("%+v", tally)
	}
	tally = llm.Tally{}
	if d.Tally(c, &tally, []byte(`{}`)); tally.Good || tally.Done {
		t.Errorf("%+v", tally)
	}
	p, err := d.Peek(httptest.NewRequest("POST", "/v1/messages/count_tokens", nil), []byte(asked))
	if err != nil || !p.Counts {
		t.Error(p, err)
	}
}

// What this provider signs is known again.
func TestMarks(t *testing.T) {
	for _, stream := range []bool{true, false} {
		var made []string
		c := &llm.Call{Stream: stream, Made: func(opaque string) { made = append(made, opaque) }}
		frames := []string{`{"type":"message","content":[{"type":"thinking","thinking":"t","signature":"A"},{"type":"text","text":"x"},{"type":"redacted_thinking","data":"B"}],"stop_reason":"end_turn"}`}
		if stream {
			frames = []string{
				`{"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}`,
				`{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"t"}}`,
				`{"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"A"}}`,
				`{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"\"signature_delta"}}`,
				`{"type":"content_block_start","index":1,"content_block":{"type":"redacted_thinking","data":"B"}}`,
			}
		}
		var tally llm.Tally
		for _, f := range frames {
			messages.Dialect{}.Tally(c, &tally, []byte(f))
		}
		if !slices.Equal(made, []string{"A", "B"}) {
			t.Errorf("stream %v: %q", stream, made)
		}
	}
}

// Tools that providers run: Anthropic's own go back as they came, others'
// as the like of them, and what nobody has is told or refused.
func TestHostedTools(t *testing.T) {
	p := prompt(t, ask(`,"tools":[{"name":"f","input_schema":{}},{"type":"bash_20250124","name":"bash","cache_control":{"type":"ephemeral"}},{"type":"web_search_20250305","name":"web_search","max_uses":3}],"mcp_servers":[{}]`))
	c := &llm.Call{}
	body, err := messages.Dialect{}.EncodeRequest(c, p)
	if err != nil || !strings.Contains(string(body), `{"type":"bash_20250124","name":"bash","cache_control":{"type":"ephemeral"}},{"type":"web_search_20250305","name":"web_search","max_uses":3}]`) || !slices.Equal(c.Lost, []string{"tools: mcp_servers"}) {
		t.Errorf("%v, lost %q\n%s", err, c.Lost, body)
	}
	far := &llm.Prompt{Tools: []llm.Tool{{Kind: llm.Hosted, Name: llm.WebSearch, Origin: "gemini", Raw: []byte(`{}`)}, {Kind: llm.Hosted, Name: "image_generation"}}}
	c = &llm.Call{}
	body, err = messages.Dialect{}.EncodeRequest(c, far)
	if err != nil || !strings.Contains(string(body), `"tools":[{"type":"web_search_20250305","name":"web_search"}]`) || !slices.Equal(c.Lost, []string{"tools: image_generation"}) {
		t.Errorf("%v, lost %q\n%s", err, c.Lost, body)
	}
	far.Tools = far.Tools[1:]
	if _, err := (messages.Dialect{}).EncodeRequest(&llm.Call{}, far); err == nil {
		t.Error("no tool is left, and it was sent")
	}
	far.Tools = append(far.Tools, llm.Tool{Name: "f"})
	far.Choice = llm.Choice{Mode: llm.ChooseNamed, Name: "image_generation"}
	if _, err := (messages.Dialect{}).EncodeRequest(&llm.Call{}, far); err == nil || llm.AsError(err).Param != "tool_choice" {
		t.Error("a tool that is not there was forced: ", err)
	}
}

// What is asked of a prompt and Anthropic has no word for is told or refused.
func TestWishesOfOthers(t *testing.T) {
	c := &llm.Call{}
	_, err := messages.Dialect{}.EncodeRequest(c, &llm.Prompt{CacheKey: "k", Verbosity: "low"})
	if err != nil || !slices.Equal(c.Lost, []string{"prompt_cache_key", "verbosity"}) {
		t.Errorf("%v, lost %q", err, c.Lost)
	}
	if _, err := (messages.Dialect{}).EncodeRequest(c, &llm.Prompt{Embed: &llm.Embed{}}); err == nil {
		t.Error("asked Anthropic for embeddings")
	}
}
