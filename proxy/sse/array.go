package sse

import "bytes"

// object is next for an array: a frame is whatever precedes an object and the
// object itself, which alone is its data. Objects are all that streams of this
// kind hold; anything else between them is passed over.
func (c *cutter) object(buf []byte) int {
	i := c.seek
	for i < len(buf) {
		if c.quoted {
			n := bytes.IndexByte(buf[i:], '"')
			if n < 0 {
				i = len(buf)
				break
			}
			i += n + 1
			c.quoted = escaped(buf[c.line:], i-1-c.line)
			continue
		}
		switch b := buf[i]; {
		case c.depth == 0 && b == '{':
			c.depth, c.line = 1, i // where the object starts
		case c.depth == 0:
		case b == '"':
			c.quoted = true
		case b == '{', b == '[':
			c.depth++
		case b == '}', b == ']':
			if c.depth--; c.depth == 0 {
				c.data, c.lines = [2]int{c.line, i + 1}, 1
				return c.cut(buf, i+1)
			}
		}
		i++
	}
	c.seek = i
	return 0
}

// escaped tells whether an odd number of backslashes stands before b[i].
func escaped(b []byte, i int) bool {
	n := 0
	for i > n && b[i-1-n] == '\\' {
		n++
	}
	return n%2 == 1
}
