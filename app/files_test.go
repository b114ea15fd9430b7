package app

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/openai/openai-go/v3"

	"keytray/store/ledger"
)

func TestFilesAndBatchesGoToWhoKeepsThem(t *testing.T) {
	api, groq := &anAPI{}, &anAPI{}
	s1, s2 := httptest.NewServer(api), httptest.NewServer(groq)
	t.Cleanup(s1.Close)
	t.Cleanup(s2.Close)
	yaml := "providers:\n  openai: {base_url: " + s1.URL + "/v1}\n  groq: {base_url: " + s2.URL + "/openai/v1}\n"
	home := t.TempDir()
	env := []string{"OPENAI_API_KEY=" + canary, "GROQ_API_KEY=gsk-other"}
	h := reopen(t, home, yaml, env...)
	for _, x := range []struct {
		a    *anAPI
		base string
	}{{api, "/v1"}, {groq, "/openai/v1"}} {
		x.a.says("POST "+x.base+"/files", `{"id":"file-`+x.base[1:2]+`","object":"file","purpose":"batch"}`)
		x.a.says("GET "+x.base+"/files/{id}", `{"id":"x","object":"file"}`)
		x.a.says("DELETE "+x.base+"/files/{id}", `{"id":"x","object":"file","deleted":true}`)
		x.a.says("GET "+x.base+"/files", `{"object":"list","data":[]}`)
		x.a.says("POST "+x.base+"/batches", `{"id":"batch-`+x.base[1:2]+`","object":"batch","input_file_id":"file-o","output_file_id":"out-`+x.base[1:2]+`"}`)
		x.a.says("GET "+x.base+"/batches/{id}", `{"id":"b","object":"batch"}`)
	}
	upload := openai.FileNewParams{File: strings.NewReader("{}\n"), Purpose: "batch"}
	if f, err := h.client().Files.New(t.Context(), upload); err != nil || f.ID != "file-v" {
		t.Fatalf("%v %+v", err, f)
	}
	api.last(t).wantSigned(t)
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	_ = form.WriteField("purpose", "batch")
	_ = form.Close()
	if r := h.do("POST", "/v1/files", body.String(), "Content-Type", form.FormDataContentType(), "Keytray-Provider", "groq"); r.field(t, "id") != "file-o" {
		t.Fatal(r.body)
	}
	if got := groq.last(t).header.Get("Keytray-Provider"); got != "" {
		t.Error("the header went on")
	}
	n := api.calls()
	if b, err := h.client().Batches.New(t.Context(), openai.BatchNewParams{InputFileID: "file-o", Endpoint: "/v1/chat/completions", CompletionWindow: "24h"}); err != nil || b.ID != "batch-o" {
		t.Fatalf("%v %+v", err, b)
	}
	if len(h.rows()) != 0 {
		t.Error("keeping files is no use of a model, and has rows")
	}
	if err := h.App.Close(); err != nil {
		t.Fatal(err)
	}

	h = reopen(t, home, yaml, env...) // what is known outlives the process
	for _, id := range []string{"out-o", "file-o"} {
		if _, err := h.client().Files.Get(t.Context(), id); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := h.client().Batches.Get(t.Context(), "batch-o"); err != nil {
		t.Fatal(err)
	}
	if api.calls() != n {
		t.Errorf("%d calls about Groq's files went to OpenAI", api.calls()-n)
	}
	if _, err := h.client().Files.Delete(t.Context(), "file-v"); err != nil || api.last(t).path != "/v1/files/file-v" || api.last(t).method != "DELETE" {
		t.Errorf("%v %+v", err, api.last(t))
	}
	if _, err := h.client().Files.List(t.Context(), openai.FileListParams{Purpose: openai.String("batch")}); err != nil || api.last(t).query != "purpose=batch" {
		t.Errorf("%v %+v", err, api.last(t))
	}
	if r := h.do("GET", "/v1/files/x", "", "Keytray-Provider", "nobody"); r.status != 400 {
		t.Errorf("%d %s", r.status, r.body)
	}
}

func TestFilesWithoutAProvider(t *testing.T) {
	h := open(t, "", "ANTHROPIC_API_KEY="+canary)
	if r := h.do("GET", "/v1/files", ""); r.status != 404 || !strings.Contains(r.body, "keytray keys add openai") {
		t.Errorf("%d %s", r.status, r.body)
	}
}

func TestUploads(t *testing.T) {
	h, api := openAIHouse(t, "")
	api.says("POST /v1/uploads", `{"id":"upload_1","object":"upload","status":"pending"}`)
	api.says("POST /v1/uploads/{id}/parts", `{"id":"part_1","object":"upload.part","upload_id":"upload_1"}`)
	api.says("POST /v1/uploads/{id}/complete", `{"id":"upload_1","object":"upload","file":{"id":"file-9","object":"file"}}`)
	u, err := h.client().Uploads.New(t.Context(), openai.UploadNewParams{Bytes: 3, Filename: "a", MimeType: "text/plain", Purpose: "batch"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.client().Uploads.Parts.New(t.Context(), u.ID, openai.UploadPartNewParams{Data: strings.NewReader("abc")}); err != nil || api.last(t).field(t, "data") != "abc" {
		t.Fatal(err)
	}
	if got, err := h.client().Uploads.Complete(t.Context(), u.ID, openai.UploadCompleteParams{PartIDs: []string{"part_1"}}); err != nil || got.File.ID != "file-9" {
		t.Fatal(err)
	}
	if k, ok := h.keeper("file-9"); !ok || k.Provider != "openai" {
		t.Error("the file that an upload became is not known")
	}
}

// batchLine is one result of a batch.
func batchLine(i int, model string, status, in, cached, out int) string {
	body, _ := json.Marshal(map[string]any{
		"id": fmt.Sprint("batch_req_", i), "custom_id": fmt.Sprint("r", i), "error": nil,
		"response": map[string]any{"status_code": status, "body": map[string]any{
			"model": model, "object": "chat.completion", "choices": []any{},
			"usage": map[string]any{"prompt_tokens": in, "completion_tokens": out, "total_tokens": in + out, "prompt_tokens_details": map[string]any{"cached_tokens": cached}},
		}},
	})
	return string(body) + "\n"
}

// I11: a batch's results are billed at the price of batches, each answer by
// the length of its own prompt, once, however often they are fetched.
func TestBatchIsSettledOnce(t *testing.T) {
	var results strings.Builder
	results.WriteString(batchLine(0, "gpt-5", 200, 1000, 200, 100))
	results.WriteString(batchLine(1, "gpt-5", 200, 500, 0, 50))
	results.WriteString(batchLine(2, "gpt-5", 429, 900, 0, 0)) // refused: it has cost nothing
	results.WriteString(strings.TrimSuffix(batchLine(3, "text-embedding-3-small", 200, 10, 0, 0), "\n"))
	h, api := openAIHouse(t, "")
	cut := true
	api.HandleFunc("GET /v1/files/{id}/content", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/octet-stream")
		if cut {
			fmt.Fprint(w, results.String()[:700])
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}
		if r.PathValue("id") == "notes" {
			fmt.Fprint(w, "custom_id and response\n{}\n")
			return
		}
		w.Header().Set("Content-Length", fmt.Sprint(results.Len()))
		fmt.Fprint(w, results.String())
	})
	fetch := func(id string) (string, error) {
		resp, err := h.client().Files.Content(t.Context(), id)
		if err != nil {
			return "", err
		}
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		return string(b), err
	}
	if _, err := fetch("out-1"); err == nil || len(h.rows()) != 0 {
		t.Fatalf("results that were cut off: %v, %d rows", err, len(h.rows()))
	}
	cut = false
	for range 2 {
		if got, err := fetch("out-1"); err != nil || got != results.String() {
			t.Fatalf("%v, %d bytes", err, len(got))
		}
	}
	if got, err := fetch("notes"); err != nil || len(got) != 26 {
		t.Fatalf("%v %q", err, got)
	}
	rows := h.rows()
	if len(rows) != 2 {
		t.Fatalf("%d rows, want one for each model", len(rows))
	}
	if u := rows[0].Usage; rows[0].Model != "gpt-5" || rows[0].Inbound != "batches" || u.Input != 1300 || u.CacheRead != 200 || u.Output != 150 {
		t.Errorf("row %+v", rows[0])
	}
	wantCost(t, rows[0], (1300*1_250_000+200*125_000+150*10_000_000)/2, ledger.CostExact)
	wantCost(t, rows[1], 10*10_000, ledger.CostExact)

	if err := h.App.Close(); err != nil {
		t.Fatal(err)
	}
	h = reopen(t, h.home, "", "OPENAI_API_KEY="+canary) // and after a restart
	if got, err := fetch("out-1"); err != nil || got != results.String() || len(h.rows()) != 2 {
		t.Errorf("%v, %d rows after a restart", err, len(h.rows()))
	}
}
