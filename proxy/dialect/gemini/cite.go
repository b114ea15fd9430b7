package gemini

import (
	"encoding/json"

	"keytray/proxy/llm"
)

// ground yields the sources of a grounded answer. Supports tie spans of the
// text to chunks; chunks that no support names are sources of the whole.
func (d *decoder) ground(b []byte) {
	var g groundingMetadata
	if json.Unmarshal(b, &g) != nil {
		d.call.Lose("answer: sources that cannot be read")
		return
	}
	used := make([]bool, len(g.GroundingChunks))
	source := func(i int) *groundingSource {
		if i < 0 || i >= len(g.GroundingChunks) {
			return nil
		}
		used[i] = true
		c := g.GroundingChunks[i]
		for _, s := range []*groundingSource{c.Web, c.RetrievedContext, c.Maps} {
			if s != nil {
				return s
			}
		}
		return nil
	}
	for _, s := range g.GroundingSupports {
		for _, i := range s.GroundingChunkIndices {
			if src := source(i); src != nil {
				d.source(llm.Citation{
					URL: src.URI, Title: src.Title, Quote: src.Text,
					Start: s.Segment.StartIndex, End: s.Segment.EndIndex,
				})
			}
		}
	}
	for i := range g.GroundingChunks {
		if used[i] {
			continue
		}
		if src := source(i); src != nil {
			d.source(llm.Citation{URL: src.URI, Title: src.Title, Quote: src.Text})
		}
	}
}

// cite yields the works that the answer recites.
func (d *decoder) cite(b []byte) {
	var m citationMetadata
	if json.Unmarshal(b, &m) != nil {
		d.call.Lose("answer: citations that cannot be read")
		return
	}
	for _, s := range append(m.CitationSources, m.Citations...) {
		d.source(llm.Citation{URL: s.URI, Title: s.Title, Start: s.StartIndex, End: s.EndIndex})
	}
}

// source yields one citation in the open text. Google counts bytes from the
// start of all text, so the span is known only in the first text block.
func (d *decoder) source(c llm.Citation) {
	if !d.open || d.block != llm.Text {
		d.begin(llm.Text)
	}
	if d.texts > 1 || c.End <= c.Start {
		c.Start, c.End = 0, 0
	}
	d.emit(llm.Event{Kind: llm.Delta, Block: llm.Text, Index: d.next, Cite: &c})
}
