package app

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"keytray/proxy/dialect/chat"
	"keytray/proxy/llm"
	"keytray/proxy/proxytest"
	"keytray/proxy/route"
	"keytray/proxy/upstream"
	"keytray/store/keys"
)

// answers names who would answer, in order.
func answers(t *testing.T, target llm.Target) string {
	t.Helper()
	switch x := target.(type) {
	case *upstream.Leaf:
		return x.Model.Provider + "/" + x.Model.Name
	case demo:
		return "demo/echo"
	case route.Watched:
		return answers(t, x.Target)
	case route.Cheapest:
		var all []string
		for _, each := range x.Choices {
			all = append(all, each.Name())
		}
		return "cheapest of " + strings.Join(all, " ")
	case route.Balance:
		var all []string
		for i, each := range x.Targets {
			all = append(all, fmt.Sprint(x.Weights[i], " ", answers(t, each)))
		}
		return strings.Join(all, ", ")
	case route.Fallback:
		var all []string
		for _, each := range x {
			all = append(all, answers(t, each))
		}
		return strings.Join(all, " ")
	default:
		t.Fatalf("%T is no target that this test knows", target)
		return ""
	}
}

func TestTable(t *testing.T) {
	const routes = `
routes:
  quick: groq/llama-3.3-70b-versatile
  safe: {fallback: [quick, openai/gpt-5-mini, demo/echo]}
  lacking: {fallback: [mistral-large-latest, openai/gpt-5]}
  none: {fallback: [mistral-large-latest]}
`
	all := []string{"OPENAI_API_KEY=" + canary, "GROQ_API_KEY=" + canary, "OPENROUTER_API_KEY=" + canary, "ANTHROPIC_API_KEY=" + canary}
	for _, c := range []struct {
		name, yaml, asked string
		env               []string
		want, route, says string
	}{
		{name: "bare", asked: "gpt-5", env: all, want: "openai/gpt-5"},
		{name: "named", asked: "openai/gpt-5", env: all, want: "openai/gpt-5"},
		{name: "not listed", asked: "openai/gpt-99", env: all, want: "openai/gpt-99"},
		{name: "a router's own slash", asked: "openrouter/openai/gpt-5", env: all, want: "openrouter/openai/gpt-5"},
		{name: "a host's own slash", asked: "groq/openai/gpt-oss-120b", env: all, want: "groq/openai/gpt-oss-120b"},
		{name: "a host's name alone", asked: "openai/gpt-oss-120b", env: all[1:2], want: "groq/openai/gpt-oss-120b"},
		{name: "a maker is never replaced by a router", asked: "openai/gpt-5", env: all[2:3], want: "openai/gpt-5"},
		{name: "nobody", asked: "gpt-5x", env: all, says: "did you mean"},
		{name: "no key", asked: "gpt-5", says: "keytray keys add openai"},
		{name: "route", yaml: routes, asked: "quick", env: all, want: "groq/llama-3.3-70b-versatile", route: "quick"},
		{name: "nested", yaml: routes, asked: "safe", env: all, want: "groq/llama-3.3-70b-versatile openai/gpt-5-mini demo/echo", route: "safe"},
		{name: "one that lacks its key is passed over", yaml: routes, asked: "lacking", env: all, want: "openai/gpt-5", route: "lacking"},
		{name: "all lack", yaml: routes, asked: "none", env: all, says: "key for", route: "none"},
		{name: "active route", yaml: "active: safe" + routes, asked: "whatever", env: all, want: "groq/llama-3.3-70b-versatile openai/gpt-5-mini demo/echo", route: "safe"},
		{name: "demo under an active route", yaml: "active: safe" + routes, asked: "demo/echo", env: all, want: "demo/echo"},
		{name: "switched: serves it", yaml: "active: openai\n", asked: "gpt-5-mini", env: all, want: "openai/gpt-5-mini"},
		{name: "switched: a router serves it", yaml: "active: openrouter\n", asked: "openai/gpt-5", env: all, want: "openrouter/openai/gpt-5"},
		{name: "switched: a host serves it", yaml: "active: groq\n", asked: "openai/gpt-oss-120b", env: all, want: "groq/openai/gpt-oss-120b"},
		{name: "switched: large", yaml: "active: openai\nstand_ins: {openai: {large: gpt-5, small: gpt-5-mini}}\n", asked: "anthropic/claude-opus-4-1", env: all, want: "openai/gpt-5"},
		{name: "switched: small", yaml: "active: openai\nstand_ins: {openai: {large: gpt-5, small: gpt-5-mini}}\n", asked: "claude-haiku-4-5", env: all, want: "openai/gpt-5-mini"},
		{name: "switched: a route by name", yaml: "active: openai" + routes, asked: "quick", env: all, want: "groq/llama-3.3-70b-versatile", route: "quick"},
		{name: "switched: demo", yaml: "active: openai\n", asked: "demo/echo", env: all, want: "demo/echo"},
		{name: "weights", yaml: "routes: {mix: {balance: {openai/gpt-5: 3, groq/llama-3.3-70b-versatile: 1}}}\n", asked: "mix", env: all, want: "3 openai/gpt-5, 1 groq/llama-3.3-70b-versatile", route: "mix"},
		{name: "cheapest of those that serve it", yaml: "routes: {c: {cheapest: [gpt-oss-120b], ignore: [together]}}\n", asked: "c", env: all, want: "cheapest of groq/openai/gpt-oss-120b openrouter/openai/gpt-oss-120b", route: "c"},
		{name: "preferred first", yaml: "routes: {c: {cheapest: [gpt-oss-120b], prefer: [openrouter]}}\n", asked: "c", env: all, want: "cheapest of openrouter/openai/gpt-oss-120b groq/openai/gpt-oss-120b", route: "c"},
		{name: "too dear", yaml: "routes: {c: {cheapest: [openai/gpt-5, groq/llama-3.3-70b-versatile], max_price: 1}}\n", asked: "c", env: all, want: "cheapest of groq/llama-3.3-70b-versatile", route: "c"},
		{name: "all too dear", yaml: "routes: {c: {cheapest: [openai/gpt-5], max_price: 0.01}}\n", asked: "c", env: all, says: "leaves nobody to ask", route: "c"},
		{name: "nested", yaml: "routes: {n: {fallback: [{balance: {openai/gpt-5: 1}}, {fallback: [demo/echo]}]}}\n", asked: "n", env: all, want: "1 openai/gpt-5 demo/echo", route: "n"},
		{name: "off", yaml: "providers: {openai: {off: true}}\n", asked: "openai/gpt-5", env: all, says: "turned off"},
		{name: "offline", yaml: "active: offline\n", asked: "openai/gpt-5", env: all, says: "offline"},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := open(t, c.yaml, c.env...)
			<-h.read
			r := &llm.Request{Inbound: chat.Dialect{}, Peek: llm.Peek{Model: c.asked}}
			target, err := h.table.Load().Target(r)
			switch {
			case c.says != "":
				if err == nil || !strings.Contains(err.Error(), c.says) {
					t.Errorf("%v", err)
				}
			case err != nil:
				t.Error(err)
			default:
				if got := answers(t, target); got != c.want {
					t.Errorf("%s answers", got)
				}
			}
			if r.Route != c.route {
				t.Errorf("route %q", r.Route)
			}
		})
	}
}

