package app

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"keytray/store/ledger"
)

// formOf is a form with a model and a file of n bytes; last says that the model
// comes after the file.
func formOf(model string, n int64, last bool) (body io.Reader, contentType string, size int64) {
	var head, tail bytes.Buffer
	form := multipart.NewWriter(&head)
	if !last {
		_ = form.WriteField("model", model)
	}
	_, _ = form.CreateFormFile("file", "a.wav")
	at := head.Len()
	_ = form.WriteField("purpose", "batch")
	if last {
		_ = form.WriteField("model", model)
	}
	_ = form.Close()
	tail.Write(head.Bytes()[at:])
	head.Truncate(at)
	size = int64(head.Len()) + n + int64(tail.Len())
	return io.MultiReader(&head, io.LimitReader(letters{}, n), &tail), form.FormDataContentType(), size
}

// letters is endless data that is no form's.
type letters struct{}

func (letters) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

// sink is a provider that reads uploads away and counts them.
type sink struct {
	bytes chan int64
	errs  chan error
	model string // the form's, if asked for
}

func (s *sink) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	in, err := r.MultipartReader()
	var n int64
	for err == nil {
		var part *multipart.Part
		if part, err = in.NextPart(); err != nil {
			break
		}
		if part.FormName() == "model" {
			b, _ := io.ReadAll(part)
			s.model = string(b)
			continue
		}
		var m int64
		m, err = io.Copy(io.Discard, part)
		n += m
	}
	if err == io.EOF {
		err = nil
	}
	s.bytes <- n
	s.errs <- err
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprint(w, `{"id":"file-1","object":"file","text":"x"}`)
}

func sinkHouse(t *testing.T) (*house, *sink) {
	t.Helper()
	s := &sink{bytes: make(chan int64, 1), errs: make(chan error, 1)}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return open(t, "providers:\n  openai: {base_url: "+server.URL+"/v1}\n", "OPENAI_API_KEY="+canary), s
}

func (h *house) upload(ctx context.Context, path string, body io.Reader, contentType string, size int64, header ...string) (*http.Response, error) {
	h.t.Helper()
	addr, err := h.Addr()
	if err != nil {
		h.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(ctx, "POST", "http://"+addr+path, body)
	if err != nil {
		h.t.Fatal(err)
	}
	req.ContentLength = size
	req.Header.Set("Content-Type", contentType)
	req.Header.Set("Authorization", "Bearer "+h.token)
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	return http.DefaultClient.Do(req)
}

// A provider may answer before the upload's end: the rest is still sent, and
// the whole answer arrives.
func TestAnswerBeforeTheEndOfTheUpload(t *testing.T) {
	const late = 1 << 20
	provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).EnableFullDuplex()
		first := make([]byte, 5)
		if _, err := io.ReadFull(r.Body, first); err != nil {
			t.Error(err)
		}
		fmt.Fprintf(w, "got %s\n", first)
		_ = http.NewResponseController(w).Flush()
		n, err := io.Copy(io.Discard, r.Body)
		fmt.Fprintf(w, "and %d, %v\n", n, err)
	}))
	t.Cleanup(provider.Close)
	h := open(t, "providers:\n  openai: {base_url: "+provider.URL+"/v1}\n  ollama: {base_url: "+provider.URL+"}\n", "OPENAI_API_KEY="+canary)
	for _, path := range []string{"/p/openai/uploads/1", "/api/blobs/sha256:1"} {
		for _, size := range []int64{5 + late, -1} {
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second) // for when it hangs
			defer cancel()
			body, rest := io.Pipe()
			defer rest.Close()
			go func() { _, _ = rest.Write([]byte("hello")) }()
			resp, err := h.upload(ctx, path, body, "application/octet-stream", size)
			if err != nil {
				t.Fatalf("%s: %v", path, err)
			}
			answer := bufio.NewReader(resp.Body)
			if line, err := answer.ReadString('\n'); line != "got hello\n" {
				t.Fatalf("%s: %q, %v", path, line, err)
			}
			go func() {
				_, _ = io.CopyN(rest, letters{}, late)
				_ = rest.Close()
			}()
			if line, err := answer.ReadString('\n'); line != fmt.Sprintf("and %d, <nil>\n", late) {
				t.Errorf("%s: %q, %v", path, line, err)
			}
			_ = resp.Body.Close()
		}
	}
}

