package proxy

import (
	"io"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/gorilla/mux"

	"keytray/proxy/dialect/verbatim"
	"keytray/proxy/llm"
)

// routePassed adds the endpoints of calls that go through as they are.
func (h *Handler) routePassed(router *mux.Router) {
	for _, d := range passed {
		for _, p := range d.Patterns() {
			router.Handle(p.Path, h.guard(d, h.asIs(d))).Methods(p.Method)
		}
	}
	raw := verbatim.Dialect{Kind: verbatim.Raw, Errors: passed[0].Errors}
	router.PathPrefix("/p/").Handler(h.guard(raw, h.asIs(raw)))
	talk := verbatim.Dialect{Kind: verbatim.Realtime, Errors: passed[0].Errors}
	router.Handle("/realtime", h.guard(talk, h.realtime(talk))).Methods(http.MethodGet)
}

// asIs answers calls of one kind in the client's bytes and the provider's.
func (h *Handler) asIs(d verbatim.Dialect) http.Handler {
	return h.safely(d, func(w http.ResponseWriter, hr *http.Request, id string) {
		c, _ := hr.Context().Value(callerKey{}).(caller)
		r := &llm.Request{
			ID: id, Tool: c.tool, LocalOnly: c.localOnly, Inbound: d, Header: hr.Header, Start: time.Now(),
			Method: hr.Method, Path: hr.URL.Path, Query: hr.URL.RawQuery,
		}
		err := h.read(d, r, hr)
		if err == nil && d.Kind == verbatim.Raw {
			r.Path, err = rawPath(hr)
		}
		if err != nil {
			h.fail(w, d, err)
			return
		}
		target, err := h.Table().Target(r)
		if err != nil {
			h.fail(w, d, err)
			return
		}
		if r.Rest != nil {
			bothWays(w)
		}
		resp, err := target.Do(hr.Context(), r)
		if err != nil {
			w.Header()["Keytray-Attempts"] = []string{strconv.Itoa(r.Attempts())}
			h.fail(w, d, err)
			return
		}
		h.handOver(w, d, resp)
	})
}

// bothWays lets a body be read on while its answer is written. Otherwise the
// server takes the body away at the answer's first byte, maybe from under the
// transport that sends it on, which then closes the provider's connection.
func bothWays(w http.ResponseWriter) {
	_ = http.NewResponseController(w).EnableFullDuplex() // only HTTP/1 knows it, and needs it
}

// read takes what must be known of a body: all of a JSON object, and of a form
// as much as it takes to find the model. The rest is read by who sends it on.
func (h *Handler) read(d verbatim.Dialect, r *llm.Request, hr *http.Request) error {
	if hr.Method != http.MethodPost && d.Kind != verbatim.Raw || hr.Body == nil || hr.Body == http.NoBody {
		return nil
	}
	form, err := verbatim.NewForm(hr.Header.Get("Content-Type"))
	if err != nil {
		return err
	}
	switch {
	case d.Kind == verbatim.Raw && (!conversation(hr) || form != nil && takesForms(hr)):
		r.Rest = rest(hr, 0)
		return nil
	case form == nil || d.Kind == verbatim.Raw:
		if r.Raw, err = readBody(hr, h.MaxBody); err != nil {
			return err
		}
		if len(r.Raw) == 0 && !d.Named() {
			return nil // a cancellation has no body
		}
		r.Peek, err = d.Peek(hr, r.Raw)
		return err
	}
	if enc := hr.Header.Get("Content-Encoding"); enc != "" && enc != "identity" {
		return &llm.Error{Kind: llm.BadRequest, Status: http.StatusUnsupportedMediaType, Message: "the form is compressed as " + enc + ", and Keytray does not unpack uploads; send it plain"}
	}
	return h.readForm(d, form, r, hr)
}

const (
	formHead = 32 << 10 // read at first
	// formMost bounds what is kept of a form whose model comes after its
	// files, as some clients send it.
	formMost = 32 << 20
)

// readForm reads a form up to its model.
func (h *Handler) readForm(d verbatim.Dialect, form *verbatim.Form, r *llm.Request, hr *http.Request) error {
	if !d.Named() {
		r.Rest = rest(hr, 0)
		return nil
	}
	head := make([]byte, 0, formHead)
	for {
		n, err := hr.Body.Read(head[len(head):cap(head)])
		head = head[:len(head)+n]
		done, bad := form.Look(head)
		switch {
		case bad != nil:
			return bad
		case done, err == io.EOF:
			r.Raw, r.Model = head, form.Model
			after := rest(hr, len(head))
			if form.Found {
				r.ModelAt = form.At
				if after.Reader, bad = form.Once(head, hr.Body); bad != nil {
					return bad
				}
			}
			if err == nil {
				r.Rest = after
			} else if !form.Found && !form.End {
				return llm.Invalid("", "the form ends before its last boundary: it was cut off")
			}
			return nil
		case err != nil:
			return unread(err, h.MaxBody)
		case len(head) >= formMost:
			if hr.Header.Get("Keytray-Provider") == "" {
				return llm.Invalid("model", "no model was found in the first %d MiB of this form; put the field model before the files, or name who is to answer in a Keytray-Provider header", formMost>>20)
			}
			r.Raw, r.Rest = head, rest(hr, len(head))
			return nil
		case len(head) == cap(head):
			head = slices.Grow(head, len(head))
		}
	}
}

// remainder is a body that is still with the client.
type remainder struct {
	io.Reader
	size int64
}

// Size is how long it is; negative: unknown.
func (r remainder) Size() int64 { return r.size }

func rest(hr *http.Request, read int) remainder {
	size := hr.ContentLength
	if size >= 0 {
		size -= int64(read)
	}
	return remainder{hr.Body, size}
}

// handOver gives the client the provider's answer as it is.
func (h *Handler) handOver(w http.ResponseWriter, d verbatim.Dialect, resp *llm.Response) {
	defer resp.Body.Close()
	hd := w.Header()
	if d.Kind == verbatim.Raw {
		passAll(hd, resp.Header)
	} else {
		passAnswerHeaders(hd, resp.Header)
		for _, k := range [...]string{"Content-Type", "Content-Disposition", "Content-Encoding"} {
			if v := resp.Header[k]; v != nil {
				hd[k] = v
			}
		}
	}
	if hd["Content-Type"] == nil {
		hd["Content-Type"] = nil // nothing is guessed
	}
	hd["Keytray-Target"] = []string{headerSafe(resp.Target)}
	hd["Keytray-Attempts"] = []string{strconv.Itoa(resp.Attempts)}
	if resp.Why != "" {
		hd["Keytray-Why"] = []string{headerSafe(resp.Why)}
	}
	if b, ok := resp.Body.(interface{ Len() int }); ok && b.Len() >= 0 && resp.Status != http.StatusNoContent {
		hd["Content-Length"] = []string{strconv.Itoa(b.Len())}
	}
	w.WriteHeader(resp.Status)
	out := &flushing{w: w, control: http.NewResponseController(w)}
	if _, err := io.Copy(out, resp.Body); err != nil && !out.gone {
		resp.Body.Close()
		h.Log.Info("an answer was cut off", "target", resp.Target)
		panic(http.ErrAbortHandler)
	}
}
