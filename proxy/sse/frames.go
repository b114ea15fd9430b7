package sse

import (
	"io"
	"iter"
)

// Frames reads r frame by frame, those without data left out. A frame's slices
// are valid until the next one. An error of r other than io.EOF ends the
// sequence; whether the stream was complete is the reader's to know.
func Frames(r io.Reader, framing Framing) iter.Seq2[Frame, error] {
	return func(yield func(Frame, error) bool) {
		pooled := buffers.Get().(*[]byte)
		defer buffers.Put(pooled)
		buf, start, end := *pooled, 0, 0
		c := cutter{framing: framing}
		began := false
		for {
			n := c.next(buf[start:end])
			if n > 0 {
				start += n
				if c.frame.Data != nil && !yield(c.frame, nil) {
					return
				}
				continue
			}
			if start > 0 {
				end = copy(buf, buf[start:end])
				start = 0
			}
			if end == len(buf) {
				buf = append(buf, make([]byte, len(buf))...)
			}
			if end > MaxFrame {
				yield(Frame{}, ErrFrameTooLarge)
				return
			}
			m, err := r.Read(buf[end:])
			end += m
			if !began && end >= len(bom) {
				began = true
				if string(buf[:len(bom)]) == string(bom) {
					end = copy(buf, buf[len(bom):end])
					c = cutter{framing: framing}
				}
			}
			if err == nil {
				continue
			}
			for n := c.next(buf[start:end]); n > 0; n = c.next(buf[start:end]) {
				start += n
				if c.frame.Data != nil && !yield(c.frame, nil) {
					return
				}
			}
			if err == io.EOF {
				if n := c.rest(buf[start:end]); n > 0 && c.frame.Data != nil {
					yield(c.frame, nil)
				}
				return
			}
			yield(Frame{}, err)
			return
		}
	}
}
