package catalog

import "keytray/proxy/llm"

// bytesPerToken is what English text and code come to with today's
// tokenizers; other scripts need fewer bytes each.
const bytesPerToken = 4

// Estimate prices an attempt whose answer was cut before its usage came: u is
// what is known of it, sent the size of the request's body and text that of
// the answer's text so far, both in bytes. What u counts is kept; the rest is
// taken to be one token for four bytes, and the cost's kind is Estimated, or
// worse. A local or refused call costs what Cost says.
func (c *Catalog) Estimate(provider, model string, u llm.Usage, sent, text int64, ctx Context) Cost {
	if u.Prompt() == 0 {
		u.Input = tokens(sent)
		if m, ok := c.Model(provider, model); ok && m.Context > 0 {
			u.Input = min(u.Input, int64(m.Context)) // a picture is many bytes and few tokens
		}
	}
	if seen := tokens(text) - u.Completion(); seen > 0 {
		u.Output += seen
	}
	u.Known = true
	cost := c.Cost(provider, model, u, ctx)
	p, ok := c.Provider(provider)
	if cost.ComputedKind == Exact && !ctx.Unbilled && (!ok || !p.Runs(model)) {
		cost.ComputedKind = Estimated
		if cost.Kind == Exact {
			cost.Kind = Estimated
		}
	}
	return cost
}

func tokens(bytes int64) int64 { return (bytes + bytesPerToken - 1) / bytesPerToken }
