package gemini_test

import (
	"errors"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"keytray/proxy/llm"
)

// ask decodes a body as that of a client.
func ask(t testing.TB, body string) (*llm.Prompt, error) {
	t.Helper()
	r, err := asked("/v1beta/models/m:generateContent", body)
	if err != nil {
		return nil, err
	}
	return r.Prompt()
}

func asked(path, body string) (*llm.Request, error) {
	peek, err := out.Peek(httptest.NewRequest("POST", path, nil), []byte(body))
	return &llm.Request{ID: "r1", Inbound: out, Raw: []byte(body), Peek: peek}, err
}

func mustAsk(t testing.TB, body string) *llm.Prompt {
	t.Helper()
	p, err := ask(t, body)
	if err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	return p
}

func TestPeek(t *testing.T) {
	for path, want := range map[string]llm.Peek{
		"/v1beta/models/gemini-3-pro:generateContent":                   {Model: "gemini-3-pro"},
		"/models/gemini-3-pro:generateContent":                          {Model: "gemini-3-pro"},
		"/v1beta/models/ollama/qwen3:8b:generateContent":                {Model: "ollama/qwen3:8b"},
		"/v1alpha/models/a/models/b:streamGenerateContent?alt=sse&key=": {Model: "a/models/b", Stream: true, IncludeUsage: true},
		"/v1beta/models/m:streamGenerateContent":                        {Model: "m", Stream: true, IncludeUsage: true, Form: "array"},
		"/v1beta/models/m:streamGenerateContent?alt=json":               {Model: "m", Stream: true, IncludeUsage: true, Form: "array"},
		"/v1beta/models/m:countTokens":                                  {Model: "m", Counts: true},
		"/v1beta/ollama/qwen3:8b:generateContent":                       {Model: "ollama/qwen3:8b"},
		"/v1alpha/a/models/b:streamGenerateContent?alt=sse":             {Model: "a/models/b", Stream: true, IncludeUsage: true},
	} {
		r, err := asked(path, `{"contents":[]}`)
		if err != nil || r.Peek != want {
			t.Errorf("%s: %+v, %v", path, r.Peek, err)
		}
	}
	for path, body := range map[string]string{
		"/v1beta/models/m:predict":           `{}`,
		"/v1beta/models/m":                   `{}`,
		"/v1beta/models/:generateContent":    `{}`,
		"/v1beta/models/m:generateContent":   ``,
		"/v1beta/models/n:generateContent":   `{"contents":[`,
		"/v1beta/models/o:generateContent":   `[1]`,
		"/v1beta/models/p:generateContent?x": `{"contents" 1}`,
	} {
		_, err := asked(path, body)
		var e *llm.Error
		if !errors.As(err, &e) || e.HTTPStatus() != 400 && e.HTTPStatus() != 404 {
			t.Errorf("%s with %q: %v", path, body, err)
		}
	}
}

