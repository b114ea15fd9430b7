package gemini

import (
	"bytes"
	"encoding/json"

	"keytray/proxy/dialect/field"
	"keytray/proxy/llm"
)

// counts is UsageMetadata as it came.
type counts struct {
	any                                                  bool // some count was there
	prompt, cached, candidates, thoughts, toolUse, total int64
	promptAudio, promptImage, cacheAudio, cacheImage     int64
	outAudio, outImage                                   int64
	tier, traffic                                        []byte
}

// read scans usageMetadata. It allocates nothing.
func (n *counts) read(b []byte) {
	*n = counts{}
	_ = llm.Fields(b, func(k, v []byte, _ int) bool {
		to := &n.total
		switch string(k) {
		case "promptTokenCount":
			to = &n.prompt
		case "cachedContentTokenCount":
			to = &n.cached
		case "candidatesTokenCount", "responseTokenCount":
			to = &n.candidates
		case "thoughtsTokenCount":
			to = &n.thoughts
		case "toolUsePromptTokenCount":
			to = &n.toolUse
		case "totalTokenCount":
		case "promptTokensDetails", "toolUsePromptTokensDetails":
			modalities(v, &n.promptAudio, &n.promptImage)
			return true
		case "cacheTokensDetails":
			modalities(v, &n.cacheAudio, &n.cacheImage)
			return true
		case "candidatesTokensDetails", "responseTokensDetails":
			modalities(v, &n.outAudio, &n.outImage)
			return true
		case "serviceTier":
			n.tier = field.Inside(v)
			return true
		case "trafficType":
			n.traffic = field.Inside(v)
			return true
		default:
			return true
		}
		*to = number(v)
		n.any = true
		return true
	})
}

// modalities adds up sound and images of a list of ModalityTokenCount. TEXT,
// VIDEO and DOCUMENT are billed alike and have no bucket of their own.
func modalities(b []byte, audio, image *int64) {
	_ = llm.Elements(b, func(v []byte, _ int) bool {
		var modality []byte
		var count int64
		_ = llm.Fields(v, func(k, v []byte, _ int) bool {
			switch string(k) {
			case "modality":
				modality = field.Inside(v)
			case "tokenCount":
				count = number(v)
			}
			return true
		})
		switch string(modality) {
		case "AUDIO":
			*audio += count
		case "IMAGE":
			*image += count
		}
		return true
	})
}

// usage puts the counts into buckets. The prompt includes what was cached;
// thoughts are on top of the candidates and billed as output (E13); what tools
// read is on top of the prompt. Nothing gets below zero, and the sum is kept.
func (n *counts) usage() llm.Usage {
	u := llm.Usage{Known: true, Reasoning: n.thoughts}

	cached := min(n.cached, n.prompt)
	u.AudioCacheRead = min(n.cacheAudio, cached)
	u.ImageCacheRead = min(n.cacheImage, cached-u.AudioCacheRead)
	u.CacheRead = cached - u.AudioCacheRead - u.ImageCacheRead

	fresh := n.prompt - cached + n.toolUse
	u.AudioInput = min(max(n.promptAudio-u.AudioCacheRead, 0), fresh)
	u.ImageInput = min(max(n.promptImage-u.ImageCacheRead, 0), fresh-u.AudioInput)
	u.Input = fresh - u.AudioInput - u.ImageInput

	out := n.candidates
	if out == 0 { // absent; the total may know better
		out = max(n.total-n.prompt-n.toolUse-n.thoughts, 0)
	}
	u.AudioOutput = min(n.outAudio, out)
	u.ImageOutput = min(n.outImage, out-u.AudioOutput)
	u.Output = out - u.AudioOutput - u.ImageOutput + n.thoughts
	return u
}

// merge takes a frame's usage in place of what was known. Frames repeat the
// usage so far, so the last one counts (never their sum); but while a tool of
// Google's runs, frames in between may tell less than earlier ones, and those
// must not win if the answer is cut there.
func merge(into *llm.Usage, n *counts, last bool) {
	u := n.usage()
	if into.Known && !last && u.Prompt()+u.Completion() < into.Prompt()+into.Completion() {
		return
	}
	u.Searches = into.Searches
	*into = u
}

// tierOf is the tier in the words of price lists: standard, flex, priority.
// The Gemini API names it, Vertex hides it in the traffic type.
func (n *counts) tierOf(known string) string {
	switch string(n.traffic) {
	case "ON_DEMAND":
		return "standard"
	case "ON_DEMAND_FLEX":
		return "flex"
	case "ON_DEMAND_PRIORITY":
		return "priority"
	}
	switch {
	case len(n.tier) > 0:
		return keep(known, bytes.ToLower(n.tier))
	case len(n.traffic) > 0:
		return keep(known, bytes.ToLower(n.traffic))
	}
	return known
}

// keep is s, without allocating if that is known already.
func keep(known string, s []byte) string {
	if len(s) == 0 || known == string(s) {
		return known
	}
	return string(s)
}

// searches counts what Google bills for grounding: every query from Gemini 3
// on, before that the grounded answer as such.
func searches(c *llm.Call, grounding []byte) int64 {
	if !bytes.Contains(grounding, []byte(`"webSearchQueries"`)) {
		return 0
	}
	var g struct {
		WebSearchQueries []string `json:"webSearchQueries"`
	}
	if json.Unmarshal(grounding, &g) != nil {
		return 0
	}
	var n int64
	for _, q := range g.WebSearchQueries {
		if q != "" {
			n++
		}
	}
	if n > 1 && c.Model.Flags.Has(llm.FlagSearchPerPrompt) {
		return 1
	}
	return n
}
