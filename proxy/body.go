package proxy

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/klauspost/compress/zstd"

	"keytray/proxy/llm"
)

// readBody reads a request whole, unpacked, under a limit: a provider that
// answers before the body has been sent would otherwise cut its own answer
// off. Its error is an *llm.Error.
func readBody(r *http.Request, limit int64) ([]byte, error) {
	var in io.Reader = r.Body
	size := r.ContentLength
	if size > limit {
		return nil, tooLarge(limit)
	}
	switch enc := strings.ToLower(r.Header.Get("Content-Encoding")); enc {
	case "", "identity":
	case "gzip", "x-gzip":
		z, err := gzip.NewReader(in)
		if err != nil {
			return nil, llm.Invalid("", "the body says it is gzip but cannot be unpacked: %v", err)
		}
		in, size = z, -1
	case "zstd":
		z, err := zstd.NewReader(in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(64<<20))
		if err != nil {
			return nil, llm.Invalid("", "the body says it is zstd but cannot be unpacked: %v", err)
		}
		defer z.Close()
		in, size = z, -1
	default:
		return nil, &llm.Error{Kind: llm.BadRequest, Status: http.StatusUnsupportedMediaType, Message: fmt.Sprintf("the body is compressed as %q; send it plain, gzip or zstd", enc)}
	}
	if size >= 0 {
		b := make([]byte, size)
		if _, err := io.ReadFull(in, b); err != nil {
			return nil, unread(err, limit)
		}
		return b, nil
	}
	// A bomb is stopped at the limit, however small it came.
	b, err := io.ReadAll(io.LimitReader(in, limit+1))
	if err != nil {
		return nil, unread(err, limit)
	}
	if int64(len(b)) > limit {
		return nil, tooLarge(limit)
	}
	return b, nil
}

// unread says why a body could not be read.
func unread(err error, limit int64) error {
	if errors.Is(err, zstd.ErrWindowSizeExceeded) || errors.Is(err, zstd.ErrDecoderSizeExceeded) {
		return tooLarge(limit)
	}
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return llm.Invalid("", "the request body ended before its stated length")
	}
	return &llm.Error{Kind: llm.BadRequest, Message: "the request body could not be read: " + err.Error(), Cause: err}
}

func tooLarge(limit int64) error {
	return &llm.Error{Kind: llm.TooLarge, Code: "request_too_large", Message: fmt.Sprintf("the request is larger than %d MiB; send large files through the provider's file API", limit>>20)}
}
