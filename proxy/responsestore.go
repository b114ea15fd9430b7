package proxy

import (
	"bytes"
	"container/list"
	"sync"
	"time"

	"keytray/proxy/llm"
)

// shelf holds answers of the responses dialect in memory, by the tool that
// asked and the answer's id: whole ones, and of others who made them. The
// longest unused go first.
type shelf struct {
	bytes, count int           // at most
	life         time.Duration // since the last use

	mu     sync.Mutex
	byKey  map[string]*list.Element // of *kept
	byItem map[string]*list.Element // the same, by the ids of whole ones' items
	byUse  *list.List               // the last used first
	used   int                      // bytes
}

// kept is an answer on a shelf.
type kept struct {
	tool, id string
	// maker is the provider that made the answer in its own bytes, and so may
	// know its id; "" for a translated one. stored is false if it was asked not
	// to keep it.
	maker  string
	stored bool

	// whole tells that what follows is there. input and output are items of
	// JSON with commas between; prev is the id of the answer that it continues.
	whole         bool
	prev          string
	input, output []byte
	object        []byte   // the answer itself
	items         []string // ids of all its items, those left out of output too

	at time.Time
}

func (k *kept) key() string { return k.tool + "\x00" + k.id }

func (k *kept) size() int {
	return len(k.input) + len(k.output) + len(k.object) + 300 + 150*len(k.items)
}

func newShelf(bytes, count int, life time.Duration) *shelf {
	return &shelf{bytes: bytes, count: count, life: life, byKey: map[string]*list.Element{}, byItem: map[string]*list.Element{}, byUse: list.New()}
}

// put keeps an answer, in place of what was known of it.
func (s *shelf) put(k *kept) {
	if k.size() > s.bytes/2 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	k.at = time.Now()
	if old, ok := s.byKey[k.key()]; ok {
		s.drop(old)
	}
	el := s.byUse.PushFront(k)
	s.byKey[k.key()] = el
	for _, id := range k.items {
		s.byItem[itemKey(k.tool, id)] = el
	}
	s.used += k.size()
	for s.used > s.bytes || s.byUse.Len() > s.count || k.at.Sub(s.byUse.Back().Value.(*kept).at) > s.life {
		s.drop(s.byUse.Back())
	}
}

// get is what is known of an answer, or nil. It is not to be changed.
func (s *shelf) get(tool, id string) *kept {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.find(tool, id)
}

func (s *shelf) find(tool, id string) *kept {
	el, ok := s.byKey[(&kept{tool: tool, id: id}).key()]
	if !ok {
		return nil
	}
	k, now := el.Value.(*kept), time.Now()
	if now.Sub(k.at) > s.life {
		s.drop(el)
		return nil
	}
	k.at = now
	s.byUse.MoveToFront(el)
	return k
}

func (s *shelf) remove(tool, id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if el, ok := s.byKey[(&kept{tool: tool, id: id}).key()]; ok {
		s.drop(el)
	}
}

func (s *shelf) drop(el *list.Element) {
	k := s.byUse.Remove(el).(*kept)
	delete(s.byKey, k.key())
	for _, id := range k.items {
		if key := itemKey(k.tool, id); s.byItem[key] == el {
			delete(s.byItem, key)
		}
	}
	s.used -= k.size()
}

// clear drops all answers, and size counts them.
func (s *shelf) clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.byUse.Init()
	s.byKey, s.byItem, s.used = map[string]*list.Element{}, map[string]*list.Element{}, 0
}

func (s *shelf) size() (answers, bytes int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for el := s.byUse.Front(); el != nil; el = el.Next() {
		if el.Value.(*kept).whole {
			answers++
		}
	}
	return answers, s.used
}

// chain is the conversation that ends with an answer, as items with commas
// between; ok is false if any part of it is not kept. A use of its end is one
// of all of it. Reasoning that only its maker could look up by id is left out.
func (s *shelf) chain(tool, id string) (items []byte, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var parts [][]byte
	for seen := 0; id != ""; seen++ {
		k := s.find(tool, id)
		if k == nil || !k.whole || seen > s.count {
			return nil, false
		}
		parts = append(parts, k.output, k.input)
		id = k.prev
	}
	for i := len(parts) - 1; i >= 0; i-- {
		items = joinItems(items, parts[i])
	}
	return items, true
}

func joinItems(a, b []byte) []byte {
	if len(a) > 0 && len(b) > 0 {
		a = append(a, ',')
	}
	return append(a, b...)
}

// inputItems is a request's input as items.
func inputItems(v []byte) []byte {
	switch {
	case len(v) == 0 || v[0] == 'n':
		return nil
	case v[0] == '"':
		return append(append([]byte(`{"type":"message","role":"user","content":`), v...), '}')
	}
	return replayable(v)
}

// replayable is an array's items without reasoning that has only an id.
func replayable(array []byte) []byte {
	var items []byte
	_ = llm.Elements(array, func(v []byte, _ int) bool { // what is no array has none
		kind, sealed := "", false
		_ = llm.Fields(v, func(key, v []byte, _ int) bool {
			switch string(key) {
			case "type":
				kind = unquoted(v)
			case "encrypted_content":
				sealed = len(v) > 2 && v[0] == '"'
			}
			return true
		})
		if kind != "reasoning" || sealed {
			items = joinItems(items, v)
		}
		return true
	})
	return items
}

// unquoted is a plain JSON string's text.
func unquoted(v []byte) string {
	if len(v) < 2 || v[0] != '"' || bytes.IndexByte(v, '\\') >= 0 {
		return ""
	}
	return string(v[1 : len(v)-1])
}
