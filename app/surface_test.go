package app

import (
	"bytes"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/openai/openai-go/v3"

	"keytray/store/ledger"
)

// anAPI is a provider of OpenAI's API that is no conversation. It notes what it
// gets, and answers as its handlers say.
type anAPI struct {
	http.ServeMux
	mu  sync.Mutex
	got []gotCall
}

// gotCall is one call that the provider got.
type gotCall struct {
	method, path, query string
	header              http.Header
	body                []byte
}

func (a *anAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	a.mu.Lock()
	a.got = append(a.got, gotCall{r.Method, r.URL.EscapedPath(), r.URL.RawQuery, r.Header.Clone(), body})
	a.mu.Unlock()
	a.ServeMux.ServeHTTP(w, r)
}

func (a *anAPI) last(t *testing.T) gotCall {
	t.Helper()
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.got) == 0 {
		t.Fatal("the provider was not called")
	}
	return a.got[len(a.got)-1]
}

func (a *anAPI) calls() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.got)
}

// says answers a pattern with JSON.
func (a *anAPI) says(pattern, body string) {
	a.HandleFunc(pattern, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, body)
	})
}

// openAIHouse is a Keytray whose openai is a provider of the test's.
func openAIHouse(t *testing.T, more string) (*house, *anAPI) {
	t.Helper()
	api := &anAPI{}
	s := httptest.NewServer(api)
	t.Cleanup(s.Close)
	yaml := "providers:\n  openai: {base_url: " + s.URL + "/v1}\n" + more
	return open(t, yaml, "OPENAI_API_KEY="+canary), api
}

