package cli

import (
	"context"
	"fmt"
	"io"
	"time"

	"keytray/app"
	"keytray/app/view"
)

// often is how soon a row that ended is shown.
const often = 500 * time.Millisecond

// follower prints rows once each, as they end.
type follower struct {
	out    io.Writer
	asJSON bool
	status app.RowStatus  // only these; "" is all
	floor  int64          // rows up to this one are done with
	passed map[int64]bool // later ones that are
	lines  int
}

// follow prints the last rows and then those that end, until ctx does.
func (f *face) follow(ctx context.Context, a *app.App, q app.RowFilter, asJSON bool) error {
	p := &follower{out: f.out(), asJSON: asJSON, status: q.Status, passed: map[int64]bool{}}
	rows, err := last(ctx, a, q)
	if err != nil {
		return err
	}
	if len(rows) > 0 {
		p.floor = rows[0].ID - 1
	}
	// Rows end in another order than they begin, so those under way are watched
	// and all others asked for.
	q.Status, q.Limit = "", 0
	tick := time.NewTicker(often)
	defer tick.Stop()
	for {
		if err := p.take(rows); err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil // the way to end it
		}
		rows, q.AfterID = nil, p.floor
		err := a.EachRequest(ctx, q, func(r app.Row) error { rows = append(rows, r); return nil })
		if err != nil && ctx.Err() == nil {
			return err
		}
	}
}

// take prints those of the rows, oldest first, that have ended since the last
// time.
func (p *follower) take(rows []app.Row) error {
	settled := true // no row before this one is under way
	for _, r := range rows {
		if r.Status == "running" {
			settled = false
			continue
		}
		if !p.passed[r.ID] && (p.status == "" || r.Status == p.status) {
			if err := p.line(r); err != nil {
				return err
			}
		}
		if p.passed[r.ID] = true; settled {
			p.floor = r.ID
		}
	}
	for id := range p.passed {
		if id <= p.floor {
			delete(p.passed, id)
		}
	}
	return nil
}

func (p *follower) line(r app.Row) error {
	if p.asJSON {
		return object(p.out, view.NewRowJSON(r))
	}
	lines := view.RequestLines(time.Now(), r)
	if p.lines++; p.lines > 1 {
		lines = lines[1:] // the titles stand above
	}
	for _, l := range lines {
		if _, err := fmt.Fprintln(p.out, l); err != nil {
			return err
		}
	}
	return nil
}
