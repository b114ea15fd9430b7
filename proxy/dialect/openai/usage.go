package openai

import (
	"math"
	"strconv"

	"keytray/proxy/dialect/field"
	"keytray/proxy/llm"
)

// counts is a usage object as it came. -1 is not said.
type counts struct {
	prompt, completion, total         int64
	cached, written, audioIn, imageIn int64
	reasoning, audioOut, imageOut     int64
	searches                          int64
	chat                              bool // it has chat's names
	// apart is set by gateways that count reasoning in chat neither in
	// completion nor in total: their market_cost tells them apart, their charge
	// proves it.
	apart bool

	cost, upstream []byte
	ticks          int64
	byok           bool
}

// Usage reads a usage object, under the names of chat or of responses; ok is
// false if it says nothing.
func Usage(v []byte) (u llm.Usage, ok bool) {
	c := counts{prompt: -1, completion: -1, total: -1, ticks: -1}
	if len(v) == 0 || v[0] != '{' || llm.Fields(v, c.field) != nil {
		return u, false
	}
	if c.prompt < 0 && c.completion < 0 && c.total < 0 {
		return u, false
	}
	c.buckets(&u)
	c.stated(&u)
	u.Known = true
	return u, true
}

func (c *counts) field(key, v []byte, _ int) bool {
	switch string(key) {
	case "prompt_tokens", "input_tokens": // gateways send both, one of them 0
		c.prompt = max(c.prompt, Tokens(v))
	case "completion_tokens":
		c.completion, c.chat = max(c.completion, Tokens(v)), true
	case "output_tokens":
		c.completion = max(c.completion, Tokens(v))
	case "total_tokens":
		c.total = Tokens(v)
	case "prompt_tokens_details", "input_tokens_details":
		c.promptDetails(v)
	case "completion_tokens_details", "output_tokens_details":
		c.completionDetails(v)
	case "prompt_cache_hit_tokens", "num_cached_tokens", "cached_tokens", "cache_read_input_tokens":
		// DeepSeek, Mistral, Moonshot, and gateways to Anthropic
		c.cached = max(c.cached, Tokens(v))
	case "cache_creation_input_tokens":
		c.written = max(c.written, Tokens(v))
	case "reasoning_tokens": // Perplexity and some gateways
		c.reasoning = max(c.reasoning, Tokens(v))
	case "server_tool_use", "server_tool_use_details":
		c.searches = max(c.searches, Tokens(field.Of(v, "web_search_requests")))
	case "num_search_queries":
		c.searches = max(c.searches, Tokens(v))
	case "market_cost":
		c.apart = true
	case "cost":
		c.cost = v
		if v[0] == '{' { // Perplexity
			c.cost = field.Of(v, "total_cost")
		}
	case "estimated_cost": // DeepInfra
		if c.cost == nil {
			c.cost = v
		}
	case "cost_in_usd_ticks": // xAI
		if !field.Null(v) {
			c.ticks = Tokens(v)
		}
	case "is_byok":
		c.byok = string(v) == "true"
	case "cost_details":
		c.upstream = field.Of(v, "upstream_inference_cost")
	}
	return true
}

func (c *counts) promptDetails(v []byte) {
	_ = llm.Fields(v, func(key, v []byte, _ int) bool { // null has no details
		switch string(key) {
		case "cached_tokens":
			c.cached = max(c.cached, Tokens(v))
		case "cache_write_tokens", "cache_creation_tokens":
			c.written = max(c.written, Tokens(v))
		case "audio_tokens":
			c.audioIn = max(c.audioIn, Tokens(v))
		case "image_tokens":
			c.imageIn = max(c.imageIn, Tokens(v))
		}
		return true
	})
}

func (c *counts) completionDetails(v []byte) {
	_ = llm.Fields(v, func(key, v []byte, _ int) bool { // null has no details
		switch string(key) {
		case "reasoning_tokens":
			c.reasoning = max(c.reasoning, Tokens(v))
		case "audio_tokens":
			c.audioOut = max(c.audioOut, Tokens(v))
		case "image_tokens":
			c.imageOut = max(c.imageOut, Tokens(v))
		}
		return true
	})
}

// Tokens is a count; null and nonsense are 0.
func Tokens(v []byte) int64 {
	const most = 1 << 53 // more is no count, and sums of it would run over
	if n, err := strconv.ParseInt(string(v), 10, 64); err == nil && n < most {
		return max(n, 0)
	}
	f, err := strconv.ParseFloat(string(v), 64)
	if err != nil || !(f > 0 && f < most) {
		return 0
	}
	return int64(f)
}

// buckets makes the counts disjoint: their sums are what was billed.
func (c *counts) buckets(u *llm.Usage) {
	left := max(c.prompt, 0)
	take := func(n int64) int64 {
		n = min(max(n, 0), left) // reads and writes may overlap: never below zero
		left -= n
		return n
	}
	u.CacheRead = take(c.cached)
	u.CacheWrite5m = take(c.written)
	u.AudioInput = take(c.audioIn)
	u.ImageInput = take(c.imageIn)
	u.Input = left

	left = c.output()
	u.AudioOutput = take(c.audioOut)
	u.ImageOutput = take(c.imageOut)
	u.Output = left
	u.Reasoning = c.reasoning
	u.Searches = c.searches
}

// output is the whole output that was billed. Most providers count reasoning
// inside the completion; the total tells of those that do not.
func (c *counts) output() int64 {
	p, out, r := max(c.prompt, 0), max(c.completion, 0), c.reasoning
	switch {
	case c.total > p+out: // with r on top, or with thoughts that are named nowhere
		return c.total - p
	case r > out, c.apart && c.chat:
		return out + r
	}
	return out
}

// stated is the provider's own charge.
func (c *counts) stated(u *llm.Usage) {
	const pico = int64(llm.USD) / 1e10 // in a tick
	if c.ticks >= 0 && c.ticks < math.MaxInt64/pico {
		u.Stated, u.HasStated = llm.Pico(c.ticks*pico), true
		return
	}
	sum, ok := money(c.cost)
	if !ok {
		return
	}
	if c.byok { // cost is the gateway's fee alone
		more, ok := money(c.upstream)
		if !ok {
			return
		}
		sum += more
	}
	u.Stated, u.HasStated = sum, true
}

// money reads an amount in USD, a number or a string.
func money(v []byte) (llm.Pico, bool) {
	if field.Null(v) {
		return 0, false
	}
	s := string(v)
	if v[0] == '"' {
		s = field.Unquote(v)
	}
	n, err := llm.ParsePico(s)
	return n, err == nil && n >= 0 && n < 1e6*llm.USD
}
