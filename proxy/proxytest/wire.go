package proxytest

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"strconv"

	"github.com/klauspost/compress/zstd"
)

// wire is an answer as bytes: what is written, in which pieces, and what happens after the last.
type wire struct {
	status int
	header http.Header
	pieces [][]byte
	end    End
	silent bool   // not even headers
	bills  []Bill // with each piece; nil where pieces are no frames
	all    Bill   // with the last piece, where bills is nil
	// between is what it comes to at each frame, where pieces are no frames.
	between []Bill
}

// bill is what the answer comes to with a piece.
func (w *wire) bill(piece int) Bill {
	switch {
	case w.bills != nil:
		return w.bills[piece]
	case piece == len(w.pieces)-1:
		return w.all
	default:
		return Bill{}
	}
}

// wireOf makes the bytes of the answer to one request.
func wireOf(s Script, seen *Seen) wire {
	if s.Raw != nil {
		return s.Raw.wire()
	}
	w := wire{status: http.StatusOK, header: http.Header{}}
	d := seen.Dialect
	switch {
	case s.Fault == FaultHTML:
		w.status = http.StatusBadGateway
		w.body("text/html; charset=utf-8", []byte("<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n"+
			"<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"))
	case s.Fault == FaultEmpty:
		w.body(wholeType(d), nil)
	case s.Fault == FaultHang:
		w.silent = true
	case s.Fault == FaultRedirect:
		w.status = http.StatusFound
		w.header.Set("Location", "/elsewhere")
	case s.Fail != nil && s.Fault == FaultNone:
		w.fail(d, *s.Fail, seen)
	default:
		a := newAnswer(s, seen)
		if err := w.answer(a); err != nil {
			w = wire{status: http.StatusNotImplemented, header: http.Header{}}
			w.body(wholeType(d), ErrorBody(d, Fail{Status: http.StatusNotImplemented, Message: err.Error()}))
		}
	}
	switch d {
	case Messages:
		w.header.Set("Request-Id", "req_011CTestProvider")
	case Chat:
		w.header.Set("X-Request-Id", "req_test")
	case Gemini, Ollama:
	}
	for name, values := range s.Header {
		w.header[name] = values
	}
	return w
}

func (r *Raw) wire() wire {
	w := wire{status: r.Status, header: r.Header.Clone(), pieces: r.Pieces, end: r.End}
	if w.status == 0 {
		w.status = http.StatusOK
	}
	if w.header == nil {
		w.header = http.Header{}
	}
	return w
}

func wholeType(d Dialect) string {
	if d == Ollama || d == Gemini {
		return "application/json; charset=utf-8"
	}
	return "application/json"
}

func streamType(d Dialect) string {
	switch d {
	case Ollama:
		return "application/x-ndjson"
	case Gemini:
		return "text/event-stream"
	default:
		return "text/event-stream; charset=utf-8"
	}
}

func (w *wire) body(kind string, body []byte) {
	w.header.Set("Content-Type", kind)
	w.header.Set("Content-Length", strconv.Itoa(len(body)))
	w.pieces = [][]byte{body}
}

func (w *wire) fail(d Dialect, f Fail, seen *Seen) {
	f = f.to(seen)
	w.all.Refused = true
	w.status = f.status(d)
	w.body(wholeType(d), ErrorBody(d, f))
	if f.RetryAfter > 0 && d != Gemini {
		w.header.Set("Retry-After", strconv.Itoa(f.RetryAfter))
	}
}

// answer fills in an answer, whole or streamed.
func (w *wire) answer(a *answer) error {
	fill := w.whole
	if a.stream {
		fill = w.stream
	}
	if a.Fault == FaultBomb {
		w.bomb(a.size())
	} else if err := fill(a); err != nil {
		return err
	}
	switch a.Fault {
	case FaultType:
		w.header.Set("Content-Type", "text/plain; charset=utf-8")
	case FaultGzip, FaultGzipHidden, FaultZstd:
		w.compress(a.Fault)
	}
	return nil
}

