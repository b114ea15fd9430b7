package app

import (
	"context"
	"sync"
	"time"

	"keytray/store/ledger"
)

// kept knows which provider has a file or a batch, by its id: from memory what
// was seen since the start, from the ledger what was seen before.
type kept struct {
	mu  sync.Mutex
	ids map[string]ledger.Kept
}

// maxKept bounds the ids in memory; the ledger has them all.
const maxKept = 4096

// keep remembers things that a provider told of.
func (a *App) keep(things []ledger.Kept) {
	a.kept.mu.Lock()
	var news []ledger.Kept
	for _, k := range things {
		if a.kept.ids[k.ID] == k {
			continue
		}
		if a.kept.ids == nil || len(a.kept.ids) >= maxKept {
			a.kept.ids = map[string]ledger.Kept{}
		}
		a.kept.ids[k.ID] = k
		news = append(news, k)
	}
	a.kept.mu.Unlock()
	if a.ledger != nil {
		a.ledger.Keep(news...)
	}
}

// keeper is who has the thing of that id.
func (a *App) keeper(id string) (ledger.Kept, bool) {
	a.kept.mu.Lock()
	k, ok := a.kept.ids[id]
	a.kept.mu.Unlock()
	if ok || a.ledger == nil {
		return k, ok
	}
	ctx, cancel := context.WithTimeout(a.ctx, lookUp)
	defer cancel()
	k, ok, err := a.ledger.Kept(ctx, id)
	if err != nil {
		a.log.Warn("who keeps a file cannot be looked up", "err", err)
	}
	return k, ok
}

// lookUp is how long the ledger may take to tell.
const lookUp = 2 * time.Second
