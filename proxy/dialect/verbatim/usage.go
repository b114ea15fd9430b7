package verbatim

import (
	"math"
	"strconv"

	"keytray/proxy/dialect/field"
	"keytray/proxy/llm"
)

// counts are what a usage object says, under OpenAI's two sets of names.
type counts struct {
	in, out, total                           int64
	inAudio, inImage                         int64
	cached, cachedAudio, cachedImage, writes int64
	outAudio, outImage, reasoning            int64
	any, outDetails                          bool
}

// readUsage reads a usage object. What comes out of a picture or a sound
// endpoint is pictures or sound, where no detail says otherwise.
func readUsage(k Kind, v []byte) llm.Usage {
	var c counts
	var u llm.Usage
	_ = llm.Fields(v, func(key, v []byte, _ int) bool { // what cannot be read is not known
		switch string(key) {
		case "input_tokens", "prompt_tokens":
			c.in, c.any = max(c.in, number(v)), true
		case "output_tokens", "completion_tokens":
			c.out, c.any = max(c.out, number(v)), true
		case "total_tokens":
			c.total = number(v)
		case "input_tokens_details", "input_token_details", "prompt_tokens_details":
			c.input(v)
		case "output_tokens_details", "output_token_details", "completion_tokens_details":
			c.output(v)
		case "seconds": // of sound, where that is what is billed
			u.AudioMS = milliseconds(v)
		case "billed_units": // Cohere
			u.Searches = number(field.Of(v, "search_units"))
		case "cost": // OpenRouter
			if p, err := llm.ParsePico(string(v)); err == nil && p >= 0 {
				u.Stated, u.HasStated = p, true
			}
		}
		return true
	})
	if !c.any {
		if c.total == 0 || k != Rerank {
			u.Known = u.AudioMS > 0 || u.Searches > 0 // a total of both is no count of either
			return u
		}
		c.in = c.total // Voyage and Jina bill a ranking by its input
	}
	u.Known, u.AudioMS, u.Searches = true, 0, 0 // tokens are what is billed
	u.CacheRead = c.cached - c.cachedAudio - c.cachedImage
	u.AudioCacheRead, u.ImageCacheRead = c.cachedAudio, c.cachedImage
	u.AudioInput, u.ImageInput = c.inAudio-c.cachedAudio, c.inImage-c.cachedImage
	u.CacheWrite5m = c.writes
	u.Input = c.in - c.inAudio - c.inImage - u.CacheRead - c.writes
	switch {
	case c.outDetails:
	case k == Images:
		c.outImage = c.out
	case k == Speech:
		c.outAudio = c.out
	}
	u.AudioOutput, u.ImageOutput, u.Reasoning = c.outAudio, c.outImage, c.reasoning
	u.Output = c.out - c.outAudio - c.outImage
	return u
}

func (c *counts) input(v []byte) {
	_ = llm.Fields(v, func(key, v []byte, _ int) bool {
		switch string(key) {
		case "audio_tokens":
			c.inAudio = number(v)
		case "image_tokens":
			c.inImage = number(v)
		case "cached_tokens":
			c.cached = number(v)
		case "cache_write_tokens":
			c.writes = number(v)
		case "cached_tokens_details":
			c.cachedAudio, c.cachedImage = number(field.Of(v, "audio_tokens")), number(field.Of(v, "image_tokens"))
		}
		return true
	})
}

func (c *counts) output(v []byte) {
	_ = llm.Fields(v, func(key, v []byte, _ int) bool {
		switch string(key) {
		case "audio_tokens":
			c.outAudio, c.outDetails = number(v), true
		case "image_tokens":
			c.outImage, c.outDetails = number(v), true
		case "text_tokens":
			c.outDetails = true
		case "reasoning_tokens":
			c.reasoning = number(v)
		}
		return true
	})
}

// milliseconds reads a number of seconds.
func milliseconds(v []byte) int64 {
	f, err := strconv.ParseFloat(string(v), 64)
	if err != nil || f < 0 || f > 1<<40 {
		return 0
	}
	return int64(math.Round(f * 1000))
}

func number(v []byte) int64 {
	f, err := strconv.ParseFloat(string(v), 64)
	if err != nil || f < 0 || f > 1<<53 {
		return 0
	}
	return int64(f)
}
