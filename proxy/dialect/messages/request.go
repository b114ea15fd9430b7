package messages

import (
	"slices"
	"strconv"
	"strings"

	"keytray/proxy/llm"
	"keytray/proxy/sse"
)

// defaultMaxTokens is sent where neither the client nor the catalog knows a
// limit: max_tokens is required, and this one every model takes.
const defaultMaxTokens = 8192

// maxUserID is the longest metadata.user_id, in bytes.
const maxUserID = 256

// EncodeRequest writes the prompt as the body of POST /messages. The same
// prompt gives the same bytes; tool schemas keep theirs. A field that is
// changed or left out is named with c.Lose; what would change the request's
// meaning is refused with an [*llm.Error] of kind BadRequest.
func (Dialect) EncodeRequest(c *llm.Call, p *llm.Prompt) ([]byte, error) {
	for _, f := range p.Lost {
		c.Lose(f)
	}
	if p.Embed != nil {
		return nil, llm.Invalid("input", "Anthropic makes no embeddings: choose a model of another provider")
	}
	if p.CacheKey != "" {
		c.Lose("prompt_cache_key")
	}
	if p.Verbosity != "" {
		c.Lose("verbosity")
	}
	e := encoder{c: c, p: p}
	// Each step knows what the earlier ones decided.
	for _, step := range []func() *llm.Error{
		e.nameTools, e.arrange, e.holdFormat, e.choose, e.endTurns, e.limitTokens, e.think, e.countMarks,
	} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	return e.body(), nil
}

// encoder is one request on its way out.
type encoder struct {
	c *llm.Call
	p *llm.Prompt

	names  names
	tools  []tool
	system []llm.Block
	turns  []turn
	choice choice
	schema []byte // of output_config.format

	maxTokens int
	madeUp    bool // nobody gave a limit

	thinking string // adaptive, enabled, disabled, or "" for not said
	budget   int
	effort   string

	marks int // cache marks still to be left out
}

func (e *encoder) thinks() bool { return e.thinking == "adaptive" || e.thinking == "enabled" }

// size guesses the body's, so that a long prompt is written without growing.
func (e *encoder) size() int {
	n := 512
	count := func(blocks []llm.Block) {
		for i := range blocks {
			n += len(blocks[i].Text) + len(blocks[i].Media.Data) + len(blocks[i].Opaque) + 128
			for k := range blocks[i].Content {
				n += len(blocks[i].Content[k].Text) + len(blocks[i].Content[k].Media.Data) + 128
			}
		}
	}
	count(e.system)
	for i := range e.turns {
		count(e.turns[i].blocks)
	}
	for i := range e.tools {
		n += len(e.tools[i].schema) + len(e.tools[i].Description) + 128
	}
	return n + n/8
}

func (e *encoder) body() []byte {
	b := appendHead(make([]byte, 0, e.size()), e.c)
	b = append(b, `,"max_tokens":`...)
	b = strconv.AppendInt(b, int64(e.maxTokens), 10)
	if len(e.system) > 0 {
		b = e.appendBlocks(append(b, `,"system":`...), e.system)
	}
	b = append(b, `,"messages":[`...)
	for i := range e.turns {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(append(append(b, `{"role":"`...), e.turns[i].role...), `","content":`...)
		b = append(e.appendBlocks(b, e.turns[i].blocks), '}')
	}
	b = append(b, ']')
	b = e.appendTools(b)
	b = e.appendThinking(b)
	b = e.appendSampling(b)
	if u := e.p.User; len(u) > maxUserID {
		e.c.Lose("user: longer than 256 bytes")
	} else if u != "" {
		b = append(sse.AppendString(append(b, `,"metadata":{"user_id":`...), u), '}')
	}
	return append(e.appendTier(b), '}')
}

