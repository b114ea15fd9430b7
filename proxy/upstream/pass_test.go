package upstream

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"keytray/proxy/dialect/chat"
	"keytray/proxy/dialect/verbatim"
	"keytray/proxy/llm"
)

// sized is a Rest of a known length.
type sized struct {
	io.Reader
	n int64
}

func (s sized) Size() int64 { return s.n }

// passTo is a Pass to a provider that answers as h says.
func passTo(t *testing.T, h http.HandlerFunc) (*Pass, *book) {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	l := leaf(t, s.URL)
	return &Pass{
		Model: l.Model, URL: s.URL + "/v1/files", Base: s.URL + "/v1", Sign: l.Sign, Network: l.Network, Record: l.book,
		Watch: verbatim.Dialect{Kind: verbatim.Transcription, Errors: chat.Dialect{}}, Unmetered: true,
	}, l.book
}

func upload0(rest io.Reader) *llm.Request {
	return &llm.Request{ID: "kt-1", Inbound: verbatim.Dialect{Kind: verbatim.Transcription, Errors: chat.Dialect{}}, Method: "POST", Rest: rest, Header: http.Header{"Content-Type": {"x/y"}}}
}

// zeros is n bytes that are nowhere.
func zeros(n int64) io.Reader { return io.LimitReader(zero{}, n) }

type zero struct{}

func (zero) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// An upload goes through without being kept: 60 MB cost hardly any memory.
func TestUploadIsNotKept(t *testing.T) {
	const size = 60 << 20
	got := make(chan int64, 1)
	p, book := passTo(t, func(w http.ResponseWriter, r *http.Request) {
		n, err := io.Copy(io.Discard, r.Body)
		if err != nil || r.ContentLength != n {
			t.Errorf("%d of %d bytes: %v", n, r.ContentLength, err)
		}
		got <- n
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, `{"text":"x"}`)
	})
	p.Body = [][]byte{[]byte("head")}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	resp, err := p.Do(t.Context(), upload0(sized{zeros(size), size}))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	runtime.ReadMemStats(&after)
	if n := <-got; n != size+4 {
		t.Errorf("%d bytes arrived", n)
	}
	taken := after.TotalAlloc - before.TotalAlloc
	t.Logf("%d KiB were allocated for an upload of %d MiB", taken>>10, size>>20)
	if taken > 4<<20 {
		t.Errorf("%d bytes were allocated", taken)
	}
	if a := book.only(t); a.Outcome != llm.OK || a.SentBytes != size+4 {
		t.Errorf("%+v", a)
	}
}

// A client that goes away in the middle leaves the provider a body that is cut
// off, never one that seems whole.
func TestUploadThatStops(t *testing.T) {
	for name, size := range map[string]int64{"length told": 1 << 20, "chunked": -1} {
		t.Run(name, func(t *testing.T) {
			seen := make(chan error, 1)
			p, book := passTo(t, func(w http.ResponseWriter, r *http.Request) {
				_, err := io.Copy(io.Discard, r.Body)
				seen <- err
			})
			cut := io.MultiReader(zeros(1000), iotest.ErrReader(io.ErrUnexpectedEOF))
			_, err := p.Do(t.Context(), upload0(sized{cut, size}))
			if e := llm.AsError(err); e.Kind != llm.Canceled || !strings.Contains(e.Message, "stopped sending") {
				t.Errorf("%v", err)
			}
			if err := <-seen; err == nil {
				t.Error("the provider took the body for whole")
			}
			if a := book.only(t); a.Outcome != llm.Aborted {
				t.Errorf("%+v", a)
			}
		})
	}
}

// A body whose length is not what was told is not sent as if it were.
func TestUploadOfWrongSize(t *testing.T) {
	for _, told := range []int64{999, 1001} {
		p, _ := passTo(t, func(w http.ResponseWriter, r *http.Request) {
			if n, err := io.Copy(io.Discard, r.Body); err == nil && n != 1000 {
				return
			}
		})
		if _, err := p.Do(t.Context(), upload0(sized{zeros(1000), told})); err == nil {
			t.Errorf("1000 bytes, told as %d, passed", told)
		}
	}
}

// A provider that refuses early is heard, and the client may finish sending.
func TestUploadRefusedEarly(t *testing.T) {
	p, book := passTo(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusUnauthorized)
		fmt.Fprintf(w, `{"error":{"message":"no key like %s"}}`, canary)
	})
	rest := &counted{r: zeros(8 << 20)}
	_, err := p.Do(t.Context(), upload0(sized{rest, 8 << 20}))
	if e := llm.AsError(err); e.Status != 401 || strings.Contains(e.Message+string(e.Raw), canary) {
		t.Errorf("%v", err)
	}
	if rest.n != 8<<20 {
		t.Errorf("%d bytes were read of the client", rest.n)
	}
	if a := book.only(t); a.Outcome != llm.Failed || strings.Contains(a.Err.Message, canary) {
		t.Errorf("%+v", a)
	}
}

