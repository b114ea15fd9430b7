package app

import (
	"encoding/base64"
	"io"
	"net/http"
	"strings"
	"testing"

	"keytray/proxy/dialect/verbatim"
	"keytray/proxy/llm"
	"keytray/proxy/upstream"
	"keytray/store/ledger"
)

// claudeStream are the events of a short answer of Claude's.
var claudeStream = []string{
	`{"type":"message_start","message":{"id":"m","type":"message","role":"assistant","model":"claude","content":[],"usage":{"input_tokens":1000,"output_tokens":1}}}`,
	`{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hi"}}`,
	`{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":100}}`,
	`{"type":"message_stop"}`,
}

const claudeAnswer = `{"id":"m","type":"message","role":"assistant","model":"claude","content":[{"type":"text","text":"Hi"}],"stop_reason":"end_turn","usage":{"input_tokens":1000,"output_tokens":100}}`

// A raw call to Bedrock keeps AWS's own bytes, streams included, and is metered
// by its path.
func TestBedrockRawIsMetered(t *testing.T) {
	chunks := func(events ...string) (sent []byte) {
		for _, f := range events {
			sent = append(sent, message(t, "event", "chunk", `{"bytes":"`+base64.StdEncoding.EncodeToString([]byte(f))+`"}`)...)
		}
		return sent
	}
	var spoken []byte
	for _, m := range [][2]string{
		{"messageStart", `{"role":"assistant"}`},
		{"contentBlockDelta", `{"contentBlockIndex":0,"delta":{"text":"Hello"}}`},
		{"messageStop", `{"stopReason":"end_turn"}`},
		{"metadata", `{"usage":{"inputTokens":1000,"outputTokens":100,"totalTokens":1100}}`},
	} {
		spoken = append(spoken, message(t, "event", m[0], m[1])...)
	}
	const stream, json = "application/vnd.amazon.eventstream", "application/json"
	const whole = `{"output":{"message":{"role":"assistant","content":[{"text":"Hello"}]}},"stopReason":"end_turn","usage":{"inputTokens":1000,"outputTokens":100,"totalTokens":1100}}`
	const nova = "us.amazon.nova-pro-v1:0"
	throttled := append(chunks(claudeStream[:2]...), message(t, "exception", "throttlingException", `{"message":"slow down"}`)...)
	for name, x := range map[string]struct {
		model, call, kind string
		answer            []byte
		status            ledger.Status
		cost              int64
		costKind          ledger.CostKind
	}{
		"converse":                {haiku, "converse", json, []byte(whole), ledger.StatusOK, 1_650_000_000, ledger.CostExact},
		"converse-stream":         {haiku, "converse-stream", stream, spoken, ledger.StatusOK, 1_650_000_000, ledger.CostExact},
		"converse of others":      {nova, "converse", json, []byte(whole), ledger.StatusOK, 1_120_000_000, ledger.CostExact},
		"invoke":                  {haiku, "invoke", json, []byte(claudeAnswer), ledger.StatusOK, 1_650_000_000, ledger.CostExact},
		"invoke, streamed":        {haiku, "invoke-with-response-stream", stream, chunks(claudeStream...), ledger.StatusOK, 1_650_000_000, ledger.CostExact},
		"invoke of others":        {nova, "invoke", json, []byte(whole), ledger.StatusOK, 0, ledger.CostUnpriced},
		"broken off by Bedrock":   {haiku, "invoke-with-response-stream", stream, throttled, ledger.StatusError, 1_105_500_000, ledger.CostEstimated},
		"without its last events": {haiku, "converse-stream", stream, spoken[:len(spoken)-200], ledger.StatusCut, 0, ledger.CostEstimated},
	} {
		t.Run(name, func(t *testing.T) {
			c := startCloud(t, func(w http.ResponseWriter, _ *http.Request, _ string) {
				w.Header().Set("Content-Type", x.kind)
				_, _ = w.Write(x.answer) // the client may be gone
			})
			h := bedrockAt(t, c.URL, "", "AWS_ACCESS_KEY_ID="+awsAccess, "AWS_SECRET_ACCESS_KEY="+awsSecret)
			const body = `{"messages":[{"role":"user","content":[{"text":"hello there"}]}],  "x":1.0}`
			r, err := h.try(t.Context(), "POST", "/p/bedrock/model/"+strings.ReplaceAll(x.model, ":", "%3A")+"/"+x.call, body, "Content-Type", "application/json")
			if cut := x.status == ledger.StatusCut; cut != (err != nil) {
				t.Fatalf("%v", err)
			}
			if err == nil && (r.status != 200 || r.body != string(x.answer)) {
				t.Errorf("%d %q", r.status, r.body)
			}
			call := c.last(t)
			signedBy(t, call, "eu-west-1")
			if call.body != body {
				t.Errorf("Bedrock got %q", call.body)
			}
			row := h.last()
			if row.Provider != "bedrock" || row.Model != x.model || row.Status != x.status || row.Streamed != (x.kind == stream) {
				t.Errorf("row %+v", row)
			}
			switch x.status {
			case ledger.StatusCut:
				if row.CostKind != x.costKind || row.CostPico == nil || *row.CostPico == 0 {
					t.Errorf("cost %s %s", picoText(row.CostPico), row.CostKind)
				}
			default:
				wantCost(t, row, x.cost, x.costKind)
			}
			if unknown := x.costKind == ledger.CostUnpriced; unknown != strings.Contains(row.Reason, "not metered") {
				t.Errorf("reason %q", row.Reason)
			}
		})
	}
}

