package upstream

import (
	"io"

	"keytray/proxy/llm"
)

// counted answers a call that only asks for the size of a prompt, where the
// client's own bytes cannot be sent: no two providers count alike, and what
// other dialects have to count with is a call that costs money. The answer is
// an estimate and says so; nobody is called, and there is no attempt.
func (l *Leaf) counted(r *llm.Request) (*llm.Response, error) {
	p, err := r.Prompt()
	if err != nil {
		return nil, err
	}
	c := &llm.Call{Model: l.Model}
	c.Lose("input_tokens: an estimate")
	u := llm.Usage{Input: estimate(p), Known: true}
	return &llm.Response{
		Outbound: l.Outbound, Call: c, Status: 200, Body: noBytes{},
		Target: l.Model.Provider + "/" + l.listed(), Attempts: r.Attempts(),
		Made: func(yield func(llm.Event, error) bool) {
			_ = yield(llm.Event{Kind: llm.Start}, nil) && yield(llm.Event{Kind: llm.Stop, Why: llm.EndTurn, Usage: &u}, nil)
		},
	}, nil
}

// What is not text counts as much as most providers bill for one of middle
// size.
const (
	bytesPerToken = 4
	perImage      = 1500
	perDocument   = 3000
)

func estimate(p *llm.Prompt) int64 {
	text, more := 0, 0
	var add func(blocks []llm.Block)
	add = func(blocks []llm.Block) {
		for i := range blocks {
			b := &blocks[i]
			text += len(b.Text) + len(b.Name)
			switch b.Kind {
			case llm.Image:
				more += perImage
			case llm.Document, llm.Audio:
				more += perDocument
			}
			add(b.Content)
		}
	}
	add(p.System)
	for i := range p.Messages {
		more += 4 // what stands around each turn
		add(p.Messages[i].Blocks)
	}
	for i := range p.Tools {
		text += len(p.Tools[i].Name) + len(p.Tools[i].Description) + len(p.Tools[i].Schema)
	}
	text += len(p.Format.Schema)
	return int64((text+bytesPerToken-1)/bytesPerToken + more)
}

// noBytes is the body of an answer that nobody sent.
type noBytes struct{}

func (noBytes) Read([]byte) (int, error) { return 0, io.EOF }
func (noBytes) Close() error             { return nil }
