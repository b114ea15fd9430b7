package llm

import "bytes"

// Shape remembers what a stream's frames have in common around the text that
// they bring: providers repeat a long head and tail in each. A frame of the
// same shape need not be looked into.
type Shape struct {
	head, tail []byte
}

// Text is the length of the text in a frame of the known shape, escapes
// counted as they stand; ok is false for any other frame.
func (s *Shape) Text(frame []byte) (n int, ok bool) {
	n = len(frame) - len(s.head) - len(s.tail)
	if len(s.head) == 0 || n < 0 || !bytes.HasPrefix(frame, s.head) || !bytes.HasSuffix(frame, s.tail) {
		return 0, false
	}
	text := frame[len(s.head) : len(s.head)+n]
	// A quote would end the string, and what follows it might matter; behind a
	// backslash it does not, but then the slow way is right as well.
	return n, bytes.IndexByte(text, '"') < 0 && (n == 0 || text[n-1] != '\\')
}

// Learn takes the shape of a frame that brings text between at and end, and
// of which nothing else matters.
func (s *Shape) Learn(frame []byte, at, end int) {
	s.head = append(s.head[:0], frame[:at]...)
	s.tail = append(s.tail[:0], frame[end:]...)
}
