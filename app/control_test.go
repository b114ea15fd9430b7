package app

import (
	"errors"
	"io/fs"
	"os"
	"runtime"
	"strings"
	"testing"
)

// K1: a web page reaches nothing of the running Keytray, under any name.
func TestControlIsForThisUserAlone(t *testing.T) {
	h := open(t, "")
	shown := 0
	h.OnShow(func() { shown++ })
	r, err := readRunning(h.runningFile())
	if err != nil {
		t.Fatal(err)
	}
	proof := func(what string, more ...string) []string {
		return append([]string{nonceHeader, "n", askedHeader, prove(r.Secret, askedHeader, what, "n")}, more...)
	}
	for _, c := range []struct {
		method, path string
		header       []string
		want         int
	}{
		{"POST", "here", proof("here"), 204},
		{"POST", "show", proof("show"), 204},
		{"POST", "keys", proof("keys"), 204},
		{"POST", "config", proof("config"), 204},
		{"POST", "tokens", proof("tokens"), 204},
		{"POST", "test?provider=x", proof("test?provider=x"), 200},
		{"POST", "other", proof("other"), 404},
		{"GET", "show", proof("show"), 403},
		{"POST", "show", nil, 403},
		{"POST", "show", proof("keys"), 403}, // of another question
		{"POST", "test?provider=x", proof("test?provider=y"), 403},
		{"POST", "show", proof("show", nonceHeader, "m"), 403}, // of another time
		{"POST", "show", proof("show", nonceHeader, ""), 403},
		{"POST", "show", proof("show", askedHeader, prove(r.Secret, answeredHeader, "show", "n")), 403}, // of the other side
		{"POST", "show", proof("show", askedHeader, prove("", askedHeader, "show", "n")), 403},
		{"POST", "show", proof("show", askedHeader, r.Secret), 403},
		{"POST", "show", proof("show", "Origin", "https://evil.example"), 403},
		{"POST", "show", proof("show", "Host", "evil.example:5397"), 403},
		{"OPTIONS", "show", []string{"Origin", "https://evil.example", "Access-Control-Request-Method", "POST"}, 403},
	} {
		got := h.do(c.method, "/keytray/"+c.path, "", c.header...)
		if got.status != c.want || got.header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s %s %v: %d", c.method, c.path, c.header[min(4, len(c.header)):], got.status)
		}
		if holds := got.header.Get(answeredHeader) != ""; holds != (c.want != 403) {
			t.Errorf("%s %s: %d, and a proof: %v", c.method, c.path, got.status, holds)
		}
	}
	if shown != 1 {
		t.Errorf("shown %d times", shown)
	}
	if info, err := os.Stat(h.runningFile()); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
}

func TestSecondInstance(t *testing.T) {
	h := open(t, "")
	if _, err := Open(t.Context(), h.opt); !errors.Is(err, ErrRunning) {
		t.Errorf("a second one that serves: %v", err)
	}
	if err := ShowRunning(t.Context(), h.paths.DataFolder); !errors.Is(err, errNoWindow) {
		t.Errorf("there is no window: %v", err)
	}
	o := h.opt
	o.Serve = false
	command, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer command.Close()
	addr, _ := h.Addr()
	if got, err := command.RunningAddress(t.Context()); err != nil || got != addr {
		t.Errorf("%s, %v", got, err)
	}
	h.chat("demo/echo", "")
	if sum, err := command.Today(t.Context()); err != nil || sum.Calls != 1 {
		t.Errorf("%+v, %v", sum, err)
	}
	token, err := command.Token(t.Context(), "aider")
	if err != nil || !token.Made {
		t.Fatal(token.Made, err)
	}
	h.token = token.Text // it was told
	if r := h.chat("demo/echo", ""); r.status != 200 || h.last().Tool != "aider" {
		t.Errorf("%d, tool %s", r.status, h.last().Tool)
	}
	r, err := readRunning(h.runningFile())
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := readRunning(h.runningFile()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the file is left: %v", err)
	}
	// One that was killed leaves it.
	if err := os.WriteFile(h.runningFile(), []byte(`{"address":"`+r.Address+`","secret":"x"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := command.RunningAddress(t.Context()); err == nil || !strings.Contains(err.Error(), "is running: start it") {
		t.Errorf("%v", err)
	}
	if err := ShowRunning(t.Context(), h.paths.DataFolder); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v", err)
	}
}

func TestLaunch(t *testing.T) {
	h := open(t, "", "NO_PROXY=corp.example")
	for tool, want := range map[string]string{"aider": "OPENAI_API_BASE=http://a/v1", "Goose.exe": "OPENAI_HOST=http://a", "mine": "OPENAI_BASE_URL=http://a/v1", "claude": "ANTHROPIC_API_KEY=", "gemini": "GOOGLE_GEMINI_BASE_URL=http://a", "opencode": `"demo/echo":{"name":"demo/echo"}`} {
		l, err := h.Launch(t.Context(), tool, "http://a")
		if err != nil {
			t.Fatal(err)
		}
		env := strings.Join(l.Env, " ")
		if strings.Contains(strings.Join(l.Args, " "), "kt-local") {
			t.Errorf("%s: its arguments, which other programs see, hold the token", tool)
		}
		for _, w := range []string{want, "NO_PROXY=corp.example,127.0.0.1,localhost", "no_proxy=corp.example,"} {
			if !strings.Contains(env, w) {
				t.Errorf("%s: no %s", tool, w)
			}
		}
	}
	if got := len(h.Tokens()); got != 7 { // and KEYTRAY_TOKEN's
		t.Errorf("%d tokens", got)
	}
}

func TestLaunchCodex(t *testing.T) {
	h := open(t, "")
	l, err := h.Launch(t.Context(), "codex", "http://a")
	if err != nil {
		t.Fatal(err)
	}
	if want := `-c model_provider="keytray" -c model_providers.keytray={name="Keytray",base_url="http://a/v1",wire_api="responses",env_key="KEYTRAY_TOKEN"}`; strings.Join(l.Args, " ") != want {
		t.Errorf("args %s", l.Args)
	}
}

func TestDoctor(t *testing.T) {
	h := open(t, "listen: "+occupied(t).Addr().String()+"\nproviders: {openai: {base_url: 'https://evil.example/v1'}}\n", "OPENAI_API_KEY="+canary)
	said := func() string {
		var all strings.Builder
		for _, c := range h.Doctor(t.Context()) {
			all.WriteString(c.Name + ": " + c.Said + "\n")
			if !c.OK && c.Remedy == "" {
				t.Errorf("%s: %s, and nothing to do", c.Name, c.Said)
			}
		}
		return all.String()
	}
	mustNotHold(t, "doctor", said())
	addr, _ := h.Addr()
	for _, want := range []string{"Front door: http://" + addr, "points to evil.example", "Ollama: no answer"} {
		if got := said(); !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	h.server.close()
	if got := said(); !strings.Contains(got, "another program answers at") {
		t.Errorf("%s", got)
	}
}
