package vault

// makers remembers which provider made some opaque data, in two generations:
// when the young one is full it becomes the old one, which is forgotten.
type makers struct {
	most       int // of a generation
	young, old map[digest]string
}

func (m *makers) clear() { m.young, m.old = nil, nil }

func (m *makers) note(d digest, provider string) {
	if m.young[d] == provider {
		return
	}
	if len(m.young) >= m.most {
		m.old, m.young = m.young, nil
	}
	if m.young == nil {
		m.young = map[digest]string{}
	}
	m.young[d] = provider
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

// Known tells whether anything's maker is remembered.
func (v *Vault) Known() bool { return v.known.Load() }

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
