package converse

import (
	"strconv"

	"keytray/proxy/dialect/turns"
	"keytray/proxy/llm"
	"keytray/proxy/sse"
)

// EncodeRequest writes the prompt as the body of Converse. The same prompt
// gives the same bytes; tool schemas keep theirs. A field that is changed or
// left out is named with c.Lose; what would change the request's meaning is
// refused with an [*llm.Error] of kind BadRequest.
func (Dialect) EncodeRequest(c *llm.Call, p *llm.Prompt) ([]byte, error) {
	if p.Embed != nil {
		return nil, llm.Invalid("model", "Bedrock's Converse makes no embeddings: choose an embedding model of another provider")
	}
	for _, f := range p.Lost {
		c.Lose(f)
	}
	e := encoder{c: c, p: p}
	// Each step knows what the earlier ones decided.
	for _, step := range []func() *llm.Error{
		e.nameTools, e.arrange, e.holdFormat, e.choose, e.endTurns, e.think, e.countMarks,
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
	schema []byte // of outputConfig.textFormat

	maxTokens int // 0: the model's own limit

	thinking turns.Thinking

	documents map[string]bool // names in use
	marks     int             // cache marks still to be left out
}

// arrange sorts the messages into turns; a developer's go into the system
// prompt (G3).
func (e *encoder) arrange() (err *llm.Error) {
	flags := e.c.Model.Flags
	ids := turns.Alphabet{Marks: "_-.:", Most: 64, Else: "call"}
	if isClaude(flags) { // others' own ids must stay as they are (functions.f:0 of Kimi)
		ids.Marks = "_-"
	}
	e.documents = map[string]bool{}
	e.Conversation, err = turns.Arrange(e.c, e.p, e.names, turns.Rules{
		Dialect: name, Provider: "Bedrock",
		Deaf:     "audio cannot be sent to Bedrock's Converse: choose another provider for audio, or send a transcript",
		IDs:      ids,
		Unsigned: flags.Has(llm.FlagReasoningHistory),
		Media:    e.media,
	})
	if err == nil {
		e.introduce()
	}
	return err
}

// isClaude tells the models of Anthropic's, which Bedrock serves by their own
// rules.
func isClaude(flags llm.Flags) bool {
	return flags.Has(llm.FlagThinkingAdaptive) || flags.Has(llm.FlagThinkingBudget)
}

func (e *encoder) endTurns() *llm.Error {
	e.SettleEnds(e.schema != nil || e.choice.forced())
	return nil
}

func (e *encoder) body() []byte {
	b := append(make([]byte, 0, e.size()), `{"messages":[`...)
	for i := range e.Turns {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(append(append(b, `{"role":"`...), e.Turns[i].Role...), `","content":[`...)
		b = append(e.appendBlocks(b, e.Turns[i].Blocks), `]}`...)
	}
	b = append(b, ']')
	if len(e.System) > 0 {
		b = append(e.appendBlocks(append(b, `,"system":[`...), e.System), ']')
	}
	b = e.appendInference(b)
	b = e.appendTools(b)
	b = e.appendFormat(b)
	b = e.appendMore(b)
	b = e.appendTier(b)
	for _, f := range []struct{ field, value string }{
		{"user", e.p.User}, {"prompt_cache_key", e.p.CacheKey}, {"verbosity", e.p.Verbosity},
	} {
		if f.value != "" {
			e.c.Lose(f.field)
		}
	}
	return append(b, '}')
}

// size guesses the body's, so that a long prompt is written without growing.
func (e *encoder) size() int {
	n := 512 + e.Size()
	for i := range e.tools {
		n += len(e.tools[i].schema) + len(e.tools[i].Description) + 128
	}
	return n + n/8
}

// fields writes the fields of an object that is left out when it has none.
type fields struct {
	b     []byte
	open  string // what stands before the first field
	begun bool
}

func (f *fields) key(name string) {
	if f.begun {
		f.b = append(f.b, ',')
	} else {
		f.b, f.begun = append(f.b, f.open...), true
	}
	f.b = append(append(append(f.b, '"'), name...), `":`...)
}

func (f *fields) raw(name, value string) {
	f.key(name)
	f.b = append(f.b, value...)
}

func (f *fields) text(name, value string) {
	f.key(name)
	f.b = sse.AppendString(f.b, value)
}

func (f *fields) number(name string, v float64) {
	f.key(name)
	f.b = strconv.AppendFloat(f.b, v, 'g', -1, 64)
}

func (f *fields) done() []byte {
	if f.begun {
		f.b = append(f.b, '}')
	}
	return f.b
}

// appendInference writes inferenceConfig. The defaults of temperature and
// top_p, which is 1 for both, are left out without loss where they are not
// taken.
func (e *encoder) appendInference(b []byte) []byte {
	l, flags := &e.p.Limits, e.c.Model.Flags
	f := fields{b: b, open: `,"inferenceConfig":{`}
	if e.maxTokens > 0 {
		f.number("maxTokens", float64(e.maxTokens))
	}
	why := ""
	switch {
	case flags.Has(llm.FlagNoSampling):
		why = ": this model takes none"
	case e.thinking.On():
		why = ": not taken beside thinking"
	}
	temperature := e.sample(&f, "temperature", "temperature", l.Temperature, why)
	if why == "" && temperature && flags.Has(llm.FlagOneSampler) {
		why = ": not taken beside temperature"
	}
	e.sample(&f, "topP", "top_p", l.TopP, why)
	var stops []byte
	for _, s := range turns.Stops(e.c, l.Stop) {
		stops = sse.AppendString(append(stops, ','), s)
	}
	if len(stops) > 0 {
		f.raw("stopSequences", "["+string(stops[1:])+"]")
	}
	turns.LoseLimits(e.c, l)
	return f.done()
}

// sample writes one sampler, which Bedrock takes from 0 to 1.
func (e *encoder) sample(f *fields, wire, field string, v *float64, why string) bool {
	switch {
	case v == nil:
		return false
	case why != "":
		if *v != 1 {
			e.c.Lose(field + why)
		}
		return false
	case *v < 0 || *v > 1:
		e.c.Lose(field + ": taken from 0 to 1 only")
	}
	f.number(wire, min(max(*v, 0), 1))
	return true
}

// appendTier writes serviceTier, or performanceConfig for what other
// providers call a fast tier.
func (e *encoder) appendTier(b []byte) []byte {
	switch tier := e.p.Tier; tier {
	case "", "auto", "default", "standard", "standard_only": // what calls get that say nothing
	case "flex", "priority", "reserved":
		b = append(append(append(b, `,"serviceTier":{"type":"`...), tier...), `"}`...)
	case "fast", "optimized":
		b = append(b, `,"performanceConfig":{"latency":"optimized"}`...)
	default:
		e.c.Lose("service_tier: Bedrock has none called " + tier)
	}
	return b
}
