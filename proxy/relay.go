package proxy

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"keytray/proxy/llm"
)

// relay hands an answer to the client and closes it. A byte copy that is cut
// off aborts the connection: a cut answer never ends cleanly.
func (h *Handler) relay(w http.ResponseWriter, r *llm.Request, resp *llm.Response) {
	defer resp.Body.Close()
	hd := w.Header()
	passAnswerHeaders(hd, resp.Header)
	hd["Keytray-Target"] = []string{headerSafe(resp.Target)}
	hd["Keytray-Attempts"] = []string{strconv.Itoa(resp.Attempts)}
	if lost := resp.Call.Lost; len(lost) > 0 {
		hd["Keytray-Lost"] = []string{headerSafe(strings.Join(lost, "; "))}
	}
	if resp.Why != "" {
		hd["Keytray-Why"] = []string{headerSafe(resp.Why)}
	}
	same := resp.Copied && resp.Stream == r.Stream
	switch {
	case same && !resp.Stream:
		hd["Content-Type"] = label(resp.Header, r.Inbound.ContentType(r.Peek))
		h.copyWhole(w, resp)
	case same:
		hd["Content-Type"] = label(resp.Header, r.Inbound.ContentType(r.Peek))
		w.WriteHeader(resp.Status)
		h.copyStream(w, resp)
	case r.Stream:
		hd["Content-Type"] = []string{r.Inbound.ContentType(r.Peek)}
		hd["Cache-Control"] = []string{"no-cache"}
		h.translateStream(w, r, resp)
	default:
		h.translateWhole(w, r, resp)
	}
}

// label is the provider's Content-Type, if it is right: some send JSON and
// streams as text, which clients refuse to read.
func label(from http.Header, want string) []string {
	if got := from["Content-Type"]; len(got) == 1 && strings.HasPrefix(got[0], want) {
		return got
	}
	return []string{want}
}

