package app

import (
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A name that nobody knows is used all the same, with a word about it.
func TestDoubts(t *testing.T) {
	api := &anAPI{}
	api.says("GET /api/tags", `{"models":[{"name":"qwen3:latest","size":9},{"name":"llama3:8b","size":9}]}`)
	server := httptest.NewServer(api)
	t.Cleanup(server.Close)
	h := open(t, "providers:\n  lab: {dialect: chat, base_url: http://127.0.0.1:9/v1, models: [text-large]}\n  blank: {dialect: chat, base_url: http://127.0.0.1:9/v1}\n"+
		"  ollama: {base_url: "+server.URL+"}\n  bedrock: {region: us-east-1}\nroutes:\n  safe: demo/echo\n", "OPENAI_API_KEY="+canary)
	for name, want := range map[string]string{
		"safe": "", "demo/echo": "", "openai/": "", "openai/gpt-5": "", "gpt-5": "", "claude-opus-4-7": "", "anthropic/claude-opus-4-7": "",
		"openai/gpt-oss-120b": "", "meta-llama/llama-3.3-70b-instruct": "", "lab/text-large": "", "blank/anything": "",
		"ollama/qwen3": "", "qwen3": "", "ollama/llama3:8b": "", "ollama/gpt-oss:120b-cloud": "",
		"bedrock/us.anthropic.claude-haiku-4-5-20251001-v1:0": "",

		"saef":                "nobody serves a model named saef; did you mean safe?",
		"demo/ecco":           "the demo provider has no model but demo/echo",
		"openai/gpt-4o-minni": "no list of openai's models has gpt-4o-minni; did you mean openai/gpt-4o-mini?",
		"gpt-4o-minni":        "nobody serves a model named gpt-4o-minni; did you mean openai/gpt-4o-mini",
		"lab/text-lrage":      "no list of lab's models has text-lrage; did you mean lab/text-large?",
		"lab/zzz":             "no list of lab's models has zzz",
		"ollama/qwen33":       "Ollama has no model qwen33 (did you mean ollama/qwen3?): `ollama pull qwen33` fetches it",
		"ollama/zzzzzzzz":     "Ollama has no model zzzzzzzz: `ollama pull zzzzzzzz` fetches it",
		"no\x1bsuch":          "nobody serves a model named no\uFFFDsuch",
	} {
		got := h.table.Load().doubt(name)
		if want == "" && got != "" || !strings.HasPrefix(got, want) || strings.HasSuffix(want, "?") && got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	server.Close()
	h.ollama.forget()
	if got := h.table.Load().doubt("ollama/anything"); got != "" {
		t.Errorf("with no Ollama to ask: %q", got)
	}
}

// A provider that there is not is a mistake where it is written, and the settings
// before it stay in use.
func TestStrayedProviders(t *testing.T) {
	const before = "# mine\nproviders:\n  lab: {dialect: chat, base_url: http://127.0.0.1:9/v1, models: [a]}\nroutes:\n  safe: demo/echo\n"
	h := open(t, before)
	file := filepath.Join(h.home, "config.yaml")
	for more, want := range map[string]string{
		"  x: opnai/gpt-5\n": ":6:6: routes.x: there is no provider named opnai; did you mean openai?",
		"  x:\n    fallback:\n      - lab/a\n      - gorq/llama-4\n": ":9:9: routes.x.fallback[1]: there is no provider named gorq; did you mean groq?",
		"  x: {race: [lab/a, {judge: [safe], by: xyzzyxy/m}]}\n":     ":6:41: routes.x.race[1].by: there is no provider named xyzzyxy; add it under providers; a model in Ollama is written ollama/NAME",
		"  x: {balance: {lab/a: 1, lba/a: 2}}\n":                     "routes.x.balance[1]: there is no provider named lba; did you mean lab?",
		"  x: {cheapest: [a], ignore: [anthropik]}\n":                ":6:31: routes.x.ignore[0]: there is no provider named anthropik; did you mean anthropic?",
		"  x: {cache: lbb/a}\n":                                      ":6:14: routes.x.cache: there is no provider named lbb",
		"tools: {aider: {models: [lab/a, opnai/]}}\n":                ":6:33: tools.aider.models[1]: there is no provider named opnai; did you mean openai?",
	} {
		if err := os.WriteFile(file, []byte(before+more), 0o600); err != nil {
			t.Fatal(err)
		}
		h.config.Reload()
		got := h.config.Problems()
		if len(got) != 1 || !strings.Contains(got[0].Error(), want) || strings.HasPrefix(want, ":") && !strings.Contains(got[0].Error(), "config.yaml"+want) {
			t.Errorf("%s: %v, want %s", more, got, want)
		}
		if _, ok := h.config.Current().Route("x"); ok || len(h.config.Current().Tools) != 0 {
			t.Errorf("%s: it is used", more)
		}
	}
	if err := os.WriteFile(file, []byte(before+"  x: {fallback: [meta-llama/llama-3.3-70b-instruct, lab/new, safe]}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if h.config.Reload(); len(h.config.Problems()) != 0 {
		t.Errorf("a maker's name, or a new model: %v", h.config.Problems())
	}
	if err := h.SetToolModels("aider", []string{"openrouterr/"}); err == nil || !strings.Contains(err.Error(), "did you mean openrouter?") || strings.Contains(err.Error(), file) {
		t.Error(err)
	}
	if err := h.SetRoute("y", "{fallback: [lab/a, nope/a]}"); err == nil || !strings.Contains(err.Error(), "there is no provider named nope") {
		t.Error(err)
	}
}

// The doctor names them, and so do the lists of routes and tools.
func TestDoctorKnowsSlips(t *testing.T) {
	h := open(t, "routes:\n  safe: {fallback: [openai/gpt-4o-minni, demo/echo]}\ntools:\n  editr: {models: [saef, demo/], budget: {day: 5}}\n  env: {budget: {day: 5}}\n"+
		"providers:\n  openai: {keys: {wrok: {budget: {day: 1}}, OPENAI_API_KEY: {budget: {day: 2}}}}\n", "OPENAI_API_KEY="+canary)
	if _, err := h.Token(t.Context(), "editor"); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range h.Doctor(t.Context()) {
		if slices.Contains([]string{"Route", "Tool", "Budget"}, c.Name) {
			if c.OK || !c.Minor || c.Remedy == "" {
				t.Errorf("%+v", c)
			}
			got = append(got, c.Name+" "+c.Said)
		}
	}
	want := []string{
		"Route safe: no list of openai's models has gpt-4o-minni; did you mean openai/gpt-4o-mini?",
		"Tool editr: nobody serves a model named saef; did you mean safe",
		"Budget tool editr: no tool has a token under the name editr yet (did you mean editor?)",
		"Budget key openai/wrok: this command sees no key \"wrok\" of openai",
	}
	if len(got) != len(want) {
		t.Fatalf("%q", got)
	}
	for i := range want {
		if !strings.HasPrefix(got[i], want[i]) {
			t.Errorf("%q, want %q", got[i], want[i])
		}
	}
	if r := h.Routes()[0]; len(r.Doubts) != 1 || "Route safe: "+r.Doubts[0] != want[0] {
		t.Errorf("%q", r.Doubts)
	}
	all, err := h.Tools(t.Context())
	if i := slices.IndexFunc(all, func(x Tool) bool { return x.Name == "editr" }); err != nil || i < 0 || len(all[i].Doubts) != 1 {
		t.Errorf("%+v, %v", all, err)
	}
	if err := h.limitable(Scope{"provider", "opnai"}); err == nil || !strings.Contains(err.Error(), "did you mean openai?") {
		t.Error(err)
	}
	if d := h.DoubtScope(Scope{"key", "openai/OPENAI_API_KEY"}) + h.DoubtScope(Scope{}) + h.DoubtScope(Scope{"tool", "editor"}); d != "" {
		t.Error(d)
	}
}
