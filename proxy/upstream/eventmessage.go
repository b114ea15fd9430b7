package upstream

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
)

// eventMessage is one of AWS's event stream: a prelude of two lengths and their
// checksum, headers, a payload, and the checksum of it all.
// See https://smithy.io/2.0/aws/amazon-eventstream.html.
type eventMessage struct {
	headers []byte
	payload []byte
}

const (
	preludeSize = 12
	checksum    = 4
	// The most of AWS's own limits: 24 MB of payload, 128 KB of headers.
	maxEvent = 24<<20 + 128<<10 + preludeSize + checksum
)

var (
	errChecksum = errors.New("a checksum is wrong")
	errLengths  = errors.New("a message has impossible lengths")
	errHeaders  = errors.New("the headers of a message cannot be read")
)

// readMessage reads one message into buf, which may grow and whose memory the
// message shares. io.EOF is the end of the stream between two messages.
func readMessage(src io.Reader, buf []byte) (eventMessage, []byte, error) {
	if cap(buf) < 1<<10 {
		buf = make([]byte, 1<<10)
	}
	buf = buf[:preludeSize]
	if _, err := io.ReadFull(src, buf); err != nil {
		return eventMessage{}, buf, err
	}
	total, headers := binary.BigEndian.Uint32(buf), binary.BigEndian.Uint32(buf[4:])
	if crc32.ChecksumIEEE(buf[:8]) != binary.BigEndian.Uint32(buf[8:]) {
		return eventMessage{}, buf, errChecksum
	}
	if total > maxEvent || total < preludeSize+checksum || headers > total-preludeSize-checksum {
		return eventMessage{}, buf, errLengths
	}
	if int(total) > cap(buf) {
		buf = append(make([]byte, 0, total), buf...)
	}
	buf = buf[:total]
	if _, err := io.ReadFull(src, buf[preludeSize:]); err == io.EOF {
		return eventMessage{}, buf, io.ErrUnexpectedEOF
	} else if err != nil {
		return eventMessage{}, buf, err
	}
	end := total - checksum
	if crc32.ChecksumIEEE(buf[:end]) != binary.BigEndian.Uint32(buf[end:]) {
		return eventMessage{}, buf, errChecksum
	}
	m := eventMessage{headers: buf[preludeSize : preludeSize+headers], payload: buf[preludeSize+headers : end]}
	return m, buf, m.check()
}

// sizes are those of a header's value, by its type; -1: two bytes before it
// say how long it is.
var sizes = [...]int{0, 0, 1, 2, 4, 8, -1, -1, 8, 16}

const stringType = 7

// each visits the headers until visit wants no more; false: they are damaged.
func (m *eventMessage) each(visit func(name []byte, kind byte, value []byte) bool) bool {
	for h := m.headers; len(h) > 0; {
		n := int(h[0])
		if len(h) < n+2 {
			return false
		}
		name, kind := h[1:n+1], h[n+1]
		h = h[n+2:]
		if int(kind) >= len(sizes) {
			return false
		}
		size := sizes[kind]
		if size < 0 {
			if len(h) < 2 {
				return false
			}
			size, h = int(binary.BigEndian.Uint16(h)), h[2:]
		}
		if len(h) < size {
			return false
		}
		if !visit(name, kind, h[:size]) {
			return true
		}
		h = h[size:]
	}
	return true
}

func (m *eventMessage) check() error {
	if !m.each(func([]byte, byte, []byte) bool { return true }) {
		return errHeaders
	}
	return nil
}

// header is a header that holds a string.
func (m *eventMessage) header(name string) (value string) {
	m.each(func(n []byte, kind byte, v []byte) bool {
		if kind != stringType || string(n) != name {
			return true
		}
		value = string(v)
		return false
	})
	return value
}
