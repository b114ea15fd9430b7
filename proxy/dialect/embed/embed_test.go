package embed_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"keytray/proxy/dialect/chat"
	"keytray/proxy/dialect/embed"
	"keytray/proxy/llm"
)

func form(f embed.Form) embed.Dialect { return embed.Dialect{Form: f, Refusals: chat.Dialect{}} }

// paths are where each form is asked; the models' names are all m.
var paths = map[embed.Form]string{
	embed.OpenAI: "/embeddings", embed.Ollama: "/api/embed", embed.Cohere: "/v2/embed", embed.Gemini: "/v1beta/models/m:batchEmbedContents",
}

func request(t *testing.T, f embed.Form, path, body string) *llm.Request {
	t.Helper()
	d := form(f)
	peek, err := d.Peek(httptest.NewRequest("POST", path, nil), []byte(body))
	if err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	return &llm.Request{ID: "kt-1", Inbound: d, Raw: []byte(body), Peek: peek}
}

// two is a question for two vectors in each form.
var two = map[embed.Form]string{
	embed.OpenAI: `{"model":"m","input":["a","b\n"],"dimensions":2}`,
	embed.Ollama: `{"model":"m","input":["a","b\n"],"dimensions":2}`,
	embed.Cohere: `{"model":"m","texts":["a","b\n"],"input_type":"search_query","output_dimension":2}`,
	embed.Gemini: `{"requests":[{"model":"models/m","content":{"parts":[{"text":"a"}]},"taskType":"RETRIEVAL_QUERY","outputDimensionality":2},{"model":"models/m","content":{"parts":[{"text":"b"},{"text":"\n"}]},"taskType":"RETRIEVAL_QUERY","outputDimensionality":2}]}`,
}

// answers are the same two vectors in each form, of 7 tokens.
var answers = map[embed.Form]string{
	embed.OpenAI: `{"object":"list","data":[{"object":"embedding","index":1,"embedding":"AACAPgAAAAA="},{"object":"embedding","index":0,"embedding":[0.5,-1e-9]}],"model":"m","usage":{"prompt_tokens":7,"total_tokens":7}}`,
	embed.Ollama: `{"model":"m","embeddings":[[0.5,-1e-9],[0.25,0]],"prompt_eval_count":7}`,
	embed.Cohere: `{"id":"x","embeddings":{"float":[[0.5,-1e-9],[0.25,0]]},"meta":{"billed_units":{"input_tokens":7}}}`,
	embed.Gemini: `{"embeddings":[{"values":[0.5,-1e-9]},{"values":[0.25,0]}],"usageMetadata":{"promptTokenCount":7}}`,
}

// All pairs of forms: the provider is asked in its own, and the client gets its own.
func TestAllPairs(t *testing.T) {
	for client := range two {
		for provider := range two {
			r := request(t, client, paths[client], two[client])
			d := form(provider)
			c := &llm.Call{Model: llm.Model{Provider: "lab", Name: "big"}}
			if d.Copies(c, r) != (client == provider) {
				t.Errorf("%s to %s: copies %v", client, provider, d.Copies(c, r))
			}
			p, err := r.Prompt()
			if err != nil {
				t.Fatalf("%s: %v", client, err)
			}
			body, err := d.EncodeRequest(c, p)
			if err != nil {
				t.Fatalf("%s to %s: %v", client, provider, err)
			}
			want := strings.ReplaceAll(strings.ReplaceAll(two[provider], `"m"`, `"big"`), `models/m`, `models/big`)
			want = strings.ReplaceAll(want, `[{"text":"b"},{"text":"\n"}]`, `[{"text":"b\n"}]`)
			hasTask := client == embed.Cohere || client == embed.Gemini
			if !hasTask {
				want = strings.ReplaceAll(strings.ReplaceAll(want, `,"taskType":"RETRIEVAL_QUERY"`, ""), "search_query", "search_document")
			}
			want = strings.Replace(want, `,"output_dimension"`, `,"embedding_types":["float"],"output_dimension"`, 1)
			if string(body) != want {
				t.Errorf("%s to %s:\n sent %s\n want %s", client, provider, body, want)
			}
			takesTask := provider == embed.Cohere || provider == embed.Gemini
			if lost := strings.Join(c.Lost, ";"); hasTask && !takesTask && lost == "" || !hasTask && provider != embed.Cohere && lost != "" {
				t.Errorf("%s to %s lost %q", client, provider, lost)
			}
			var out strings.Builder
			if err := form(client).EncodeResponse(&out, r, d.DecodeResponse(c, strings.NewReader(answers[provider]))); err != nil {
				t.Fatalf("%s to %s: %v", client, provider, err)
			}
			var back []llm.Event
			for e, err := range form(client).DecodeResponse(&llm.Call{}, strings.NewReader(out.String())) {
				if err != nil {
					t.Fatalf("%s to %s: %v in %s", client, provider, err, out.String())
				}
				back = append(back, e)
			}
			// AAAAP19wibA= is 0.5 and -1e-9, AACAPgAAAAA= 0.25 and 0.
			if len(back) != 8 || back[2].Text != "AAAAP19wibA=" || back[5].Text != "AACAPgAAAAA=" || back[7].Usage.Input != 7 {
				t.Errorf("%s to %s: %d events from %s", client, provider, len(back), out.String())
			}
		}
	}
}