// A tool may call by a raw path the models that it may use, and no others,
// whatever its body says.
func TestBedrockRawKeepsToAllowedModels(t *testing.T) {
	c := startCloud(t, func(w http.ResponseWriter, _ *http.Request, _ string) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, claudeAnswer)
	})
	h := open(t, "providers:\n  bedrock: {base_url: "+c.URL+", region: eu-west-1}\ntools:\n  env: {models: [bedrock/"+haiku+"]}\n", "AWS_BEARER_TOKEN_BEDROCK=ABSKcanary0123456789abcdef")
	for model, want := range map[string]int{haiku: 200, "us.amazon.nova-pro-v1%3A0": 403} {
		if r := h.do("POST", "/p/bedrock/model/"+model+"/invoke", `{"modelId":"`+haiku+`","max_tokens":5,"messages":[]}`); r.status != want {
			t.Errorf("%s: %d %s", model, r.status, r.body)
		}
	}
}

// Clients that are given the address alone write the whole path of Google's
// host, in the version that they know.
func TestVertexRaw(t *testing.T) {
	sse := ""
	for _, f := range claudeStream {
		sse += "data: " + f + "\n\n"
	}
	const gemini = `{"candidates":[{"content":{"role":"model","parts":[{"text":"Hi"}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":1000,"candidatesTokenCount":100,"totalTokenCount":1100}}`
	const mistral = `{"id":"c","object":"chat.completion","model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"Hi"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1000,"completion_tokens":100,"total_tokens":1100}}`
	c := startCloud(t, func(w http.ResponseWriter, r *http.Request, _ string) {
		w.Header().Set("Content-Type", "application/json")
		switch at := r.URL.Path; {
		case strings.HasSuffix(at, "count-tokens:rawPredict"):
			_, _ = io.WriteString(w, `{"input_tokens":5}`)
		case strings.HasSuffix(at, ":streamRawPredict"):
			w.Header().Set("Content-Type", "text/event-stream")
			_, _ = io.WriteString(w, sse)
		case strings.Contains(at, "/anthropic/"):
			_, _ = io.WriteString(w, claudeAnswer)
		case strings.Contains(at, "/mistralai/"):
			_, _ = io.WriteString(w, mistral)
		default:
			_, _ = io.WriteString(w, gemini)
		}
	})
	h := vertexAt(t, c.URL, c.URL, true)
	if err := h.AddKey(t.Context(), "vertex", "", accessToken); err != nil {
		t.Fatal(err)
	}
	const claude = "claude-sonnet-4-5@20250929"
	const in = "projects/p-1/locations/global/publishers/"
	for _, x := range []struct {
		path, want, model string
		cost              int64
	}{
		{"models/gemini-2.5-flash:generateContent", "/v1/" + in + "google/models/gemini-2.5-flash:generateContent", "gemini-2.5-flash", 550_000_000},
		{"v1/" + in + "google/models/gemini-2.5-flash:generateContent", "/v1/" + in + "google/models/gemini-2.5-flash:generateContent", "gemini-2.5-flash", 550_000_000},
		{"v1beta1/" + in + "google/models/gemini-2.5-flash:generateContent", "/v1beta1/" + in + "google/models/gemini-2.5-flash:generateContent", "gemini-2.5-flash", 550_000_000},
		{"v1/" + in + "anthropic/models/" + claude + ":rawPredict", "/v1/" + in + "anthropic/models/" + claude + ":rawPredict", claude, 4_500_000_000},
		{"v1/" + in + "anthropic/models/" + claude + ":streamRawPredict", "/v1/" + in + "anthropic/models/" + claude + ":streamRawPredict", claude, 4_500_000_000},
		{"v1/" + in + "mistralai/models/mistral-large-2411:rawPredict", "/v1/" + in + "mistralai/models/mistral-large-2411:rawPredict", "mistral-large-2411", 2_600_000_000},
		{"v1/" + in + "anthropic/models/count-tokens:rawPredict", "/v1/" + in + "anthropic/models/count-tokens:rawPredict", "", 0},
	} {
		before := len(h.rows())
		r := h.do("POST", "/p/vertex/"+x.path, `{"anthropic_version":"vertex-2023-10-16","messages":[]}`, "Content-Type", "application/json")
		call := c.last(t)
		if r.status != 200 || call.path != x.want || call.header.Get("Authorization") != "Bearer "+accessToken {
			t.Errorf("%s: %d, called %s", x.path, r.status, call.path)
		}
		row := h.last()
		if x.model == "" { // it counts tokens, for nothing
			if len(h.rows()) != before {
				t.Errorf("%s: row %+v", x.path, row)
			}
			continue
		}
		if row.Model != x.model {
			t.Errorf("%s: row %+v", x.path, row)
		}
		wantCost(t, row, x.cost, ledger.CostExact)
	}
}

