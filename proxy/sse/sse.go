// Package sse cuts streams into frames: the events of text/event-stream, the
// lines of NDJSON, or the objects of one JSON array. [Frames] reads them, [Tap] looks at them while the
// bytes go by, and [Append] writes them. It knows no dialect.
package sse

import (
	"bytes"
	"errors"
)

// Framing is how frames are told apart.
type Framing uint8

// The framings.
const (
	Events Framing = iota // SSE: fields on lines, a blank line ends the frame
	Lines                 // NDJSON: a line is a frame
	Array                 // one JSON array: an object in it is a frame
)

// MaxFrame bounds one frame, in bytes: an inline image of a very large size
// fits, a provider that never ends its line does not fill the memory.
const MaxFrame = 64 << 20

// ErrFrameTooLarge is returned when a frame exceeds MaxFrame.
var ErrFrameTooLarge = errors.New("a frame of the stream is larger than 64 MiB")

// Frame is one SSE event, NDJSON line or object of an array. Its slices are valid only until the
// next frame is asked for.
type Frame struct {
	Event []byte // the event field, if any
	Data  []byte // the data; nil for a frame of comments alone
}

// cutter finds the end of the frame that starts at the beginning of a growing
// buffer. It never looks at a byte twice, however the bytes arrive.
type cutter struct {
	framing Framing
	line    int // where the current line starts
	seek    int // where to look for its end
	frame   Frame
	event   [2]int
	data    [2]int
	lines   int // data lines so far
	joined  []byte
	depth   int  // of an array's object: how many brackets are open
	quoted  bool // of an array's object: a string is open
}

// next returns the length of the first frame in buf, its delimiter included,
// or 0 if it is not complete yet. buf must start where the last frame ended.
func (c *cutter) next(buf []byte) int {
	if c.framing == Array {
		return c.object(buf)
	}
	for {
		i := bytes.IndexByte(buf[c.seek:], '\n')
		if i < 0 {
			c.seek = len(buf)
			return 0
		}
		end := c.seek + i
		line := c.line
		c.line, c.seek = end+1, end+1
		if end > line && buf[end-1] == '\r' {
			end--
		}
		if c.framing == Lines || end == line {
			if c.framing == Lines {
				c.data, c.lines = [2]int{line, end}, 1
			}
			return c.cut(buf, c.line)
		}
		c.field(buf, line, end)
	}
}

// rest takes what is left at the end of the stream as a frame: some providers
// leave out the last blank line. It returns 0 if nothing is left.
func (c *cutter) rest(buf []byte) int {
	if len(buf) == 0 {
		return 0
	}
	if c.framing == Array { // its closing bracket, or an object without an end
		return c.cut(buf, len(buf))
	}
	if c.line < len(buf) {
		if c.framing == Lines {
			c.data, c.lines = [2]int{c.line, len(buf)}, 1
		} else {
			c.field(buf, c.line, len(buf))
		}
	}
	return c.cut(buf, len(buf))
}

func (c *cutter) field(buf []byte, start, end int) {
	line := buf[start:end]
	switch {
	case bytes.HasPrefix(line, []byte("data:")):
		start += len("data:")
		if start < end && buf[start] == ' ' {
			start++
		}
		switch c.lines {
		case 0:
			c.data = [2]int{start, end}
		case 1:
			c.joined = append(append(append(c.joined[:0], buf[c.data[0]:c.data[1]]...), '\n'), buf[start:end]...)
		default:
			c.joined = append(append(c.joined, '\n'), buf[start:end]...)
		}
		c.lines++
	case bytes.HasPrefix(line, []byte("event:")):
		start += len("event:")
		if start < end && buf[start] == ' ' {
			start++
		}
		c.event = [2]int{start, end}
	}
	// id, retry and comments carry nothing for us; unknown fields are ignored
	// as the standard asks.
}

func (c *cutter) cut(buf []byte, n int) int {
	c.frame = Frame{}
	if c.event[1] > 0 {
		c.frame.Event = buf[c.event[0]:c.event[1]]
	}
	switch c.lines {
	case 0:
	case 1:
		c.frame.Data = buf[c.data[0]:c.data[1]]
	default:
		c.frame.Data = c.joined
	}
	c.line, c.seek, c.lines = 0, 0, 0
	c.event, c.data = [2]int{}, [2]int{}
	c.depth, c.quoted = 0, false
	return n
}

// Append adds a frame to dst. event may be empty; data must hold no newline.
func Append(dst []byte, event string, data []byte) []byte {
	if event != "" {
		dst = append(append(append(dst, "event: "...), event...), '\n')
	}
	return append(append(append(dst, "data: "...), data...), "\n\n"...)
}

var bom = []byte("\xef\xbb\xbf")
