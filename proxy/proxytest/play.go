package proxytest

import (
	"context"
	"net/http"
	"time"
)

// play writes the script's answer at its pace. It returns when the answer is written. When the client goes
// or the server is closed before that, it aborts the connection, as returning would end the body cleanly.
func play(w http.ResponseWriter, r *http.Request, seen *Seen, s Script) {
	ctx := r.Context()
	out := wireOf(s, seen)
	control := http.NewResponseController(w)
	flush := func() bool { return control.Flush() == nil && ctx.Err() == nil }
	if out.silent {
		hang(ctx, seen)
	}
	headed := false
	head := func() {
		for name, values := range out.header {
			w.Header()[name] = values
		}
		w.WriteHeader(out.status)
		headed = true
	}
	if s.HeaderFirst {
		head()
		if !flush() {
			lost(ctx, seen)
		}
	}
	for i, piece := range out.pieces {
		if !s.wait(ctx, i) {
			lost(ctx, seen)
		}
		if !headed {
			head()
		}
		if i == 0 {
			seen.passes(out.between)
		}
		seen.writes(out.bill(i))
		if _, err := w.Write(piece); err != nil || !flush() && i < len(out.pieces)-1 {
			lost(ctx, seen)
		}
		seen.wrote()
	}
	if !headed {
		head()
	}
	switch out.end {
	case EndAbort:
		_ = control.Flush()
		panic(http.ErrAbortHandler)
	case EndHang:
		_ = control.Flush()
		hang(ctx, seen)
	case EndClean:
	}
}

// hang waits for the client to go.
func hang(ctx context.Context, seen *Seen) {
	<-ctx.Done()
	lost(ctx, seen)
}

// lost notes that nobody listens any more, and does not return.
func lost(ctx context.Context, seen *Seen) {
	seen.lost(ctx)
	panic(http.ErrAbortHandler)
}

// wait keeps the pace before a write, and says whether there is still someone to write for.
func (s Script) wait(ctx context.Context, write int) bool {
	if s.Every > 0 && write > 0 {
		timer := time.NewTimer(s.Every)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
			return false
		}
	}
	if s.Step != nil {
		select {
		case <-s.Step:
		case <-ctx.Done():
			return false
		}
	}
	return ctx.Err() == nil
}
