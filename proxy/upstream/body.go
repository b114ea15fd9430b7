package upstream

import (
	"bytes"
	"errors"
	"io"
	"strings"

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

// readAll reads a whole answer of at most limit bytes; size is its
// Content-Length, or negative.
func readAll(in io.Reader, size, limit int64) ([]byte, error) {
	if size > limit {
		return nil, errTooLarge
	}
	buf := make([]byte, 0, max(size, 511)+1)
	for {
		n, err := in.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		switch {
		case int64(len(buf)) > limit:
			return nil, errTooLarge
		case err == io.EOF:
			return buf, nil
		case err != nil:
			return buf, err
		case len(buf) == cap(buf):
			buf = append(buf, 0)[:len(buf)]
		}
	}
}

// isStream tells whether an answer is a stream. What was asked decides where
// the provider's label is missing or wrong, as text/plain is.
func isStream(contentType string, asked bool, framing llm.Framing) bool {
	switch kind, _, _ := strings.Cut(strings.ToLower(contentType), ";"); strings.TrimSpace(kind) {
	case "text/event-stream", "application/x-ndjson", eventStreamType:
		return true
	case "application/json":
		return asked && framing == llm.JSONArray // an array that grows is JSON as well
	case "text/html":
		return false
	default:
		return asked
	}
}

func isJSON(contentType string) bool {
	kind, _, _ := strings.Cut(strings.ToLower(contentType), ";")
	return strings.TrimSpace(kind) == "application/json"
}