// Both spellings of protobuf's JSON, and everything of generationConfig.
func TestPromptOptions(t *testing.T) {
	camel := `{"model":"models/m","systemInstruction":{"role":"system","parts":[{"text":"s1"},{"text":"s2"}]},
		"contents":[{"parts":[{"text":"hi"},{"inlineData":{"mimeType":"image/png","data":"-_8"}}]}],
		"generationConfig":{"maxOutputTokens":"100","temperature":0,"topP":0.5,"topK":64.0,"stopSequences":["a","b"],"seed":7,
			"frequencyPenalty":-1,"presencePenalty":1,"candidateCount":1,"responseMimeType":"application/json",
			"_responseJsonSchema":{"type":"object","$defs":{"x":{}}},"thinkingConfig":{"includeThoughts":true,"thinkingBudget":-1},
			"responseModalities":["TEXT","IMAGE"],"speechConfig":{"voiceConfig":{}},"mediaResolution":"MEDIA_RESOLUTION_LOW","logprobs":3,"responseLogprobs":true},
		"safetySettings":[{"category":"c","threshold":"BLOCK_NONE"}],"labels":{"a":"b"},"serviceTier":"SERVICE_TIER_FLEX","cachedContent":null}`
	snake := strings.NewReplacer("systemInstruction", "system_instruction", "inlineData", "inline_data", "mimeType", "mime_type",
		"generationConfig", "generation_config", "maxOutputTokens", "max_output_tokens", "topP", "top_p", "topK", "top_k", "stopSequences", "stop_sequences",
		"frequencyPenalty", "frequency_penalty", "presencePenalty", "presence_penalty", "candidateCount", "candidate_count",
		"responseMimeType", "response_mime_type", "_responseJsonSchema", "response_json_schema", "thinkingConfig", "thinking_config",
		"includeThoughts", "include_thoughts", "thinkingBudget", "thinking_budget", "responseModalities", "response_modalities",
		"speechConfig", "speech_config", "mediaResolution", "media_resolution", "responseLogprobs", "response_logprobs",
		"safetySettings", "safety_settings", "serviceTier", "service_tier").Replace(camel)
	p := mustAsk(t, camel)
	if q := mustAsk(t, snake); !reflect.DeepEqual(p, q) {
		t.Errorf("%+v\n%+v", p, q)
	}
	l := p.Limits
	if *l.MaxTokens != 100 || *l.Temperature != 0 || *l.TopP != 0.5 || *l.TopK != 64 || len(l.Stop) != 2 || *l.Seed != 7 || *l.FrequencyPenalty != -1 || *l.PresencePenalty != 1 { // A25
		t.Errorf("%+v", l)
	}
	if p.Format.Kind != llm.FormatSchema || !strings.Contains(string(p.Format.Schema), "$defs") { // E16
		t.Errorf("%+v", p.Format)
	}
	if p.Reasoning.Show != "auto" || *p.Reasoning.Budget != -1 || p.Tier != "flex" || len(p.System) != 2 {
		t.Errorf("%+v %q %+v", p.Reasoning, p.Tier, p.System)
	}
	if b := p.Messages[0].Blocks[1]; b.Kind != llm.Image || b.Media.Data != "+/8=" {
		t.Errorf("%+v", b)
	}
	want := "generationConfig.responseModalities: IMAGE|generationConfig.speechConfig|generationConfig.mediaResolution|generationConfig.logprobs|generationConfig.responseLogprobs|safetySettings|labels"
	if got := strings.Join(p.Lost, "|"); got != want {
		t.Errorf("lost %s", got)
	}
}

// E22: levels and budgets.
func TestPromptThinking(t *testing.T) {
	for config, want := range map[string]llm.Reasoning{
		`{"thinkingLevel":"LOW"}`:                         {Effort: "low"},
		`{"thinkingLevel":"high","includeThoughts":true}`: {Effort: "high", Show: "auto"},
		`{"thinkingLevel":"THINKING_LEVEL_UNSPECIFIED"}`:  {},
		`{"includeThoughts":false}`:                       {Show: "none"},
		`{"thinkingBudget":0}`:                            {Budget: new(int)},
	} {
		p := mustAsk(t, `{"contents":"x","generationConfig":{"thinkingConfig":`+config+`}}`)
		if !reflect.DeepEqual(p.Reasoning, want) {
			t.Errorf("%s: %+v", config, p.Reasoning)
		}
	}
}

// E9: three calls of one function, without ids and with; E8: names by id.
func TestPromptCalls(t *testing.T) {
	body := `{"contents":[{"parts":[{"text":"q"}]},
		{"parts":[{"functionCall":{"name":"f","args":{"n": 1}}},{"functionCall":{"name":"f","args":{"n":2}}},{"functionCall":{"name":"g"}},{"functionCall":{"name":"f","id":"call_2","args":{}}}]},
		{"role":"function","parts":[{"functionResponse":{"name":"f","response":{"output":"one"}}},{"functionResponse":{"name":"g","response":{"a":[1],"b":2}}},
			{"functionResponse":{"name":"f","response":{"error":"two"}}},{"functionResponse":{"id":"call_2","name":"other","response":{"result":"three"}}}]}]}`
	p := mustAsk(t, body)
	var got []string
	for _, b := range p.Messages[1].Blocks {
		got = append(got, b.ID+" "+b.Name+b.Text)
	}
	if s := strings.Join(got, "|"); s != `call_1 f{"n":1}|call_2 f{"n":2}|call_3 g{}|call_4 f{}` || p.Messages[1].Role != llm.Assistant {
		t.Errorf("%s %s", p.Messages[1].Role, s)
	}
	got = nil
	for _, b := range p.Messages[2].Blocks {
		got = append(got, sprint(b.ID, b.Name, b.Failed, b.Content[0].Text))
	}
	if s := strings.Join(got, "|"); s != `call_1ffalseone|call_3gfalse{"a":[1],"b":2}|call_2ftruetwo|call_4ffalse{"result":"three"}` {
		t.Error(s)
	}
	if again := mustAsk(t, body); !reflect.DeepEqual(p, again) { // A17
		t.Error("the same body made other ids")
	}
}

