package app

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/ollama/ollama/api"
	"github.com/openai/openai-go/v3"
	"google.golang.org/genai"

	"keytray/proxy/proxytest"
	"keytray/store/ledger"
)

// asTool is an HTTP client that shows the token as a program's header.
type asTool struct{ header, value string }

func (a asTool) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set(a.header, a.value)
	return http.DefaultTransport.RoundTrip(r)
}

func (h *house) ollamaEmbeds() *api.Client {
	h.t.Helper()
	addr, err := h.Addr()
	if err != nil {
		h.t.Fatal(err)
	}
	return api.NewClient(&url.URL{Scheme: "http", Host: addr}, &http.Client{Transport: asTool{"Authorization", "Bearer " + h.token}})
}

func (h *house) geminiClient() *genai.Client {
	h.t.Helper()
	addr, err := h.Addr()
	if err != nil {
		h.t.Fatal(err)
	}
	c, err := genai.NewClient(h.t.Context(), &genai.ClientConfig{APIKey: h.token, Backend: genai.BackendGeminiAPI, HTTPOptions: genai.HTTPOptions{BaseURL: "http://" + addr}})
	if err != nil {
		h.t.Fatal(err)
	}
	return c
}

// Each client gets vectors of each provider, in its own form.
func TestEmbeddingsOfEachClient(t *testing.T) {
	provider := &anAPI{}
	s := httptest.NewServer(provider)
	t.Cleanup(s.Close)
	provider.says("POST /v1/embeddings", `{"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.5,-0.25]}],"model":"text-embedding-3-small","usage":{"prompt_tokens":8,"total_tokens":8}}`)
	provider.says("POST /v1beta/models/{m}", `{"embeddings":[{"values":[0.5,-0.25]}],"usageMetadata":{"promptTokenCount":8}}`)
	provider.says("POST /api/embed", `{"model":"all-minilm","embeddings":[[0.5,-0.25]],"prompt_eval_count":8}`)
	provider.says("GET /api/tags", `{"models":[{"name":"all-minilm:latest","model":"all-minilm:latest"}]}`)
	h := open(t, "providers:\n  openai: {base_url: "+s.URL+"/v1}\n  google: {base_url: "+s.URL+"/v1beta}\n",
		"OPENAI_API_KEY="+canary, "GEMINI_API_KEY="+canary, "OLLAMA_HOST="+strings.TrimPrefix(s.URL, "http://"))
	for _, u := range []struct {
		model, provider, path string
		cost                  int64
	}{
		{"openai/text-embedding-3-small", "openai", "/v1/embeddings", 8 * 20_000},
		{"google/gemini-embedding-2", "google", "/v1beta/models/gemini-embedding-2:batchEmbedContents", 8 * 200_000},
		{"all-minilm", "ollama", "/api/embed", 0},
	} {
		check := func(client string, v []float32, err error) {
			t.Helper()
			if err != nil || fmt.Sprint(v) != "[0.5 -0.25]" {
				t.Errorf("%s of %s: %v %v", client, u.model, v, err)
				return
			}
			if got := provider.last(t).path; got != u.path {
				t.Errorf("%s of %s: asked %s", client, u.model, got)
			}
			row := h.last()
			if row.Provider != u.provider || row.Usage.Input != 8 || row.Status != ledger.StatusOK {
				t.Errorf("%s of %s: row %+v", client, u.model, row)
			}
			wantCost(t, row, u.cost, ledger.CostExact)
		}
		got, err := h.client().Embeddings.New(t.Context(), openai.EmbeddingNewParams{Model: u.model, Input: openai.EmbeddingNewParamsInputUnion{OfString: openai.String("hi")}})
		var v []float32
		if err == nil {
			v = []float32{float32(got.Data[0].Embedding[0]), float32(got.Data[0].Embedding[1])}
		}
		check("openai", v, err)

		o, err := h.ollamaEmbeds().Embed(t.Context(), &api.EmbedRequest{Model: u.model, Input: "hi"})
		v = nil
		if err == nil {
			v = o.Embeddings[0]
		}
		check("ollama", v, err)
		l, err := h.ollamaEmbeds().Embeddings(t.Context(), &api.EmbeddingRequest{Model: u.model, Prompt: "hi"})
		if u.provider != "ollama" { // whose own old endpoint is a byte copy
			v = nil
			if err == nil {
				v = []float32{float32(l.Embedding[0]), float32(l.Embedding[1])}
			}
			check("ollama's old endpoint", v, err)
		}

		g, err := h.geminiClient().Models.EmbedContent(t.Context(), u.model, genai.Text("hi"), nil)
		v = nil
		if err == nil {
			v = g.Embeddings[0].Values
		}
		check("genai", v, err)
	}

	// J15: tokens go to who takes them alone.
	r := h.do("POST", "/v1/embeddings", `{"model":"google/gemini-embedding-2","input":[1,2,3]}`)
	if r.status != 400 || r.field(t, "error", "param") != "input" || !strings.Contains(r.body, "google takes text only") {
		t.Errorf("%d %s", r.status, r.body)
	}
	r = h.do("POST", "/api/embed", `{"model":"nobody","input":"x"}`)
	if msg, _ := r.field(t, "error").(string); r.status != 404 || msg == "" {
		t.Errorf("%d %s", r.status, r.body)
	}
	r = h.do("POST", "/v1beta/models/nobody:embedContent", `{"content":{"parts":[{"text":"x"}]}}`)
	if r.status != 404 || r.field(t, "error", "status") != "NOT_FOUND" {
		t.Errorf("%d %s", r.status, r.body)
	}
	r = h.do("POST", "/v2/embed", `{"model":"openai/text-embedding-3-small","texts":["x"],"input_type":"search_query","truncate":"END"}`)
	if r.status != 200 || fmt.Sprint(r.field(t, "embeddings", "float", 0)) != "[0.5 -0.25]" || r.header.Get("Keytray-Lost") != "truncate; input_type" {
		t.Errorf("%d %s %q", r.status, r.body, r.header.Get("Keytray-Lost"))
	}
}