// copyWhole writes an answer that is in memory already, with its length, so
// that a client sees its end only with its last byte.
func (h *Handler) copyWhole(w http.ResponseWriter, resp *llm.Response) {
	if b, ok := resp.Body.(interface{ Len() int }); ok {
		w.Header()["Content-Length"] = []string{strconv.Itoa(b.Len())}
		w.WriteHeader(resp.Status)
		_, _ = io.Copy(w, resp.Body) // it is in memory; the client may be gone
		return
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	w.Header()["Content-Length"] = []string{strconv.Itoa(len(body))}
	w.WriteHeader(resp.Status)
	_, _ = w.Write(body) // the client may be gone; the row is written
}

// copyStream flushes after each write; a metered body is an io.WriterTo that
// writes once per read.
func (h *Handler) copyStream(w http.ResponseWriter, resp *llm.Response) {
	out := &flushing{w: w, control: http.NewResponseController(w)}
	if _, err := io.Copy(out, resp.Body); err != nil && !out.gone {
		resp.Body.Close()
		panic(http.ErrAbortHandler)
	}
}

// translateStream writes each event's translation, and flushes whenever the
// next read of the provider may have to wait.
func (h *Handler) translateStream(w http.ResponseWriter, r *llm.Request, resp *llm.Response) {
	out := &batching{flushing: flushing{w: w, control: http.NewResponseController(w)}}
	body := resp.Body
	resp.Body = &flushFirst{ReadCloser: body, flush: out.flush}
	w.WriteHeader(http.StatusOK)
	events := resp.Events()
	if resp.Made != nil { // nothing is read from Body, and any event may be followed by a wait
		events = flushAfter(events, out.flush)
	}
	err := r.Inbound.EncodeResponse(out, r, events)
	if err != nil && !out.gone {
		tell(body, err)
	}
	out.flush()
	if err != nil && !out.gone {
		h.Log.Info("an answer was cut off", "request", r.ID, "target", resp.Target, "kind", string(llm.AsError(err).Kind))
	}
}

// translateWhole writes nothing before the whole answer could be translated.
func (h *Handler) translateWhole(w http.ResponseWriter, r *llm.Request, resp *llm.Response) {
	var out bytes.Buffer
	if err := r.Inbound.EncodeResponse(&out, r, resp.Events()); err != nil {
		tell(resp.Body, err)
		h.fail(w, r.Inbound, err)
		return
	}
	w.Header()["Content-Type"] = []string{r.Inbound.ContentType(r.Peek)}
	w.Header()["Content-Length"] = []string{strconv.Itoa(out.Len())}
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write(out.Bytes()) // the client may be gone; the row is written
}

// tell has the row say why the answer ended, before the client is told.
func tell(body io.Reader, err error) {
	if f, ok := body.(llm.Failer); ok {
		f.Fail(err)
	}
}

// fail answers with an error in the dialect's shape. A provider's own error of
// the same dialect goes on as it is.
func (h *Handler) fail(w http.ResponseWriter, in llm.Inbound, err error) {
	e := llm.AsError(err)
	status, contentType, body := in.EncodeError(e)
	if e.Outbound == in.Name() && e.Raw != nil && bytes.HasPrefix(bytes.TrimSpace(e.Raw), []byte("{")) {
		status, body = e.HTTPStatus(), e.Raw
	}
	hd := w.Header()
	passAnswerHeaders(hd, e.Header)
	if e.RetryAfter > 0 && hd["Retry-After"] == nil {
		hd["Retry-After"] = []string{strconv.Itoa(int((e.RetryAfter + time.Second - 1) / time.Second))}
	}
	hd["Content-Type"] = []string{contentType}
	hd["Content-Length"] = []string{strconv.Itoa(len(body))}
	w.WriteHeader(status)
	_, _ = w.Write(body) // the client may be gone
	if e.Kind == llm.Internal {
		h.Log.Error("a call failed", "err", e)
	}
}

var errGone = errors.New("the client is gone")

// flushing sends every write on at once.
type flushing struct {
	w       http.ResponseWriter
	control *http.ResponseController
	gone    bool
}

func (f *flushing) Write(b []byte) (int, error) {
	n, err := f.w.Write(b)
	if err == nil {
		err = f.control.Flush()
	}
	if err != nil {
		f.gone = true
		return n, errGone
	}
	return n, nil
}

// batching gathers what belongs to one read of the provider's.
type batching struct {
	flushing
	buf []byte
}

const batch = 16 << 10

func (b *batching) Write(p []byte) (int, error) {
	if b.gone {
		return 0, errGone
	}
	b.buf = append(b.buf, p...)
	if len(b.buf) >= batch {
		b.flush()
	}
	return len(p), nil
}

func (b *batching) flush() {
	if len(b.buf) == 0 || b.gone {
		return
	}
	_, _ = b.flushing.Write(b.buf) // notes a client that is gone
	b.buf = b.buf[:0]
}

// flushAfter flushes what was written for each event before it takes the next.
func flushAfter(events llm.Events, flush func()) llm.Events {
	return func(yield func(llm.Event, error) bool) {
		for e, err := range events {
			if !yield(e, err) {
				return
			}
			flush()
		}
	}
}

// flushFirst flushes what has been written before it reads on.
type flushFirst struct {
	io.ReadCloser
	flush func()
}

func (f *flushFirst) Read(p []byte) (int, error) {
	f.flush()
	return f.ReadCloser.Read(p)
}

// passAnswerHeaders hands on what clients use of a provider's header: request
// ids and limits. Cookies, CORS and connection headers are not for them.
func passAnswerHeaders(to, from http.Header) {
	for k, v := range from {
		switch {
		case k == "Retry-After", k == "Retry-After-Ms", k == "X-Request-Id", k == "Request-Id", k == "X-Should-Retry",
			strings.HasPrefix(k, "X-Ratelimit-"), strings.HasPrefix(k, "Anthropic-"), strings.HasPrefix(k, "Openai-"):
			to[k] = v
		}
	}
}

// headerSafe makes s fit for a header: printable ASCII on one line, bounded.
func headerSafe(s string) string {
	const most = 2000
	var b strings.Builder
	for _, r := range s[:min(len(s), most)] {
		if r < ' ' || r > '~' {
			r = '?'
		}
		b.WriteRune(r)
	}
	return b.String()
}