// E21: what follows a response, or is in it, belongs to the response.
func TestPromptMediaOfTools(t *testing.T) {
	p := mustAsk(t, `{"contents":[{"role":"model","parts":[{"functionCall":{"name":"f"}},{"functionCall":{"name":"f"}}]},{"role":"user","parts":[
		{"functionResponse":{"name":"f","response":{},"parts":[{"inlineData":{"mimeType":"image/png","data":"QQ=="}}]}},
		{"functionResponse":{"name":"f","response":null}},{"inlineData":{"mimeType":"application/pdf","data":"QUE=","displayName":"x.pdf"}},
		{"text":"and"},{"inlineData":{"mimeType":"audio/wav","data":"QUI="}}]}]}`)
	b := p.Messages[1].Blocks
	if len(b) != 4 || len(b[0].Content) != 2 || b[0].Content[1].Kind != llm.Image || len(b[1].Content) != 1 || b[1].Content[0].Name != "x.pdf" || b[3].Kind != llm.Audio {
		t.Errorf("%+v", b)
	}
}

func TestPromptMedia(t *testing.T) {
	for part, want := range map[string]llm.Block{
		`{"fileData":{"fileUri":"gs://b/a.png","mimeType":"image/png"}}`:                                                      {Kind: llm.Image, Media: llm.Media{Type: "image/png", FileID: "gs://b/a.png"}},
		`{"fileData":{"fileUri":"https://www.youtube.com/watch?v=x"}}`:                                                        {Kind: llm.Document, Media: llm.Media{FileID: "https://www.youtube.com/watch?v=x"}},
		`{"file_data":{"file_uri":"https://generativelanguage.googleapis.com/v1beta/files/x","mime_type":"application/pdf"}}`: {Kind: llm.Document, Media: llm.Media{Type: "application/pdf", FileID: "https://generativelanguage.googleapis.com/v1beta/files/x"}},
		`{"fileData":{"fileUri":"https://e.org/a.jpg"}}`:                                                                      {Kind: llm.Image, Media: llm.Media{URL: "https://e.org/a.jpg"}},
		`{"executableCode":{"language":"PYTHON","code":"1+1"}}`:                                                               {Text: "\n```python\n1+1\n```\n"},
		`{"codeExecutionResult":{"outcome":"OUTCOME_OK","output":"2\n"}}`:                                                     {Text: "\n```\n2\n```\n"},
	} {
		p := mustAsk(t, `{"contents":{"parts":`+part+`}}`)
		if got := p.Messages[0].Blocks[0]; !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v", part, got)
		}
		if strings.Contains(part, "fileData") { // it comes back to Google as it was
			v := encode(t, model(), p)
			if got := at(v, "contents", 0, "parts", 0, "fileData", "fileUri"); !strings.Contains(part, strings.Trim(got, `"`)) {
				t.Errorf("%s went as %s", part, got)
			}
		}
	}
}

