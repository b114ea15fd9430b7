package app

import (
	"context"
	"slices"

	"keytray/proxy/upstream"
	"keytray/store/keys"
)

// adminLabel is the label of a key that is for a provider's reports alone, and
// never used for a model.
const adminLabel = "admin"

// callable are the keys that models may be called with.
func callable(all []keys.Key) []keys.Key {
	admin := func(k keys.Key) bool { return k.Label == adminLabel }
	if !slices.ContainsFunc(all, admin) {
		return all
	}
	return slices.DeleteFunc(slices.Clone(all), admin)
}

// pickKey chooses the key to sign with: the first one that does not rest, or,
// where the provider's keys rotate, the conversation's own, so that its turns hit
// the same prompt cache. If all rest, it is the one that rests least.
func (a *App) pickKey(ctx context.Context, provider string, all []keys.Key) (keys.Key, bool) {
	all = callable(all)
	if len(all) == 0 {
		return keys.Key{}, false
	}
	at := upstream.AttemptOf(ctx)
	if len(all) == 1 || at == nil {
		return all[0], true
	}
	first := 0
	if p, ok := a.config.Current().Provider(provider); ok && p.Rotate {
		first = int(at.Request.Conversation() % uint64(len(all)))
	}
	best := all[first]
	least := a.health.Rest(provider, best.Label, at.Model)
	for i := 1; i < len(all) && least > 0; i++ {
		k := all[(first+i)%len(all)]
		if d := a.health.Rest(provider, k.Label, at.Model); d < least {
			best, least = k, d
		}
	}
	return best, true
}

// labels are those of the keys that models may be called with.
func labels(all []keys.Key) []string {
	all = callable(all)
	out := make([]string, len(all))
	for i, k := range all {
		out[i] = k.Label
	}
	return out
}
