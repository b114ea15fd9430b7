package app

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"keytray/proxy/catalog"
	"keytray/proxy/llm"
)

const haiku = "us.anthropic.claude-haiku-4-5-20251001-v1:0"

// bedrockAt is a Keytray whose Bedrock is a test server.
func bedrockAt(t *testing.T, base, more string, env ...string) *house {
	t.Helper()
	return open(t, fmt.Sprintf("providers:\n  bedrock: {base_url: %s, region: eu-west-1%s}\n", base, more), env...)
}

func TestBedrockConverse(t *testing.T) {
	c := startCloud(t, func(w http.ResponseWriter, r *http.Request, _ string) {
		if strings.HasSuffix(r.URL.Path, "/converse-stream") {
			converseStream(t, w)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"output":{"message":{"role":"assistant","content":[{"text":"Hello"}]}},"stopReason":"end_turn","usage":{"inputTokens":1000,"outputTokens":100,"totalTokens":1100}}`)
	})
	h := bedrockAt(t, c.URL, "")
	if err := h.AddKey(t.Context(), "bedrock", "", awsAccess+":"+awsSecret+":"+awsSession); err != nil {
		t.Fatal(err)
	}
	for _, stream := range []string{"false", "true"} {
		got := h.chat("bedrock/"+haiku, `"stream":`+stream)
		if got.status != 200 || !strings.Contains(got.body, "Hello") {
			t.Fatalf("stream %s: %d %s", stream, got.status, got.body)
		}
		call := c.last(t)
		signedBy(t, call, "eu-west-1")
		if call.header.Get("X-Amz-Security-Token") != awsSession {
			t.Error("the session's token was not sent")
		}
		want := "/model/us.anthropic.claude-haiku-4-5-20251001-v1%3A0/converse" + map[string]string{"true": "-stream"}[stream]
		if call.path != want || !strings.Contains(call.body, `{"role":"user","content":[{"text":"hello there"}]}`) {
			t.Errorf("called %s with %s", call.path, call.body)
		}
	}
	rows := h.rows()
	for _, r := range rows {
		// 1000 x 1.1 + 100 x 5.5 USD per million: a profile of one region costs 10 % more.
		if r.CostPico == nil || *r.CostPico != 1_650_000_000 || r.Provider != "bedrock" || r.Model != haiku {
			t.Errorf("row %+v", r)
		}
	}
	if len(rows) != 2 {
		t.Errorf("%d rows", len(rows))
	}
}

func TestBedrockInvokeForMessages(t *testing.T) {
	frames := []string{
		`{"type":"message_start","message":{"id":"m","type":"message","role":"assistant","model":"claude","content":[],"usage":{"input_tokens":1000,"output_tokens":1}}}`,
		`{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}`,
		`{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hi"}}`,
		`{"type":"content_block_stop","index":0}`,
		`{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":100}}`,
		`{"type":"message_stop","amazon-bedrock-invocationMetrics":{"inputTokenCount":1000}}`,
	}
	c := startCloud(t, func(w http.ResponseWriter, _ *http.Request, _ string) {
		w.Header().Set("Content-Type", "application/vnd.amazon.eventstream")
		for _, f := range frames {
			_, _ = w.Write(message(t, "event", "chunk", `{"bytes":"`+base64.StdEncoding.EncodeToString([]byte(f))+`","p":"ab"}`))
		}
	})
	h := bedrockAt(t, c.URL, "", "AWS_ACCESS_KEY_ID="+awsAccess, "AWS_SECRET_ACCESS_KEY="+awsSecret)
	body := `{"model":"bedrock/` + haiku + `",  "max_tokens":50,"stream":true,"messages":[{"role":"user","content":"x"}],"unknown":1.0}`
	header := http.Header{"Anthropic-Beta": {"context-1m-2025-08-07,claude-code-20250219"}, "Anthropic-Version": {"2023-06-01"}}
	resp, err := h.send("messages", "bedrock/"+haiku, body, true, header)
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(resp.Body)
	resp.Body.Close()
	want := ""
	for _, f := range frames {
		var e struct{ Type string }
		if err := json.Unmarshal([]byte(f), &e); err != nil {
			t.Fatal(err)
		}
		want += "event: " + e.Type + "\ndata: " + f + "\n\n"
	}
	if err != nil || string(got) != want || !resp.Copied {
		t.Errorf("%v\n%s", err, got)
	}
	call := c.last(t)
	signedBy(t, call, "eu-west-1")
	sent := `{"anthropic_version":"bedrock-2023-05-31","anthropic_beta":["context-1m-2025-08-07"],  "max_tokens":50,"messages":[{"role":"user","content":"x"}],"unknown":1.0}`
	if call.path != "/model/us.anthropic.claude-haiku-4-5-20251001-v1%3A0/invoke-with-response-stream" || call.body != sent {
		t.Errorf("called %s with\n%s", call.path, call.body)
	}
	for name := range call.header {
		if strings.HasPrefix(name, "Anthropic-") {
			t.Errorf("%s was sent", name)
		}
	}
	if lost := resp.Call.Lost; len(lost) != 1 || lost[0] != "anthropic-beta: claude-code-20250219" {
		t.Errorf("lost %q", lost)
	}
	if r := h.rows(); len(r) != 1 || r[0].CostPico == nil || *r[0].CostPico != 1_650_000_000 || r[0].Key != "AWS_ACCESS_KEY_ID" {
		t.Errorf("rows %+v", r)
	}
}

// Other models than Claude are called with Converse, whoever asks.
func TestBedrockDialects(t *testing.T) {
	h := bedrockAt(t, "http://127.0.0.1:9", "")
	p, _ := h.catalog.Load().Provider("bedrock")
	for model, want := range map[string]string{
		haiku: "messages", "anthropic.claude-new-1": "messages", "us.amazon.nova-pro-v1:0": "converse",
		"arn:aws:bedrock:us-east-1:1:application-inference-profile/x": "converse",
	} {
		if got := spoken(p, &llm.Request{Inbound: client{name: "messages"}}, &catalog.Model{ID: model}); got.Dialect != want || got.BaseURL != "http://127.0.0.1:9" {
			t.Errorf("%s in %s at %s", model, got.Dialect, got.BaseURL)
		}
		if got := spoken(p, &llm.Request{Inbound: client{name: "chat"}}, &catalog.Model{ID: model}); got.Dialect != "converse" {
			t.Errorf("%s for a chat client in %s", model, got.Dialect)
		}
	}
}

func TestBedrockKeys(t *testing.T) {
	c := startCloud(t, func(w http.ResponseWriter, _ *http.Request, _ string) { converseStream(t, w) })
	try := func(t *testing.T, h *house) asked {
		t.Helper()
		if got := h.chat("bedrock/"+haiku, `"stream":true`); got.status != 200 {
			t.Fatalf("%d %s", got.status, got.body)
		}
		return c.last(t)
	}
	t.Run("bearer", func(t *testing.T) {
		h := bedrockAt(t, c.URL, "", "AWS_BEARER_TOKEN_BEDROCK=ABSKcanary0123456789abcdef")
		if got := try(t, h).header.Get("Authorization"); got != "Bearer ABSKcanary0123456789abcdef" {
			t.Errorf("signed %s", got)
		}
	})
	t.Run("json", func(t *testing.T) {
		h := bedrockAt(t, c.URL, "")
		key := `{"Credentials": {"AccessKeyId": "` + awsAccess + `",` + "\n" + ` "SecretAccessKey": "` + awsSecret + `", "SessionToken": "` + awsSession + `"}}`
		if err := h.AddKey(t.Context(), "bedrock", "", key); err != nil {
			t.Fatal(err)
		}
		signedBy(t, try(t, h), "eu-west-1")
		for _, bad := range []string{`{`, `{"AccessKeyId":"x"}`, `{"Credentials":5}`} {
			if err := h.AddKey(t.Context(), "bedrock", "bad", bad); err == nil {
				t.Errorf("%s was stored", bad)
			}
		}
	})
	files := func(t *testing.T, name, text string) string {
		t.Helper()
		home := t.TempDir()
		if err := os.Mkdir(filepath.Join(home, ".aws"), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(home, ".aws", name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return "HOME=" + home
	}
	keysOf := fmt.Sprintf("aws_access_key_id = %s\naws_secret_access_key = %s\n", awsAccess, awsSecret)
	t.Run("profile", func(t *testing.T) {
		h := bedrockAt(t, c.URL, ", profile: work", files(t, "credentials", "[default]\naws_access_key_id = AKIAOTHER00000000001\naws_secret_access_key = x\n[work]\n"+keysOf), "AWS_BEARER_TOKEN_BEDROCK=ABSKother")
		signedBy(t, try(t, h), "eu-west-1")
		if r := h.rows(); r[0].Key != "profile work" {
			t.Errorf("key %q", r[0].Key)
		}
	})
	t.Run("default profile", func(t *testing.T) {
		home := files(t, "config", "[default]\n"+keysOf)
		signedBy(t, try(t, bedrockAt(t, c.URL, "", home)), "eu-west-1")
		// Files in the home folder are used only if config.yaml names the provider.
		h := open(t, "", home, "AWS_REGION=eu-west-1")
		if got := h.chat("bedrock/"+haiku, ""); got.status != 401 || !strings.Contains(got.body, "keytray keys add bedrock") {
			t.Errorf("%d %s", got.status, got.body)
		}
	})
	t.Run("no such profile", func(t *testing.T) {
		h := bedrockAt(t, c.URL, ", profile: nobody", files(t, "credentials", "[work]\n"+keysOf))
		before := len(c.all())
		got := h.chat("bedrock/"+haiku, "")
		if got.status != 401 || !strings.Contains(got.body, "profile nobody") || len(c.all()) != before {
			t.Errorf("%d %s", got.status, got.body)
		}
		h.hides(got.body, awsSecret)
	})
	t.Run("a program", func(t *testing.T) {
		profile := func(prints string) *house {
			return bedrockAt(t, c.URL, ", profile: p", files(t, "config", "[profile p]\ncredential_process = echo '"+prints+"'\n"))
		}
		signedBy(t, try(t, profile(fmt.Sprintf(`{"Version":1,"AccessKeyId":"%s","SecretAccessKey":"%s"}`, awsAccess, awsSecret))), "eu-west-1")
		for _, prints := range []string{awsSecret, fmt.Sprintf(`{"AccessKeyId":"%s","SecretAccessKey":%s}`, awsAccess, awsSecret)} {
			h := profile(prints)
			got := h.chat("bedrock/"+haiku, "")
			if got.status != 401 || !strings.Contains(got.body, "credential_process") {
				t.Errorf("%d %s", got.status, got.body)
			}
			h.hides(got.body, awsAccess, awsSecret)
		}
	})
	t.Run("sign-in stays on allowed hosts", func(t *testing.T) {
		sso := "[profile s]\nsso_session = x\nsso_account_id = 1\nsso_role_name = r\n[sso-session x]\nsso_region = xx-none-1\nsso_start_url = https://x.invalid/start\n"
		h := bedrockAt(t, c.URL, ", profile: s", files(t, "config", sso))
		if got := h.chat("bedrock/"+haiku, ""); got.status != 401 || !strings.Contains(got.body, "aws sso login --profile s") {
			t.Errorf("%d %s", got.status, got.body)
		}
	})
}

func TestBedrockHidesEveryPart(t *testing.T) {
	c := startCloud(t, func(w http.ResponseWriter, r *http.Request, _ string) {
		w.Header().Set("x-amzn-ErrorType", "InvalidSignatureException:http://internal/")
		w.WriteHeader(403)
		fmt.Fprintf(w, `{"message":"%s does not match %s with %s"}`, awsAccess, awsSecret, awsSession)
	})
	h := bedrockAt(t, c.URL, "")
	if err := h.AddKey(t.Context(), "bedrock", "", awsAccess+":"+awsSecret+":"+awsSession); err != nil {
		t.Fatal(err)
	}
	got := h.chat("bedrock/"+haiku, "")
	if got.status != 401 || !strings.Contains(got.body, "does not match") {
		t.Errorf("%d %s", got.status, got.body)
	}
	h.hides(got.body, awsAccess, awsSecret, awsSession)
	test, err := h.TestKey(t.Context(), "bedrock", "")
	if err == nil || strings.Contains(err.Error()+test.Said, "canary") { // its host is AWS's, which no test may call
		t.Logf("%v %+v", err, test)
	}
}

func TestBedrockNeedsARegion(t *testing.T) {
	h := open(t, "", "AWS_BEARER_TOKEN_BEDROCK=ABSKcanary0123456789abcdef")
	got := h.chat("bedrock/"+haiku, "")
	if got.status != 404 || !strings.Contains(got.body, "needs a region") || !strings.Contains(got.body, "AWS_REGION") {
		t.Errorf("%d %s", got.status, got.body)
	}
	for _, m := range h.Models(t.Context()) {
		if m.Provider == "bedrock" {
			t.Fatalf("%s is listed", m.ID)
		}
	}
	said := ""
	for _, c := range h.Doctor(t.Context()) {
		said += c.Said + "\n"
	}
	if !strings.Contains(said, "needs a region") {
		t.Errorf("the check-up says nothing of it:\n%s", said)
	}
	h = open(t, "", "AWS_BEARER_TOKEN_BEDROCK=ABSKcanary0123456789abcdef", "AWS_REGION=us-west-2")
	p, _ := h.catalog.Load().Provider("bedrock")
	if p.BaseURL != "https://bedrock-runtime.us-west-2.amazonaws.com" || p.Unusable != "" {
		t.Errorf("%s %s", p.BaseURL, p.Unusable)
	}
	if host := h.untrusted(p); host != "" {
		t.Errorf("%s is not trusted", host)
	}
}

// A raw call is signed over its whole body too.
func TestBedrockRaw(t *testing.T) {
	c := startCloud(t, func(w http.ResponseWriter, _ *http.Request, _ string) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"output":{}}`)
	})
	h := bedrockAt(t, c.URL, "", "AWS_ACCESS_KEY_ID="+awsAccess, "AWS_SECRET_ACCESS_KEY="+awsSecret)
	const body = `{"messages":[{"role":"user","content":[{"text":"hello there"}]}]}`
	r := h.do("POST", "/p/bedrock/model/"+strings.ReplaceAll(haiku, ":", "%3A")+"/converse", body, "Content-Type", "application/json")
	if r.status != 200 || r.body != `{"output":{}}` {
		t.Fatalf("%d %s", r.status, r.body)
	}
	call := c.last(t)
	if call.body != body {
		t.Errorf("Bedrock got %q", call.body)
	}
	signedBy(t, call, "eu-west-1")
}
