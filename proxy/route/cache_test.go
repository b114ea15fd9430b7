package route

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"keytray/proxy/llm"
)

// speaks is an inbound with a name and no more.
type speaks struct {
	llm.Inbound
	name string
}

func (s speaks) Name() string { return s.name }

func asking(body string, stream bool) *llm.Request {
	return &llm.Request{Tool: "t", Inbound: speaks{name: "chat"}, Raw: []byte(body), Peek: llm.Peek{Model: "r", Stream: stream}}
}

// copies is a target whose answer is a byte copy.
type copies struct {
	asked int
	end   error // in place of an orderly end
	size  int
}

func (c *copies) Do(_ context.Context, r *llm.Request) (*llm.Response, error) {
	c.asked++
	body := strings.Repeat("x", c.size) + "answer"
	resp := &llm.Response{
		Copied: true, Outbound: usageOut{}, Call: &llm.Call{}, Stream: r.Stream, Status: 200, Target: "p/m",
		Header: http.Header{"Content-Type": {"text/x"}},
	}
	if resp.Body = io.NopCloser(strings.NewReader(body)); !r.Stream {
		resp.Body = lengthy{bytes.NewBufferString(body)}
	}
	if c.end != nil {
		resp.Body = io.NopCloser(io.MultiReader(strings.NewReader(body), failing{c.end}))
	}
	return resp, nil
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// usageOut reads any body as an answer of five tokens.
type usageOut struct{ llm.Outbound }

func (usageOut) DecodeResponse(*llm.Call, io.Reader) llm.Events {
	return func(yield func(llm.Event, error) bool) {
		yield(llm.Event{Kind: llm.Stop, Usage: &llm.Usage{Output: 5, Known: true}}, nil)
	}
}

func TestCache(t *testing.T) {
	const first = `{"model":"r","messages":[1],"user":"a"}`
	for name, c := range map[string]struct {
		a, b  *llm.Request
		hit   bool
		after time.Duration
	}{
		"the same":            {asking(first, false), asking(first, false), true, time.Minute},
		"a stream again":      {asking(first, true), asking(first, true), true, 0},
		"another user, order": {asking(first, false), asking(`{"user":"b", "messages":[1], "model":"r"}`, false), true, 0},
		"another prompt":      {asking(first, false), asking(`{"model":"r","messages":[2],"user":"a"}`, false), false, 0},
		"another temperature": {asking(first, false), asking(`{"model":"r","messages":[1],"temperature":1}`, false), false, 0},
		"a stream of a whole": {asking(first, false), asking(first, true), false, 0},
		"too old":             {asking(first, false), asking(first, false), false, 2 * time.Hour},
		"not JSON":            {asking("a", false), asking("b", false), false, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var hits []Hit
				var note llm.Note
				p := &copies{}
				s := Cache{p, "memo", "", time.Hour, 1 << 20, &Answers{}, func(ctx context.Context, _ *llm.Request, h Hit) { hits, note = append(hits, h), llm.NoteOf(ctx) }}
				outer := llm.WithNote(t.Context(), llm.Note{Reason: "cheapest of 2"})
				why := ""
				for _, r := range []*llm.Request{c.a, c.b} {
					resp, err := s.Do(outer, r)
					if err != nil {
						t.Fatal(err)
					}
					why = resp.Why
					if b, ok := resp.Body.(interface{ Len() int }); ok == r.Stream || ok && b.Len() != 6 {
						t.Errorf("its length is known: %v", ok)
					}
					if got := copyAll(t, resp.Body); got != "answer" || resp.Header.Get("Content-Type") != "text/x" || !resp.Copied || resp.Stream != r.Stream || resp.Target != "p/m" {
						t.Errorf("%q, %+v", got, resp)
					}
					time.Sleep(c.after)
				}
				if hit := p.asked == 1; hit != c.hit || len(hits) != 2-p.asked {
					t.Errorf("asked %d times, hits %+v", p.asked, hits)
				}
				if c.hit && (hits[0].Target != "p/m" || hits[0].Usage.Output != 5) {
					t.Errorf("%+v", hits[0])
				}
				if want := "cheapest of 2; cache: answered " + c.after.String() + " ago"; c.hit && (why != want || note != (llm.Note{Part: llm.PartKept, Reason: want})) {
					t.Errorf("because %q, and its row has %+v", why, note)
				}
			})
		})
	}
}

