package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"keytray/proxy/sse"
)

// Answer is how one answer of Ask came to be.
type Answer struct {
	Text  string
	First time.Duration // to the first words; 0: there were none
	Took  time.Duration
	Rows  []Row // the attempts that it took, the last first; some may still be running
}

// askWait is how long Ask waits for the rows of its attempts.
const askWait = 3 * time.Second

// Ask puts a question to a model or a route through the front door, as a tool
// would, and calls more with each piece of the answer as it comes. The call has
// rows, of the tool keytray. What was answered before an error, or before ctx
// ended, is in the Answer.
func (a *App) Ask(ctx context.Context, model, say string, more func(string)) (Answer, error) {
	addr, err := a.Addr()
	if addr == "" {
		return Answer{}, errors.Join(errNoListen, err)
	}
	body, err := json.Marshal(map[string]any{
		"model": model, "stream": true, "stream_options": map[string]bool{"include_usage": true},
		"messages": []map[string]string{{"role": "user", "content": say}},
	})
	if err != nil {
		return Answer{}, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+loopback(addr)+"/v1/chat/completions", bytes.NewReader(body))
	if err != nil {
		return Answer{}, err
	}
	req.Header.Set("Authorization", "Bearer "+a.own)
	req.Header.Set("Content-Type", "application/json")
	start := time.Now()
	resp, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
	if err != nil {
		if ctx.Err() != nil {
			return Answer{Took: time.Since(start)}, ctx.Err()
		}
		return Answer{}, fmt.Errorf("call Keytray's own front door: %w", err)
	}
	defer resp.Body.Close()
	var out Answer
	if resp.StatusCode != http.StatusOK {
		err = refused(resp)
	} else {
		err = out.read(resp.Body, start, more)
	}
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	_ = resp.Body.Close() // a call that was stopped ends now
	out.Took = time.Since(start)
	out.Rows = a.rowsOf(context.WithoutCancel(ctx), resp.Header.Get("Keytray-Request-Id"), start)
	return out, err
}

// chatFrame is what Ask reads of a frame.
type chatFrame struct {
	Choices []struct {
		Delta struct{ Content string }
	}
	Error *struct{ Message string }
}

// read takes the stream in.
func (o *Answer) read(body io.Reader, start time.Time, more func(string)) error {
	var text strings.Builder
	defer func() { o.Text = text.String() }()
	for f, err := range sse.Frames(body, sse.Events) {
		if err != nil {
			return fmt.Errorf("the answer broke off: %w", err)
		}
		if string(f.Data) == "[DONE]" {
			return nil
		}
		var frame chatFrame
		if err := json.Unmarshal(f.Data, &frame); err != nil {
			return fmt.Errorf("read the answer: %w", err)
		}
		if frame.Error != nil {
			return errors.New(frame.Error.Message)
		}
		for _, c := range frame.Choices {
			if c.Delta.Content == "" {
				continue
			}
			if o.First == 0 {
				o.First = time.Since(start)
			}
			text.WriteString(c.Delta.Content)
			more(c.Delta.Content)
		}
	}
	return errors.New("the answer broke off before its end")
}

// refused is the error of an answer that is none.
func refused(resp *http.Response) error {
	b, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return fmt.Errorf("read the answer (%s): %w", resp.Status, err)
	}
	var said chatFrame
	if json.Unmarshal(b, &said) == nil && said.Error != nil && said.Error.Message != "" {
		return errors.New(said.Error.Message)
	}
	return fmt.Errorf("the front door answered %s", resp.Status)
}

// rowsOf waits a little until the attempts of a request have ended.
func (a *App) rowsOf(ctx context.Context, id string, since time.Time) []Row {
	ctx, cancel := context.WithTimeout(ctx, askWait)
	defer cancel()
	changed, end := a.Subscribe()
	defer end()
	var out []Row
	for {
		all, err := a.Requests(ctx, RowFilter{Since: since.Add(-time.Second), Tool: ownTool, Limit: 1000})
		if err != nil {
			return out
		}
		out = out[:0]
		running := false
		for _, r := range all {
			if r.RequestID == id {
				out = append(out, r)
				running = running || r.Status == "running"
			}
		}
		if len(out) > 0 && !running {
			return out
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return out
		}
	}
}