// What is no conversation goes to Azure's deployments too, and raw calls to the
// resource, each with the version that it needs.
func TestAzurePassed(t *testing.T) {
	c := startCloud(t, func(w http.ResponseWriter, r *http.Request, body string) {
		w.Header().Set("Content-Type", "application/json")
		switch at := r.URL.Path; {
		case strings.HasSuffix(at, "/chat/completions"):
			azureAnswer(w, r, body)
		case strings.HasSuffix(at, "/embeddings"):
			_, _ = io.WriteString(w, `{"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.5]}],"model":"m","usage":{"prompt_tokens":1000,"total_tokens":1000}}`)
		case strings.HasSuffix(at, "/transcriptions"):
			_, _ = io.WriteString(w, `{"text":"hi","usage":{"type":"tokens","input_tokens":1000,"input_token_details":{"text_tokens":0,"audio_tokens":1000},"output_tokens":100,"total_tokens":1100}}`)
		case strings.HasSuffix(at, "/images/generations"):
			_, _ = io.WriteString(w, `{"created":1,"data":[{"b64_json":"aGk="}],"usage":{"input_tokens":1000,"output_tokens":100,"total_tokens":1100}}`)
		default:
			_, _ = io.WriteString(w, `{"object":"list","data":[]}`)
		}
	})
	const deployments = ", deployments: {gpt-5-mini: my-mini, text-embedding-3-small: my-vectors, gpt-4o-transcribe: my-ears, MAI-Image-2.5: my-eyes}"
	old := open(t, "providers:\n  azure: {base_url: '"+c.URL+"/openai/deployments/{deployment}', api_version: 2024-10-21"+deployments+"}\n", "AZURE_OPENAI_API_KEY="+canary)
	v1 := open(t, "providers:\n  azure: {base_url: "+c.URL+"/openai/v1"+deployments+"}\n", "AZURE_OPENAI_API_KEY="+canary)
	const form = "--B\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nazure/gpt-4o-transcribe\r\n--B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\nRIFF\r\n--B--\r\n"
	const dated = "api-version=2024-10-21"
	for _, x := range []struct {
		h                   *house
		method, call, body  string
		path, query, inBody string
		model               string // of its row; "" for none
		cost                int64
	}{
		{old, "POST", "/v1/embeddings", `{"model":"azure/text-embedding-3-small","input":"x"}`, "/openai/deployments/my-vectors/embeddings", dated, `"my-vectors"`, "text-embedding-3-small", 20_000_000},
		{v1, "POST", "/v1/embeddings", `{"model":"azure/text-embedding-3-small","input":"x"}`, "/openai/v1/embeddings", "", `"my-vectors"`, "text-embedding-3-small", 20_000_000},
		{old, "POST", "/v1/images/generations", `{"model":"azure/MAI-Image-2.5","prompt":"x"}`, "/openai/deployments/my-eyes/images/generations", dated, `"my-eyes"`, "MAI-Image-2.5", 9_700_000_000},
		{old, "POST", "/v1/images/generations", `{"model":"azure/my-eyes","prompt":"x"}`, "/openai/deployments/my-eyes/images/generations", dated, `"my-eyes"`, "MAI-Image-2.5", 9_700_000_000},
		{v1, "POST", "/v1/images/generations", `{"model":"azure/MAI-Image-2.5","prompt":"x"}`, "/openai/v1/images/generations", "", `"my-eyes"`, "MAI-Image-2.5", 9_700_000_000},
		{old, "POST", "/v1/audio/transcriptions", form, "/openai/deployments/my-ears/audio/transcriptions", dated, "\r\n\r\nmy-ears\r\n", "gpt-4o-transcribe", 3_500_000_000},
		{v1, "POST", "/v1/audio/transcriptions", form, "/openai/v1/audio/transcriptions", "", "\r\n\r\nmy-ears\r\n", "gpt-4o-transcribe", 3_500_000_000},
		{old, "GET", "/v1/files", "", "/openai/files", dated, "", "", 0},
		{v1, "GET", "/v1/files", "", "/openai/v1/files", "", "", "", 0},

		{old, "POST", "/p/azure/chat/completions", `{"model":"my-mini"}`, "/openai/deployments/my-mini/chat/completions", dated, `{"model":"my-mini"}`, "gpt-5-mini", 450_000_000},
		{old, "POST", "/p/azure/openai/deployments/my-mini/chat/completions?api-version=2025-01-01-preview", `{"x":1}`, "/openai/deployments/my-mini/chat/completions", "api-version=2025-01-01-preview", `{"x":1}`, "gpt-5-mini", 450_000_000},
		{old, "POST", "/p/azure/deployments/my-mini/chat/completions", `{"x":1}`, "/openai/deployments/my-mini/chat/completions", dated, `{"x":1}`, "gpt-5-mini", 450_000_000},
		{v1, "POST", "/p/azure/openai/deployments/my-mini/chat/completions?api-version=2024-10-21", `{"x":1}`, "/openai/deployments/my-mini/chat/completions", dated, `{"x":1}`, "gpt-5-mini", 450_000_000},
		{v1, "POST", "/p/azure/openai/v1/chat/completions", `{"model":"my-mini"}`, "/openai/v1/chat/completions", "", `{"model":"my-mini"}`, "gpt-5-mini", 450_000_000},
		{old, "GET", "/p/azure/models", "", "/openai/models", dated, "", "", 0},
		{old, "GET", "/p/azure/openai/files?limit=5", "", "/openai/files", "limit=5&" + dated, "", "", 0},
	} {
		kind, before := "application/json", len(x.h.rows())
		if x.body == form {
			kind = "multipart/form-data; boundary=B"
		}
		r := x.h.do(x.method, x.call, x.body, "Content-Type", kind, "Keytray-Provider", "azure")
		call := c.last(t)
		if r.status != 200 || call.path != x.path || call.query != x.query || !strings.Contains(call.body, x.inBody) {
			t.Errorf("%s: %d %s, called %s?%s with %s", x.call, r.status, r.body, call.path, call.query, call.body)
		}
		if call.header.Get("Api-Key") != canary || call.header.Get("Authorization") != "" {
			t.Errorf("%s: signed %v", x.call, call.header)
		}
		switch rows := x.h.rows(); {
		case x.model == "" && len(rows) != before:
			t.Errorf("%s: row %+v", x.call, x.h.last())
		case x.model != "" && (len(rows) != before+1 || x.h.last().Model != x.model):
			t.Errorf("%s: row %+v", x.call, x.h.last())
		case x.model != "":
			wantCost(t, x.h.last(), x.cost, ledger.CostExact)
		}
	}
}

