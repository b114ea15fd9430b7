package catalog

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"maps"
	"slices"
	"sync"

	"keytray/proxy/llm"
)

// shelf holds one provider's models: the file's bytes once one was asked for,
// and a model decoded once it was.
type shelf struct {
	fsys fs.FS
	file string

	under *shelf   // the shelf that own models were added to
	own   []*model // models of the user's, which have no entry
	// prices are laid over those of the shelf below, by the models' ids.
	prices map[string][]ownPrice

	once  sync.Once
	raw   map[string][]byte // of each model, within the file's bytes
	alias map[string]string

	mu   sync.Mutex
	read map[string]*model
}

// index finds where each model stands in the file, without decoding it.
func (s *shelf) index() {
	s.once.Do(func() {
		s.raw, s.alias, s.read = map[string][]byte{}, map[string]string{}, map[string]*model{}
		if s.file == "" {
			return
		}
		b, err := fs.ReadFile(s.fsys, s.file)
		if err != nil {
			return // it was there when Load read it: then its models are not known
		}
		var models []byte
		_ = llm.Fields(b, func(key, value []byte, _ int) bool {
			if string(key) == "models" {
				models = value
			}
			return true
		})
		_ = llm.Fields(models, func(key, value []byte, _ int) bool {
			id := unquote(key)
			s.raw[id] = value
			if bytes.Contains(value, []byte(`"aliases"`)) {
				var m Model
				if json.Unmarshal(value, &m) == nil {
					for _, a := range m.Aliases {
						s.alias[a] = id
					}
				}
			}
			return true
		})
	})
}

func unquote(key []byte) string {
	if bytes.IndexByte(key, '\\') < 0 {
		return string(key)
	}
	var s string
	if json.Unmarshal(slices.Concat([]byte{'"'}, key, []byte{'"'}), &s) != nil {
		return string(key)
	}
	return s
}

// model is a model by name or alias, decoded once.
func (s *shelf) model(name string) (*model, bool) {
	if s.prices != nil {
		return s.over(name)
	}
	if s.under != nil {
		if m, ok := s.under.model(name); ok {
			return m, true
		}
		return own(s.own, name)
	}
	s.index()
	if id, ok := s.alias[name]; ok {
		name = id
	}
	raw, ok := s.raw[name]
	if !ok {
		return nil, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if m, ok := s.read[name]; ok {
		return m, m != nil
	}
	m, err := decode(name, raw)
	if err != nil {
		m = nil // a broken entry is as good as none; tests see that none is built in
	}
	s.read[name] = m
	return m, m != nil
}

// over is a model with the prices that were laid over it.
func (s *shelf) over(name string) (*model, bool) {
	m, ok := s.under.model(name)
	if !ok || s.prices[m.ID] == nil {
		return m, ok
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.read[m.ID] == nil {
		s.read[m.ID] = m.with(s.prices[m.ID])
	}
	return s.read[m.ID], true
}

// priced tells whether the user pays a price of their own for a model.
func (s *shelf) priced(name string) bool {
	if s.prices == nil {
		return false
	}
	m, ok := s.model(name)
	return ok && m.own
}

// peek is a model by its own name, without keeping what was decoded.
func (s *shelf) peek(id string) (*model, bool) {
	if s.under != nil {
		if m, ok := s.under.peek(id); ok {
			return m, true
		}
		return own(s.own, id)
	}
	s.index()
	raw, ok := s.raw[id]
	if !ok {
		return nil, false
	}
	m := &model{Model: Model{ID: id}}
	if json.Unmarshal(raw, &m.Model) != nil {
		return nil, false
	}
	return m, true
}

// ids are the names of all models, sorted.
func (s *shelf) ids() []string {
	if s.under != nil {
		all := s.under.ids()
		for _, m := range s.own {
			all = append(all, m.ID)
		}
		slices.Sort(all)
		return slices.Compact(all)
	}
	s.index()
	return slices.Sorted(maps.Keys(s.raw))
}

// names are all names and aliases, in no order.
func (s *shelf) names(yield func(string) bool) bool {
	if s.under != nil {
		if !s.under.names(yield) {
			return false
		}
		for _, m := range s.own {
			if !yield(m.ID) {
				return false
			}
		}
		return true
	}
	s.index()
	for n := range s.raw {
		if !yield(n) {
			return false
		}
	}
	for n := range s.alias {
		if !yield(n) {
			return false
		}
	}
	return true
}

// owned are models that have no more than a name.
func owned(names []string) []*model {
	all := make([]*model, len(names))
	for i, name := range names {
		all[i] = &model{Model: Model{ID: name}}
	}
	return all
}

func own(all []*model, name string) (*model, bool) {
	i := slices.IndexFunc(all, func(m *model) bool { return m.ID == name })
	if i < 0 {
		return nil, false
	}
	return all[i], true
}
