package messages

import (
	"strconv"

	"keytray/proxy/dialect/turns"
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

	*turns.Conversation
	names  *turns.Names
	tools  []tool
	choice choice
	schema []byte // of output_config.format

	maxTokens int
	madeUp    bool // nobody gave a limit

	thinking turns.Thinking

	marks int // cache marks still to be left out
}

// arrange sorts the messages into turns.
func (e *encoder) arrange() (err *llm.Error) {
	e.Conversation, err = turns.Arrange(e.c, e.p, e.names, turns.Rules{
		Dialect: name, Provider: "Anthropic",
		Deaf:  "Anthropic's models cannot hear: choose another model for audio, or send a transcript",
		IDs:   turns.Alphabet{Marks: "_-", Else: "call"},
		Media: media,
	})
	return err
}

func (e *encoder) endTurns() *llm.Error {
	e.SettleEnds(e.schema != nil || e.choice.forced())
	return nil
}

// size guesses the body's, so that a long prompt is written without growing.
func (e *encoder) size() int {
	n := 512 + e.Size()
	for i := range e.tools {
		n += len(e.tools[i].schema) + len(e.tools[i].Description) + 128
	}
	return n + n/8
}

func (e *encoder) body() []byte {
	b := appendHead(make([]byte, 0, e.size()), e.c)
	b = append(b, `,"max_tokens":`...)
	b = strconv.AppendInt(b, int64(e.maxTokens), 10)
	if len(e.System) > 0 {
		b = e.appendBlocks(append(b, `,"system":`...), e.System)
	}
	b = append(b, `,"messages":[`...)
	for i := range e.Turns {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(append(append(b, `{"role":"`...), e.Turns[i].Role...), `","content":`...)
		b = append(e.appendBlocks(b, e.Turns[i].Blocks), '}')
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
	case e.thinking.On():
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
	turns.LoseLimits(e.c, l)
	return b
}

func appendFloat(b []byte, key string, v float64) []byte {
	b = append(append(append(b, `,"`...), key...), `":`...)
	return strconv.AppendFloat(b, v, 'g', -1, 64)
}

// appendStop writes the stop sequences.
func (e *encoder) appendStop(b []byte) []byte {
	kept := turns.Stops(e.c, e.p.Limits.Stop)
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
