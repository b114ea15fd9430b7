package proxy

import (
	"bytes"
	"fmt"

	"keytray/proxy/llm"
)

// A client of the responses dialect that has its answers kept may send, in
// place of an answer's items, references to them by their ids:
//
//	{"type": "item_reference", "id": "msg_..."}
//
// Only who keeps the answer can read those. What Keytray keeps, it puts in
// their place.

var wordReference = []byte("item_reference")

func itemKey(tool, id string) string { return tool + "\x00" + id }

// itemIDs are the ids of the items of an array.
func itemIDs(array []byte) (ids []string) {
	_ = llm.Elements(array, func(v []byte, _ int) bool { // what is no array has none
		if _, id := kindAndID(v); id != "" {
			ids = append(ids, id)
		}
		return true
	})
	return ids
}

func kindAndID(item []byte) (kind, id string) {
	_ = llm.Fields(item, func(key, v []byte, _ int) bool { // what is no object has neither
		switch string(key) {
		case "type":
			kind = unquoted(v)
		case "id":
			id = unquoted(v)
		}
		return true
	})
	return kind, id
}

// item is a kept answer's item. It is nil, and known still true, for one that
// is left out wherever the answer is continued: see chain. made tells that the
// named provider made it and may know it.
func (s *shelf) item(tool, id, provider string) (item []byte, made, known bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	el, ok := s.byItem[itemKey(tool, id)]
	if !ok {
		return nil, false, false
	}
	k := s.find(tool, el.Value.(*kept).id)
	if k == nil {
		return nil, false, false
	}
	array := append(append([]byte{'['}, k.output...), ']')
	_ = llm.Elements(array, func(v []byte, _ int) bool { // it was read before
		if _, has := kindAndID(v); has == id {
			item = v
		}
		return item == nil
	})
	return item, k.maker != "" && k.stored && k.maker == provider, true
}

// shelves are where answers to this request's tool may be kept.
func (k *keeping) shelves() []*shelf {
	if k.socket != nil {
		return []*shelf{k.socket, k.h.kept}
	}
	return []*shelf{k.h.kept}
}

// resolve puts kept items in the place of references to them, except for those
// that the provider called in its own bytes, to, has made. If the request must
// be translated, a reference that is left is refused.
func (k *keeping) resolve(to string, translated bool) error {
	in := k.asked.input
	if !bytes.Contains(in, wordReference) || in[0] != '[' {
		return nil
	}
	var items []byte
	var bad error
	n, changed := -1, false
	err := llm.Elements(in, func(v []byte, _ int) bool {
		n++
		kind, id := kindAndID(v)
		if kind != string(wordReference) {
			items = joinItems(items, v)
			return true
		}
		for _, s := range k.shelves() {
			item, made, known := s.item(k.r.Tool, id, to)
			if !known {
				continue
			}
			if made {
				item = v
			} else {
				changed = true
			}
			items = joinItems(items, item)
			return true
		}
		if translated {
			bad = k.h.noItem(n, id)
		}
		items = joinItems(items, v)
		return bad == nil
	})
	switch {
	case bad != nil:
		return bad
	case err != nil || !changed: // decoding says what is wrong
		return nil
	}
	if err := k.setInput(items, ""); err != nil {
		return err
	}
	k.asked.input = append(append([]byte{'['}, items...), ']')
	return nil
}

// noItem says why a reference cannot be followed, and what to set.
func (h *Handler) noItem(n int, id string) error {
	param := fmt.Sprintf("input[%d]", n)
	e := llm.Invalid(param, "%s refers to the item %s of an earlier answer, which this model's provider did not make and Keytray does not keep: ", param, clipped(id))
	if h.keeps() {
		e.Message += "send the item itself (answers are kept in memory for a day at most, and not over a restart)"
	} else {
		e.Message += "set store to false in the tool, so that it sends the items themselves (in Vercel's AI SDK providerOptions.openai.store), or have Keytray keep answers in memory: keep_responses: true in config.yaml"
	}
	return e
}