// field is one field of a form.
func (g gotCall) field(t *testing.T, name string) string {
	t.Helper()
	_, params, err := mime.ParseMediaType(g.header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	form, err := multipart.NewReader(bytes.NewReader(g.body), params["boundary"]).ReadForm(1 << 20)
	if err != nil {
		t.Fatalf("the provider got a broken form: %v", err)
	}
	if v := form.Value[name]; len(v) == 1 {
		return v[0]
	}
	if f := form.File[name]; len(f) == 1 {
		r, err := f[0].Open()
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		b, _ := io.ReadAll(r)
		return string(b)
	}
	return ""
}

// wantSigned checks that the provider's own key came, and nothing of the client's.
func (g gotCall) wantSigned(t *testing.T) {
	t.Helper()
	if g.header.Get("Authorization") != "Bearer "+canary {
		t.Errorf("Authorization %q", g.header.Get("Authorization"))
	}
	for k, v := range g.header {
		if strings.Contains(strings.Join(v, " "), "kt-test") {
			t.Errorf("the local token went to the provider in %s", k)
		}
	}
	if strings.Contains(g.query, "kt-test") {
		t.Errorf("the local token went to the provider in the query %s", g.query)
	}
}

func wantCost(t *testing.T, r Row, pico int64, kind ledger.CostKind) {
	t.Helper()
	if kind == ledger.CostUnpriced {
		if r.CostPico != nil || r.CostKind != kind {
			t.Errorf("cost %s %s, want it unknown", picoText(r.CostPico), r.CostKind)
		}
		return
	}
	if r.CostPico == nil || *r.CostPico != pico || r.CostKind != kind {
		t.Errorf("cost %s %s, want %d %s", picoText(r.CostPico), r.CostKind, pico, kind)
	}
}

// J15: text and tokens, as floats and as base64, in the client's own bytes.
func TestEmbeddingsOfOpenAI(t *testing.T) {
	h, api := openAIHouse(t, "")
	api.says("POST /v1/embeddings", `{"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.5,-0.25]}],"model":"text-embedding-3-small","usage":{"prompt_tokens":8,"total_tokens":8}}`)
	got, err := h.client().Embeddings.New(t.Context(), openai.EmbeddingNewParams{
		Model: "openai/text-embedding-3-small", Input: openai.EmbeddingNewParamsInputUnion{OfArrayOfStrings: []string{"hello", "there"}}, User: openai.String("u"),
	})
	if err != nil || len(got.Data) != 1 || got.Data[0].Embedding[1] != -0.25 || got.Usage.PromptTokens != 8 {
		t.Fatalf("%v %+v", err, got)
	}
	api.last(t).wantSigned(t)
	row := h.last()
	if row.Inbound != "embed-openai" || row.Provider != "openai" || row.Model != "text-embedding-3-small" || row.Usage.Input != 8 || row.Status != ledger.StatusOK {
		t.Errorf("row %+v", row)
	}
	wantCost(t, row, 160_000, ledger.CostExact) // 8 tokens at 0.02 USD a million

	body := `{ "input" : [[1212,318],[7]], "encoding_format":"base64", "dimensions":2, "x":1.0, "model" : "text-embedding-3-small"}`
	if r := h.do("POST", "/v1/embeddings", body); r.status != 200 {
		t.Fatal(r.body)
	}
	if sent := string(api.last(t).body); sent != body {
		t.Errorf("sent %s", sent)
	}
}

// A vector of another model fits no index, so the switch has no stand-in.
func TestSwitchHasNoStandInForVectors(t *testing.T) {
	h, api := openAIHouse(t, "active: ollama\n")
	api.says("POST /v1/embeddings", `{}`)
	r := h.do("POST", "/v1/embeddings", `{"model":"text-embedding-3-small","input":"x"}`)
	if r.status != 404 || !strings.Contains(r.body, "keytray use auto") || api.calls() != 0 {
		t.Errorf("%d %s", r.status, r.body)
	}
}

func TestEmbeddingsWhereThereAreNone(t *testing.T) {
	h := open(t, "", "ANTHROPIC_API_KEY="+canary)
	for _, model := range []string{"anthropic/claude-haiku-5-5", "demo/echo"} {
		if r := h.do("POST", "/v1/embeddings", `{"model":"`+model+`","input":"x"}`); r.status != 404 || r.field(t, "error", "message") == "" {
			t.Errorf("%s: %d %s", model, r.status, r.body)
		}
	}
}

func TestImages(t *testing.T) {
	h, api := openAIHouse(t, "")
	api.says("POST /v1/images/generations", `{"created":1,"data":[{"b64_json":"aGk="}],"usage":{"input_tokens":50,"output_tokens":272,"total_tokens":322,"input_tokens_details":{"image_tokens":40,"text_tokens":10}}}`)
	got, err := h.client().Images.Generate(t.Context(), openai.ImageGenerateParams{Model: "gpt-image-1", Prompt: "a cat"})
	if err != nil || got.Data[0].B64JSON != "aGk=" {
		t.Fatalf("%v %+v", err, got)
	}
	api.last(t).wantSigned(t)
	row := h.last()
	if u := row.Usage; row.Inbound != "images" || row.Model != "gpt-image-1" || u.Input != 10 || u.ImageInput != 40 || u.ImageOutput != 272 || u.Output != 0 {
		t.Errorf("row %+v", row)
	}
	wantCost(t, row, 0, ledger.CostUnpriced) // the price list has no such model

	api.says("POST /v1/images/edits", `{"created":1,"data":[{"b64_json":"aGk="}]}`)
	if _, err := h.client().Images.Edit(t.Context(), openai.ImageEditParams{Image: openai.ImageEditParamsImageUnion{OfFile: strings.NewReader("PNG")}, Model: "openai/gpt-image-1", Prompt: "a dog"}); err != nil {
		t.Fatal(err)
	}
	if g := api.last(t); g.field(t, "model") != "gpt-image-1" || g.field(t, "image") != "PNG" || g.field(t, "prompt") != "a dog" {
		t.Errorf("form %s", g.body)
	}
	wantCost(t, h.last(), 0, ledger.CostUnpriced)
	api.says("POST /v1/images/variations", `{"created":1,"data":[{"url":"https://x.test/1"}]}`)
	//lint:ignore SA1019 clients still call it
	if _, err := h.client().Images.NewVariation(t.Context(), openai.ImageNewVariationParams{Image: strings.NewReader("PNG")}); err != nil {
		t.Fatal(err) // it names no model
	}
}

func TestImagesStream(t *testing.T) {
	h, api := openAIHouse(t, "")
	step := make(chan struct{})
	api.HandleFunc("POST /v1/images/generations", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		fmt.Fprint(w, "event: image_generation.partial_image\ndata: {\"type\":\"image_generation.partial_image\",\"b64_json\":\"aA==\",\"partial_image_index\":0}\n\n")
		_ = http.NewResponseController(w).Flush()
		<-step
		fmt.Fprint(w, "event: image_generation.completed\ndata: {\"type\":\"image_generation.completed\",\"b64_json\":\"aGk=\",\"usage\":{\"input_tokens\":5,\"output_tokens\":100,\"total_tokens\":105,\"input_tokens_details\":{\"image_tokens\":0,\"text_tokens\":5}}}\n\n")
	})
	stream := h.client().Images.GenerateStreaming(t.Context(), openai.ImageGenerateParams{Model: "gpt-image-1", Prompt: "a cat", PartialImages: openai.Int(1)})
	defer stream.Close()
	if !stream.Next() || stream.Current().Type != "image_generation.partial_image" {
		t.Fatalf("%v %+v", stream.Err(), stream.Current())
	}
	close(step) // the partial picture came before the whole one was made
	if !stream.Next() || stream.Current().B64JSON != "aGk=" || stream.Next() || stream.Err() != nil {
		t.Fatalf("%v %+v", stream.Err(), stream.Current())
	}
	if row := h.last(); !row.Streamed || row.Usage.Input != 5 || row.Usage.ImageOutput != 100 || row.Status != ledger.StatusOK {
		t.Errorf("row %+v", row)
	}
}

