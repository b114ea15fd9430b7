package app

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ollama/ollama/envconfig"

	"keytray/proxy/llm"
	"keytray/proxy/proxytest"
	"keytray/proxy/upstream"
)

// fakeOllama has the models of a test: name to what /api/show says of it.
type fakeOllama struct {
	tags string // the models of /api/tags
	show map[string]string

	mu    sync.Mutex
	asked []string // paths
}

func (f *fakeOllama) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	f.asked = append(f.asked, r.URL.Path)
	f.mu.Unlock()
	switch r.URL.Path {
	case "/api/tags":
		_, _ = w.Write([]byte(`{"models":[` + f.tags + `]}`))
	case "/api/show":
		var q struct{ Model string }
		_ = json.NewDecoder(r.Body).Decode(&q)
		if said, ok := f.show[q.Model]; ok {
			_, _ = w.Write([]byte(said))
			return
		}
		w.WriteHeader(http.StatusNotFound)
	default:
		w.WriteHeader(http.StatusTeapot)
	}
}

func (f *fakeOllama) count(path string) (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, p := range f.asked {
		if p == path {
			n++
		}
	}
	return n
}

// ollamaAt knows the Ollama that h plays.
func ollamaAt(t *testing.T, h http.Handler) (o *ollama, changes *int) {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	u, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	network := upstream.NewNetwork()
	t.Cleanup(network.Close)
	network.Allow([]string{u.Host})
	changes = new(int)
	o = &ollama{network: network, changed: func() { *changes++ }}
	o.setBase(server.URL)
	return o, changes
}

const tag = `{"name":"tiny:latest","model":"tiny:latest","size":10,"digest":"d1"}`

func TestOllamaLists(t *testing.T) {
	p := &proxytest.Provider{Models: []string{"tiny", "qwen3:8b"}}
	o, changes := ollamaAt(t, p)
	for range 3 {
		if models, err := o.list(t.Context()); err != nil || len(models) != 2 {
			t.Fatalf("%v, %v", models, err)
		}
	}
	if n := len(p.Requests()); n != 1 || *changes != 1 {
		t.Errorf("asked %d times for one list, %d changes", n, *changes)
	}
	for _, c := range []struct{ asked, want string }{
		{"tiny", "tiny:latest"}, {"tiny:latest", "tiny:latest"}, {"tin", ""}, {"tiny:8b", ""}, {"", ""},
	} {
		if got, ok := o.installed(c.asked); got != c.want || ok != (c.want != "") {
			t.Errorf("installed(%q) is %q, %v", c.asked, got, ok)
		}
	}
	o.asked = time.Now().Add(-fresh - time.Second)
	if _, err := o.list(t.Context()); err != nil || len(p.Requests()) != 2 || *changes != 1 {
		t.Errorf("%v; asked %d times, %d changes", err, len(p.Requests()), *changes)
	}
	if got := strings.Join(o.names(), " "); got != "tiny:latest qwen3:8b:latest" {
		t.Errorf("names %s", got)
	}
	o.setBase("http://127.0.0.1:1")
	if got := o.names(); got != nil {
		t.Errorf("another Ollama has %s", got)
	}
}

// TestOllamaIsAskedOnce lets many callers want the list at the same time.
func TestOllamaIsAskedOnce(t *testing.T) {
	f := &fakeOllama{tags: tag}
	o, _ := ollamaAt(t, f)
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if _, ok := o.installed("tiny"); !ok {
				t.Error("not installed")
			}
		})
	}
	all.Wait()
	if n := f.count("/api/tags"); n != 1 {
		t.Errorf("asked %d times", n)
	}
}

// TestOllamaChangedWhileAsked: a list that was asked for before a change is not
// taken for the state after it.
func TestOllamaChangedWhileAsked(t *testing.T) {
	fake := &fakeOllama{tags: tag}
	var o *ollama
	once := sync.OnceFunc(func() { // a client deletes the model while the list is on its way
		fake.tags = ""
		o.forget()
	})
	o, _ = ollamaAt(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fake.ServeHTTP(w, r)
		once()
	}))
	if _, there := o.installed("tiny"); !there {
		t.Error("the list from before the change was not used for the one who asked")
	}
	if name, there := o.installed("tiny"); there {
		t.Errorf("%s is still there after the change", name)
	}
}

