package app

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"

	"keytray/proxy/proxytest"
	"keytray/store/keys"
)

// given is a Keytray that has an OpenAI key from --key, a Groq key from its
// environment and a Mistral key in the keychain.
func given(t *testing.T) (*house, *proxytest.Provider) {
	t.Helper()
	p := proxytest.New()
	s := proxytest.Start(t, p)
	h := open(t, "providers:\n  openai: {base_url: "+s.URL+"/v1}\n")
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	vars := map[string]string{"KEYTRAY_HOME": h.home, "OLLAMA_HOST": "127.0.0.1:1", "KEYTRAY_TOKEN": "kt-test", "GROQ_API_KEY": canary + "-groq2222"}
	var err error
	h.App, err = Open(t.Context(), Options{
		Serve: true, Listen: "127.0.0.1:0", Keychain: &keys.Memory{}, Keys: map[string]string{"openai": canary + "-flag1111"},
		Getenv: func(k string) string { return vars[k] }, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.App.Close() })
	if err := h.Start(); err != nil {
		t.Fatal(err)
	}
	if err := h.AddKey(t.Context(), "mistral", "", canary+"-chain3333"); err != nil {
		t.Fatal(err)
	}
	return h, p
}

func line(k Key) string {
	use := ""
	if k.InUse {
		use = " in use"
	}
	return k.Provider + " " + k.Label + " " + k.Hint + " " + k.Where + use
}

func lines(all []Key) []string {
	var out []string
	for _, k := range all {
		out = append(out, line(k))
	}
	return out
}

// A command shows the keys that only the running Keytray was given, and tells
// them from those that only its own terminal has.
func TestKeysOfTheRunningOne(t *testing.T) {
	h, p := given(t)
	command := beside(t, h, "GROQ_API_KEY="+canary+"-groq2222", "XAI_API_KEY="+canary+"-here4444")
	got, err := command.Keys(t.Context())
	want := []string{
		"groq GROQ_API_KEY ••••2222 from GROQ_API_KEY in use",
		"mistral default ••••3333 in memory until Keytray ends in use",
		"openai flag ••••1111 from --key of the running Keytray in use",
		"xai XAI_API_KEY ••••4444 from XAI_API_KEY of this terminal alone",
	}
	if err != nil || !slices.Equal(lines(got), want) {
		t.Errorf("%v\n%s", err, strings.Join(lines(got), "\n"))
	}
	if got := lines(command.CachedKeys()); !slices.Equal(got, want) {
		t.Errorf("from memory:\n%s", strings.Join(got, "\n"))
	}
	said := ""
	for _, c := range command.Doctor(t.Context()) {
		said += c.Name + ": " + c.Said + "\n"
	}
	if !strings.Contains(said, "Keys: groq from GROQ_API_KEY, mistral in memory until Keytray ends, openai from --key of the running Keytray\n") {
		t.Errorf("doctor says\n%s", said)
	}
	listed := func(a *App) (providers []string) {
		for _, m := range a.Models(t.Context()) {
			if !slices.Contains(providers, m.Provider) {
				providers = append(providers, m.Provider)
			}
		}
		return providers
	}
	if mine, its := listed(command), listed(h.App); !slices.Equal(mine, its) || !slices.Contains(mine, "openai") {
		t.Errorf("the command lists the models of %v, the running Keytray those of %v", mine, its)
	}

	// The switch takes what the running one can call, and nothing else.
	if err := command.Use("openai"); err != nil || h.Settings().Active != "openai" {
		t.Errorf("%s, %v", h.Settings().Active, err)
	}
	if err := command.Use("xai"); err == nil || !strings.Contains(err.Error(), "what is set in this terminal is not its own") {
		t.Errorf("%v", err)
	}

	// A test of the key in use is made by who uses it.
	tested, err := command.TestKey(t.Context(), "openai", "")
	if err != nil || !tested.OK || line(tested.Checked) != want[2] {
		t.Errorf("%+v, %v", tested, err)
	}
	if r := p.Requests(); len(r) != 1 || r[0].Header.Get("Authorization") != "Bearer "+canary+"-flag1111" {
		t.Errorf("the provider was asked %d times", len(r))
	}
	if _, err := command.TestKey(t.Context(), "openai", "work"); err == nil || !strings.Contains(err.Error(), `no key labelled "work"`) {
		t.Errorf("%v", err)
	}

	// Once it has gone, the command sees its own.
	if err := h.App.Close(); err != nil {
		t.Fatal(err)
	}
	got, err = command.Keys(t.Context())
	if want := []string{
		"groq GROQ_API_KEY ••••2222 from GROQ_API_KEY in use",
		"mistral default ••••3333 in memory until Keytray ends in use",
		"xai XAI_API_KEY ••••4444 from XAI_API_KEY in use",
	}; err != nil || !slices.Equal(lines(got), want) {
		t.Errorf("%v\n%s", err, strings.Join(lines(got), "\n"))
	}
	if slices.Contains(listed(command), "openai") {
		t.Error("models of a key that is gone are listed")
	}
}

// No secret crosses from the running Keytray to a command, and none in part
// but for the last characters that every list shows.
func TestNoSecretCrosses(t *testing.T) {
	h, _ := given(t)
	r, err := readRunning(h.runningFile())
	if err != nil {
		t.Fatal(err)
	}
	for _, what := range []string{"here", "holdings", "strangers", "keys", "config", "tokens", "prices", "test?provider=openai", "test?provider=groq&label=nobody"} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+r.Address+controlPath+what, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set(nonceHeader, "n")
		req.Header.Set(askedHeader, prove(r.Secret, askedHeader, questionOf(req), "n"))
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || resp.StatusCode >= 300 {
			t.Fatalf("%s: %d, %v", what, resp.StatusCode, err)
		}
		header, err := json.Marshal(resp.Header)
		if err != nil {
			t.Fatal(err)
		}
		all := string(header) + string(b)
		mustNotHold(t, what, all)
		for _, secret := range []string{r.Secret, "kt-test", "flag1111", "groq2222", "chain3333"} {
			if strings.Contains(all, secret) {
				t.Errorf("%s: the answer holds %s", what, secret)
			}
		}
		if what == "holdings" && !strings.Contains(all, "••••1111") {
			t.Errorf("nothing was looked at: %s", all)
		}
	}
}