// Signatures: Google's own, another's that Keytray sealed, none (E2).
func TestPromptSignatures(t *testing.T) {
	sealed := llm.Seal("messages:anthropic", "sig")
	p := mustAsk(t, `{"contents":[{"role":"model","parts":[{"text":"a","thought":true},{"text":"b","thought":true},{"text":"","thought":true,"thoughtSignature":"`+sealed+`"},
		{"text":"c","thoughtSignature":"b3du"},{"text":"","thoughtSignature":"b3du"},{"text":"","thoughtSignature":"`+sealed+`"},
		{"functionCall":{"name":"f"},"thoughtSignature":"skip_thought_signature_validator"},{"functionCall":{"name":"f"},"thought_signature":"`+sealed+`"}]}]}`)
	want := []llm.Block{
		{Kind: llm.Thinking, Text: "ab", Opaque: "sig", Origin: "messages:anthropic"},
		{Text: "c", Opaque: "b3du", Origin: "gemini"},
		{Kind: llm.Thinking, Opaque: "b3du", Origin: "gemini"},
		{Kind: llm.Redacted, Opaque: "sig", Origin: "messages:anthropic"},
		{Kind: llm.ToolCall, ID: "call_1", Name: "f", Text: "{}"},
		{Kind: llm.ToolCall, ID: "call_2", Name: "f", Text: "{}", Opaque: "sig", Origin: "messages:anthropic"},
	}
	if got := p.Messages[0].Blocks; !reflect.DeepEqual(got, want) {
		t.Errorf("%+v", got)
	}
}

func TestPromptTools(t *testing.T) {
	p := mustAsk(t, `{"contents":"x","tools":[{"functionDeclarations":[{"name":"f","description":"d","parameters":{"type":"OBJECT","required":["a"],
		"properties":{"a":{"type":"STRING","nullable":true,"enum":["x"],"format":"enum"},"properties":{"type":"ARRAY","minItems":"1","items":{"anyOf":[{"type":"INTEGER","format":"int32"},{"type":"TYPE_UNSPECIFIED"}]}}},
		"propertyOrdering":["properties","a"]}},{"name":"g","parametersJsonSchema":{"type":"object","properties":{"TYPE":{"type":"STRING"}}}}]},
		{"googleSearch":{}},{"codeExecution":{},"urlContext":{}},{"function_declarations":[{"name":"h","response":{"type":"STRING"}}]},{"computerUse":{"environment":"E"}}]}`)
	var names []string
	for _, tool := range p.Tools {
		names = append(names, sprint(tool.Kind, tool.Name, string(tool.Raw)))
	}
	if s := strings.Join(names, "|"); s != `0f|0g|2web_search{"googleSearch":{}}|2code_execution{"codeExecution":{}}|2web_fetch{"urlContext":{}}|0h|2computerUse{"computerUse":{"environment":"E"}}` {
		t.Error(s)
	}
	// E5: a property called properties is a property.
	if s := string(p.Tools[0].Schema); s != `{"type":"object","required":["a"],"properties":{"properties":{"type":"array","minItems":1,"items":{"anyOf":[{"type":"integer","format":"int32"},{}]}},"a":{"type":["string","null"],"enum":["x",null]}}}` {
		t.Error(s)
	}
	if s := string(p.Tools[1].Schema); !strings.Contains(s, `"STRING"`) {
		t.Errorf("JSON Schema was changed: %s", s)
	}
	if s := strings.Join(p.Lost, "|"); s != "tools: functionDeclarations.response" {
		t.Error(s)
	}
}

