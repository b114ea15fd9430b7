package catalog

import "keytray/proxy/llm"

// Saved is what the provider's prompt cache saved of a usage: what was read
// from it, at the price of fresh input, less what it did cost and less what
// writing cost more than input. It is negative where more was written than
// read; ok is false where the price list cannot tell.
func (c *Catalog) Saved(provider, model string, u llm.Usage, ctx Context) (_ llm.Pico, ok bool) {
	if !u.Known || u.Cached() == 0 && u.CacheWrite5m == 0 && u.CacheWrite1h == 0 {
		return 0, false
	}
	u.Also = nil // each model's part has a cache of its own
	with := c.compute(provider, model, u, ctx)
	without := c.compute(provider, model, uncached(u), ctx)
	if with.Kind == Unpriced || without.Kind == Unpriced {
		return 0, false
	}
	return without.Pico - with.Pico, true
}

// uncached is the usage as it would be without a prompt cache. The prompt is
// as long, so the same length tier holds.
func uncached(u llm.Usage) llm.Usage {
	u.Input += u.CacheRead + u.CacheWrite5m + u.CacheWrite1h
	u.AudioInput += u.AudioCacheRead
	u.ImageInput += u.ImageCacheRead
	u.CacheRead, u.CacheWrite5m, u.CacheWrite1h, u.AudioCacheRead, u.ImageCacheRead = 0, 0, 0, 0, 0
	return u
}