func TestAnswerAsBase64(t *testing.T) { // J15
	r := request(t, embed.OpenAI, "/embeddings", `{"model":"m","input":"a","encoding_format":"base64"}`)
	var out strings.Builder
	if err := form(embed.OpenAI).EncodeResponse(&out, r, form(embed.Ollama).DecodeResponse(&llm.Call{}, strings.NewReader(answers[embed.Ollama]))); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), `"embedding":"AAAAP19wibA="`) || !strings.Contains(out.String(), `"embedding":"AACAPgAAAAA="`) {
		t.Error(out.String())
	}
}

// J15: tokens go to who knows them, and to nobody else.
func TestTokens(t *testing.T) {
	for input, want := range map[string]string{`[1,2]`: `[[1,2]]`, `[[1,2],[3]]`: `[[1,2],[3]]`} {
		r := request(t, embed.OpenAI, "/embeddings", `{"model":"m","input":`+input+`}`)
		p, err := r.Prompt()
		if err != nil {
			t.Fatal(err)
		}
		body, err := form(embed.OpenAI).EncodeRequest(&llm.Call{Model: llm.Model{Name: "x"}}, p)
		if err != nil || string(body) != `{"model":"x","input":`+want+`}` {
			t.Errorf("%v %s", err, body)
		}
		for _, f := range []embed.Form{embed.Gemini, embed.Ollama, embed.Cohere} {
			_, err := form(f).EncodeRequest(&llm.Call{Model: llm.Model{Provider: "lab", Name: "x"}}, p)
			var e *llm.Error
			if !errors.As(err, &e) || e.Kind != llm.BadRequest || e.Param != "input" || !strings.Contains(e.Message, "lab takes text only") {
				t.Errorf("%s: %v", f, err)
			}
		}
	}
}

func TestPatch(t *testing.T) {
	for _, c := range []struct {
		form             embed.Form
		path, body, want string
	}{
		{embed.OpenAI, "/embeddings", `{ "input": "x", "model" : "lab/m","y":1.0}`, `{ "input": "x", "model" : "big\"","y":1.0}`},
		{embed.Ollama, "/api/embeddings", `{"prompt":"x","model":"m"}`, `{"prompt":"x","model":"big\""}`},
		{embed.Gemini, "/v1beta/models/m:embedContent", `{"content":{"parts":[{"text":"\"model\""}],"model":"no"},"model":"models/m"}`, `{"content":{"parts":[{"text":"\"model\""}],"model":"no"},"model":"models/big\""}`},
		{embed.Gemini, "/models/m:batchEmbedContents", `{"requests":[{"model":"models/m","content":{}}, {"model":"m"}]}`, `{"requests":[{"model":"models/big\"","content":{}}, {"model":"big\""}]}`},
	} {
		pieces, err := form(c.form).Patch(&llm.Call{Model: llm.Model{Name: `big"`}}, request(t, c.form, c.path, c.body))
		got := ""
		for _, p := range pieces {
			got += string(p)
		}
		if err != nil || got != c.want {
			t.Errorf("%v\n got %s\nwant %s", err, got, c.want)
		}
	}
}

func TestWhereItGoes(t *testing.T) {
	for _, c := range []struct {
		form       embed.Form
		call, want string
	}{
		{embed.OpenAI, "", "B/embeddings"},
		{embed.Cohere, "", "B/embed"},
		{embed.Ollama, "", "B/api/embed"},
		{embed.Ollama, "legacy", "B/api/embeddings"},
		{embed.Gemini, "", "B/models/m:batchEmbedContents"},
		{embed.Gemini, "one", "B/models/m:embedContent"},
	} {
		if got := form(c.form).URL(&llm.Call{Model: llm.Model{Name: "m"}, Form: c.call}, "B"); got != c.want {
			t.Errorf("%s %q: %s, want %s", c.form, c.call, got, c.want)
		}
	}
}

