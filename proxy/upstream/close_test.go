package upstream

import (
	"context"
	"io"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"keytray/proxy/llm"
	"keytray/proxy/proxytest"
)

// Whatever happens at once, the row ends once.
func TestTheRowEndsOnce(t *testing.T) {
	for range 30 {
		step := make(chan struct{}, 100)
		for range 4 {
			step <- struct{}{}
		}
		l := start(t, proxytest.Script{Step: step})
		ctx, cancel := context.WithCancel(t.Context())
		resp, err := l.Do(ctx, request(t, true))
		if err != nil {
			t.Fatal(err)
		}
		var ended atomic.Bool
		var wait sync.WaitGroup
		wait.Go(func() {
			_, err := io.Copy(io.Discard, resp.Body)
			ended.Store(err == nil)
		})
		wait.Go(func() { _ = resp.Body.Close() })
		wait.Go(func() { _ = resp.Body.Close() })
		wait.Go(cancel)
		wait.Go(func() { close(step) })
		wait.Wait()
		row := l.book.only(t)
		if ended.Load() != (row.Outcome == llm.OK) {
			t.Errorf("ended cleanly: %v, row %s", ended.Load(), row.Outcome)
		}
		if row.Outcome != llm.OK && row.Outcome != llm.Aborted {
			t.Errorf("row %s, %v", row.Outcome, row.Err)
		}
	}
}

// Close ends a Read that waits for the provider, and stops the provider.
func TestCloseDuringRead(t *testing.T) {
	l := start(t, proxytest.Script{Fault: proxytest.FaultStall, After: 2})
	resp := l.good(t, request(t, true))
	reading, done := make(chan struct{}), make(chan error, 1)
	go func() {
		buf := make([]byte, 1)
		_, err := resp.Body.Read(buf)
		close(reading)
		for err == nil {
			_, err = resp.Body.Read(buf)
		}
		done <- err
	}()
	<-reading
	if err := resp.Body.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err == io.EOF {
		t.Error("the answer ended cleanly")
	}
	limit, stop := context.WithTimeout(t.Context(), 5*time.Second)
	defer stop()
	if _, err := l.provider.Last().AwaitCancel(limit); err != nil {
		t.Error(err)
	}
	if row := l.book.only(t); row.Outcome != llm.Aborted || row.Err.Kind != llm.Canceled {
		t.Errorf("row %+v", row)
	}
}

// A connection is used again, however the answer was read.
func TestConnectionsAreUsedAgain(t *testing.T) {
	for name, translated := range map[string]bool{"bytes": false, "translated": true} {
		for stream, r := range map[string]*llm.Request{"whole": request(t, false), "stream": request(t, true)} {
			l := start(t)
			if translated {
				r.Inbound = other{}
			}
			for range 3 {
				resp, err := l.Do(t.Context(), r)
				if err != nil {
					t.Fatal(err)
				}
				if translated {
					err = other{}.EncodeResponse(io.Discard, r, resp.Events())
				} else {
					_, err = readers["WriteTo"](resp.Body)
				}
				if err != nil {
					t.Fatal(err)
				}
				if err := resp.Body.Close(); err != nil {
					t.Fatal(err)
				}
			}
			if n := l.Network.Dials(); n != 1 {
				t.Errorf("%s %s: %d connections for 3 calls", name, stream, n)
			}
		}
	}
}
