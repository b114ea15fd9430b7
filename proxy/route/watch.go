package route

import (
	"bytes"
	"io"

	"keytray/proxy/llm"
)

// watch has f see a whole answer's events once its client has had all of it. Of
// a longer one than mostWatched, nothing is seen.
func watch(resp *llm.Response, f func(llm.Events)) {
	if !resp.Copied {
		resp.Made = seen(resp.Events(), f)
		return
	}
	watchBytes(resp, func(_ []byte, events llm.Events) { f(events) })
}

// watchBytes is watch for a byte copy, with the bytes.
func watchBytes(resp *llm.Response, f func(b []byte, events llm.Events)) {
	w := &watched{ReadCloser: resp.Body, done: func(b []byte) {
		call := *resp.Call // what decoding learns is not the client's call's
		call.Foreign, call.Made = nil, nil
		f(b, resp.Outbound.DecodeResponse(&call, bytes.NewReader(b)))
	}}
	if body, ok := resp.Body.(sized); ok {
		resp.Body = &watchedWhole{w, body}
	} else {
		resp.Body = w
	}
}

// seen passes events on and keeps them.
func seen(events llm.Events, f func(llm.Events)) llm.Events {
	return func(yield func(llm.Event, error) bool) {
		var all []llm.Event
		for e, err := range events {
			if !yield(e, err) || err != nil {
				return
			}
			all = append(all, e)
		}
		f(func(yield func(llm.Event, error) bool) {
			for _, e := range all {
				if !yield(e, nil) {
					return
				}
			}
		})
	}
}

// mostWatched bounds what is kept of an answer, in bytes.
const mostWatched = 4 << 20

// watched is a body that keeps a copy of what is read.
type watched struct {
	io.ReadCloser
	kept []byte
	over bool
	done func([]byte) // after its end; nil once called
}

type sized interface {
	io.ReadCloser
	Len() int
}

// watchedWhole is one whose length is known.
type watchedWhole struct {
	*watched
	body sized
}

// Len is how much is left.
func (w *watchedWhole) Len() int { return w.body.Len() }

func (w *watched) keep(b []byte) {
	if w.over = w.over || len(w.kept)+len(b) > mostWatched; !w.over {
		w.kept = append(w.kept, b...)
	}
}

func (w *watched) end(err error) {
	if err == io.EOF && !w.over && w.done != nil {
		done := w.done
		w.done = nil
		done(w.kept)
	}
}

// Read reads the body.
func (w *watched) Read(p []byte) (int, error) {
	n, err := w.ReadCloser.Read(p)
	w.keep(p[:n])
	w.end(err)
	return n, err
}

// WriteTo keeps the body's own pace: one write for each read of the provider's.
func (w *watched) WriteTo(to io.Writer) (int64, error) {
	from, ok := w.ReadCloser.(io.WriterTo)
	if !ok {
		return io.Copy(to, struct{ io.Reader }{w})
	}
	n, err := from.WriteTo(keeping{to, w})
	if err == nil {
		w.end(io.EOF)
	}
	return n, err
}

type keeping struct {
	io.Writer
	w *watched
}

func (k keeping) Write(p []byte) (int, error) {
	k.w.keep(p)
	return k.Writer.Write(p)
}

// Fail passes on why the answer could not be read; see llm.Failer.
func (w *watched) Fail(err error) {
	if f, ok := w.ReadCloser.(llm.Failer); ok {
		f.Fail(err)
	}
}