func TestRequestsThatAreWrong(t *testing.T) {
	for _, c := range []struct {
		form              embed.Form
		path, body, param string
	}{
		{embed.OpenAI, "/embeddings", `{"model":"m","model":"n","input":"x"}`, "model"},
		{embed.OpenAI, "/embeddings", `{"input":"x"}`, "model"},
		{embed.OpenAI, "/embeddings", `{"model":1}`, "model"},
		{embed.OpenAI, "/embeddings", `{"model":"m"}`, "input"},
		{embed.OpenAI, "/embeddings", `{"model":"m","input":{}}`, "input"},
		{embed.OpenAI, "/embeddings", `{"model":"m","input":["a",[]]}`, "input"},
		{embed.OpenAI, "/embeddings", `{"model":"m","input":"x","dimensions":0}`, "dimensions"},
		{embed.OpenAI, "/embeddings", `{"model":"m","input":"x","encoding_format":"hex"}`, "encoding_format"},
		{embed.Ollama, "/api/embed", `{"model":"m","input":[1,2]}`, "input"},
		{embed.Cohere, "/v2/embed", `{"model":"m","texts":["x"],"embedding_types":["int8"]}`, "embedding_types"},
		{embed.Cohere, "/v2/embed", `{"model":"m","images":["data:"]}`, "images"},
		{embed.Gemini, "/models/m:embedContent", `{"content":{"parts":[{"inlineData":{}}]}}`, "content"},
		{embed.Gemini, "/models/m:batchEmbedContents", `{"requests":[]}`, "requests"},
		{embed.Gemini, "/models/m:batchEmbedContents", `{"requests":[{"content":{"parts":[{"text":"a"}]},"taskType":"X"},{"content":{"parts":[{"text":"a"}]}}]}`, "requests"},
		{embed.OpenAI, "/embeddings", `[`, ""},
	} {
		d := form(c.form)
		peek, err := d.Peek(httptest.NewRequest("POST", c.path, nil), []byte(c.body))
		if err == nil {
			_, err = (&llm.Request{Inbound: d, Raw: []byte(c.body), Peek: peek}).Prompt()
		}
		if e := llm.AsError(err); e == nil || e.Kind != llm.BadRequest || e.Param != c.param {
			t.Errorf("%s: %v, param %q", c.body, err, e.Param)
		}
	}
}

func TestErrorsInEachForm(t *testing.T) {
	e := &llm.Error{Kind: llm.RateLimited, Message: "slow", Code: "c"}
	for f, want := range map[embed.Form]string{
		embed.OpenAI: `{"error":{"message":"slow","type":"rate_limit_error","param":null,"code":"c"}}`,
		embed.Gemini: `{"error":{"code":429,"message":"slow","status":"RESOURCE_EXHAUSTED"}}`,
		embed.Ollama: `{"error":"slow"}`,
		embed.Cohere: `{"message":"slow"}`,
	} {
		if status, _, body := form(f).EncodeError(e); status != 429 || string(body) != want {
			t.Errorf("%s: %d %s", f, status, body)
		}
	}
}

func TestAnswersThatAreWrong(t *testing.T) {
	for _, body := range []string{``, `{}`, `{"data":[]}`, `{"data":[{"index":1,"embedding":[1]}]}`, `{"data":[{"embedding":["x"]}]}`, `{"data":[{"embedding":"AAA="}]}`, `{"error":{"message":"no"}}`, `{"data":[{"index":99999999,"embedding":[1]}]}`} {
		var failed error
		for _, err := range form(embed.OpenAI).DecodeResponse(&llm.Call{}, strings.NewReader(body)) {
			failed = err
		}
		if failed == nil {
			t.Errorf("%s was taken for an answer", body)
		}
	}
}

