package app

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"keytray/proxy/proxytest"
)

// npmClients are scripts in testdata/npm and their argument: the official
// JavaScript libraries, which check answers more strictly than others.
var npmClients = [][]string{
	{"openai-chat.mjs"},
	{"openai-responses.mjs"},
	{"anthropic.mjs"},
	{"google.mjs"},
	{"ollama.mjs"},
	{"ai.mjs", "chat"},
	{"ai.mjs", "compatible"},
	{"ai.mjs", "anthropic"},
	{"ai.mjs", "google"},
	{"ai.mjs", "responses"},
	{"ai.mjs", "kept"},
}

// TestNPM runs each library against a Keytray of its own process, whose
// providers are a test provider in each of its dialects, and the real Ollama.
func TestNPM(t *testing.T) {
	folder := npmInstall(t)
	home := t.TempDir()
	provider := proxytest.NewByModel()
	byName := provider.Choose
	provider.Choose = func(seen *proxytest.Seen) proxytest.Script {
		s := byName(seen)
		if s.Fault == proxytest.FaultError || s.Fault == proxytest.FaultCut {
			s.Every = 5 * time.Millisecond // the answer begins before it fails
		}
		return s
	}
	url := proxytest.Start(t, provider).URL
	config := "keep_responses: true\nproviders:\n" +
		"  openai: {base_url: " + url + "/v1}\n" +
		"  anthropic: {base_url: " + url + "/v1}\n" +
		"  google: {base_url: " + url + "/v1beta}\n" +
		"  lab: {dialect: ollama, base_url: " + url + ", key_env: LAB_KEY, models: [text]}\n"
	if err := os.WriteFile(filepath.Join(home, "config.yaml"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	ollama := proxytest.StartOllama(t)
	address := serve(t, "KEYTRAY_HOME="+home, "KEYTRAY_TOKEN=kt-test", "DBUS_SESSION_BUS_ADDRESS=",
		"OPENAI_API_KEY="+canary, "ANTHROPIC_API_KEY="+canary, "GEMINI_API_KEY="+canary, "LAB_KEY="+canary,
		"OLLAMA_HOST="+strings.TrimPrefix(ollama.URL, "http://"))
	upstreams := `{"chat":"openai/","messages":"anthropic/","gemini":"google/","ollama":"lab/"}`
	answer, err := json.Marshal(map[string]string{"model": "ollama/" + proxytest.TinyModel, "text": proxytest.TinyText})
	if err != nil {
		t.Fatal(err)
	}
	for _, script := range npmClients {
		t.Run(strings.Join(script, " "), func(t *testing.T) {
			t.Parallel()
			cmd := exec.CommandContext(t.Context(), "node", script...)
			cmd.Dir = folder
			cmd.Env = append(os.Environ(), "KEYTRAY_URL="+address, "KEYTRAY_TOKEN=kt-test", "UPSTREAMS="+upstreams, "REAL="+string(answer),
				"NO_PROXY=127.0.0.1", "NODE_NO_WARNINGS=1", "AI_SDK_LOG_WARNINGS=false")
			var stderr bytes.Buffer
			cmd.Stderr = &stderr
			out, err := cmd.Output()
			passed := 0
			for line := range strings.Lines(string(out)) {
				line = strings.TrimSuffix(line, "\n")
				if strings.HasPrefix(line, "ok ") {
					passed++
				} else {
					t.Error(line)
				}
			}
			if err != nil || passed == 0 {
				t.Errorf("%d checks passed, then %v\n%s", passed, err, stderr.String())
			}
			t.Logf("%d checks", passed)
		})
	}
}

// npmInstall copies testdata/npm into .build/npm, and has npm install there
// what the lock file says unless it is there already.
func npmInstall(t *testing.T) string {
	t.Helper()
	for _, program := range []string{"node", "npm"} {
		if _, err := exec.LookPath(program); err != nil {
			if os.Getenv("CI") == "true" {
				t.Fatalf("%s is missing: packaging/scripts/deps.sh test installs it", program)
			}
			t.Skipf("%s is missing, so the JavaScript libraries are not tested", program)
		}
	}
	folder, err := filepath.Abs("../.build/npm")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("testdata/npm/*")
	if err != nil || len(files) == 0 {
		t.Fatal("no scripts", err)
	}
	var lock []byte
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if filepath.Base(f) == "package-lock.json" {
			lock = b
		}
		if err := os.WriteFile(filepath.Join(folder, filepath.Base(f)), b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	sum := sha256.Sum256(lock)
	want, done := hex.EncodeToString(sum[:]), filepath.Join(folder, "installed")
	if got, err := os.ReadFile(done); err == nil && string(got) == want {
		return folder
	}
	cmd := exec.CommandContext(t.Context(), "npm", "ci", "--ignore-scripts", "--omit=optional", "--no-audit", "--no-fund", "--loglevel=error")
	cmd.Dir = folder
	if out, err := cmd.CombinedOutput(); err != nil {
		if os.Getenv("CI") != "true" {
			t.Skipf("npm could not install the JavaScript libraries: %v\n%s", err, out)
		}
		t.Fatalf("npm ci: %v\n%s", err, out)
	}
	if err := os.WriteFile(done, []byte(want), 0o644); err != nil {
		t.Fatal(err)
	}
	return folder
}

// serve starts the program that KEYTRAY_BIN names, else one built now, and
// returns its URL.
func serve(t *testing.T, env ...string) string {
	t.Helper()
	bin := os.Getenv("KEYTRAY_BIN")
	if bin == "" {
		bin = filepath.Join(t.TempDir(), "keytray")
		cmd := exec.CommandContext(t.Context(), "go", "build", "-tags", "nogui", "-o", bin, ".")
		cmd.Dir = ".."
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("go build: %v\n%s", err, out)
		}
	}
	cmd := exec.CommandContext(t.Context(), bin, "serve", "--listen", "127.0.0.1:0")
	cmd.Env = append(os.Environ(), env...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	said := make(chan struct{})
	address := ""
	lines := bufio.NewScanner(out)
	for address == "" && lines.Scan() {
		address, _ = strings.CutPrefix(lines.Text(), "listening ")
	}
	go func() {
		defer close(said)
		for lines.Scan() {
		}
	}()
	t.Cleanup(func() { // the test's context has ended
		<-said
		_ = cmd.Wait() // it was interrupted
	})
	if !strings.HasPrefix(address, "http://") {
		t.Fatalf("keytray serve did not say where it listens: %q\n%s", address, stderr.String())
	}
	return address
}
