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

var errUnpack = errors.New("the answer is compressed and cannot be unpacked")

// plain is the answer's body without its compression. None was asked for, but
// some servers compress all the same, some do not say so (J3), and some proxies
// unpack without saying so: the bytes themselves tell.
func plain(resp *http.Response) (io.Reader, error) {
	switch enc := strings.ToLower(resp.Header.Get("Content-Encoding")); enc {
	case "", "identity", "gzip", "x-gzip", "zstd":
		return newSniffer(resp.Body), nil
	default:
		return nil, &llm.Error{Kind: llm.Garbage, Message: fmt.Sprintf("the answer is compressed as %q, which was not asked for", enc)}
	}
}

// The first bytes of compressed bodies. JSON, SSE and text never begin so.
const (
	gzipMagic = "\x1f\x8b"
	zstdMagic = "\x28\xb5\x2f\xfd"
)

// sniffer passes a body on, unless its first bytes are those of gzip or zstd:
// then it unpacks it.
type sniffer struct {
	src    io.Reader // the body, unpacked
	wire   witness   // the body as it came
	begun  bool
	packed bool
}

func newSniffer(body io.Reader) *sniffer {
	s := &sniffer{wire: witness{src: body}}
	s.src = &s.wire
	return s
}

func (s *sniffer) Read(p []byte) (int, error) {
	if !s.begun && len(p) > 0 {
		n, err := s.src.Read(p)
		s.begun = n > 0 || err != nil
		if n == 0 || p[0] != gzipMagic[0] && p[0] != zstdMagic[0] {
			return n, err
		}
		if err := s.unpack(bytes.Clone(p[:n])); err != nil {
			return 0, s.why(err)
		}
	}
	n, err := s.src.Read(p)
	return n, s.why(err)
}

// unpack looks at the first bytes of a body that may be compressed.
func (s *sniffer) unpack(first []byte) (err error) {
	in := bufio.NewReader(io.MultiReader(bytes.NewReader(first), &s.wire))
	s.src = in
	head, _ := in.Peek(len(gzipMagic)) // a body shorter than that is plain
	if string(head) == gzipMagic {
		s.packed = true
		s.src, err = gzip.NewReader(in)
		return err
	}
	if string(head) != zstdMagic[:len(gzipMagic)] {
		return nil
	}
	if head, _ = in.Peek(len(zstdMagic)); string(head) == zstdMagic {
		s.packed = true
		s.src, err = zstd.NewReader(in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(64<<20))
	}
	return err
}

// why tells a damaged body from one that was cut off.
func (s *sniffer) why(err error) error {
	if err == nil || err == io.EOF || !s.packed || s.wire.broke || errors.Is(err, io.ErrUnexpectedEOF) {
		return err
	}
	return fmt.Errorf("%w: %w", errUnpack, err)
}

// witness remembers whether a reader failed, and how it ended.
type witness struct {
	src   io.Reader
	err   error
	broke bool
}

func (w *witness) Read(p []byte) (int, error) {
	if w.err != nil {
		return 0, w.err
	}
	n, err := w.src.Read(p)
	w.err, w.broke = err, err != nil && err != io.EOF
	return n, err
}