// Recorded answers of real providers are read, and their usage is what they say.
func TestRecorded(t *testing.T) {
	dir := filepath.Join("..", "..", "..", "..", "shared", "recorded", "embeddings")
	all, _ := filepath.Glob(filepath.Join(dir, "*.meta.json"))
	if len(all) == 0 {
		t.Skip("no recorded answers here")
	}
	read := 0
	for _, file := range all {
		base := strings.TrimSuffix(file, ".meta.json")
		var meta struct {
			Path, Model string
			Status      int
		}
		b, _ := os.ReadFile(file)
		if err := json.Unmarshal(b, &meta); err != nil {
			t.Fatal(err)
		}
		var f embed.Form
		switch {
		case strings.Contains(meta.Path, "EmbedContent"):
			f = embed.Gemini
		case strings.HasSuffix(meta.Path, "/embeddings"):
			f = embed.OpenAI
		case strings.HasSuffix(meta.Path, "/v2/embed"):
			f = embed.Cohere
		default:
			continue // Bedrock's and Vertex's own
		}
		question, _ := os.ReadFile(base + ".request.json")
		answer, _ := os.ReadFile(base + ".response.json")
		name := filepath.Base(base)
		read++
		r := request(t, f, meta.Path, string(question))
		if meta.Status != 200 {
			if e := form(f).DecodeError(meta.Status, http.Header{}, answer); e.Message == "" || e.Status != meta.Status || e.Outbound != form(f).Name() {
				t.Errorf("%s: %+v", name, e)
			}
			continue
		}
		if r.Model != meta.Model {
			t.Errorf("%s: model %q", name, r.Model)
		}
		p, err := r.Prompt()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var tally llm.Tally
		form(f).Tally(&llm.Call{}, &tally, answer)
		var v struct {
			Usage         struct{ Prompt_tokens int64 }
			UsageMetadata struct{ PromptTokenCount int64 }
			Meta          struct{ Billed_units struct{ Input_tokens int64 } }
		}
		if err := json.Unmarshal(answer, &v); err != nil {
			t.Fatal(err)
		}
		want := v.Usage.Prompt_tokens + v.UsageMetadata.PromptTokenCount + v.Meta.Billed_units.Input_tokens
		if !tally.Good || !tally.Done || tally.Usage.Input != want || tally.Usage.Known != (want > 0) {
			t.Errorf("%s: %+v, want %d", name, tally.Usage, want)
		}
		vectors := 0
		for e, err := range form(f).DecodeResponse(&llm.Call{}, strings.NewReader(string(answer))) {
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if e.Kind == llm.Delta {
				vectors++
			}
		}
		if vectors != len(p.Embed.Inputs) {
			t.Errorf("%s: %d vectors for %d texts", name, vectors, len(p.Embed.Inputs))
		}
		// What an OpenAI client would get of it, and back: not a bit of a number changes.
		var out strings.Builder
		as := request(t, embed.OpenAI, "/embeddings", `{"model":"x","input":"x"}`)
		if err := form(embed.OpenAI).EncodeResponse(&out, as, form(f).DecodeResponse(&llm.Call{}, strings.NewReader(string(answer)))); err != nil {
			t.Fatal(err)
		}
		first, second := texts(t, form(f), string(answer)), texts(t, form(embed.OpenAI), out.String())
		if strings.Join(first, " ") != strings.Join(second, " ") {
			t.Errorf("%s: vectors changed on the way", name)
		}
	}
	t.Logf("%d recorded answers", read)
	if read < 10 {
		t.Errorf("only %d recorded answers were read", read)
	}
}

func texts(t *testing.T, d embed.Dialect, answer string) (all []string) {
	t.Helper()
	for e, err := range d.DecodeResponse(&llm.Call{}, strings.NewReader(answer)) {
		if err != nil {
			t.Fatal(err)
		}
		if e.Kind == llm.Delta {
			all = append(all, e.Text)
		}
	}
	return all
}

func FuzzDecode(f *testing.F) {
	for k, body := range two {
		f.Add(string(k), paths[k], body, answers[k])
	}
	f.Fuzz(func(t *testing.T, k, path, body, answer string) {
		d := form(embed.Form(k))
		if embed.Form(k) == embed.Gemini && !strings.Contains(path, "/models/") || !strings.HasPrefix(path, "/") {
			return
		}
		peek, err := d.Peek(&http.Request{URL: &url.URL{Path: path}}, []byte(body))
		if err == nil {
			r := &llm.Request{Inbound: d, Raw: []byte(body), Peek: peek}
			_, _ = r.Prompt()
			_, _ = d.Patch(&llm.Call{Model: llm.Model{Name: "other"}}, r)
		}
		var tally llm.Tally
		d.Tally(&llm.Call{}, &tally, []byte(answer))
		for range d.DecodeResponse(&llm.Call{}, strings.NewReader(answer)) {
		}
	})
}
