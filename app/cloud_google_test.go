package app

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"keytray/assets"
	"keytray/proxy/catalog"
)

const accessToken = "ya29.canary-5d41402abc4b2a76b9719d911017c592"

// account is a service account made for a test.
func account(t *testing.T) (file string, key *rsa.PrivateKey) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.MarshalIndent(map[string]string{
		"type": "service_account", "project_id": "p-1", "private_key_id": "kid-1", "client_email": "a@p-1.example",
		"private_key": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})),
		"token_uri":   "https://elsewhere.invalid/token", "client_id": "5", "auth_uri": "https://x.invalid",
	}, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return string(b), key
}

// assertion checks a service account's signed claim and returns its payload.
func assertion(t *testing.T, jwt string, key *rsa.PublicKey) map[string]any {
	t.Helper()
	parts := strings.Split(jwt, ".")
	if len(parts) != 3 {
		t.Fatalf("the assertion has %d parts", len(parts))
	}
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	sig, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil {
		t.Fatal(err)
	}
	if err := rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], sig); err != nil {
		t.Errorf("the assertion is not signed by the key: %v", err)
	}
	raw, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	var claims map[string]any
	if err := json.Unmarshal(raw, &claims); err != nil {
		t.Fatal(err)
	}
	return claims
}

// vertexAt is a Keytray whose Vertex AI, and whose Google that gives tokens,
// are test servers.
func vertexAt(t *testing.T, base, tokens string, helper bool, env ...string) *house {
	t.Helper()
	h := open(t, fmt.Sprintf("providers:\n  vertex: {base_url: %s/v1/projects/p-1/locations/global/publishers/google, project: p-1}\n", base), env...)
	b, err := fs.ReadFile(assets.Providers(), "vertex.json")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.ReplaceAll(string(b), "https://oauth2.googleapis.com/token", tokens+"/token")
	if helper {
		text = strings.ReplaceAll(text, `"oauth2.googleapis.com"`, `"`+hostname(tokens)+`"`)
	}
	if h.base, err = catalog.Load(fstest.MapFS{"vertex.json": {Data: []byte(text)}}); err != nil {
		t.Fatal(err)
	}
	h.learn(h.config.Current())
	return h
}

