package responses

import (
	"unicode/utf8"

	"keytray/proxy/llm"
	"keytray/proxy/sse"
)

// deltaHead makes what all frames of a block have in common.
func (a *answer) deltaHead(o *entry, kind, partKey string) {
	if !a.stream {
		return
	}
	h := append(append(append(o.head[:0], "event: "...), kind...), '\n')
	h = append(append(append(h, `data: {"type":"`...), kind...), '"')
	o.head = append(o.place(h, partKey), `,"delta":`...)
}

func (a *answer) piece(o *entry, s string) {
	o.text = append(o.text, s...)
	if !a.stream {
		return
	}
	a.buf = sse.AppendString(append(a.buf, o.head...), s)
	if o.block == llm.Text {
		a.buf = append(a.buf, `,"logprobs":[]`...) // F13
	}
	a.close()
}

func (a *answer) delta(o *entry, e llm.Event) {
	if e.Cite != nil {
		a.cite(o, e.Cite)
	}
	if e.Text == "" {
		return
	}
	switch o.block {
	case llm.Text, llm.Refusal:
		a.piece(o, e.Text)
	case llm.Thinking:
		if !o.shown {
			o.shown = true
			if a.about("response.reasoning_summary_part.added", o, "summary_index") {
				a.buf = append(a.buf, `,"part":{"type":"summary_text","text":""}`...)
				a.close()
			}
			a.deltaHead(o, summaryDelta, "summary_index")
		}
		a.piece(o, e.Text)
	case llm.ToolCall:
		switch o.tool.wire {
		case wireFunction:
			a.piece(o, e.Text)
		case wireCustom:
			if s := o.input.Add(e.Text); s != "" {
				a.piece(o, s)
			}
		default:
			o.text = append(o.text, e.Text...)
		}
	case llm.Image:
		o.text = append(o.text, e.Text...)
	}
}

// cite writes a citation, whose indices count characters of the part.
func (a *answer) cite(o *entry, c *llm.Citation) {
	start, end := 0, 0
	if c.End > c.Start && c.Start >= 0 && c.End <= len(o.text) {
		start = utf8.RuneCount(o.text[:c.Start])
		end = start + utf8.RuneCount(o.text[c.Start:c.End])
	}
	at := len(o.cites)
	if at > 0 {
		o.cites = append(o.cites, ',')
		at++
	}
	b := appendInt(append(o.cites, `{"type":"url_citation","start_index":`...), int64(start))
	b = appendInt(append(b, `,"end_index":`...), int64(end))
	b = sse.AppendString(append(b, `,"url":`...), c.URL)
	o.cites = append(sse.AppendString(append(b, `,"title":`...), c.Title), '}')
	if a.about("response.output_text.annotation.added", o, "content_index") {
		a.buf = appendInt(append(a.buf, `,"annotation_index":`...), int64(o.ncites))
		a.buf = append(append(a.buf, `,"annotation":`...), o.cites[at:]...)
		a.close()
	}
	o.ncites++
}
