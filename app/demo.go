package app

import (
	"context"
	"net/http"
	"strings"
	"time"

	"keytray/proxy/llm"
)

// The built-in model that needs neither network nor key.
const (
	demoProvider = "demo"
	demoModel    = "echo"
)

// demo answers with what it was told, so that a newcomer sees the whole path:
// tool, proxy, row.
type demo struct{ app *App }

// Do answers r; see llm.Target.
func (d demo) Do(ctx context.Context, r *llm.Request) (*llm.Response, error) {
	now := time.Now()
	a := &llm.Attempt{
		Request: r, Number: r.NextAttempt(), Provider: demoProvider, Model: demoModel,
		Streamed: r.Stream, Start: now, FirstByte: now, Status: http.StatusOK, SentBytes: int64(len(r.Raw)), Note: llm.NoteOf(ctx),
	}
	rec := recorder(d)
	err := rec.Begin(a)
	p, perr := r.Prompt()
	if err == nil {
		err = perr
	}
	if err != nil {
		a.Outcome, a.Err, a.End = llm.Failed, llm.AsError(err), time.Now()
		rec.Finish(a)
		return nil, err
	}
	said, words := lastText(p)
	text := "This is Keytray's built-in demo model. It needs no key and costs nothing; it only repeats what you say.\n\nYou said: " + said
	usage := llm.Usage{Input: int64(words), Output: int64(len(strings.Fields(text))), Known: true}
	a.Tally = llm.Tally{Usage: usage, Good: true, Done: true, Why: llm.EndTurn}
	a.Outcome, a.End = llm.OK, time.Now()
	call := &llm.Call{Model: llm.Model{Provider: demoProvider, Name: demoModel}, Stream: r.Stream, Lost: p.Lost}
	a.Lost = call.Lost
	rec.Finish(a)
	return &llm.Response{
		Outbound: demoOutbound{}, Call: call, Status: http.StatusOK, Header: http.Header{}, Stream: r.Stream,
		Body: http.NoBody, Target: demoProvider + "/" + demoModel, Attempts: r.Attempts(), Why: a.Note.Reason,
		Decoded: echo(text, usage),
	}, nil
}

// echo is an answer of one block, a word at a time.
func echo(text string, usage llm.Usage) []llm.Event {
	events := []llm.Event{{Kind: llm.Start, Name: demoProvider + "/" + demoModel}, {Kind: llm.BlockStart, Block: llm.Text}}
	for _, word := range strings.SplitAfter(text, " ") {
		events = append(events, llm.Event{Kind: llm.Delta, Block: llm.Text, Text: word})
	}
	return append(events,
		llm.Event{Kind: llm.BlockStop, Block: llm.Text},
		llm.Event{Kind: llm.Stop, Why: llm.EndTurn, Usage: &usage})
}

// lastText is the last text the user wrote, and how many words the prompt has.
func lastText(p *llm.Prompt) (said string, words int) {
	for _, m := range p.Messages {
		for _, b := range m.Blocks {
			if b.Kind == llm.Text {
				words += len(strings.Fields(b.Text))
				if m.Role == llm.User {
					said = b.Text
				}
			}
		}
	}
	return said, words
}

// demoOutbound names the dialect of an answer that never was on a wire.
type demoOutbound struct{ llm.Outbound }

// Name is no dialect's, so that every client's answer is translated.
func (demoOutbound) Name() string { return demoProvider }