// Client, Keytray and provider together allocate next to nothing for 60 MB:
// there is no copy of the file anywhere.
func TestUploadOf60MB(t *testing.T) {
	const size = 60 << 20
	h, s := sinkHouse(t)
	for _, path := range []string{"/v1/files", "/v1/audio/transcriptions"} {
		for _, chunked := range []bool{false, true} {
			body, kind, length := formOf("openai/whisper-1", size, false)
			if chunked {
				length = -1
			}
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			resp, err := h.upload(t.Context(), path, body, kind, length)
			if err != nil {
				t.Fatal(err)
			}
			got, _ := io.ReadAll(resp.Body)
			resp.Body.Close()
			runtime.ReadMemStats(&after)
			if n, err := <-s.bytes, <-s.errs; resp.StatusCode != 200 || n != size+5 || err != nil {
				t.Fatalf("%s: %d %s, %d bytes, %v", path, resp.StatusCode, got, n, err)
			}
			taken := after.TotalAlloc - before.TotalAlloc
			t.Logf("%s, chunked %v: %d KiB allocated in all", path, chunked, taken>>10)
			if taken > 6<<20 {
				t.Errorf("%s: %d bytes were allocated for %d", path, taken, size)
			}
		}
	}
	if s.model != "whisper-1" {
		t.Errorf("the provider was asked for the model %q", s.model)
	}
}

func TestFormWhoseModelComesLast(t *testing.T) {
	h, s := sinkHouse(t)
	body, kind, size := formOf("openai/whisper-1", 5<<20, true)
	resp, err := h.upload(t.Context(), "/v1/audio/transcriptions", body, kind, size)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if n, err := <-s.bytes, <-s.errs; n != 5<<20+5 || err != nil || s.model != "whisper-1" || resp.StatusCode != 200 {
		t.Errorf("%d bytes, %v, model %q", n, err, s.model)
	}
	body, kind, size = formOf("whisper-1", 40<<20, true)
	resp, err = h.upload(t.Context(), "/v1/audio/transcriptions", body, kind, size)
	if err == nil {
		b, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if resp.StatusCode != 400 || !strings.Contains(string(b), "before the files") {
			t.Errorf("%d %s", resp.StatusCode, b)
		}
	}
	body, kind, size = formOf("whisper-1", 40<<20, true)
	resp, err = h.upload(t.Context(), "/v1/audio/transcriptions", body, kind, size, "Keytray-Provider", "openai")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if n, err := <-s.bytes, <-s.errs; n != 40<<20+5 || err != nil || s.model != "whisper-1" {
		t.Errorf("%d bytes, %v, model %q", n, err, s.model)
	}
}

// Promise 5 on the way out: a client that leaves in the middle of an upload
// leaves the provider a body that is cut off, and a row that says so.
func TestUploadAborted(t *testing.T) {
	for _, chunked := range []bool{false, true} {
		h, s := sinkHouse(t)
		body, kind, size := formOf("whisper-1", 8<<20, false)
		if chunked {
			size = -1
		}
		ctx, cancel := context.WithCancel(t.Context())
		half := io.MultiReader(io.LimitReader(body, 1<<20), readFunc(func([]byte) (int, error) {
			cancel()
			<-ctx.Done()
			return 0, ctx.Err()
		}))
		if _, err := h.upload(ctx, "/v1/audio/transcriptions", half, kind, size); err == nil {
			t.Error("the client was answered")
		}
		if <-s.bytes; <-s.errs == nil {
			t.Error("the provider took the form for whole")
		}
		row := h.awaitRow(1)
		if row.Status != ledger.StatusAborted {
			t.Errorf("chunked %v: row %+v", chunked, row)
		}
		wantCost(t, row, 0, ledger.CostUnpriced)
	}
}

type readFunc func([]byte) (int, error)

func (f readFunc) Read(p []byte) (int, error) { return f(p) }

func TestFormsThatAreWrong(t *testing.T) {
	h, api := openAIHouse(t, "")
	const b = "Content-Type: multipart/form-data; boundary=B\r\n"
	for name, request := range map[string]string{
		"no boundary":       "Content-Type: multipart/form-data\r\nContent-Length: 2\r\n\r\nxx",
		"cut off":           b + "Content-Length: 14\r\n\r\n--B\r\nContent-D",
		"no model":          b + "Content-Length: 7\r\n\r\n--B--\r\n",
		"compressed":        b + "Content-Encoding: gzip\r\nContent-Length: 7\r\n\r\n--B--\r\n",
		"a control in name": b + "Content-Length: 77\r\n\r\n--B\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nopenai/x\r\ny\r\n--B--\r\n     ",
		"not a form":        "Content-Type: text/plain\r\nContent-Length: 2\r\n\r\nxx",
	} {
		resp := h.sendLines("POST /v1/audio/transcriptions HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer kt-test\r\n" + request)
		body, _ := io.ReadAll(io.LimitReader(resp.Body, max(0, resp.ContentLength)))
		if resp.StatusCode < 400 || resp.StatusCode > 415 || !strings.Contains(string(body), `"error"`) {
			t.Errorf("%s: %d %s", name, resp.StatusCode, body)
		}
	}
	if api.calls() != 0 {
		t.Errorf("the provider was called: %+v", api.got)
	}
}
