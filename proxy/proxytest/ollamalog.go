package proxytest

import (
	"bufio"
	"bytes"
	"io"
	"regexp"
	"sync"
)

// ollamaLog reads what the server prints: where it listens, which requests it has finished, and the last
// lines for error messages. It may be used from several goroutines.
type ollamaLog struct {
	address chan string // receives where the server listens, once

	mu      sync.Mutex
	lines   [][]byte
	served  map[string]int
	changed chan struct{} // closed, and replaced, when served grows
}

func newOllamaLog() *ollamaLog {
	return &ollamaLog{address: make(chan string, 1), served: map[string]int{}, changed: make(chan struct{})}
}

// read returns at the end of the log, and closes it.
func (l *ollamaLog) read(log io.ReadCloser) {
	defer log.Close()
	listening := regexp.MustCompile(`Listening on ([\d.:]+)`)
	access := regexp.MustCompile(`^\[GIN\].*\| [A-Z]+ +"([^"?]+)`)
	lines := bufio.NewReader(log)
	for {
		line, err := lines.ReadBytes('\n')
		if found := listening.FindSubmatch(line); found != nil {
			select {
			case l.address <- string(found[1]):
			default:
			}
		}
		path := ""
		if found := access.FindSubmatch(line); found != nil {
			path = string(found[1])
		}
		l.add(line, path)
		if err != nil {
			return
		}
	}
}

func (l *ollamaLog) add(line []byte, served string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, line)
	if len(l.lines) > 40 {
		l.lines = l.lines[1:]
	}
	if served != "" {
		l.served[served]++
		close(l.changed)
		l.changed = make(chan struct{})
	}
}

func (l *ollamaLog) count(path string) (served int, changed <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.served[path], l.changed
}

// String returns the last lines.
func (l *ollamaLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return string(bytes.Join(l.lines, nil))
}
