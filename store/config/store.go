package config

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Options are what a [Store] can be told. The zero value reads the file and watches nothing.
type Options struct {
	// Check looks at settings that are well formed and returns an error if they cannot be used: a provider that
	// does not exist, a route without a target. A [Problem] or [Problems] with Path set is shown with its line.
	// It is called by one goroutine at a time and must not call the Store.
	Check func(*Config) error
	// Watch follows changes of the file until Close.
	Watch bool
	// Quiet is how long the file must rest before a change is read; 0 is 100 ms.
	Quiet time.Duration
}

// Store holds the settings of one config.yaml. All its methods may be called at once, except as [Options.Check]
// and [Store.Subscribe] say.
type Store struct {
	path    string
	options Options

	current  atomic.Pointer[Config]
	problems atomic.Pointer[Problems]

	mu          sync.Mutex // held while the file is read or written and while subscribers are told
	good        []byte     // the text of current; nil while current came from no file
	seen        []byte     // what was read last
	seenErr     string
	subscribers []*func(*Config, Problems)
	safe        *Config // to run on while nothing good is known; set once
	bare        *Config // to run on where no file can be made; set once by Open, or nil

	stop context.CancelFunc
	done chan struct{}
}

// Open reads the file at path, an absolute path; if there is none, it writes one with comments and defaults,
// making its folder (0700) if need be. It always returns a Store to run on: when the file cannot be used,
// Current is the copy that Keytray kept of the last good version, or without one the defaults with Active set to
// ActiveOffline, since nobody knows what the user had forbidden; Problems says why. The caller closes it.
func Open(path string, options Options) *Store {
	if options.Quiet <= 0 {
		options.Quiet = 100 * time.Millisecond
	}
	s := &Store{path: path, options: options, stop: func() {}, done: make(chan struct{})}
	safe := Defaults()
	safe.Active = ActiveOffline
	s.safe = safe
	s.current.Store(safe)
	s.mu.Lock()
	s.start()
	s.mu.Unlock()
	if !options.Watch {
		close(s.done)
		return s
	}
	ctx, stop := context.WithCancel(context.Background())
	s.stop = stop
	go func() {
		defer close(s.done)
		s.watch(ctx)
	}()
	return s
}

func (s *Store) start() {
	if _, err := os.Lstat(s.path); errors.Is(err, fs.ErrNotExist) {
		if err := s.create(); err != nil {
			// Where there is no file, nothing was forbidden.
			s.bare = Defaults()
			s.adopt(s.bare, nil)
			s.problems.Store(&Problems{{File: s.path, Message: err.Error()}})
			if _, err := readFile(s.path); err != nil {
				s.seenErr = err.Error()
			}
			return
		}
	}
	s.load(true)
	if s.Problems() == nil {
		return
	}
	text, err := readFile(s.goodPath())
	if err != nil {
		return
	}
	if cfg, _, problems := parse(s.path, text); problems == nil && s.check(cfg, nil) == nil {
		s.good = text
		s.current.Store(cfg)
	}
}

// create writes the first file unless another process was faster.
func (s *Store) create() error {
	if err := makeFolder(filepath.Dir(s.path)); err != nil {
		return err
	}
	f, err := os.OpenFile(s.path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("cannot be written: %w; make its folder writable, or set KEYTRAY_HOME to a folder that is", reason(err))
	}
	_, err = io.WriteString(f, first)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return errors.Join(fmt.Errorf("cannot be written: %w; make room on its disk", reason(err)), os.Remove(s.path))
	}
	return nil
}

// Path returns the path that Open was given.
func (s *Store) Path() string { return s.path }

// Current returns the settings to use now; never nil. It costs one atomic load.
func (s *Store) Current() *Config { return s.current.Load() }

// Problems returns what is wrong with the file as it is, or nil. While there are problems, Current is what was
// good before.
func (s *Store) Problems() Problems {
	if p := s.problems.Load(); p != nil {
		return *p
	}
	return nil
}

// Safe tells whether Current is neither from the file nor from a good version of it, but the defaults with Active set
// to ActiveOffline.
func (s *Store) Safe() bool { return s.Current() == s.safe }

// Bare tells whether Current is the defaults as they are, since there was no file and none could be made.
func (s *Store) Bare() bool { return s.bare != nil && s.Current() == s.bare }

// Subscribe has f called after each change of Current or Problems, with both, in order and never twice at once,
// on the goroutine that found or made the change; an Edit returns after it. f must be quick and must not call
// Edit, Reload, Subscribe or Close. The returned function ends the subscription; f may call neither it.
func (s *Store) Subscribe(f func(*Config, Problems)) (cancel func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.subscribers = append(s.subscribers, &f)
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.subscribers = slices.DeleteFunc(s.subscribers, func(g *func(*Config, Problems)) bool { return g == &f })
	}
}

// Reload reads the file now and returns Problems if it has any.
func (s *Store) Reload() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.load(true)
	if p := s.Problems(); p != nil {
		return p
	}
	return nil
}

// Close ends watching and waits for it. Current and Problems go on answering.
func (s *Store) Close() error {
	s.stop()
	<-s.done
	return nil
}