func TestCacheKeepsEvents(t *testing.T) {
	m := &model{says: "A"}
	s := Cache{m, "memo", "", time.Hour, 1 << 20, &Answers{}, func(context.Context, *llm.Request, Hit) {}}
	for range 2 {
		r := question(true)
		r.Inbound = speaks{name: "chat"}
		resp, err := s.Do(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for e := range resp.Events() {
			n++
			if e.Kind == llm.Stop && (e.Usage == nil || e.Usage.Output != 5) {
				t.Errorf("usage %+v", e.Usage)
			}
		}
		if n != 5 {
			t.Errorf("%d events", n)
		}
	}
	if len(m.asked) != 1 {
		t.Errorf("asked %d times", len(m.asked))
	}
}

func TestCacheKeepsNothingBroken(t *testing.T) {
	p := &copies{end: errors.New("cut")}
	s := Cache{p, "memo", "", time.Hour, 1 << 20, &Answers{}, nil}
	for range 2 {
		resp, err := s.Do(t.Context(), asking("{}", true))
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.ReadAll(resp.Body)
	}
	if n, _ := s.Store.Size(); p.asked != 2 || n != 0 {
		t.Errorf("asked %d times, %d kept", p.asked, n)
	}
}

func TestAnswersAreBoundedAndSealed(t *testing.T) {
	var a Answers
	const most = 10_000
	put := func(i, size int, route string) {
		key := [32]byte{byte(i), byte(i >> 8)}
		a.put(key, kept{Body: bytes.Repeat([]byte("secret"), size)}, time.Hour, most, route)
	}
	for i := range 100 {
		put(i, 100, "one")
	}
	put(1000, 10, "two")
	n, size := a.Size()
	if size > 2*most || n < 6 || n > 20 {
		t.Errorf("%d answers in %d bytes", n, size)
	}
	if _, _, ok := a.get([32]byte{99}); !ok {
		t.Error("the newest is gone")
	}
	if _, _, ok := a.get([32]byte{0}); ok {
		t.Error("the oldest is there")
	}
	if _, _, ok := a.get([32]byte{byte(1000 % 256), byte(1000 >> 8)}); !ok {
		t.Error("another route's answer went for it")
	}
	put(2000, 5000, "one")
	if m, _ := a.Size(); m != n {
		t.Errorf("one that is too large changed %d to %d", n, m)
	}
	for _, at := range a.byKey {
		if bytes.Contains(at.Value.(*sealed).box, []byte("secret")) {
			t.Fatal("an answer lies open")
		}
	}
	a.Clear()
	if n, size := a.Size(); n != 0 || size != 0 {
		t.Errorf("after Clear: %d answers, %d bytes", n, size)
	}
}

// A strategy's own requests have no bytes, and are as different as their prompts.
func TestCacheKeepsDerivedRequestsApart(t *testing.T) {
	store := &Answers{}
	ask := func(of, text string, m *model) {
		t.Helper()
		s := Cache{Target: m, Name: "r", Of: of, Keep: time.Hour, Size: 1 << 20, Store: store, Hit: func(context.Context, *llm.Request, Hit) {}}
		r := asking(`{"model":"r"}`, false).Derive(&llm.Prompt{Messages: []llm.Message{{Role: llm.User, Blocks: []llm.Block{{Kind: llm.Text, Text: text}}}}}, false)
		resp, err := s.Do(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		for range resp.Events() {
		}
	}
	one, two := &model{says: "one"}, &model{says: "two"}
	for _, text := range []string{"a", "b", "a", "b"} {
		ask("one", text, one)
		ask("two", text, two)
	}
	if len(one.asked) != 2 || len(two.asked) != 2 {
		t.Errorf("asked %d and %d times for two prompts each", len(one.asked), len(two.asked))
	}
}

// BenchmarkCacheHit is an answer of 8 kB as bytes, and one of 500 events.
func BenchmarkCacheHit(b *testing.B) {
	r := asking(`{"model":"r","messages":[{"role":"user","content":"hello"}],"temperature":1,"stream":true}`, true)
	events := make([]llm.Event, 500)
	for i := range events {
		events[i] = llm.Event{Kind: llm.Delta, Text: " word"}
	}
	for name, k := range map[string]kept{
		"bytes": {Copied: true, Stream: true, Type: "text/event-stream", Body: bytes.Repeat([]byte("word and "), 900)}, "events": {Stream: true, Events: events},
	} {
		b.Run(name, func(b *testing.B) {
			s := Cache{Target: now{}, Name: "memo", Keep: time.Hour, Size: 1 << 20, Store: &Answers{}, Hit: func(context.Context, *llm.Request, Hit) {}}
			key, _ := s.key(r)
			s.Store.put(key, k, s.Keep, s.Size, s.Name)
			b.ReportAllocs()
			for b.Loop() {
				resp, err := s.Do(b.Context(), r)
				if err != nil || resp.Why == "" {
					b.Fatal("no hit")
				}
			}
		})
	}
}

func BenchmarkCacheMiss(b *testing.B) {
	s := Cache{Target: now{}, Name: "memo", Keep: time.Hour, Size: 1 << 20, Store: &Answers{}}
	s.Target = &copies{}
	r := asking(`{"model":"r","messages":[{"role":"user","content":"hello"}],"temperature":1,"stream":false}`, false)
	for b.Loop() {
		_, _ = s.Do(b.Context(), r)
	}
}