// A realtime session names its deployment as the version wants it.
func TestAzureRealtime(t *testing.T) {
	d := verbatim.Dialect{Kind: verbatim.Realtime}
	for yaml, want := range map[string]string{
		"resource: r-1, deployments: {gpt-realtime: my-voice}":                          "https://r-1.openai.azure.com/openai/v1/realtime?model=my-voice",
		"resource: r-1, deployments: {gpt-realtime: my-voice}, api_version: 2024-10-21": "https://r-1.openai.azure.com/openai/realtime?deployment=my-voice&api-version=2024-10-21",
	} {
		h := open(t, "providers:\n  azure: {"+yaml+"}\n", "AZURE_OPENAI_API_KEY="+canary)
		r := &llm.Request{Tool: "t", Inbound: d, Path: "/realtime", Query: "model=azure%2Fgpt-realtime", Header: http.Header{}}
		target, err := h.table.Load().passTo(r, d, model{"azure", "gpt-realtime"})
		if err != nil {
			t.Fatal(err)
		}
		if pass := target.(*upstream.Pass); pass.URL != want || pass.Model.Name != "gpt-realtime" {
			t.Errorf("%s is called at %s", pass.Model.Name, pass.URL)
		}
	}
}

// A session's model is the one that was found for it, whatever else the query says.
func TestRealtimeNamesOneModel(t *testing.T) {
	for query, want := range map[string]string{
		"model=a&x=1":                       "deployment=mine&x=1",
		"deployment=big&model=a":            "deployment=mine",
		"model=a&Deployment=big&model=c":    "deployment=mine",
		"model=a&%64eployment=big&MODEL=b":  "deployment=mine",
		"deployments=3&model=a&modelling=1": "deployments=3&deployment=mine&modelling=1",
	} {
		if got := renamed(query, "deployment", "mine"); got != want {
			t.Errorf("%s became %s", query, got)
		}
	}
}

