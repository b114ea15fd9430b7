package app

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"os"
	"strings"
	"testing"
	"time"
)

// beside is a command in the folder of h, with an environment of its own.
func beside(t *testing.T, h *house, env ...string) *App {
	t.Helper()
	vars := map[string]string{"KEYTRAY_HOME": h.home, "OLLAMA_HOST": "127.0.0.1:1"}
	for _, e := range env {
		k, v, _ := strings.Cut(e, "=")
		vars[k] = v
	}
	o := h.opt
	o.Serve, o.Getenv, o.Keys = false, func(k string) string { return vars[k] }, nil
	command, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := command.Close(); err != nil {
			t.Error(err)
		}
	})
	return command
}

// left puts a running.json in place that a Keytray left when it died.
func left(t *testing.T, a *App, r running) {
	t.Helper()
	b, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(a.runningFile(), b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// A program that has taken the port of a Keytray that died gets no token, no
// secret and no word that is of use, whatever it answers.
func TestImpostor(t *testing.T) {
	h := open(t, "")
	real, err := readRunning(h.runningFile())
	if err != nil {
		t.Fatal(err)
	}
	// What a real one answered, as it was heard by who answers now.
	heard, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+real.Address+"/keytray/here", nil)
	if err != nil {
		t.Fatal(err)
	}
	heard.Header.Set(nonceHeader, "old")
	heard.Header.Set(askedHeader, prove(real.Secret, askedHeader, "here", "old"))
	resp, err := http.DefaultClient.Do(heard)
	if err != nil || resp.StatusCode != http.StatusNoContent {
		t.Fatal(resp, err)
	}
	resp.Body.Close()
	replay := resp.Header.Get(answeredHeader)
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	command := beside(t, h)
	if _, err := command.Token(t.Context(), "claude"); err != nil { // it has one to lose
		t.Fatal(err)
	}
	for name, answer := range map[string]http.HandlerFunc{
		"healthy":  func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok\n")) },
		"obliging": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) },
		"forbids":  func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) },
		"hangs up": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"points on": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
		},
		"replays": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set(answeredHeader, replay)
			w.WriteHeader(http.StatusNoContent)
		},
		"reflects": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set(answeredHeader, r.Header.Get(askedHeader))
			w.WriteHeader(http.StatusNoContent)
		},
	} {
		t.Run(name, func(t *testing.T) {
			var took strings.Builder
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				b, _ := httputil.DumpRequest(r, true)
				took.Write(b)
				answer(w, r)
			}))
			defer s.Close()
			left(t, command, running{s.Listener.Addr().String(), real.Secret, real.PID})
			_, err := command.RunningAddress(t.Context())
			if err == nil || !strings.Contains(err.Error(), "something else answers on "+s.Listener.Addr().String()) || !strings.Contains(err.Error(), "choose another address") {
				t.Errorf("run: %v", err)
			}
			for _, what := range []string{"show", "keys", "config", "strangers", "holdings"} {
				if err := command.tell(t.Context(), what); !errors.As(err, new(impostor)) {
					t.Errorf("%s: %v", what, err)
				}
			}
			if err := command.Use("auto"); err != nil {
				t.Errorf("the switch is turned all the same: %v", err)
			}
			s.Close() // and with it the log
			if got := took.String(); strings.Contains(got, real.Secret) || strings.Contains(got, "kt-local") || got == "" {
				t.Errorf("it was told\n%s", got)
			}
			said := ""
			for _, c := range command.Doctor(t.Context()) {
				said += c.Name + ": " + c.Said + "\n"
			}
			if !strings.Contains(said, "Front door: Keytray is not running") {
				t.Errorf("once nobody answers there:\n%s", said)
			}
		})
	}
}

// One that takes calls and never answers is no Keytray that can be waited for.
func TestSilentImpostor(t *testing.T) {
	h := open(t, "")
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	command := beside(t, h)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	left(t, command, running{Address: l.Addr().String(), Secret: "s"})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := command.RunningAddress(ctx); err == nil || !strings.Contains(err.Error(), "does not answer: if it is Keytray, stop it") {
		t.Errorf("%v", err)
	}
}

// The doctor names what has taken Keytray's place.
func TestDoctorNamesAnImpostor(t *testing.T) {
	h := open(t, "")
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	command := beside(t, h)
	s := httptest.NewServer(http.NotFoundHandler())
	defer s.Close()
	left(t, command, running{Address: s.Listener.Addr().String(), Secret: "s"})
	for _, c := range command.Doctor(t.Context()) {
		if c.Name == "Front door" && (c.OK || !strings.HasPrefix(c.Said, "something else answers on") || !strings.HasPrefix(c.Remedy, "stop it, or choose")) {
			t.Errorf("%+v", c)
		}
	}
}