// heldKeychain does not answer before it is released.
type heldKeychain struct {
	keys.Memory
	free chan struct{}
}

func (k *heldKeychain) Get(ctx context.Context, account string) (string, error) {
	select {
	case <-k.free:
		return k.Memory.Get(ctx, account)
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// The first call after the start finds a key that has not been read yet.
func TestTheFirstCallWaitsForTheKeychain(t *testing.T) {
	kc := &heldKeychain{free: make(chan struct{})}
	ring := keys.NewRing(keys.Options{Keychain: &kc.Memory})
	s, err := keys.NewSecret(canary)
	if err != nil {
		t.Fatal(err)
	}
	if err := ring.Add(t.Context(), "openai", "", s); err != nil {
		t.Fatal(err)
	}
	vars := map[string]string{"KEYTRAY_HOME": t.TempDir(), "OLLAMA_HOST": "127.0.0.1:1"}
	a, err := Open(t.Context(), Options{Serve: true, Listen: "127.0.0.1:0", Keychain: kc, Getenv: func(k string) string { return vars[k] }})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	if err := a.Start(); err != nil { // it does not wait for the keychain
		t.Fatal(err)
	}
	got := make(chan error, 1)
	before := a.table.Load()
	go func() {
		_, err := before.Target(&llm.Request{Inbound: chat.Dialect{}, Peek: llm.Peek{Model: "gpt-5"}})
		got <- err
	}()
	close(kc.free)
	if err := <-got; err != nil {
		t.Error(err)
	}
}

// An Ollama that swallows questions holds up no call of a cloud's model, but
// the one that finds out.
func TestASilentOllamaHoldsUpNobody(t *testing.T) {
	asked := make(chan struct{}, 10)
	var behind []func(context.Context)
	o, _ := ollamaAt(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		asked <- struct{}{}
		<-r.Context().Done()
	}))
	o.behind = func(f func(context.Context)) { behind = append(behind, f) }
	o.learn(o.base, o.changes, nil, context.DeadlineExceeded)
	o.asked = time.Now().Add(-time.Hour)
	for range 3 {
		if _, ok := o.installed("gpt-5"); ok {
			t.Error("it is installed")
		}
	}
	if len(asked) != 0 || len(behind) != 1 {
		t.Errorf("asked %d times on the way, %d times behind", len(asked), len(behind))
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	behind[0](gone)
	if o.installed("gpt-5"); len(behind) != 2 {
		t.Errorf("asked %d times behind", len(behind))
	}
}

func TestModelsOffline(t *testing.T) {
	server := httptest.NewServer(proxytest.New())
	t.Cleanup(server.Close)
	h := open(t, "active: offline\n"+provider("lab", "chat", server.URL+"/v1"), "OPENAI_API_KEY="+canary, "LAB_KEY="+canary)
	var all []string
	for _, m := range h.Models(t.Context()) {
		all = append(all, m.ID)
	}
	if got := strings.Join(all, " "); got != "demo/echo lab/text lab/tools" {
		t.Errorf("%s", got)
	}
}
