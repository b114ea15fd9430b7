package app

import "sync"

// changes tells listeners that something on the screens may differ.
type changes struct {
	mu   sync.Mutex
	next int
	to   map[int]chan struct{}
}

// Subscribe gives a channel that gets a value soon after anything a face shows
// has changed: a row, a key, a setting, the state. Changes that come faster
// than they are taken are one. Cancel ends it; the channel is not closed.
func (a *App) Subscribe() (changed <-chan struct{}, cancel func()) {
	c := &a.changes
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.to == nil {
		c.to = map[int]chan struct{}{}
	}
	id, ch := c.next, make(chan struct{}, 1)
	c.next++
	c.to[id] = ch
	return ch, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.to, id)
	}
}

func (a *App) changed() {
	a.changes.mu.Lock()
	defer a.changes.mu.Unlock()
	for _, ch := range a.changes.to {
		select {
		case ch <- struct{}{}:
		default:
		}
	}
}
