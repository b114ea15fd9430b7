package sse

import (
	"bytes"
	"io"
	"sync"
)

const (
	bufSize  = 16 << 10
	fastSize = 64 << 10 // of streams that come faster than they are read
)

var (
	buffers     = sync.Pool{New: func() any { b := make([]byte, bufSize); return &b }}
	fastBuffers = sync.Pool{New: func() any { b := make([]byte, fastSize); return &b }}
)

// A Verdict is what becomes of a frame that goes by.
type Verdict uint8

// The verdicts.
const (
	Pass Verdict = iota
	Drop         // leave the frame out
	Hold         // deliver everything before it first, then call Release
)

// Tap reads a stream and shows each whole frame to See before its bytes come
// out. Bytes are delivered as they are, as soon as their frame is complete;
// many frames that arrive together leave together.
//
// The zero values of the other fields are good; Src and See must be set.
// A Tap is used by one goroutine at a time and must be closed with Free.
type Tap struct {
	Src     io.Reader
	Framing Framing
	See     func(Frame) Verdict
	// Release is called once the bytes before a held frame have been taken.
	// Its error, if any, is returned in place of the frame.
	Release func() error
	// End is called once, at the end of Src, with its error (io.EOF when
	// clean); what it returns is what the reader gets.
	End func(error) error

	buf    []byte
	pooled *[]byte
	r      int // delivered up to here
	ready  int // may be delivered up to here
	held   int // the held frame ends here; 0: none
	w      int // filled up to here
	err    error
	began  bool
	full   bool // the last read filled the buffer
	cut    cutter
}

// Read delivers frames that have been seen.
func (t *Tap) Read(p []byte) (int, error) {
	for t.r == t.ready {
		if err := t.advance(); err != nil {
			return 0, err
		}
	}
	n := copy(p, t.buf[t.r:t.ready])
	t.r += n
	return n, nil
}

// WriteTo delivers the whole stream to w, one Write for each read of Src.
func (t *Tap) WriteTo(w io.Writer) (int64, error) {
	var sum int64
	for {
		for t.r == t.ready {
			if err := t.advance(); err != nil {
				if err == io.EOF {
					err = nil
				}
				return sum, err
			}
		}
		n, err := w.Write(t.buf[t.r:t.ready])
		t.r += n
		sum += int64(n)
		if err != nil {
			return sum, err
		}
	}
}

// More reads on without delivering anything yet, so that See sees more
// frames. It returns io.EOF, or the error, at the end of the stream.
func (t *Tap) More() error { return t.advance() }

// Free gives the buffer back. The Tap must not be used any more.
func (t *Tap) Free() {
	t.giveBack()
	t.buf, t.pooled, t.r, t.ready, t.w, t.held = nil, nil, 0, 0, 0, 0
	if t.err == nil {
		t.err = io.ErrClosedPipe
	}
}

// advance makes more bytes ready: a held frame, frames already read, or the
// next read of Src.
func (t *Tap) advance() error {
	switch {
	case t.held > 0:
		end := t.held
		t.held = 0
		if t.Release != nil {
			if err := t.Release(); err != nil {
				t.err = err
				return err
			}
		}
		t.ready = end
		return nil
	case t.scan():
		return nil
	case t.err != nil:
		return t.end()
	}
	t.room()
	if t.w-t.r > MaxFrame {
		t.err = ErrFrameTooLarge
		return t.end()
	}
	n, err := t.Src.Read(t.buf[t.w:])
	t.w += n
	t.full = t.w == len(t.buf)
	t.err = err
	if !t.began && t.w >= len(bom) {
		t.began = true
		if bytes.HasPrefix(t.buf[:t.w], bom) {
			t.w = copy(t.buf, t.buf[len(bom):t.w])
			t.cut = cutter{framing: t.Framing}
		}
	}
	t.scan()
	return nil
}

// end handles the end of Src: what is left is a last frame, and then End has
// its say. What closes an array comes out only after that: it is how a reader
// knows that nothing is missing.
func (t *Tap) end() error {
	if t.err == io.EOF && t.Framing != Array {
		if n := t.cut.rest(t.buf[t.ready:t.w]); n > 0 {
			t.judge(n)
			return nil
		}
	}
	if end := t.End; end != nil {
		t.End = nil
		t.err = end(t.err)
	}
	if t.err == io.EOF && t.ready < t.w {
		t.ready = t.w
		return nil
	}
	return t.err
}

// scan shows the whole frames between ready and w, up to a held one, and tells
// whether it made progress.
func (t *Tap) scan() bool {
	progress := false
	for t.held == 0 {
		n := t.cut.next(t.buf[t.ready:t.w])
		if n == 0 {
			break
		}
		t.judge(n)
		progress = true
	}
	return progress
}

// judge asks See about the frame of n bytes that starts at ready.
func (t *Tap) judge(n int) {
	switch t.See(t.cut.frame) {
	case Drop:
		copy(t.buf[t.ready:], t.buf[t.ready+n:t.w])
		t.w -= n
	case Hold:
		t.held = t.ready + n
	default:
		t.ready += n
	}
}

// room makes space to read into: delivered bytes are dropped, and the buffer
// grows when one frame fills it.
func (t *Tap) room() {
	if t.buf == nil {
		t.pooled = buffers.Get().(*[]byte)
		t.buf = *t.pooled
		t.cut.framing = t.Framing
	}
	if t.r > 0 {
		copy(t.buf, t.buf[t.r:t.w])
		t.w -= t.r
		t.ready -= t.r
		t.r = 0
	}
	// A read that filled the buffer comes from a provider that is faster than
	// its reader: larger reads mean fewer writes. Slow streams stay small.
	switch {
	case t.full && len(t.buf) < fastSize:
		larger := fastBuffers.Get().(*[]byte)
		copy(*larger, t.buf[:t.w])
		t.giveBack()
		t.pooled, t.buf = larger, *larger
	case t.w == len(t.buf):
		larger := make([]byte, 2*len(t.buf))
		copy(larger, t.buf)
		t.giveBack()
		t.buf = larger
	}
}

// giveBack returns a pooled buffer to its pool.
func (t *Tap) giveBack() {
	switch {
	case t.pooled == nil:
	case len(*t.pooled) == bufSize:
		buffers.Put(t.pooled)
	default:
		fastBuffers.Put(t.pooled)
	}
	t.pooled = nil
}
