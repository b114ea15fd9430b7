package gemini

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strings"

	"keytray/proxy/llm"
)

// maxStops is how many stop sequences Google takes.
const maxStops = 5

// encoder turns one prompt into one request.
type encoder struct {
	c     *llm.Call
	p     *llm.Prompt
	names names
}

// EncodeRequest writes a prompt as generateContent takes it. Tool names that
// Google would reject are changed, and noted in c.Tools.
func (Dialect) EncodeRequest(c *llm.Call, p *llm.Prompt) ([]byte, error) {
	for _, f := range p.Lost {
		c.Lose(f)
	}
	e := encoder{c: c, p: p}
	e.lose(p.User != "", "user")
	e.lose(p.CacheKey != "", "prompt_cache_key")
	e.lose(p.Verbosity != "", "verbosity")
	e.name()

	var r request
	var err error
	if r.Tools, r.ToolConfig, err = e.tools(); err != nil {
		return nil, err
	}
	var asked string // a format that can only be asked for in words
	if r.GenerationConfig, asked, err = e.config(len(r.Tools) > 0); err != nil {
		return nil, err
	}
	r.SystemInstruction = e.system(asked)
	var first []part // what the user says before all else
	if r.SystemInstruction != nil && e.c.Model.Flags.Has(llm.FlagNoSystem) {
		e.c.Lose("system: this model takes none; it went as the user's")
		first, r.SystemInstruction = r.SystemInstruction.Parts, nil
	}
	if r.Contents, err = e.contents(first); err != nil {
		return nil, err
	}
	r.ServiceTier = e.tier()

	return plainJSON(r)
}

// plainJSON is v as JSON, with nothing escaped for HTML.
func plainJSON(v any) ([]byte, error) {
	var b bytes.Buffer
	w := json.NewEncoder(&b)
	w.SetEscapeHTML(false)
	if err := w.Encode(v); err != nil {
		return nil, &llm.Error{Kind: llm.Internal, Message: fmt.Sprintf("cannot write the request for Google: %v", err), Cause: err}
	}
	return bytes.TrimRight(b.Bytes(), "\n"), nil
}

// system is all leading instructions, each a part of its own.
func (e *encoder) system(asked string) *content {
	var parts []part
	for _, b := range e.p.System {
		if b.Cache != "" {
			e.c.Lose("cache_control")
		}
		if b.Text != "" {
			parts = append(parts, part{Text: &b.Text})
		}
	}
	if asked != "" {
		parts = append(parts, part{Text: &asked})
	}
	if parts == nil {
		return nil
	}
	return &content{Parts: parts}
}

// config is everything about sampling and the form of the answer, and nil if
// nothing was said about it.
func (e *encoder) config(tools bool) (*generationConfig, string, error) {
	var g generationConfig
	e.sampling(&g)
	g.ThinkingConfig = e.thinking()
	asked, err := e.format(&g, tools)
	if err != nil {
		return nil, "", err
	}
	if b, _ := json.Marshal(g); string(b) == "{}" {
		return nil, asked, nil
	}
	return &g, asked, nil
}

func (e *encoder) sampling(g *generationConfig) {
	l := e.p.Limits
	g.MaxOutputTokens = l.MaxTokens
	if limit := e.c.Model.MaxOutput; limit > 0 && l.MaxTokens != nil && *l.MaxTokens > limit {
		g.MaxOutputTokens = &limit
		e.c.Lose(fmt.Sprintf("max_tokens: this model writes %d at most", limit))
	}
	if e.c.Model.Flags.Has(llm.FlagNoSampling) {
		e.lose(l.Temperature != nil, "temperature: this model takes none")
		e.lose(l.TopP != nil, "top_p: this model takes none")
		e.lose(l.TopK != nil, "top_k: this model takes none")
	} else {
		g.Temperature, g.TopP, g.TopK = l.Temperature, l.TopP, l.TopK
	}
	if e.c.Model.Flags.Has(llm.FlagNoPenalties) {
		e.lose(l.FrequencyPenalty != nil, "frequency_penalty: this model takes none")
		e.lose(l.PresencePenalty != nil, "presence_penalty: this model takes none")
	} else {
		g.FrequencyPenalty, g.PresencePenalty = l.FrequencyPenalty, l.PresencePenalty
	}
	for _, s := range l.Stop {
		if s != "" {
			g.StopSequences = append(g.StopSequences, s)
		}
	}
	if len(g.StopSequences) > maxStops {
		g.StopSequences = g.StopSequences[:maxStops]
		e.c.Lose(fmt.Sprintf("stop: only the first %d sequences are taken", maxStops))
	}
	if l.Seed != nil {
		seed := int32(*l.Seed) //nolint:gosec // G115: folded on purpose, and reported
		g.Seed = &seed
		e.lose(*l.Seed > math.MaxInt32 || *l.Seed < math.MinInt32, "seed: folded into 32 bits")
	}
}

// format asks for JSON natively where the model can, else in words.
func (e *encoder) format(g *generationConfig, tools bool) (asked string, err error) {
	f, flags := e.p.Format, e.c.Model.Flags
	if f.Kind == llm.FormatText {
		return "", nil
	}
	var schema json.RawMessage
	if f.Kind == llm.FormatSchema && len(f.Schema) > 0 {
		var lost []string
		if schema, lost, err = cleanSchema(f.Schema); err != nil {
			return "", llm.Invalid("response_format", "the schema of response_format is not a JSON object: %v", err)
		}
		for _, l := range lost {
			e.c.Lose("response_format: " + l)
		}
	}
	native := f.Kind == llm.FormatJSON || !flags.Has(llm.FlagNoJSONSchema)
	if tools && flags.Has(llm.FlagNoJSONWithTools) {
		native = false
	}
	if native {
		g.ResponseMimeType, g.ResponseJSONSchema = "application/json", schema
		return "", nil
	}
	e.c.Lose("response_format: this model is only asked for JSON, not held to it")
	var s strings.Builder
	s.WriteString("Write your final answer as one JSON value and nothing else: no introduction, no Markdown fence.")
	if schema != nil {
		s.WriteString(" It must match this JSON Schema:\n")
		s.Write(schema)
	}
	return s.String(), nil
}

// tier is the service tier in Google's words.
func (e *encoder) tier() string {
	tier := e.p.Tier
	switch tier {
	case "", "auto":
		return ""
	case "default":
		tier = "standard"
	case "standard", "flex", "priority":
	default:
		e.c.Lose("service_tier: Google has none called " + tier)
		return ""
	}
	if e.c.Model.Flags.Has(llm.FlagNoTier) {
		e.lose(tier != "standard", "service_tier")
		return ""
	}
	return tier
}

func (e *encoder) lose(is bool, field string) {
	if is {
		e.c.Lose(field)
	}
}