func TestOllamaIsNotThere(t *testing.T) {
	for _, c := range []struct {
		name   string
		answer http.HandlerFunc
		says   string
	}{
		{"not running", nil, "start it (ollama serve)"},
		{"something else", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) }, "is not Ollama"},
		{"an error", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) }, "answered 500"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o, _ := ollamaAt(t, c.answer)
			if c.answer == nil {
				o.network.Allow([]string{"127.0.0.1:1"})
				o.setBase("http://127.0.0.1:1")
			}
			_, err := o.list(t.Context())
			if err == nil || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), o.base) {
				t.Errorf("%v", err)
			}
			if _, ok := o.installed("tiny"); ok || o.standIn() != "" || o.abilities(t.Context(), "tiny") != nil || there(o.remote("tiny")) {
				t.Error("it has models")
			}
		})
	}
}

// TestOllamaCallerGaveUp must not look like an absent Ollama to the next one.
func TestOllamaCallerGaveUp(t *testing.T) {
	o, _ := ollamaAt(t, &fakeOllama{tags: tag})
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := o.list(gone); err == nil {
		t.Error("a list for a caller that is gone")
	}
	if _, ok := o.installed("tiny"); !ok {
		t.Error("not installed")
	}
}

func TestOllamaAbilities(t *testing.T) {
	f := &fakeOllama{
		tags: tag + `,{"name":"gpt-oss:20b","digest":"d2"}`,
		show: map[string]string{
			"tiny":        `{"capabilities":["completion","tools"],"details":{"family":"llama"}}`,
			"gpt-oss:20b": `{"capabilities":["completion","tools","thinking","vision"],"details":{"family":"gptoss"}}`,
			"old":         `{"details":{"family":"llama"}}`,
		},
	}
	o, _ := ollamaAt(t, f)
	if _, err := o.list(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ model, want string }{
		{"tiny", "no_reasoning tools no_vision"},
		{"gpt-oss:20b", "reasoning tools vision thinking_level no_thinking_off"},
		{"old", ""}, // a server that lists no capabilities
		{"nobody", ""},
	} {
		for range 2 {
			if got := strings.Join(o.abilities(t.Context(), c.model), " "); got != c.want {
				t.Errorf("%s: %s, want %s", c.model, got, c.want)
			}
		}
	}
	// What is listed is asked about once, what is not each time.
	if n := f.count("/api/show"); n != 6 {
		t.Errorf("asked %d times", n)
	}
	// The same name with other contents is another model.
	f.tags, f.show["tiny"] = strings.Replace(tag, "d1", "d9", 1), `{"capabilities":["completion","thinking"]}`
	o.asked = time.Time{}
	if _, err := o.list(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := o.abilities(t.Context(), "tiny"); !got.Has(llm.FlagReasoning) {
		t.Errorf("after a pull: %v", got)
	}
}

// TestOllamaCloud keeps models that Ollama passes on to its cloud apart from
// those that run here, under any name.
func TestOllamaCloud(t *testing.T) {
	f := &fakeOllama{tags: tag +
		`,{"name":"gpt-oss:120b-cloud","size":1,"digest":"d2","remote_host":"https://ollama.com:443","remote_model":"gpt-oss:120b"}` +
		`,{"name":"glm-5:cloud","size":1,"digest":"d3"}` +
		`,{"name":"mine:latest","size":1,"digest":"d4","remote_host":"https://ollama.com:443","remote_model":"gpt-oss:120b"}`}
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	h := open(t, "", "OLLAMA_HOST="+server.URL)
	local, priced := map[string]bool{}, map[string]string{}
	for _, m := range h.Models(t.Context()) {
		if m.Provider == ollamaProvider {
			local[m.Name], priced[m.Name] = m.Local, m.Input
		}
	}
	for name, want := range map[string]bool{"tiny:latest": true, "gpt-oss:120b-cloud": false, "glm-5:cloud": false, "mine:latest": false} {
		if got, ok := local[name]; !ok || got != want || (priced[name] == "0") != want {
			t.Errorf("%s: listed %v, local %v, price %q", name, ok, got, priced[name])
		}
	}
	if got := h.ollama.standIn(); got != "tiny:latest" {
		t.Errorf("stand-in %s", got)
	}
	// Without a token only what runs here is listed, and answers.
	h.token = ""
	if r := h.do("GET", "/v1/models", ""); strings.Contains(r.body, "cloud") || strings.Contains(r.body, "mine") || !strings.Contains(r.body, "ollama/tiny:latest") {
		t.Errorf("%d %s", r.status, r.body)
	}
	for _, name := range []string{"gpt-oss:120b-cloud", "glm-5:cloud", "mine", "ollama/mine:latest"} {
		if r := h.chat(name, ""); r.status != 401 {
			t.Errorf("%s without a token: %d %s", name, r.status, r.body)
		}
	}
	if n := f.count("/api/chat"); n != 0 {
		t.Errorf("%d calls went to the cloud", n)
	}
	if r := h.chat("tiny", ""); r.status != http.StatusTeapot || f.count("/api/chat") != 1 {
		t.Errorf("tiny without a token: %d %s", r.status, r.body)
	}
}

func TestOllamaCloudOffline(t *testing.T) {
	f := &fakeOllama{tags: `{"name":"mine:latest","size":1,"digest":"d4","remote_host":"https://ollama.com:443"}`}
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	h := open(t, "active: offline\n", "OLLAMA_HOST="+server.URL)
	if r := h.chat("mine", ""); r.status != 403 || f.count("/api/chat") != 0 {
		t.Errorf("%d %s, %d calls", r.status, r.body, f.count("/api/chat"))
	}
}

// TestOllamaHost compares with how Ollama reads its own variable; an address
// that only a server can mean is this computer.
func TestOllamaHost(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"", ollamaDefault},
		{"1.2.3.4", "http://1.2.3.4:11434"},
		{"1.2.3.4:8080", "http://1.2.3.4:8080"},
		{" \"1.2.3.4:8080\" ", "http://1.2.3.4:8080"},
		{"'box'", "http://box:11434"},
		{"http://box", "http://box:80"},
		{"https://box", "https://box:443"},
		{"https://box:8443/ollama", "https://box:8443/ollama"},
		{"http://box:1/a/b/", "http://box:1/a/b"},
		{"box/", "http://box:11434"},
		{"ollama.com", "https://ollama.com:443"},
		{"::1", "http://[::1]:11434"},
		{"[::1]", "http://[::1]:11434"},
		{"[::1]:8080", "http://[::1]:8080"},
		{"box:0", "http://box:0"},
		{"box:66000", "http://box:11434"},
		{"box:-1", "http://box:11434"},
		{"box:abc", "http://box:11434"},
	} {
		if got := ollamaHost(c.in); got != c.want {
			t.Errorf("%q is %s, want %s", c.in, got, c.want)
		}
		t.Setenv("OLLAMA_HOST", c.in)
		theirs := envconfig.Host()
		if path := strings.Trim(theirs.Path, "/"); theirs.Scheme+"://"+theirs.Host+strings.TrimRight("/"+path, "/") != c.want {
			t.Errorf("Ollama reads %q as %s", c.in, theirs)
		}
	}
	for in, want := range map[string]string{
		"0.0.0.0": ollamaDefault, "0.0.0.0:8080": "http://127.0.0.1:8080", "[::]:8080": "http://127.0.0.1:8080", "::": ollamaDefault, ":8080": "http://127.0.0.1:8080",
		"ftp://box": ollamaDefault, "http://": "http://127.0.0.1:80", "http://user@box": ollamaDefault, "a b": ollamaDefault,
	} {
		if got := ollamaHost(in); got != want {
			t.Errorf("%q is %s, want %s", in, got, want)
		}
	}
}

func there(_, there bool) bool { return there }
