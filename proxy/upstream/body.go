package upstream

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/klauspost/compress/zstd"

	"keytray/proxy/llm"
)

// maxAnswer bounds a whole answer, in bytes.
const maxAnswer = 256 << 20

var errTooLarge = errors.New("the answer is larger than 256 MiB")

// joinBelow is up to where a body is sent from one piece: net/http sends what
// it knows to be in memory together with the header, in one write.
const joinBelow = 64 << 10

// newBody reads the pieces of a body of that size in order.
func newBody(b [][]byte, size int64) io.ReadCloser {
	if size > joinBelow {
		return newPieces(b)
	}
	if len(b) == 1 {
		return io.NopCloser(bytes.NewReader(b[0]))
	}
	return io.NopCloser(bytes.NewReader(bytes.Join(b, nil)))
}

// pieces reads a body that lies in several slices.
type pieces struct {
	left [][]byte
}

func newPieces(b [][]byte) *pieces { return &pieces{append([][]byte(nil), b...)} }

func (p *pieces) Read(b []byte) (int, error) {
	n := 0
	for n < len(b) && len(p.left) > 0 {
		c := copy(b[n:], p.left[0])
		n += c
		if p.left[0] = p.left[0][c:]; len(p.left[0]) == 0 {
			p.left = p.left[1:]
		}
	}
	if n == 0 && len(p.left) == 0 {
		return 0, io.EOF
	}
	return n, nil
}

// WriteTo writes each piece at once.
func (p *pieces) WriteTo(w io.Writer) (int64, error) {
	var sum int64
	for len(p.left) > 0 {
		n, err := w.Write(p.left[0])
		sum += int64(n)
		if err != nil {
			p.left[0] = p.left[0][n:]
			return sum, err
		}
		p.left = p.left[1:]
	}
	return sum, nil
}

func (p *pieces) Close() error { return nil }

// readAll reads a whole answer; size is its Content-Length, or negative.
func readAll(in io.Reader, size int64) ([]byte, error) {
	if size > maxAnswer {
		return nil, errTooLarge
	}
	buf := make([]byte, 0, max(size, 511)+1)
	for {
		n, err := in.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		switch {
		case err == io.EOF:
			return buf, nil
		case err != nil:
			return buf, err
		case len(buf) > maxAnswer:
			return nil, errTooLarge
		case len(buf) == cap(buf):
			buf = append(buf, 0)[:len(buf)]
		}
	}
}

// plain is the answer's body without its compression. None was asked for, but
// some servers compress all the same, and some do not say so.
func plain(resp *http.Response) (io.Reader, error) {
	switch enc := strings.ToLower(resp.Header.Get("Content-Encoding")); enc {
	case "", "identity":
		return &sniffer{src: resp.Body}, nil
	case "gzip", "x-gzip":
		resp.ContentLength = -1
		return gunzip(resp.Body)
	case "zstd":
		resp.ContentLength = -1
		return unzstd(resp.Body)
	default:
		return nil, &llm.Error{Kind: llm.Garbage, Message: fmt.Sprintf("the answer is compressed as %q, which was not asked for", enc)}
	}
}

func gunzip(r io.Reader) (io.Reader, error) {
	z, err := gzip.NewReader(r)
	if err != nil {
		return nil, &llm.Error{Kind: llm.Garbage, Message: "the answer says it is gzip but cannot be unpacked", Cause: err}
	}
	return z, nil
}

func unzstd(r io.Reader) (io.Reader, error) {
	z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(64<<20))
	if err != nil {
		return nil, &llm.Error{Kind: llm.Garbage, Message: "the answer says it is zstd but cannot be unpacked", Cause: err}
	}
	return z, nil
}

// sniffer passes a body on, unless its first bytes are gzip's: then it
// unpacks it. JSON, SSE and text never begin so.
type sniffer struct {
	src   io.Reader
	begun bool
}

func (s *sniffer) Read(p []byte) (int, error) {
	if s.begun || len(p) < 2 {
		return s.src.Read(p)
	}
	s.begun = true
	n, err := s.src.Read(p)
	if n == 0 || p[0] != 0x1f {
		return n, err
	}
	first := append([]byte(nil), p[:n]...)
	rest := s.src
	if err != nil {
		rest = errReader{err}
	}
	joined := bufio.NewReader(io.MultiReader(strings.NewReader(string(first)), rest))
	if head, _ := joined.Peek(2); len(head) < 2 || head[1] != 0x8b {
		s.src = joined
		return s.src.Read(p)
	}
	if s.src, err = gunzip(joined); err != nil {
		return 0, err
	}
	return s.src.Read(p)
}

type errReader struct{ err error }

func (r errReader) Read([]byte) (int, error) { return 0, r.err }

// isStream tells whether an answer is a stream. What was asked decides where
// the provider's label is missing or wrong, as text/plain is.
func isStream(contentType string, asked bool) bool {
	switch kind, _, _ := strings.Cut(strings.ToLower(contentType), ";"); strings.TrimSpace(kind) {
	case "text/event-stream", "application/x-ndjson":
		return true
	case "application/json", "text/html":
		return false
	default:
		return asked
	}
}
