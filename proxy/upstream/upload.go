package upstream

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"
)

// errSent refuses to send a body again of which nobody kept a copy.
var errSent = errors.New("the connection broke after a part of the upload was sent, and no copy of it is kept: send it again")

// Sized is a Request's Rest whose length is known.
type Sized interface {
	io.Reader
	Size() int64 // bytes in all; negative: unknown
}

// upload is a body of which a part is in memory, and the rest still with the
// client: the rest is read once, as fast as the provider takes it.
type upload struct {
	head [][]byte
	size int64 // of all; -1: unknown

	mu     sync.Mutex
	rest   io.Reader
	begun  bool  // something of the rest was read
	err    error // what reading the rest came to
	closed chan struct{}
}

func newUpload(head [][]byte, rest io.Reader) *upload {
	u := &upload{head: head, rest: rest}
	for _, p := range head {
		u.size += int64(len(p))
	}
	if s, ok := rest.(Sized); ok && s.Size() >= 0 {
		u.size += s.Size()
	} else if rest != nil {
		u.size = -1
	}
	return u
}

// body is what the transport reads. It may ask again until something of the
// rest is gone.
func (u *upload) body() (io.ReadCloser, error) {
	if u.rest == nil {
		return newBody(u.head, u.size), nil
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.begun {
		return nil, errSent
	}
	u.closed = make(chan struct{})
	s := &sending{upload: u, done: u.closed}
	s.Reader = io.MultiReader(newPieces(u.head), s.tail())
	return s, nil
}

// failed is why the client's part could not be read to its end, or nil.
func (u *upload) failed() error {
	if u == nil {
		return nil
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.err == io.EOF {
		return nil
	}
	return u.err
}

const (
	// drainMost and drainFor bound what is read of an upload that the provider
	// refused before its end: most clients look for an answer only when they
	// have sent all.
	drainMost = 256 << 20
	drainFor  = 10 * time.Second
)

// drain reads the rest of a refused upload away.
func (u *upload) drain(ctx context.Context) {
	if u == nil || u.rest == nil {
		return
	}
	limit := time.NewTimer(drainFor)
	defer limit.Stop()
	if u.closed != nil {
		select { // the transport may be reading still
		case <-u.closed:
		case <-ctx.Done():
			return
		case <-limit.C:
			return
		}
	}
	if u.failed() != nil {
		return
	}
	_, _ = io.CopyN(io.Discard, u.rest, drainMost) // the refusal is what counts
}

// sending is one try to send the upload.
type sending struct {
	io.Reader
	upload *upload
	once   sync.Once
	done   chan struct{}
}

func (s *sending) Close() error {
	s.once.Do(func() { close(s.done) })
	return nil
}

func (s *sending) tail() io.Reader { return restReader{s.upload} }

// restReader reads what the client still has, and remembers how that went.
type restReader struct{ *upload }

func (r restReader) Read(p []byte) (int, error) {
	r.mu.Lock()
	r.begun = true
	r.mu.Unlock()
	n, err := r.rest.Read(p)
	if err != nil {
		r.mu.Lock()
		r.err = err
		r.mu.Unlock()
	}
	return n, err
}
