package route

import (
	"cmp"
	"context"
	"net/http"
	"strings"
	"sync"

	"keytray/proxy/llm"
)

// part is one of several whole answers to the same request.
type part struct {
	Choice
	target string // who answered, where the choice is a strategy
	events []llm.Event
	text   string
	calls  bool // it calls tools
	usage  llm.Usage
	lost   []string // of the prompt or the answer
	err    error
}

// gather asks all choices at once for whole answers, and waits for all. The
// rows say that each is one of several. Choices that should be left alone for
// now are asked only if none of the others has answered.
func gather(ctx context.Context, r *llm.Request, all []Choice) ([]part, error) {
	p, err := r.Prompt()
	if err != nil {
		return nil, err
	}
	ctx = llm.WithNote(ctx, llm.Note{Part: llm.PartShare})
	var ready, tired []Choice
	for _, c := range all {
		if rest(c) > 0 {
			tired = append(tired, c)
		} else {
			ready = append(ready, c)
		}
	}
	parts := askAll(ctx, r, p, ready)
	if _, err := good(parts); len(tired) > 0 && (len(ready) == 0 || err != nil && goesOn(ctx, err)) {
		parts = append(parts, askAll(ctx, r, p, tired)...)
	}
	return parts, ctx.Err()
}

func askAll(ctx context.Context, r *llm.Request, p *llm.Prompt, all []Choice) []part {
	parts := make([]part, len(all))
	var wait sync.WaitGroup
	for i, c := range all {
		parts[i].Choice = c
		wait.Go(func() { parts[i].ask(ctx, r.Derive(p, false)) })
	}
	wait.Wait()
	return parts
}

// ask takes the whole answer.
func (p *part) ask(ctx context.Context, r *llm.Request) {
	resp, err := p.Do(ctx, r)
	if err != nil {
		p.err = err
		return
	}
	defer resp.Body.Close()
	p.target = resp.Target
	p.take(resp.Events())
	p.lost = resp.Call.Lost // now that all was read
	if f, ok := resp.Body.(llm.Failer); ok && p.err != nil {
		f.Fail(p.err)
	}
}

// Name is who answered.
func (p *part) Name() string {
	return cmp.Or(p.Choice.Name(), p.target)
}

// take keeps an answer's events and what they say.
func (p *part) take(events llm.Events) {
	var text strings.Builder
	for e, err := range events {
		if err != nil {
			p.err = err
			return
		}
		p.events = append(p.events, e)
		switch {
		case e.Kind == llm.Delta && e.Block == llm.Text:
			text.WriteString(e.Text)
		case e.Kind == llm.BlockStart && e.Block == llm.ToolCall:
			p.calls = true
		case e.Kind == llm.Stop && e.Usage != nil:
			p.usage = *e.Usage
		}
	}
	p.text = text.String()
}

// good are the parts that answered; if none did, the error is the first one's.
func good(parts []part) ([]part, error) {
	var out []part
	var first error
	for _, p := range parts {
		if p.err == nil {
			out = append(out, p)
		} else if first == nil {
			first = p.err
		}
	}
	if len(out) == 0 {
		return nil, first
	}
	return out, nil
}

// answer hands over a part as the answer to r.
func (p part) answer(ctx context.Context, r *llm.Request, why string) *llm.Response {
	return made(ctx, r, p.Name(), why, p.lost, func(yield func(llm.Event, error) bool) {
		for _, e := range p.events {
			if !yield(e, nil) {
				return
			}
		}
	})
}

// made is an answer that a strategy made. ctx is that in which the strategy was
// asked: its reasons come first.
func made(ctx context.Context, r *llm.Request, target, why string, lost []string, events llm.Events) *llm.Response {
	return &llm.Response{
		Call: &llm.Call{Stream: r.Stream, Lost: lost}, Status: http.StatusOK, Stream: r.Stream, Body: nothing{},
		Target: target, Attempts: r.Attempts(), Made: events, Why: because(ctx, why),
	}
}

// because is a reason behind those of the strategies around it.
func because(ctx context.Context, why string) string {
	return llm.NoteOf(llm.WithNote(ctx, llm.Note{Reason: why})).Reason
}

// nothing is the body of an answer that is made of others.
type nothing struct{}

func (nothing) Read([]byte) (int, error) { return 0, errMade }
func (nothing) Close() error             { return nil }

var errMade = &llm.Error{Kind: llm.Internal, Message: "an answer made of others has no bytes of its own"}

// quoted numbers the answers for a model that is to read them.
func quoted(parts []part) string {
	var b strings.Builder
	for i, p := range parts {
		b.WriteString("<answer number=\"")
		b.WriteString(number(i + 1))
		b.WriteString("\">\n")
		b.WriteString(p.text)
		b.WriteString("\n</answer>\n\n")
	}
	return b.String()
}

// followUp is the client's prompt with one more message of the user's, and
// without what only its first answer needs.
func followUp(p *llm.Prompt, text string, keepShape bool) *llm.Prompt {
	q := *p
	q.Messages = append(append([]llm.Message(nil), p.Messages...), llm.Message{
		Role: llm.User, Blocks: []llm.Block{{Kind: llm.Text, Text: text}},
	})
	q.Tools, q.Choice, q.CacheKey = nil, llm.Choice{}, ""
	if !keepShape {
		q.Format, q.Limits, q.Reasoning, q.Verbosity = llm.Format{}, llm.Limits{}, llm.Reasoning{}, ""
	}
	return &q
}
