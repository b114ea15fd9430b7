package route

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"keytray/proxy/llm"
)

// Cache gives the same answer to the same request: whole answers and streams,
// in the form they were given before. Only complete answers are kept.
type Cache struct {
	Target llm.Target
	Name   string // of the route: answers are kept apart by it
	Of     string // what of the route is kept, as a route may have several caches
	Keep   time.Duration
	Size   int64
	Store  *Answers
	// Hit writes the row of a call that nobody had to be asked for, with the
	// context's note.
	Hit func(ctx context.Context, r *llm.Request, h Hit)
}

// Hit is an answer from the cache.
type Hit struct {
	Target string // provider/model that gave it first
	Usage  llm.Usage
}

// Do answers r; see llm.Target.
func (s Cache) Do(ctx context.Context, r *llm.Request) (*llm.Response, error) {
	key, ok := s.key(r)
	if !ok {
		return s.Target.Do(ctx, r)
	}
	if k, age, ok := s.Store.get(key); ok {
		s.Hit(llm.WithNote(ctx, llm.Note{Part: llm.PartKept, Reason: cached(age)}), r, Hit{Target: k.Target, Usage: k.Usage})
		return k.replay(ctx, r, age), nil
	}
	resp, err := s.Target.Do(ctx, r)
	if err != nil {
		return nil, err
	}
	k := kept{Target: resp.Target, Copied: resp.Copied, Stream: resp.Stream, Lost: resp.Call.Lost, Type: resp.Header.Get("Content-Type")}
	save := func(events llm.Events) {
		for e, err := range events {
			if err != nil {
				return
			}
			if e.Kind == llm.Stop && e.Usage != nil {
				k.Usage = *e.Usage
			}
			if !k.Copied {
				k.Events = append(k.Events, e)
			}
		}
		s.Store.put(key, k, s.Keep, s.Size, s.Name)
	}
	if resp.Copied {
		watchBytes(resp, func(b []byte, events llm.Events) {
			k.Body = b
			save(events)
		})
	} else {
		watch(resp, save)
	}
	return resp, nil
}

// kept is an answer in the form in which it goes back.
type kept struct {
	Target string
	Copied bool
	Stream bool
	Type   string
	Body   []byte      // of a byte copy
	Events []llm.Event // of all others
	Lost   []string
	Usage  llm.Usage
}

// replay is the answer once more.
func (k kept) replay(ctx context.Context, r *llm.Request, age time.Duration) *llm.Response {
	resp := &llm.Response{
		Call: &llm.Call{Stream: k.Stream, Lost: k.Lost}, Copied: k.Copied, Status: http.StatusOK, Stream: k.Stream,
		Header: http.Header{"Content-Type": {k.Type}}, Target: k.Target, Attempts: r.Attempts(),
		Why: because(ctx, cached(age)),
	}
	if k.Copied {
		body := bytes.NewReader(k.Body)
		if resp.Body = io.NopCloser(body); !k.Stream {
			resp.Body = known{body}
		}
		return resp
	}
	resp.Body, resp.Made = nothing{}, func(yield func(llm.Event, error) bool) {
		for _, e := range k.Events {
			if !yield(e, nil) {
				return
			}
		}
	}
	return resp
}

// cached says how old an answer is.
func cached(age time.Duration) string {
	return "cache: answered " + age.Round(time.Second).String() + " ago"
}

// known is a body in memory.
type known struct{ *bytes.Reader }

func (known) Close() error { return nil }

// apart are fields that do not change what is answered: who asks, and marks for
// the provider's own books.
var apart = []string{
	"user", "metadata", "safety_identifier", "prompt_cache_key", "prompt_cache_retention", "client_metadata", "store",
	"labels", "session_id", "service_tier",
}

// key is the same for two requests that must get the same answer; false if that
// cannot be told of r.
func (s Cache) key(r *llm.Request) (key [sha256.Size]byte, ok bool) {
	type field struct{ name, value []byte }
	var all []field
	err := r.Fields(func(name, value []byte, _ int) bool {
		if !slices.Contains(apart, string(name)) {
			all = append(all, field{name, value})
		}
		return true
	})
	slices.SortStableFunc(all, func(a, b field) int { return bytes.Compare(a.name, b.name) })
	h := sha256.New()
	for _, part := range []string{s.Name, s.Of, r.Tool, r.Inbound.Name(), r.Form, r.Model, r.Path} {
		_, _ = io.WriteString(h, part) // a hash's Write never fails
		_, _ = h.Write([]byte{0})
	}
	if r.Stream {
		_, _ = h.Write([]byte{1})
	}
	_, _ = io.WriteString(h, strings.Join(r.Header["Anthropic-Version"], ",")+"\x00"+strings.Join(r.Header["Anthropic-Beta"], ",")+"\x00")
	for _, f := range all {
		_, _ = h.Write(f.name)
		_, _ = h.Write([]byte{0})
		_, _ = h.Write(f.value)
		_, _ = h.Write([]byte{0})
	}
	if err != nil {
		_, _ = h.Write(r.Raw)
	}
	if r.Derived { // which has no bytes of its own
		p, err := r.Prompt()
		if err != nil {
			return key, false
		}
		b, err := json.Marshal(p)
		if err != nil {
			return key, false
		}
		_, _ = h.Write(b)
	}
	return [sha256.Size]byte(h.Sum(nil)), true
}
