package upstream

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/klauspost/compress/zstd"

	"keytray/proxy/llm"
	"keytray/proxy/proxytest"
)

func zipped(t *testing.T, s string) string {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := io.WriteString(z, s); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func zstded(t *testing.T, s string) string {
	t.Helper()
	z, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	return string(z.EncodeAll([]byte(s), nil))
}

// J3: compressed answers, said or unsaid, whole and streamed.
func TestCompressedAnswers(t *testing.T) {
	for _, stream := range []bool{false, true} {
		r := request(t, stream)
		want := direct(t, proxytest.Script{}, r)
		kind := http.Header{"Content-Type": {"application/json"}}
		if stream {
			kind.Set("Content-Type", "text/event-stream")
		}
		said := kind.Clone()
		said.Set("Content-Encoding", "gzip")
		for name, s := range map[string]proxytest.Script{
			"gzip":                {Fault: proxytest.FaultGzip},
			"gzip, unsaid":        {Fault: proxytest.FaultGzipHidden},
			"zstd":                {Fault: proxytest.FaultZstd},
			"zstd, unsaid":        {Raw: &proxytest.Raw{Header: kind, Pieces: [][]byte{[]byte(zstded(t, want))}}},
			"gzip in bytes":       {Fault: proxytest.FaultGzip, Regroup: proxytest.ByBytes(1)},
			"said, but not so":    {Raw: &proxytest.Raw{Header: said, Pieces: [][]byte{[]byte(want)}}},
			"zstd, said as gzip":  {Raw: &proxytest.Raw{Header: said, Pieces: [][]byte{[]byte(zstded(t, want))}}},
			"gzip, two members":   {Raw: &proxytest.Raw{Header: kind, Pieces: [][]byte{[]byte(zipped(t, want[:9])), []byte(zipped(t, want[9:]))}}},
			"gzip, byte by byte":  {Raw: &proxytest.Raw{Header: kind, Pieces: bytes.SplitAfter([]byte(zipped(t, want)), nil)}},
			"plain, after a wait": {Regroup: proxytest.ByBytes(1)},
		} {
			l := start(t, s)
			resp, err := l.Do(t.Context(), r)
			if err != nil {
				t.Errorf("%s, stream %v: %v", name, stream, err)
				continue
			}
			got, err := io.ReadAll(resp.Body)
			_ = resp.Body.Close()
			if stream {
				got = []byte(withoutUsage(string(got)))
			}
			expect := want
			if stream {
				expect = withoutUsage(want)
			}
			if err != nil || string(got) != expect {
				t.Errorf("%s, stream %v: %v\n got %q\nwant %q", name, stream, err, got, expect)
			}
			if row := l.book.only(t); row.Outcome != llm.OK || row.Tally.Usage.Input != 12 {
				t.Errorf("%s, stream %v: row %+v", name, stream, row)
			}
		}
	}
}

// A compressed frame comes out before the provider sends the next.
func TestCompressedFramesAreNotHeldBack(t *testing.T) {
	for _, fault := range []proxytest.Fault{proxytest.FaultGzip, proxytest.FaultGzipHidden, proxytest.FaultZstd} {
		t.Run(string(fault), func(t *testing.T) {
			step := make(chan struct{}, 2)
			step <- struct{}{}
			step <- struct{}{}
			l := start(t, proxytest.Script{Fault: fault, Parts: proxytest.Parts(proxytest.Text("one ", "two ")), Step: step})
			resp := l.good(t, request(t, true))
			defer close(step)
			got, buf := "", make([]byte, 4<<10)
			for !strings.Contains(got, "one ") {
				n, err := resp.Body.Read(buf)
				if err != nil {
					t.Fatal(err)
				}
				got += string(buf[:n])
			}
		})
	}
}

func TestDamagedCompression(t *testing.T) {
	good := zipped(t, strings.Repeat("a good answer ", 100))
	broken := []byte(good)
	broken[len(broken)-6] ^= 0xff // the checksum
	zgood := []byte(zstded(t, strings.Repeat("a good answer ", 100)))
	zgood[len(zgood)-1] ^= 0xff
	for name, c := range map[string]struct {
		body string
		kind llm.ErrorKind
	}{
		"gzip, bad checksum":   {string(broken), llm.Garbage},
		"gzip, bad header":     {good[:2] + "\x07" + good[3:], llm.Garbage},
		"zstd, bad checksum":   {string(zgood), llm.Garbage},
		"gzip, cut":            {good[:len(good)/2], llm.Cut},
		"gzip, two bytes only": {good[:2], llm.Cut},
		"one odd byte":         {"\x1f", llm.Garbage},
	} {
		for _, stream := range []bool{false, true} {
			l := start(t, proxytest.Script{Raw: &proxytest.Raw{Pieces: [][]byte{[]byte(c.body)}}})
			e := l.bad(t, t.Context(), request(t, stream))
			if e.Kind != c.kind && !(stream && e.Kind == llm.Garbage) {
				t.Errorf("%s, stream %v: %s %v, want %s", name, stream, e.Kind, e, c.kind)
			}
		}
	}
}

func TestReadAllIsBounded(t *testing.T) {
	for n, want := range map[int]error{0: nil, 1: nil, 511: nil, 512: nil, 1000: nil, 1024: nil, 1025: errTooLarge, 9000: errTooLarge} {
		body := strings.Repeat("x", n)
		for _, size := range []int64{-1, int64(n)} {
			for _, in := range []io.Reader{strings.NewReader(body), iotest.OneByteReader(strings.NewReader(body)), iotest.DataErrReader(strings.NewReader(body))} {
				got, err := readAll(in, size, 1024)
				if err != want || err == nil && string(got) != body {
					t.Errorf("%d bytes, said %d: got %d, %v", n, size, len(got), err)
				}
			}
		}
	}
	if _, err := readAll(strings.NewReader(""), maxAnswer+1, maxAnswer); err != errTooLarge {
		t.Errorf("a stated length: %v", err)
	}
	if _, err := readAll(iotest.TimeoutReader(iotest.OneByteReader(strings.NewReader("ab"))), -1, 9); !errors.Is(err, iotest.ErrTimeout) {
		t.Errorf("a broken body: %v", err)
	}
}

// A bomb is given up at the limit, in a stream as well.
func TestABombIsGivenUp(t *testing.T) {
	l := start(t, proxytest.Script{Fault: proxytest.FaultBomb, Size: 65 << 20, Header: http.Header{"Content-Type": {"text/event-stream"}}})
	e := l.bad(t, t.Context(), request(t, true))
	if row := l.book.only(t); e.Kind != llm.Garbage || !strings.Contains(e.Message, "64 MiB") || row.Outcome != llm.Failed {
		t.Errorf("%v, row %+v", e, row)
	}
}

func TestPieces(t *testing.T) {
	parts := [][]byte{[]byte("ab"), nil, []byte("c"), []byte("defg")}
	for _, read := range []func(io.Reader) ([]byte, error){
		io.ReadAll,
		func(r io.Reader) ([]byte, error) { return io.ReadAll(iotest.OneByteReader(r)) },
		func(r io.Reader) ([]byte, error) {
			var b bytes.Buffer
			_, err := r.(io.WriterTo).WriteTo(&b)
			return b.Bytes(), err
		},
	} {
		for range 2 { // reading changes nothing for the next reader
			if got, err := read(newPieces(parts)); err != nil || string(got) != "abcdefg" {
				t.Errorf("%q, %v", got, err)
			}
		}
	}
}