// Azure's two hosts are each reached below /p/azure, with the key as each takes it.
func TestAzureRawAddresses(t *testing.T) {
	h := open(t, "providers:\n  azure: {resource: r-1}\n", "AZURE_OPENAI_API_KEY="+canary)
	p, _ := h.catalog.Load().Provider("azure")
	if same, _ := p.In("responses"); same.Auth.Header != "api-key" {
		t.Errorf("the same server takes a key in %s", same.Auth.Header)
	}
	for rest, want := range map[string][2]string{
		"chat/completions":                        {"https://r-1.openai.azure.com/openai/v1/chat/completions", "api-key"},
		"openai/v1/files/":                        {"https://r-1.openai.azure.com/openai/v1/files/", "api-key"},
		"openai/deployments/d/chat/completions":   {"https://r-1.openai.azure.com/openai/deployments/d/chat/completions", "api-key"},
		"anthropic/v1/messages":                   {"https://r-1.services.ai.azure.com/anthropic/v1/messages", "x-api-key"},
		"openai/deployments/d/images/generations": {"https://r-1.openai.azure.com/openai/deployments/d/images/generations", "api-key"},
	} {
		at, _, to := h.rawURL(p, rest, "")
		if to != want[0] || at.Auth.Header != want[1] {
			t.Errorf("%s: %s signed in %s", rest, to, at.Auth.Header)
		}
	}
}
