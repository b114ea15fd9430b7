package route

import (
	"container/list"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"sync"
	"time"
)

// Answers are what caches keep: in memory only, sealed with a key of this run
// of the program, and bounded for each route. It outlives changes of the
// settings. The zero value is ready, and its methods may be called at once.
type Answers struct {
	mu     sync.Mutex
	aead   cipher.AEAD
	byKey  map[[sha256.Size]byte]*list.Element
	routes map[string]*shelf
}

// shelf is what one route keeps, the last used first.
type shelf struct {
	answers list.List // of *sealed
	size    int64
}

type sealed struct {
	key   [sha256.Size]byte
	route string
	made  time.Time
	until time.Time
	box   []byte // nonce and ciphertext
}

// put keeps an answer. One that is too large for its route is not kept.
func (a *Answers) put(key [sha256.Size]byte, k kept, keep time.Duration, size int64, route string) {
	plain := k.pack()
	if int64(len(plain)) > size {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.ready() {
		return
	}
	nonce := make([]byte, a.aead.NonceSize(), a.aead.NonceSize()+len(plain)+a.aead.Overhead())
	_, _ = rand.Read(nonce) // never fails
	now := time.Now()
	e := &sealed{key: key, route: route, made: now, until: now.Add(keep), box: a.aead.Seal(nonce, nonce, plain, key[:])}
	a.drop(a.byKey[key])
	s := a.routes[route]
	if s == nil {
		s = &shelf{}
		a.routes[route] = s
	}
	a.byKey[key] = s.answers.PushFront(e)
	s.size += int64(len(e.box))
	for s.size > size {
		a.drop(s.answers.Back())
	}
}

// get is a kept answer and its age. It is opened without the lock: a long one
// takes its time.
func (a *Answers) get(key [sha256.Size]byte) (k kept, age time.Duration, ok bool) {
	e, aead := a.find(key)
	if e == nil {
		return kept{}, 0, false
	}
	n := aead.NonceSize()
	plain, err := aead.Open(nil, e.box[:n], e.box[n:], key[:])
	if err == nil {
		k, ok = unpack(plain)
	}
	return k, time.Since(e.made), ok
}

// find is a sealed answer that is not too old, and what opens it. Neither is
// ever changed.
func (a *Answers) find(key [sha256.Size]byte) (*sealed, cipher.AEAD) {
	a.mu.Lock()
	defer a.mu.Unlock()
	at := a.byKey[key]
	if at == nil {
		return nil, nil
	}
	e := at.Value.(*sealed)
	if !time.Now().Before(e.until) {
		a.drop(at)
		return nil, nil
	}
	a.routes[e.route].answers.MoveToFront(at)
	return e, a.aead
}

// drop forgets an answer; nil is none.
func (a *Answers) drop(at *list.Element) {
	if at == nil {
		return
	}
	e := at.Value.(*sealed)
	s := a.routes[e.route]
	s.answers.Remove(at)
	s.size -= int64(len(e.box))
	delete(a.byKey, e.key)
}

// ready makes the key at first use.
func (a *Answers) ready() bool {
	if a.aead != nil {
		return true
	}
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails
	block, err := aes.NewCipher(key)
	if err != nil {
		return false
	}
	if a.aead, err = cipher.NewGCM(block); err != nil {
		return false
	}
	a.byKey, a.routes = map[[sha256.Size]byte]*list.Element{}, map[string]*shelf{}
	return true
}

// Clear forgets everything.
func (a *Answers) Clear() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.aead, a.byKey, a.routes = nil, nil, nil
}

// Size is how many answers are kept, and in how many bytes.
func (a *Answers) Size() (answers int, bytes int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, s := range a.routes {
		bytes += s.size
	}
	return len(a.byKey), bytes
}
