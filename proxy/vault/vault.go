// Package vault keeps what a client's dialect cannot carry: the signatures and
// the encrypted reasoning that a provider wants back, unchanged, beside the
// tool calls of its earlier answers.
//
// A [Vault] watches translated answers ([Vault.Watch]) and keeps such data
// under the ids of the calls, as the client saw them. When the client sends
// the results of those calls, [Vault.Restore] puts the data back into the
// prompt, if the same provider is asked again. Data of one provider is never
// shown to another, nor to another tool.
//
// Answers without tool calls are not kept: providers want their reasoning back
// only while a turn goes on, between a call and its result, and drop what they
// are sent of earlier turns.
//
// All is in memory, sealed with a key that this process alone has, and gone
// with it. Nothing is written to disk.
package vault

import (
	"container/list"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"hash/maphash"
	"sync"
	"sync/atomic"
	"time"
)

// Limits bound a vault. A zero field has a default.
type Limits struct {
	Bytes    int           // of all data; 32 MiB
	Count    int           // tool calls; 20,000
	Lifetime time.Duration // since the data was last used; 24 h
	Known    int           // pieces whose maker is remembered; 50,000
}

// Vault keeps opaque data. Make one with [New]; its methods may be called at
// once from many goroutines.
type Vault struct {
	limits Limits
	aead   cipher.AEAD
	salt   [32]byte     // of all digests
	seed   maphash.Seed // of histories

	any   atomic.Bool // something is kept: who keeps nothing pays nothing
	known atomic.Bool // some data's maker is remembered

	mu     sync.Mutex
	byKey  map[digest]*list.Element // of *entry; two keys may lead to one
	byUse  *list.List               // the last used first
	bytes  int
	makers makers
}

// digest stands for an id or a piece of data.
type digest [16]byte

// entry is what is kept of one tool call, sealed.
type entry struct {
	keys   [2]digest // by id and by history; the first may be zero
	origin string
	sealed []byte
	used   time.Time
}

func (e *entry) size() int { return len(e.sealed) + overhead }

// overhead is about what an entry costs beside its data.
const overhead = 300

// New makes an empty vault.
func New(l Limits) *Vault {
	if l.Bytes <= 0 {
		l.Bytes = 32 << 20
	}
	if l.Count <= 0 {
		l.Count = 20_000
	}
	if l.Lifetime <= 0 {
		l.Lifetime = 24 * time.Hour
	}
	if l.Known <= 0 {
		l.Known = 50_000
	}
	v := &Vault{limits: l, seed: maphash.MakeSeed(), byKey: map[digest]*list.Element{}, byUse: list.New()}
	v.makers.most = l.Known / 2
	var key [32]byte
	_, _ = rand.Read(key[:]) // never fails: crypto/rand
	_, _ = rand.Read(v.salt[:])
	block, err := aes.NewCipher(key[:])
	if err == nil {
		v.aead, err = cipher.NewGCMWithRandomNonce(block)
	}
	if err != nil {
		panic("vault: " + err.Error()) // a key of 32 bytes is always one
	}
	return v
}

// Size is how many tool calls the vault has data of, and how many bytes it
// takes, as near as can be told.
func (v *Vault) Size() (calls, bytes int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.expire(time.Now())
	return v.byUse.Len(), v.bytes
}

// Clear forgets everything.
func (v *Vault) Clear() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.byKey, v.bytes = map[digest]*list.Element{}, 0
	v.byUse.Init()
	v.makers.clear()
	v.any.Store(false)
	v.known.Store(false)
}

// digest hashes some strings, each told from the next.
func (v *Vault) digest(parts ...string) digest {
	n := len(v.salt)
	for _, p := range parts {
		n += len(p) + 8
	}
	b := make([]byte, 0, max(n, 256))
	b = append(b, v.salt[:]...)
	for _, p := range parts {
		b = appendString(b, p)
	}
	sum := sha256.Sum256(b)
	return digest(sum[:])
}

// put keeps data. A key of something older now leads here; what no key leads
// to any more is dropped.
func (v *Vault) put(e *entry, plain []byte) {
	e.sealed = v.aead.Seal(nil, nil, plain, []byte(e.origin))
	if e.size() > v.limits.Bytes/4 {
		return // one call may not push all others out
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	e.used = time.Now()
	el := v.byUse.PushFront(e)
	for _, k := range e.keys {
		if k == (digest{}) {
			continue
		}
		old := v.byKey[k]
		v.byKey[k] = el
		if old != nil && old != el && !v.found(old) {
			v.drop(old)
		}
	}
	v.bytes += e.size()
	v.expire(e.used)
	for v.bytes > v.limits.Bytes || v.byUse.Len() > v.limits.Count {
		v.drop(v.byUse.Back())
	}
	v.any.Store(v.byUse.Len() > 0)
}

// get is the data under a key, if a provider of that origin made it.
func (v *Vault) get(k digest, origin string) ([]byte, bool) {
	v.mu.Lock()
	el, ok := v.byKey[k]
	if !ok {
		v.mu.Unlock()
		return nil, false
	}
	e, now := el.Value.(*entry), time.Now()
	if e.origin != origin || now.Sub(e.used) > v.limits.Lifetime {
		v.mu.Unlock()
		return nil, false
	}
	e.used = now
	v.byUse.MoveToFront(el)
	v.mu.Unlock()
	plain, err := v.aead.Open(nil, nil, e.sealed, []byte(origin)) // sealed never changes
	return plain, err == nil
}

// expire drops what has not been used for the lifetime.
func (v *Vault) expire(now time.Time) {
	for el := v.byUse.Back(); el != nil && now.Sub(el.Value.(*entry).used) > v.limits.Lifetime; el = v.byUse.Back() {
		v.drop(el)
	}
}

// found tells whether a key leads to an entry.
func (v *Vault) found(el *list.Element) bool {
	for _, k := range el.Value.(*entry).keys {
		if v.byKey[k] == el {
			return true
		}
	}
	return false
}

func (v *Vault) drop(el *list.Element) {
	e := v.byUse.Remove(el).(*entry)
	for _, k := range e.keys {
		if v.byKey[k] == el {
			delete(v.byKey, k)
		}
	}
	v.bytes -= e.size()
}