func (w *wire) whole(a *answer) error {
	body, err := a.whole()
	if err != nil {
		return err
	}
	switch a.Fault {
	case FaultInside, FaultError:
		body = ErrorBody(a.dialect, a.failed)
	case FaultGarbage:
		body = []byte(`{"choices": [{"mess` + "\xff\x00" + `<b>`)
	}
	switch a.Fault {
	case FaultGarbage:
	case FaultCut, FaultFin, FaultStall: // half of it, and perhaps all that it says
		w.all.add(a.dialect, body)
	case FaultInside, FaultError:
		w.all.Refused = true
	default:
		w.all.add(a.dialect, body)
		w.all.Done = true
	}
	w.body(wholeType(a.dialect), body)
	switch half := body[:len(body)/2]; a.Fault {
	case FaultCut: // the declared length stays
		w.pieces, w.end = [][]byte{half}, EndAbort
	case FaultStall:
		w.pieces, w.end = [][]byte{half}, EndHang
	case FaultFin:
		w.header.Del("Content-Length")
		w.pieces = [][]byte{half}
	}
	if a.Regroup != nil {
		w.pieces = a.Regroup(w.pieces)
	}
	return nil
}

func (w *wire) stream(a *answer) error {
	frames, err := a.frames()
	if err != nil {
		return err
	}
	frames, w.end = a.withFault(frames)
	w.pieces = a.render(a.withPings(frames))
	if last := len(w.pieces) - 1; a.Fault == FaultCut && last >= 0 {
		w.pieces[last] = w.pieces[last][:len(w.pieces[last])/2]
	}
	w.header.Set("Content-Type", streamType(a.dialect))
	if !a.sse {
		w.header.Set("Content-Type", wholeType(a.dialect))
	}
	w.header.Set("Cache-Control", "no-cache")
	w.bills = billsOf(a.dialect, frames, a.Fault == FaultCut)
	if len(a.withPings(frames)) != len(frames) || a.Regroup != nil || a.Fault == FaultGzip || a.Fault == FaultGzipHidden || a.Fault == FaultZstd {
		if n := len(w.bills); n > 0 {
			w.all = w.bills[n-1]
		}
		w.between, w.bills = w.bills, nil // the pieces are others
	}
	if a.Fault == FaultInside {
		w.bills[0].Refused = true
	}
	if a.Regroup != nil {
		w.pieces = a.Regroup(w.pieces)
	}
	return nil
}

// flusher is a compressor that can give out what it has so far.
type flusher interface {
	io.WriteCloser
	Flush() error
}

// compress compresses the pieces, each so far that it can be read when it arrives.
func (w *wire) compress(how Fault) {
	var out bytes.Buffer
	var c flusher
	switch how {
	case FaultZstd:
		z, err := zstd.NewWriter(&out, zstd.WithEncoderConcurrency(1))
		if err != nil {
			panic("proxytest: " + err.Error())
		}
		c = z
		w.header.Set("Content-Encoding", "zstd")
	case FaultGzip:
		c = gzip.NewWriter(&out)
		w.header.Set("Content-Encoding", "gzip")
	default:
		c = gzip.NewWriter(&out)
	}
	w.header.Del("Content-Length")
	pieces := make([][]byte, 0, len(w.pieces)+1)
	take := func(err error) {
		if err != nil {
			panic("proxytest: " + err.Error()) // writing to memory
		}
		if out.Len() > 0 {
			pieces = append(pieces, bytes.Clone(out.Bytes()))
			out.Reset()
		}
	}
	for _, p := range w.pieces {
		_, err := c.Write(p)
		if err == nil {
			err = c.Flush()
		}
		take(err)
	}
	take(c.Close())
	w.pieces = pieces
}

// bomb is a small body that unpacks to size bytes: gzip members are read as one after the other.
func (w *wire) bomb(size int) {
	const each = 1 << 20
	block := wire{header: http.Header{}, pieces: [][]byte{spaces(each)}}
	block.compress(FaultGzip)
	member := bytes.Join(block.pieces, nil)
	w.header.Set("Content-Type", "application/json")
	w.header.Set("Content-Encoding", "gzip")
	w.pieces = [][]byte{bytes.Repeat(member, (size+each-1)/each)}
}
