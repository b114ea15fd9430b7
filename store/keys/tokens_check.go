package keys

import (
	"crypto/sha256"
	"encoding/binary"
	"io/fs"
	"os"
	"sync/atomic"
	"time"
)

type digest [sha256.Size]byte

// usedAt is a time in Unix nanoseconds; 0 means never.
type usedAt struct{ atomic.Int64 }

// entry is one tool. All but used is fixed; used is shared by the tables that hold the entry.
type entry struct {
	tool    string
	sum     digest
	created time.Time
	used    *usedAt
	static  bool
}

func (e entry) lastUsed() time.Time {
	if n := e.used.Load(); n != 0 {
		return time.Unix(0, n).UTC()
	}
	return time.Time{}
}

// table is what Check reads. It never changes, except for the times in used.
type table struct {
	entries []entry
	info    fs.FileInfo // of the file that entries are from; nil if there was none
}

// Check gives the tool whose token this is. It compares SHA-256 hashes, all of them, in a time that depends
// only on how many there are and how long token is, takes no lock and touches no disk; a token that is not
// known lets it look, now and then, whether another process has changed the file.
func (t *Tokens) Check(token string) (tool string, ok bool) {
	if token == "" {
		return "", false
	}
	var room [128]byte // on the stack, for every token of ours
	sum := digest(sha256.Sum256(append(room[:0], token...)))
	if e := t.now.Load().find(&sum); e != nil {
		t.use(e)
		return e.tool, true
	}
	if !t.mayLook() || !t.changed() || t.Reload() != nil {
		return "", false
	}
	if e := t.now.Load().find(&sum); e != nil {
		t.use(e)
		return e.tool, true
	}
	return "", false
}

func (tb *table) find(sum *digest) (found *entry) {
	a, b := binary.NativeEndian.Uint64(sum[:]), binary.NativeEndian.Uint64(sum[8:])
	c, d := binary.NativeEndian.Uint64(sum[16:]), binary.NativeEndian.Uint64(sum[24:])
	for i := range tb.entries {
		e := &tb.entries[i]
		diff := a ^ binary.NativeEndian.Uint64(e.sum[:]) | b ^ binary.NativeEndian.Uint64(e.sum[8:]) |
			c ^ binary.NativeEndian.Uint64(e.sum[16:]) | d ^ binary.NativeEndian.Uint64(e.sum[24:])
		if diff == 0 {
			found = e // and go on: a match takes as long as a miss
		}
	}
	return found
}

// use notes the time in memory, once a second at most so that busy tools do not fight for the cache line.
func (t *Tokens) use(e *entry) {
	now := t.clock().UnixNano()
	if last := e.used.Load(); now-last >= int64(time.Second) || now < last {
		e.used.Store(now)
		t.unsaved.Store(true)
	}
}

const (
	lookEvery = 50 * time.Millisecond // on average, for looks at the file after a miss
	lookBurst = 10
)

// mayLook lets through a burst of misses and after that one in lookEvery, so that a flood of wrong tokens costs
// little and a tool with a new token never waits.
func (t *Tokens) mayLook() bool {
	now := t.clock().UnixNano()
	for {
		next := t.nextLook.Load()
		from := max(next, now-int64(lookBurst*lookEvery))
		if from > now {
			if from-now <= int64(time.Second) { // else the clock went back
				return false
			}
			from = now
		}
		if t.nextLook.CompareAndSwap(next, from+int64(lookEvery)) {
			return true
		}
	}
}

// changed reports whether the file is another one than was read.
func (t *Tokens) changed() bool {
	have := t.now.Load().info
	info, err := os.Stat(t.path)
	if err != nil || have == nil {
		return (err == nil) != (have != nil)
	}
	return !os.SameFile(have, info) || !info.ModTime().Equal(have.ModTime()) || info.Size() != have.Size()
}
