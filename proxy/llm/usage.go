package llm

// Usage counts tokens in buckets that never overlap: a token is in one of
// them, and the sum of all but Reasoning is what the provider billed.
type Usage struct {
	Input        int64 // text and all other input that has no bucket of its own
	CacheRead    int64
	CacheWrite5m int64 // writes whose lifetime is 5 minutes or not told
	CacheWrite1h int64
	Output       int64 // visible and reasoning output

	AudioInput     int64
	AudioCacheRead int64
	AudioOutput    int64
	ImageInput     int64
	ImageCacheRead int64
	ImageOutput    int64

	Reasoning int64 // shown only: already inside Output
	Searches  int64 // web searches and rankings, billed per call
	// What is billed by other measures than tokens, where an answer tells no
	// tokens: pictures made, characters of text spoken, and milliseconds of sound
	// heard.
	Images     int64
	Characters int64
	AudioMS    int64

	Stated    Pico // the provider's own charge
	HasStated bool

	// Known tells a reported usage, even one of zeros, from none at all.
	Known bool
	// Also holds usage that the same answer billed on other models.
	Also []OtherUsage
}

// OtherUsage is what another model was billed inside the same answer
// (Anthropic's usage.iterations).
type OtherUsage struct {
	Model string
	Usage Usage
}

// Tokens tells whether any token is counted.
func (u *Usage) Tokens() bool { return u.Prompt() != 0 || u.Completion() != 0 }

// Prompt is the whole prompt, caches included: what price tiers go by.
func (u *Usage) Prompt() int64 {
	return u.Input + u.CacheRead + u.CacheWrite5m + u.CacheWrite1h +
		u.AudioInput + u.AudioCacheRead + u.ImageInput + u.ImageCacheRead
}

// Completion is the whole output, reasoning, audio and images included.
func (u *Usage) Completion() int64 { return u.Output + u.AudioOutput + u.ImageOutput }

// Cached is the input read from a cache.
func (u *Usage) Cached() int64 { return u.CacheRead + u.AudioCacheRead + u.ImageCacheRead }

// Tally is what metering gathers from an answer's frames.
type Tally struct {
	Usage Usage
	Tier  string // service tier the provider says it used
	Geo   string // where inference ran, if billed apart
	Model string // the model that the provider says answered
	Why   Why    // why it ended, once known
	Done  bool   // the closing signal was seen: the answer is complete
	Err   *Error // the frame was a refusal
	Good  bool   // some frame was part of a good answer
	Text  int64  // bytes of output seen so far, to estimate a cut answer
	Shape Shape  // of the frames that bring nothing but text
}