func TestPromptChoice(t *testing.T) {
	for config, want := range map[string]struct {
		choice llm.Choice
		tools  int
	}{
		`{"mode":"AUTO"}`: {llm.Choice{Mode: llm.ChooseAuto}, 2},
		`{"mode":"any"}`:  {llm.Choice{Mode: llm.ChooseAny}, 2},
		`{"mode":"NONE","allowedFunctionNames":["f"]}`:      {llm.Choice{Mode: llm.ChooseNone}, 2},
		`{"mode":"MODE_UNSPECIFIED"}`:                       {llm.Choice{}, 2},
		`{"mode":"ANY","allowedFunctionNames":["g"]}`:       {llm.Choice{Mode: llm.ChooseNamed, Name: "g"}, 2},
		`{"mode":"ANY","allowedFunctionNames":["g","f"]}`:   {llm.Choice{Mode: llm.ChooseAny}, 2},
		`{"mode":"VALIDATED","allowedFunctionNames":["f"]}`: {llm.Choice{Mode: llm.ChooseAuto}, 1},
	} {
		p := mustAsk(t, `{"contents":"x","tools":{"functionDeclarations":[{"name":"f"},{"name":"g"}]},"toolConfig":{"functionCallingConfig":`+config+`}}`)
		if p.Choice != want.choice || len(p.Tools) != want.tools {
			t.Errorf("%s: %+v, %d tools", config, p.Choice, len(p.Tools))
		}
	}
	p := mustAsk(t, `{"contents":"x","tools":[{"googleSearch":{}}],"toolConfig":{"functionCallingConfig":{"mode":"ANY"},"retrievalConfig":{"languageCode":"de"}}}`) // A26
	if p.Choice.Mode != llm.ChooseUnset || len(p.Lost) != 2 {
		t.Errorf("%+v %q", p.Choice, p.Lost)
	}
}

// What is refused names its field.
func TestPromptRefuses(t *testing.T) {
	for body, param := range map[string]string{
		`{}`:                                     "contents",
		`{"contents":[]}`:                        "contents",
		`{"contents":[{"parts":[{"text":""}]}]}`: "contents",
		`{"contents":[{"parts":[{"text":1}]}]}`:  "contents[0].parts[0].text",
		`{"contents":[{"role":"x","parts":[]}]}`: "contents[0].role",
		`{"contents":[{"role":"user","parts":[{"functionCall":{"name":"f"}}]}]}`:                              "contents[0].role",
		`{"contents":[{"role":"model","parts":[{"functionCall":{"args":{}}}]}]}`:                              "contents[0].parts[0].functionCall.name",
		`{"contents":[{"role":"model","parts":[{"functionCall":{"name":"f","args":1}}]}]}`:                    "contents[0].parts[0].functionCall.args",
		`{"contents":[{"parts":[{"functionResponse":{"name":"f","response":{}}}]}]}`:                          "contents[0].parts[0].functionResponse",
		`{"contents":[{"parts":[{"inlineData":{"data":"QQ=="}}]}]}`:                                           "contents[0].parts[0].inlineData",
		`{"contents":"x","cachedContent":"cachedContents/1"}`:                                                 "cachedContent",
		`{"contents":"x","generationConfig":{"candidateCount":2}}`:                                            "generationConfig.candidateCount",
		`{"contents":"x","generationConfig":{"maxOutputTokens":1.5}}`:                                         "generationConfig.maxOutputTokens",
		`{"contents":"x","generationConfig":{"responseMimeType":"text/x.enum"}}`:                              "generationConfig.responseMimeType",
		`{"contents":"x","generationConfig":{"responseModalities":["AUDIO"]}}`:                                "generationConfig.responseModalities",
		`{"contents":"x","generationConfig":{"thinkingConfig":{"thinkingBudget":-2}}}`:                        "generationConfig.thinkingConfig.thinkingBudget",
		`{"contents":"x","toolConfig":{"functionCallingConfig":{"mode":"SOME"}}}`:                             "toolConfig.functionCallingConfig.mode",
		`{"contents":"x","toolConfig":{"functionCallingConfig":{"mode":"ANY","allowedFunctionNames":["f"]}}}`: "toolConfig.functionCallingConfig.allowedFunctionNames",
	} {
		_, err := ask(t, body)
		var e *llm.Error
		if !errors.As(err, &e) || e.Param != param || e.HTTPStatus() != 400 {
			t.Errorf("%s: %v, want a refusal of %s", body, err, param)
		}
	}
}

// What countTokens wraps is read as well.
func TestPromptOfCount(t *testing.T) {
	r, err := asked("/v1beta/models/m:countTokens", `{"generateContentRequest":{"model":"models/m","contents":[{"parts":[{"text":"hi"}]}],"systemInstruction":"s"}}`)
	if err != nil {
		t.Fatal(err)
	}
	if p, err := r.Prompt(); err != nil || len(p.Messages) != 1 || p.System[0].Text != "s" {
		t.Errorf("%+v, %v", p, err)
	}
}
