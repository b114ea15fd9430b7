package llm

import "slices"

// ClientTools is p with only the tools that the client runs, for a provider
// that runs none itself: hosted ones are left out and noted. It is p itself
// where there are none. The error is an [*Error]: no tool is left, or a hosted
// one must be called, and the answer would then be another one.
func (c *Call) ClientTools(p *Prompt) (*Prompt, error) {
	hosted := func(t Tool) bool { return t.Kind == Hosted }
	i := slices.IndexFunc(p.Tools, hosted)
	if i < 0 {
		return p, nil
	}
	first := p.Tools[i].Name
	own := *p
	own.Tools = slices.DeleteFunc(slices.Clone(p.Tools), hosted)
	forced := p.Choice.Mode == ChooseNamed && slices.ContainsFunc(p.Tools, func(t Tool) bool { return hosted(t) && t.Name == p.Choice.Name })
	switch {
	case forced:
		return nil, Invalid("tool_choice", "tool_choice names %s, which this provider does not run: choose another provider", p.Choice.Name)
	case len(own.Tools) == 0:
		return nil, Invalid("tools", "this provider runs no %s itself: choose another provider, or leave the tool out", first)
	}
	for _, t := range p.Tools {
		if hosted(t) {
			c.Lose("tools: " + t.Name)
		}
	}
	return &own, nil
}