// The sound goes on while the provider still makes it.
func TestSpeechStreams(t *testing.T) {
	h, api := openAIHouse(t, "")
	step := make(chan struct{})
	api.HandleFunc("POST /v1/audio/speech", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "audio/mpeg")
		_, _ = w.Write([]byte{0xff, 0xfb, 0x00})
		_ = http.NewResponseController(w).Flush()
		<-step
		_, _ = w.Write([]byte("more"))
	})
	resp, err := h.client().Audio.Speech.New(t.Context(), openai.AudioSpeechNewParams{Input: "hi", Model: "gpt-4o-mini-tts", Voice: openai.AudioSpeechNewParamsVoiceUnion{OfString: openai.String("alloy")}})
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	first := make([]byte, 3)
	if _, err := io.ReadFull(resp.Body, first); err != nil || first[0] != 0xff {
		t.Fatal(err)
	}
	close(step)
	rest, err := io.ReadAll(resp.Body)
	if err != nil || string(rest) != "more" || resp.Header.Get("Content-Type") != "audio/mpeg" {
		t.Fatalf("%v %q", err, rest)
	}
	row := h.last()
	if row.Inbound != "speech" || row.Status != ledger.StatusOK {
		t.Errorf("row %+v", row)
	}
	wantCost(t, row, 0, ledger.CostUnpriced) // sound says nothing of its tokens
}