// limitTokens settles max_tokens, which is required.
func (e *encoder) limitTokens() *llm.Error {
	limit := e.c.Model.MaxOutput
	switch n := e.p.Limits.MaxTokens; {
	case n == nil && limit > 0:
		e.maxTokens = limit
	case n == nil:
		e.maxTokens, e.madeUp = defaultMaxTokens, true
	case limit > 0 && *n > limit:
		e.c.Lose("max_tokens: this model writes " + strconv.Itoa(limit) + " at most")
		e.maxTokens = limit
	default:
		e.maxTokens = *n
	}
	return nil
}

// appendSampling writes what shapes the sampling. The defaults, 1 for both
// temperature and top_p, are left out without loss where they are not taken.
func (e *encoder) appendSampling(b []byte) []byte {
	l, flags := &e.p.Limits, e.c.Model.Flags
	const none, beside = ": this model takes none", ": not taken beside thinking"
	why := ""
	switch {
	case flags.Has(llm.FlagNoSampling):
		why = none
	case e.thinks():
		why = beside
	}
	temperature := false
	if t := l.Temperature; t != nil {
		switch {
		case why != "":
			if *t != 1 {
				e.c.Lose("temperature" + why)
			}
		case *t < 0 || *t > 1:
			e.c.Lose("temperature: taken from 0 to 1 only")
			b, temperature = appendFloat(b, "temperature", min(max(*t, 0), 1)), true
		default:
			b, temperature = appendFloat(b, "temperature", *t), true
		}
	}
	if t := l.TopP; t != nil {
		switch {
		case why == beside && *t >= 0.95 && *t <= 1: // the range that thinking allows
			b = appendFloat(b, "top_p", *t)
		case why != "":
			if *t != 1 {
				e.c.Lose("top_p" + why)
			}
		case temperature && flags.Has(llm.FlagOneSampler):
			if *t != 1 {
				e.c.Lose("top_p: not taken beside temperature")
			}
		default:
			b = appendFloat(b, "top_p", *t)
		}
	}
	if l.TopK != nil {
		if why != "" {
			e.c.Lose("top_k" + why)
		} else {
			b = strconv.AppendInt(append(b, `,"top_k":`...), int64(*l.TopK), 10)
		}
	}
	b = e.appendStop(b)
	if l.Seed != nil {
		e.c.Lose("seed")
	}
	if f := l.FrequencyPenalty; f != nil && *f != 0 {
		e.c.Lose("frequency_penalty")
	}
	if f := l.PresencePenalty; f != nil && *f != 0 {
		e.c.Lose("presence_penalty")
	}
	return b
}

func appendFloat(b []byte, key string, v float64) []byte {
	b = append(append(append(b, `,"`...), key...), `":`...)
	return strconv.AppendFloat(b, v, 'g', -1, 64)
}

// appendStop writes the stop sequences; Anthropic refuses white ones.
func (e *encoder) appendStop(b []byte) []byte {
	var kept []string
	for _, s := range e.p.Limits.Stop {
		switch {
		case s == "" || slices.Contains(kept, s):
		case strings.TrimSpace(s) == "":
			e.c.Lose("stop: a sequence of white space alone")
		default:
			kept = append(kept, s)
		}
	}
	for i, s := range kept {
		if i == 0 {
			b = append(b, `,"stop_sequences":[`...)
		} else {
			b = append(b, ',')
		}
		b = sse.AppendString(b, s)
	}
	if len(kept) > 0 {
		b = append(b, ']')
	}
	return b
}

// appendTier writes service_tier. Anthropic has auto, the default, which uses
// priority capacity where the account has it, and standard_only.
func (e *encoder) appendTier(b []byte) []byte {
	tier := e.p.Tier
	switch tier {
	case "", "auto":
		return b
	case "default", "standard", "standard_only":
		if !e.c.Model.Flags.Has(llm.FlagNoTier) {
			return append(b, `,"service_tier":"standard_only"`...)
		}
		return b
	case "priority":
		e.c.Lose("service_tier: priority only if the account has it")
	default:
		e.c.Lose("service_tier: Anthropic has none called " + tier)
	}
	return b
}