// The real Ollama's vectors, by three clients.
func TestRealOllamaEmbeds(t *testing.T) {
	server := proxytest.StartOllama(t)
	h := open(t, "", "OLLAMA_HOST="+strings.TrimPrefix(server.URL, "http://"))
	base, _ := url.Parse(server.URL)
	direct, err := api.NewClient(base, http.DefaultClient).Embed(t.Context(), &api.EmbedRequest{Model: proxytest.TinyModel, Input: []string{"hi", "there"}})
	if err != nil {
		t.Skip("this Ollama embeds nothing: ", err)
	}
	want := direct.Embeddings
	same := func(who string, got [][]float32) {
		t.Helper()
		if len(got) != len(want) || len(got[0]) != len(want[0]) {
			t.Fatalf("%s: %d vectors", who, len(got))
		}
		for i := range want {
			for k := range want[i] {
				if d := got[i][k] - want[i][k]; d > 1e-6 || d < -1e-6 {
					t.Fatalf("%s: vector %d differs at %d: %v, want %v", who, i, k, got[i][k], want[i][k])
				}
			}
		}
		row := h.last()
		if row.Provider != "ollama" || row.Usage.Input != int64(direct.PromptEvalCount) || row.Status != ledger.StatusOK {
			t.Errorf("%s: row %+v", who, row)
		}
		wantCost(t, row, 0, ledger.CostExact)
	}
	o, err := h.ollamaEmbeds().Embed(t.Context(), &api.EmbedRequest{Model: proxytest.TinyModel, Input: []string{"hi", "there"}})
	if err != nil {
		t.Fatal(err)
	}
	same("ollama", o.Embeddings)
	e, err := h.client().Embeddings.New(t.Context(), openai.EmbeddingNewParams{Model: proxytest.TinyModel, Input: openai.EmbeddingNewParamsInputUnion{OfArrayOfStrings: []string{"hi", "there"}}})
	if err != nil {
		t.Fatal(err)
	}
	var got [][]float32
	for _, d := range e.Data {
		var v []float32
		for _, f := range d.Embedding {
			v = append(v, float32(f))
		}
		got = append(got, v)
	}
	same("openai", got)
	g, err := h.geminiClient().Models.EmbedContent(t.Context(), proxytest.TinyModel, []*genai.Content{genai.NewContentFromText("hi", "user"), genai.NewContentFromText("there", "user")}, nil)
	if err != nil {
		t.Fatal(err)
	}
	got = nil
	for _, x := range g.Embeddings {
		got = append(got, x.Values)
	}
	same("genai", got)
}
