package upstream

import (
	"io"

	"keytray/proxy/sse"
)

// eventTap hands AWS's event stream on as it is, for clients that speak its
// framing, and shows each message's event to see before its bytes come out. It
// is to such a stream what an [sse.Tap] is to others.
type eventTap struct {
	eventReader
	see     func(sse.Frame) sse.Verdict
	release func() error      // called before a message that is held
	end     func(error) error // called once, with how the stream ended

	left  []byte // of the message, not delivered yet
	ended bool
}

// advance reads the next message.
func (t *eventTap) advance() error {
	if t.err == nil {
		_, data := t.next()
		if t.err == nil {
			if data != nil && t.see(sse.Frame{Data: data}) == sse.Hold {
				t.err = t.release()
			}
			if t.err == nil {
				t.left = t.buf
			}
			return t.err
		}
	}
	if !t.ended {
		t.ended = true
		t.err = t.end(t.err)
	}
	return t.err
}

// Read delivers messages that have been seen.
func (t *eventTap) Read(p []byte) (int, error) {
	for len(t.left) == 0 {
		if err := t.advance(); err != nil {
			return 0, err
		}
	}
	n := copy(p, t.left)
	t.left = t.left[n:]
	return n, nil
}

// WriteTo delivers them with one Write for each.
func (t *eventTap) WriteTo(w io.Writer) (int64, error) {
	var sum int64
	for {
		for len(t.left) == 0 {
			if err := t.advance(); err == io.EOF {
				return sum, nil
			} else if err != nil {
				return sum, err
			}
		}
		n, err := w.Write(t.left)
		t.left = t.left[n:]
		sum += int64(n)
		if err != nil {
			return sum, err
		}
	}
}

// Free ends it: nothing more is read.
func (t *eventTap) Free() {
	if t.left = nil; t.err == nil {
		t.err = io.ErrClosedPipe
	}
	t.ended = true
}