func TestTranscription(t *testing.T) {
	h, api := openAIHouse(t, "")
	api.says("POST /v1/audio/transcriptions", `{"text":"hello","usage":{"type":"tokens","input_tokens":30,"input_token_details":{"text_tokens":10,"audio_tokens":20},"output_tokens":4,"total_tokens":34}}`)
	got, err := h.client().Audio.Transcriptions.New(t.Context(), openai.AudioTranscriptionNewParams{File: strings.NewReader("RIFF"), Model: "openai/gpt-4o-transcribe", Language: openai.String("en")})
	if err != nil || got.Text != "hello" {
		t.Fatalf("%v %+v", err, got)
	}
	g := api.last(t)
	g.wantSigned(t)
	if g.field(t, "model") != "gpt-4o-transcribe" || g.field(t, "file") != "RIFF" || g.field(t, "language") != "en" {
		t.Errorf("form %s", g.body)
	}
	row := h.last()
	if row.Inbound != "transcription" || row.Usage.Input != 10 || row.Usage.AudioInput != 20 || row.Usage.Output != 4 {
		t.Errorf("row %+v", row)
	}
	wantCost(t, row, 25_000_000+120_000_000+40_000_000, ledger.CostExact) // 2.5, 6 and 10 USD a million

	api.says("POST /v1/audio/translations", `{"text":"hello","usage":{"type":"duration","seconds":3}}`)
	//lint:ignore SA1019 clients still call it
	if _, err := h.client().Audio.Translations.New(t.Context(), openai.AudioTranslationNewParams{File: strings.NewReader("RIFF"), Model: "whisper-1"}); err != nil {
		t.Fatal(err)
	}
	wantCost(t, h.last(), 0, ledger.CostUnpriced)
}

func TestModerationsAreFreeWhereTheListSaysSo(t *testing.T) {
	h, api := openAIHouse(t, "")
	api.says("POST /v1/moderations", `{"id":"m","model":"omni-moderation-latest","results":[{"flagged":false}]}`)
	for model, kind := range map[string]ledger.CostKind{"omni-moderation-latest": ledger.CostExact, "omni-moderation-2031": ledger.CostUnpriced} {
		got, err := h.client().Moderations.New(t.Context(), openai.ModerationNewParams{Model: model, Input: openai.ModerationNewParamsInputUnion{OfString: openai.String("x")}})
		if err != nil || got.Results[0].Flagged {
			t.Fatalf("%v %+v", err, got)
		}
		wantCost(t, h.last(), 0, kind)
	}
}

func TestRerank(t *testing.T) {
	h, api := openAIHouse(t, "")
	api.says("POST /v1/rerank", `{"results":[{"index":1,"relevance_score":0.9}],"usage":{"total_tokens":12},"meta":{"billed_units":{"search_units":1}}}`)
	for _, path := range []string{"/v1/rerank", "/v2/rerank", "/rerank"} {
		r := h.do("POST", path, `{"model":"openai/some-ranker","query":"q","documents":["a","b"]}`)
		if r.status != 200 || !strings.Contains(r.body, "relevance_score") || !strings.Contains(string(api.last(t).body), `"model":"some-ranker"`) {
			t.Errorf("%s: %d %s", path, r.status, r.body)
		}
	}
	if row := h.last(); row.Usage.Input != 12 || row.Inbound != "rerank" {
		t.Errorf("row %+v", row)
	}
	wantCost(t, h.last(), 0, ledger.CostUnpriced)
}

// A refusal keeps its status and its words, and costs nothing.
func TestPassedRefusal(t *testing.T) {
	h, api := openAIHouse(t, "")
	api.HandleFunc("POST /v1/audio/speech", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(429)
		fmt.Fprintf(w, `{"error":{"message":"slow down, %s","type":"rate_limit_error","code":"rate_limit_exceeded"}}`, r.Header.Get("Authorization"))
	})
	r := h.do("POST", "/v1/audio/speech", `{"model":"tts-1","input":"x","voice":"alloy"}`)
	if r.status != 429 || r.field(t, "error", "code") != "rate_limit_exceeded" || strings.Contains(r.body, canary) {
		t.Errorf("%d %s", r.status, r.body)
	}
	row := h.last()
	if row.Status != ledger.StatusError || strings.Contains(row.Error, canary) {
		t.Errorf("row %+v", row)
	}
	wantCost(t, row, 0, ledger.CostExact)
}

func (h *house) client() *openai.Client {
	c := h.sdk()
	return &c
}
