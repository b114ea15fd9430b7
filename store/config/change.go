package config

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

const (
	editWait  = 5 * time.Second  // for another process that is editing
	editStale = 30 * time.Second // after which that process must have died
	editTries = 5
)

// Edit reads the file if it changed, lets change work on a copy, checks the result as if a person had written it,
// and puts it in the place of the file. It returns Problems of the result (nothing is written then), or of the
// file itself while that has a mistake, which is never overwritten; change's own error; or why the disk refused.
// When it returns nil, Current is the new settings. Other processes that edit the same file wait for one another.
func (s *Store) Edit(change func(*Edit) error) error {
	return s.locked(func() error { return s.edit(change, false) })
}

// Try is Edit that writes nothing: it returns what Edit would refuse.
func (s *Store) Try(change func(*Edit) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.edit(change, true)
}

// locked does an edit while no other process does one.
func (s *Store) locked(edit func() error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	release, err := s.lockFile()
	if err != nil {
		return err
	}
	defer release()
	for try := 1; ; try++ {
		err := edit()
		if try == editTries || !errors.Is(err, errChanged) {
			return err
		}
	}
}

func (s *Store) edit(change func(*Edit) error, dry bool) error {
	s.load(true)
	before, base, err := s.base()
	if err != nil {
		return err
	}
	e := &Edit{doc: document{file: s.path, raw: base}, old: s.Current()}
	if err := change(e); err != nil {
		return err
	}
	text := e.doc.raw
	if bytes.Equal(text, before) {
		return nil
	}
	cfg, root, problems := parse(s.path, text)
	if problems == nil {
		problems = s.check(cfg, root)
	}
	if problems != nil {
		return problems
	}
	if dry {
		return nil
	}
	if err := replaceFile(s.path, text, before); err != nil {
		return err
	}
	s.seen, s.seenErr = text, ""
	s.adopt(cfg, text)
	s.keep(text)
	s.tell()
	return nil
}

// base returns what the file holds (nil if it is gone) and the text to change, which for a file that is gone is
// its last good text.
func (s *Store) base() (before, base []byte, err error) {
	before, err = readFile(s.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if s.good != nil {
			return nil, s.good, nil
		}
		return nil, []byte(first), nil
	case err != nil:
		return nil, nil, fmt.Errorf("%s %w", s.path, err)
	}
	if p := s.Problems(); p != nil {
		return nil, nil, fmt.Errorf("config.yaml has a mistake and is left as it is; correct it first: %w", p)
	}
	return before, before, nil
}

// lockFile keeps other processes from editing until release is called.
func (s *Store) lockFile() (release func(), err error) {
	if err := makeFolder(filepath.Dir(s.path)); err != nil {
		return nil, err
	}
	path := s.path + ".lock"
	ctx, cancel := context.WithTimeout(context.Background(), editWait)
	defer cancel()
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	for {
		f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if err == nil {
			return func() { _ = os.Remove(path) }, f.Close()
		}
		if !errors.Is(err, fs.ErrExist) && !errors.Is(err, fs.ErrPermission) {
			return nil, fmt.Errorf("cannot write in the folder %s: %w", filepath.Dir(path), reason(err))
		}
		info, statErr := os.Stat(path)
		if errors.Is(err, fs.ErrPermission) && statErr != nil {
			return nil, fmt.Errorf("cannot write in the folder %s: %w; make it writable", filepath.Dir(path), reason(err))
		}
		if statErr == nil && time.Since(info.ModTime()) > editStale {
			_ = os.Remove(path)
			continue
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return nil, fmt.Errorf("another Keytray is changing the settings; try again, or remove %s if none is running", path)
		}
	}
}

// goodPath is where a copy of the last good version is kept for a start with a broken one.
func (s *Store) goodPath() string { return s.path + ".good" }

// keep writes that copy. Without it a later start is on defaults, so a failure here is no reason to stop.
func (s *Store) keep(text []byte) {
	before, err := readFile(s.goodPath())
	if err == nil && bytes.Equal(before, text) {
		return
	}
	_ = replaceFile(s.goodPath(), text, before)
}
