package route

import (
	"context"
	"fmt"
	"sync"

	"keytray/proxy/llm"
)

// Compare asks all choices and gives all answers as one text, each under its
// model's name, in the order of the choices. They are asked at once; each is
// shown as soon as it and those before it have come.
type Compare struct{ Choices []Choice }

// Do answers r; see llm.Target. It fails only if the prompt cannot be read: a
// choice that fails is shown with its error.
func (s Compare) Do(ctx context.Context, r *llm.Request) (*llm.Response, error) {
	p, err := r.Prompt()
	if err != nil {
		return nil, err
	}
	outer := ctx
	ctx, stop := context.WithCancel(llm.WithNote(ctx, llm.Note{Part: llm.PartShare}))
	var asked sync.WaitGroup
	done := make([]chan part, len(s.Choices))
	for i, c := range s.Choices {
		done[i] = make(chan part, 1)
		asked.Go(func() {
			one := part{Choice: c}
			one.ask(ctx, r.Derive(p, false))
			done[i] <- one
		})
	}
	resp := made(outer, r, r.Route, fmt.Sprintf("compare: %d answers", len(s.Choices)), p.Lost, func(yield func(llm.Event, error) bool) {
		defer stop()
		w := writer{yield: yield}
		w.say(llm.Event{Kind: llm.Start, Name: r.Model})
		w.say(llm.Event{Kind: llm.BlockStart, Block: llm.Text})
		for i := range done {
			select {
			case one := <-done[i]:
				w.part(i, one)
			case <-ctx.Done():
				w.fail(canceled(ctx.Err()))
			}
		}
		w.say(llm.Event{Kind: llm.BlockStop, Block: llm.Text})
		w.usage.Known = true
		w.say(llm.Event{Kind: llm.Stop, Why: llm.EndTurn, Usage: &w.usage})
	})
	resp.Body = stopping{stop, &asked}
	resp.Attempts = len(s.Choices) // at least; they have only just begun
	return resp, nil
}

// writer yields events until nobody wants more.
type writer struct {
	yield func(llm.Event, error) bool
	over  bool
	usage llm.Usage
}

func (w *writer) say(e llm.Event) {
	if !w.over {
		w.over = !w.yield(e, nil)
	}
}

func (w *writer) fail(err error) {
	if !w.over {
		w.over = true
		w.yield(llm.Event{}, err)
	}
}

func (w *writer) part(i int, p part) {
	text := p.text
	switch {
	case p.err != nil:
		text = "(no answer: " + llm.AsError(p.err).Error() + ")"
	case p.calls && text == "":
		text = "(it calls tools)"
	}
	who := p.Name()
	if p.Provider == "" && p.target == "" { // a strategy, of which none has answered
		who = "Answer " + number(i+1)
	}
	head := "## " + who + "\n\n"
	if i > 0 {
		head = "\n\n" + head
	}
	w.say(llm.Event{Kind: llm.Delta, Block: llm.Text, Text: head + text})
	w.usage.Input += p.usage.Prompt()
	w.usage.Output += p.usage.Completion()
	w.usage.Reasoning += p.usage.Reasoning
}

// stopping is a body whose Close stops what is still asked, and waits for its
// rows.
type stopping struct {
	stop  context.CancelFunc
	asked *sync.WaitGroup
}

func (stopping) Read([]byte) (int, error) { return 0, errMade }

func (s stopping) Close() error {
	s.stop()
	s.asked.Wait()
	return nil
}
