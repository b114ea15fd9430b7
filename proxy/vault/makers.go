package vault

// makers remembers which provider made some opaque data, in two generations:
// when the young one is full it becomes the old one, which is forgotten.
type makers struct {
	most       int // of a generation
	young, old map[digest]string
	// The providers that those are of.
	youngOf, oldOf map[string]bool
}

func (m *makers) clear() { m.young, m.old, m.youngOf, m.oldOf = nil, nil, nil, nil }

// others tells whether anything is of another provider than this one.
func (m *makers) others(provider string) bool {
	for _, of := range []map[string]bool{m.youngOf, m.oldOf} {
		if n := len(of); n > 1 || n == 1 && !of[provider] {
			return true
		}
	}
	return false
}

func (m *makers) note(d digest, provider string) {
	if m.young[d] == provider {
		return
	}
	if len(m.young) >= m.most {
		m.old, m.young = m.young, nil
		m.oldOf, m.youngOf = m.youngOf, nil
	}
	if m.young == nil {
		m.young, m.youngOf = map[digest]string{}, map[string]bool{}
	}
	m.young[d] = provider
	m.youngOf[provider] = true
}

func (m *makers) maker(d digest) string {
	if p, ok := m.young[d]; ok {
		return p
	}
	return m.old[d]
}

// Made notes that a provider made some opaque data.
func (v *Vault) Made(provider, opaque string) {
	if opaque == "" {
		return
	}
	d := v.digest(opaque)
	v.mu.Lock()
	defer v.mu.Unlock()
	v.makers.note(d, provider)
	v.known.Store(true)
}

// Known tells whether anything is remembered that another provider than this
// one made.
func (v *Vault) Known(provider string) bool {
	if !v.known.Load() {
		return false
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.makers.others(provider)
}

// Foreign tells whether some opaque data is known to come from another
// provider than this one.
func (v *Vault) Foreign(provider, opaque string) bool {
	d := v.digest(opaque)
	v.mu.Lock()
	defer v.mu.Unlock()
	maker := v.makers.maker(d)
	if maker != "" {
		v.makers.note(d, maker) // still in use
	}
	return maker != "" && maker != provider
}