type counted struct {
	r io.Reader
	n int64
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// What was sent once cannot be sent again.
func TestUploadIsSentOnce(t *testing.T) {
	u := newUpload(nil, sized{zeros(10), 10})
	b, err := u.body()
	if err != nil {
		t.Fatal(err)
	}
	if again, err := u.body(); err != nil || again == nil {
		t.Errorf("nothing was read yet: %v", err)
	}
	_, _ = io.ReadAll(b)
	if _, err := u.body(); !errors.Is(err, errSent) {
		t.Errorf("%v", err)
	}
}

// looksOn is a Through that keeps what it saw.
type looksOn struct {
	bytes.Buffer
	closed bool
}

func (l *looksOn) Close() { l.closed = true }

// The row of what streams through is finished before the client can know that
// it has all.
func TestRowBeforeTheLastByte(t *testing.T) {
	for _, chunked := range []bool{false, true} {
		p, book := passTo(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "audio/mpeg")
			if chunked {
				_ = http.NewResponseController(w).Flush()
			} else {
				w.Header().Set("Content-Length", "6")
			}
			fmt.Fprint(w, "sound!")
		})
		look := &looksOn{}
		p.Through = look
		resp, err := p.Do(t.Context(), &llm.Request{Inbound: verbatim.Dialect{Kind: verbatim.Speech, Errors: chat.Dialect{}}})
		if err != nil {
			t.Fatal(err)
		}
		one := make([]byte, 1)
		for i := range 6 {
			if len(book.rows(t)) != 0 && i < 6 {
				t.Fatalf("the row was finished before byte %d", i)
			}
			if _, err := io.ReadFull(resp.Body, one); err != nil {
				t.Fatal(err)
			}
		}
		if chunked {
			if _, err := resp.Body.Read(one); err != io.EOF {
				t.Fatal(err)
			}
		}
		if a := book.only(t); a.Outcome != llm.OK || look.String() != "sound!" || !look.closed {
			t.Errorf("chunked %v: %+v, %q", chunked, a, look.String())
		}
		resp.Body.Close()
	}
}

func TestPassThatIsCut(t *testing.T) {
	p, book := passTo(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "audio/mpeg")
		w.Header().Set("Content-Length", "100")
		fmt.Fprint(w, "sound")
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	})
	look := &looksOn{}
	p.Through = look
	resp, err := p.Do(t.Context(), &llm.Request{Inbound: verbatim.Dialect{Kind: verbatim.Speech, Errors: chat.Dialect{}}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(resp.Body); err == nil || look.closed {
		t.Error("a cut answer ended well")
	}
	if a := book.only(t); a.Outcome != llm.Broken {
		t.Errorf("%+v", a)
	}
}

// Promise 5: who closes the answer stops the provider.
func TestPassStopped(t *testing.T) {
	gone := make(chan struct{})
	p, book := passTo(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "audio/mpeg")
		fmt.Fprint(w, "sound")
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
		close(gone)
	})
	resp, err := p.Do(t.Context(), &llm.Request{Inbound: verbatim.Dialect{Kind: verbatim.Speech, Errors: chat.Dialect{}}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(resp.Body, make([]byte, 5)); err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	<-gone
	if a := book.only(t); a.Outcome != llm.Aborted {
		t.Errorf("%+v", a)
	}
}

func TestPassHeldBack(t *testing.T) {
	p, book := passTo(t, func(http.ResponseWriter, *http.Request) { t.Error("the provider was called") })
	p.Network.Allow(nil)
	if _, err := p.Do(t.Context(), upload0(nil)); llm.AsError(err).Kind != llm.Internal {
		t.Errorf("a host that is not allowed: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.Do(ctx, upload0(nil)); llm.AsError(err).Kind != llm.Canceled {
		t.Errorf("%v", err)
	}
	if len(book.rows(t)) != 2 {
		t.Errorf("%d rows", len(book.rows(t)))
	}
}

func TestWithoutKey(t *testing.T) {
	for in, want := range map[string]string{
		"": "", "a=1": "a=1", "key=x": "", "a=%2F&key=x&b": "a=%2F&b", "k%65y=x&monkey=1": "monkey=1", "key": "", "%zz=1&key=2": "%zz=1",
	} {
		if got := WithoutKey(in); got != want {
			t.Errorf("WithoutKey(%q) = %q, want %q", in, got, want)
		}
	}
}

// Where the length is told, the last byte is the end, whether or not the
// connection says so at once.
func TestRowAtTheLengthTold(t *testing.T) {
	p, book := passTo(t, nil)
	b := &passage{pass: p, ctx: t.Context(), begun: true, src: strings.NewReader("abc"), left: 3}
	p.Record.Begin(&b.attempt)
	if n, err := b.Read(make([]byte, 2)); n != 2 || err != nil || len(book.rows(t)) != 0 {
		t.Fatal(n, err)
	}
	if n, err := b.Read(make([]byte, 2)); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	if a := book.only(t); a.Outcome != llm.OK {
		t.Errorf("%+v", a)
	}
}