func TestVertex(t *testing.T) {
	file, key := account(t)
	var claims map[string]any
	google := startCloud(t, func(w http.ResponseWriter, r *http.Request, body string) {
		form := r.URL.Query()
		if err := r.ParseForm(); err == nil {
			form = r.Form
		}
		for _, pair := range strings.Split(body, "&") {
			if k, v, _ := strings.Cut(pair, "="); k == "assertion" {
				form.Set(k, v)
			}
		}
		claims = assertion(t, form.Get("assertion"), &key.PublicKey)
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"access_token":%q,"token_type":"Bearer","expires_in":3600}`, accessToken)
	})
	c := startCloud(t, func(w http.ResponseWriter, r *http.Request, _ string) {
		w.Header().Set("Content-Type", "application/json")
		if strings.Contains(r.URL.Path, "anthropic") {
			_, _ = io.WriteString(w, `{"id":"m","type":"message","role":"assistant","model":"claude","content":[{"type":"text","text":"Hi from Claude"}],"stop_reason":"end_turn","usage":{"input_tokens":1000,"output_tokens":100}}`)
			return
		}
		_, _ = io.WriteString(w, `{"candidates":[{"content":{"role":"model","parts":[{"text":"Hi from Gemini"}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":3,"candidatesTokenCount":2,"totalTokenCount":5}}`)
	})
	h := vertexAt(t, c.URL, google.URL, true)
	if err := h.AddKey(t.Context(), "vertex", "", file); err != nil {
		t.Fatal(err)
	}
	for model, want := range map[string][2]string{
		"vertex/gemini-2.5-flash":           {"/v1/projects/p-1/locations/global/publishers/google/models/gemini-2.5-flash:generateContent", "Hi from Gemini"},
		"vertex/claude-sonnet-4-5@20250929": {"/v1/projects/p-1/locations/global/publishers/anthropic/models/claude-sonnet-4-5@20250929:rawPredict", "Hi from Claude"},
	} {
		got := h.chat(model, "")
		call := c.last(t)
		if got.status != 200 || !strings.Contains(got.body, want[1]) || call.path != want[0] {
			t.Errorf("%s: called %s, got %d %s", model, call.path, got.status, got.body)
		}
		if call.header.Get("Authorization") != "Bearer "+accessToken {
			t.Errorf("signed %s", call.header.Get("Authorization"))
		}
		if strings.Contains(model, "claude") && !strings.HasPrefix(call.body, `{"anthropic_version":"vertex-2023-10-16","max_tokens":`) {
			t.Errorf("sent %s", call.body)
		}
	}
	if n := len(google.all()); n != 1 {
		t.Errorf("%d tokens were asked for", n)
	}
	if claims["iss"] != "a@p-1.example" || claims["aud"] != google.URL+"/token" || claims["scope"] != "https://www.googleapis.com/auth/cloud-platform" {
		t.Errorf("claims %v", claims)
	}
	// A messages client's own bytes go to Claude.
	resp, err := h.send("messages", "vertex/claude-sonnet-4-5@20250929", `{"model":"vertex/claude-sonnet-4-5@20250929","max_tokens":5,"messages":[]}`, false, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if call := c.last(t); !resp.Copied || call.body != `{"anthropic_version":"vertex-2023-10-16","max_tokens":5,"messages":[]}` {
		t.Errorf("sent %s", call.body)
	}
	h.hides("", accessToken, file[200:260])
}

func TestVertexRefusals(t *testing.T) {
	file, _ := account(t)
	google := startCloud(t, func(w http.ResponseWriter, _ *http.Request, _ string) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(400)
		_, _ = io.WriteString(w, `{"error":"invalid_grant","error_description":"Invalid JWT: account not found"}`)
	})
	c := startCloud(t, func(http.ResponseWriter, *http.Request, string) {})
	h := vertexAt(t, c.URL, google.URL, true)
	if err := h.AddKey(t.Context(), "vertex", "", file); err != nil {
		t.Fatal(err)
	}
	got := h.chat("vertex/gemini-2.5-flash", "")
	if got.status != 401 || !strings.Contains(got.body, "account not found") || len(c.all()) > 0 {
		t.Errorf("%d %s", got.status, got.body)
	}
	// The exchange goes to an allowed host only.
	before := len(google.all())
	h = vertexAt(t, c.URL, strings.Replace(google.URL, "127.0.0.1", "localhost", 1), false)
	if err := h.AddKey(t.Context(), "vertex", "", file); err != nil {
		t.Fatal(err)
	}
	if got := h.chat("vertex/gemini-2.5-flash", ""); got.status < 400 || len(google.all()) != before || len(c.all()) > 0 {
		t.Errorf("%d %s, %d calls", got.status, got.body, len(google.all())-before)
	}
	for _, bad := range []string{`{}`, `{"type":"service_account"}`, `{"type":"external_account"}`, `{`} {
		if err := h.AddKey(t.Context(), "vertex", "bad", bad); err == nil || strings.Contains(err.Error(), "PRIVATE") {
			t.Errorf("%s: %v", bad, err)
		}
	}
	h = open(t, "")
	if got := h.chat("vertex/gemini-2.5-flash", ""); got.status != 404 || !strings.Contains(got.body, "needs a project") {
		t.Errorf("%d %s", got.status, got.body)
	}
}

// TestVertexFiles uses the files of Google's own tools.
func TestVertexFiles(t *testing.T) {
	file, _ := account(t)
	google := startCloud(t, func(w http.ResponseWriter, _ *http.Request, _ string) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"access_token":%q,"token_type":"Bearer","expires_in":3600}`, accessToken)
	})
	c := startCloud(t, func(w http.ResponseWriter, _ *http.Request, _ string) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"candidates":[{"content":{"parts":[{"text":"Hi"}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":3,"candidatesTokenCount":2}}`)
	})
	home := t.TempDir()
	write := func(name, text string) string {
		name = filepath.Join(home, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	named := write("sa.json", file)
	h := vertexAt(t, c.URL, google.URL, true, "GOOGLE_APPLICATION_CREDENTIALS="+named)
	if got := h.chat("vertex/gemini-2.5-flash", ""); got.status != 200 {
		t.Errorf("%d %s", got.status, got.body)
	}
	write(".config/gcloud/application_default_credentials.json",
		`{"type":"authorized_user","client_id":"id","client_secret":"canary-client-secret","refresh_token":"canary-refresh-token","quota_project_id":"q-1"}`)
	h = vertexAt(t, c.URL, google.URL, true, "HOME="+home)
	got := h.chat("vertex/gemini-2.5-flash", "")
	if call := c.last(t); got.status != 200 || call.header.Get("X-Goog-User-Project") != "q-1" || call.header.Get("Authorization") != "Bearer "+accessToken {
		t.Errorf("%d %s, %v", got.status, got.body, call.header)
	}
	if body := google.last(t).body; !strings.Contains(body, "refresh_token=canary-refresh-token") {
		t.Errorf("asked with %s", body)
	}
	h.hides(got.body, "canary-refresh-token", "canary-client-secret", accessToken)
}
