package proxytest

import (
	"bytes"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Fast answers with as little work as can be: everything is made beforehand, requests are read to their
// end but not parsed, and nothing is kept. It is the provider of benchmarks. Use NewFast.
type Fast struct {
	// Every, if set, is the pause before each frame but the first.
	Every time.Duration
	// Flush sends each frame by itself, as providers do; else, without Every, a stream is one write.
	Flush bool

	dialect Dialect
	whole   []byte
	frames  [][]byte
	stream  []byte
	length  string
	buffers sync.Pool // of *[]byte
}

// fastBuffer is how much of a request is read at a time.
const fastBuffer = 64 << 10

// NewFast returns a handler for one dialect whose stream has this many frames of text besides those that
// begin and end it, and whose whole answer is a short text. Both state their usage, a Chat stream in a last
// chunk of its own.
func NewFast(d Dialect, frames int) *Fast {
	f := &Fast{dialect: d}
	f.buffers.New = func() any {
		b := make([]byte, fastBuffer)
		return &b
	}
	seen := &Seen{Dialect: d, Model: "fast", Query: map[string][]string{"alt": {"sse"}}}
	f.whole = bytes.Join(wireOf(Script{}, seen).pieces, nil)
	f.length = strconv.Itoa(len(f.whole))
	words := make([]string, frames)
	for i := range words {
		words[i] = " word"
	}
	seen.Stream = true
	f.frames = wireOf(Script{
		Parts: Parts(Text(words...)), Usage: &Usage{Input: 12, Output: int64(frames)}, ChatUsage: UsageAlways,
	}, seen).pieces
	f.stream = bytes.Join(f.frames, nil)
	return f
}

// Whole returns the whole answer's body.
func (f *Fast) Whole() []byte { return f.whole }

// Stream returns the streamed answer's body.
func (f *Fast) Stream() []byte { return f.stream }

// ServeHTTP answers any path. A body with "stream":true, or for Ollama without "stream":false, or a path
// of Gemini's that says so, gets the stream.
func (f *Fast) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	streams := f.read(r)
	h := w.Header()
	if !streams {
		h["Content-Type"] = []string{wholeType(f.dialect)}
		h["Content-Length"] = []string{f.length}
		_, _ = w.Write(f.whole)
		return
	}
	h["Content-Type"] = []string{streamType(f.dialect)}
	if f.Every == 0 && !f.Flush {
		_, _ = w.Write(f.stream)
		return
	}
	var tick <-chan time.Time
	if f.Every > 0 {
		pace := time.NewTicker(f.Every)
		defer pace.Stop()
		tick = pace.C
	}
	control := http.NewResponseController(w)
	for i, frame := range f.frames {
		if i > 0 && tick != nil {
			select {
			case <-tick:
			case <-r.Context().Done():
				return
			}
		}
		if _, err := w.Write(frame); err != nil || control.Flush() != nil {
			return
		}
	}
}

// read reads the body to its end, and says whether a stream is wanted.
func (f *Fast) read(r *http.Request) bool {
	wanted, declined := false, false
	buffer := f.buffers.Get().(*[]byte)
	defer f.buffers.Put(buffer)
	const overlap = len(`"stream": false`)
	kept := 0
	for {
		n, err := r.Body.Read((*buffer)[kept:])
		part := (*buffer)[:kept+n]
		if !wanted && !declined {
			if i := bytes.Index(part, []byte(`"stream":`)); i >= 0 {
				rest := bytes.TrimLeft(part[i+len(`"stream":`):], " ")
				wanted = bytes.HasPrefix(rest, []byte("true"))
				declined = bytes.HasPrefix(rest, []byte("false"))
			}
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return false
		}
		kept = copy(*buffer, part[max(0, len(part)-overlap):])
	}
	switch f.dialect {
	case Gemini:
		return strings.HasSuffix(r.URL.Path, ":streamGenerateContent")
	case Ollama:
		return !declined
	default:
		return wanted
	}
}
