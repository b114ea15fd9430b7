package config

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"
)

// maxSize is the largest file that is read: a hundred times what anyone has written by hand.
const maxSize = 1 << 20

var bom = []byte("\xef\xbb\xbf")

// source is the text of one file with a way from a line and column back to a byte.
type source struct {
	file    string
	raw     []byte
	text    string // without byte order mark, lines ended by \n alone: what the parser sees
	lines   []int  // where each line starts in raw
	newline string // what ends lines in raw
}

// newSource checks that raw is text that YAML can be read from.
func newSource(file string, raw []byte) (*source, Problems) {
	s := &source{file: file, raw: raw, newline: "\n"}
	if len(raw) > maxSize {
		return s, s.fail(0, 0, fmt.Sprintf("is larger than %d KiB", maxSize>>10), "only settings belong into this file")
	}
	if bytes.HasPrefix(raw, []byte("\xff\xfe")) || bytes.HasPrefix(raw, []byte("\xfe\xff")) {
		return s, s.fail(1, 1, "is UTF-16 text", "save it as UTF-8")
	}
	start := 0
	if bytes.HasPrefix(raw, bom) {
		start = len(bom)
	}
	s.lines = []int{start}
	for i := start; i < len(raw); i++ {
		if raw[i] == '\n' {
			s.lines = append(s.lines, i+1)
		}
	}
	if len(s.lines) > 1 && raw[s.lines[1]-1] == '\n' && s.lines[1]-2 >= start && raw[s.lines[1]-2] == '\r' {
		s.newline = "\r\n"
	}
	s.text = strings.ReplaceAll(string(raw[start:]), "\r\n", "\n")
	for i, line := range strings.Split(s.text, "\n") {
		if p := s.checkLine(i+1, line); p != nil {
			return s, p
		}
	}
	return s, nil
}

// checkLine finds what the parser would explain badly or not at all.
func (s *source) checkLine(number int, line string) Problems {
	indent, column := true, 0
	for i, r := range line {
		column++
		switch {
		case r == utf8.RuneError && !strings.HasPrefix(line[i:], "\uFFFD"):
			return s.fail(number, column, "holds a byte that is not UTF-8", "save the file as UTF-8")
		case r == '\r':
			return s.fail(number, column, "holds a bare carriage return", "save the file with ordinary line ends")
		case r == '\t' && indent && !blank(line):
			return s.fail(number, column, "a tab is used for indentation", "YAML wants spaces: use two for each level")
		case r < ' ' && r != '\t' || r == 0x7f || r == 0x85 || r == 0x2028 || r == 0x2029 || r == '\ufeff':
			return s.fail(number, column, fmt.Sprintf("holds the control character %U", r), "remove it")
		case r != ' ' && r != '\t':
			indent = false
		}
	}
	return nil
}

// blank says whether a line has nothing but space or a comment.
func blank(line string) bool {
	rest := strings.TrimLeft(line, " \t")
	return rest == "" || rest[0] == '#'
}

func (s *source) fail(line, column int, message, hint string) Problems {
	return Problems{{File: s.file, Line: line, Column: column, Message: message, Hint: hint}}
}

// offset finds a line and column, both from 1 and columns in characters, in raw. Places beyond the end of a
// line or of the file become that end.
func (s *source) offset(line, column int) int {
	if line < 1 {
		return s.lines[0]
	}
	if line > len(s.lines) {
		return len(s.raw)
	}
	at, end := s.lines[line-1], s.lineEnd(s.lines[line-1])
	for ; column > 1 && at < end; column-- {
		_, size := utf8.DecodeRune(s.raw[at:end])
		at += size
	}
	return at
}

// lineStart and lineEnd give the bounds of the line that holds the byte at; the end is before the line's ending.
func (s *source) lineStart(at int) int {
	start := bytes.LastIndexByte(s.raw[:at], '\n') + 1
	return max(start, s.lines[0])
}

func (s *source) lineEnd(at int) int {
	end := len(s.raw)
	if i := bytes.IndexByte(s.raw[at:], '\n'); i >= 0 {
		end = at + i
	}
	if end > at && s.raw[end-1] == '\r' {
		end--
	}
	return end
}

// nextLine is where the line after the one that holds the byte at starts.
func (s *source) nextLine(at int) int {
	if i := bytes.IndexByte(s.raw[at:], '\n'); i >= 0 {
		return at + i + 1
	}
	return len(s.raw)
}
