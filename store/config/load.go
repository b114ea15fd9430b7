package config

import (
	"bytes"
	"errors"
	"io/fs"
	"slices"
	"strings"
)

// load reads the file if it is another than before, and tells the subscribers what came of it. Unless sure, it
// leaves a file that is suddenly gone or empty alone and returns false: an editor may be about to write it.
func (s *Store) load(sure bool) bool {
	text, err := readFile(s.path)
	message := ""
	if err != nil {
		message = err.Error()
	}
	if message == s.seenErr && err != nil || err == nil && s.seenErr == "" && s.seen != nil && bytes.Equal(text, s.seen) {
		return true
	}
	if !sure && (err != nil || len(text) == 0) {
		return false
	}
	s.seen, s.seenErr = text, message
	if err != nil {
		s.refuse(Problems{s.trouble(err)})
		return true
	}
	cfg, root, problems := parse(s.path, text)
	if problems == nil {
		problems = s.check(cfg, root)
	}
	if problems != nil {
		s.refuse(problems)
		return true
	}
	s.adopt(cfg, text)
	s.keep(text)
	s.tell()
	return true
}

func (s *Store) adopt(cfg *Config, text []byte) {
	s.good = text
	s.current.Store(cfg)
	s.problems.Store(nil)
}

func (s *Store) refuse(p Problems) {
	s.problems.Store(&p)
	s.tell()
}

func (s *Store) tell() {
	for _, f := range s.subscribers {
		(*f)(s.Current(), s.Problems())
	}
}

// trouble is a problem with the file itself.
func (s *Store) trouble(err error) Problem {
	p := Problem{File: s.path, Message: err.Error()}
	if errors.Is(err, fs.ErrNotExist) {
		p.Message = "is gone"
		p.Hint = "put it back; the next change made in Keytray writes it again"
	}
	return p
}

// check asks Options.Check and finds the lines of the paths that it names.
func (s *Store) check(cfg *Config, root *node) Problems {
	if s.options.Check == nil {
		return nil
	}
	err := s.options.Check(cfg)
	if err == nil {
		return nil
	}
	var many Problems
	var one Problem
	switch {
	case errors.As(err, &many):
		many = slices.Clone(many)
	case errors.As(err, &one):
		many = Problems{one}
	default:
		many = Problems{{Message: err.Error()}}
	}
	for i := range many {
		p := &many[i]
		p.File = s.path
		for path := p.Path; path != "" && p.Line == 0; path = path[:max(0, strings.LastIndexAny(path, ".["))] {
			if at := root.find(path); at != nil { // the setting itself, or the one that it is in
				p.Line, p.Column = at.line, at.col
			}
		}
	}
	return many
}

// find returns the node of a path, or nil.
func (n *node) find(path string) *node {
	if n == nil || n.path == path {
		return n
	}
	for _, e := range n.entries {
		if got := e.value.find(path); got != nil {
			return got
		}
	}
	for _, item := range n.items {
		if got := item.find(path); got != nil {
			return got
		}
	}
	return nil
}
