package proxy

import (
	"bytes"
	"context"
	"net/http"
	"strings"
	"time"

	"keytray/proxy/llm"
)

// The responses dialect has answers with a life of their own: a client may
// continue one by its id, fetch it again, delete it. Whose id it is, is
// remembered, so that such calls find the provider that made the answer; the
// answers themselves are kept only if the user wants that (keep_responses), in
// memory, or for as long as the WebSocket that they were asked for over.

// responsesName is the dialect's name.
const responsesName = "responses"

// maxKept bounds the answers kept, in bytes.
const maxKept = 128 << 20

func newResponses() *shelf { return newShelf(maxKept, 20_000, 24*time.Hour) }

// Kept is how many answers are kept for clients to continue or fetch again,
// and how many bytes of memory that takes.
func (h *Handler) Kept() (answers, bytes int) { return h.kept.size() }

// Forget drops them all, and what is known of others' ids.
func (h *Handler) Forget() { h.kept.clear() }

// copier is a target that may send a client's own bytes.
type copier interface {
	// Copies tells whether it would send r so, and to which provider.
	Copies(r *llm.Request) (provider string, ok bool)
}

// asCopier finds the one model's target behind those that only watch it.
func asCopier(target llm.Target) (copier, bool) {
	for {
		if c, ok := target.(copier); ok {
			return c, true
		}
		w, ok := target.(interface{ Unwrap() llm.Target })
		if !ok {
			return nil, false
		}
		target = w.Unwrap()
	}
}

// askedFor is what matters here of a client's request.
type askedFor struct {
	prev  string // previous_response_id
	store bool
	input []byte // items
}

func readAsked(body []byte) askedFor {
	a := askedFor{store: true}
	_ = llm.Fields(body, func(key, v []byte, _ int) bool { // the body was read before
		switch string(key) {
		case "previous_response_id":
			a.prev = unquoted(v)
		case "store":
			a.store = string(v) != "false"
		case "input":
			a.input = v
		}
		return true
	})
	return a
}

type socketKey struct{}

// begin readies a request of the responses dialect: one that continues a kept
// answer gets the whole conversation in its input, unless the provider that
// made the answer is called in its own bytes and knows it. It gives what will
// watch the answer.
func (h *Handler) begin(ctx context.Context, r *llm.Request, target llm.Target) (*keeping, error) {
	k := &keeping{h: h, r: r, asked: readAsked(r.Raw)}
	k.socket, _ = ctx.Value(socketKey{}).(*shelf)
	k.whole = k.socket != nil || k.asked.store && h.keeps()
	var to string
	copies := false
	c, single := asCopier(target)
	if single {
		if to, copies = c.Copies(r); !copies {
			to = ""
		}
	}
	if err := k.resolve(to, single && !copies); err != nil {
		return k, err
	}
	if k.whole {
		k.input = inputItems(k.asked.input)
	}
	if k.asked.prev == "" {
		return k, nil
	}
	for _, s := range k.shelves() {
		if known := s.get(r.Tool, k.asked.prev); known != nil && known.maker != "" && known.stored && known.maker == to {
			return k, nil
		}
		if items, ok := s.chain(r.Tool, k.asked.prev); ok {
			return k, k.expand(items)
		}
	}
	known := h.kept.get(r.Tool, k.asked.prev)
	if !single || copies && (known == nil || known.maker == to && known.stored) {
		return k, nil // the provider may know what Keytray does not
	}
	return k, h.notKept(known)
}

func gone(id string) error {
	return &llm.Error{
		Kind: llm.BadRequest, Code: "previous_response_not_found", Param: "previous_response_id",
		Message: "Previous response with id '" + clipped(id) + "' not found: send the whole conversation in input",
	}
}

// notKept says why an answer cannot be continued, and how it could be.
func (h *Handler) notKept(known *kept) error {
	e := &llm.Error{Kind: llm.BadRequest, Code: "previous_response_not_found", Param: "previous_response_id"}
	e.Message = "Keytray does not keep this answer, and this model's provider did not make it, so it cannot be continued by its id: send the whole conversation in input"
	switch {
	case known == nil || known.maker == "":
	case !known.stored:
		e.Message = "the earlier answer was asked for with store set to false, so nobody keeps it: send the whole conversation in input, or set store to true"
	default:
		e.Message = "the earlier answer was made and kept by " + known.maker + ", and another provider cannot continue it by its id: ask a model of " + known.maker + ", or send the whole conversation in input"
	}
	if !h.keeps() {
		e.Message += " (or have Keytray keep answers in memory: keep_responses: true in config.yaml)"
	}
	return e
}

// keeps tells whether whole answers are kept beyond a WebSocket.
func (h *Handler) keeps() bool { return h.KeepResponses != nil && h.KeepResponses() }

func clipped(s string) string { return headerSafe(s[:min(len(s), 100)]) }

// expand writes the conversation so far in front of the request's input.
func (k *keeping) expand(items []byte) error {
	return k.setInput(joinItems(items, inputItems(k.asked.input)), "previous_response_id")
}

// setInput replaces the request's input, and takes one field out.
func (k *keeping) setInput(items []byte, out string) error {
	body := make([]byte, 0, len(k.r.Raw)+len(items)+32)
	body = append(body, '{')
	err := llm.Fields(k.r.Raw, func(key, v []byte, _ int) bool {
		switch string(key) {
		case out, "input":
			return true
		}
		body = append(append(append(body, '"'), key...), '"', ':')
		body = append(append(body, v...), ',')
		return true
	})
	if err != nil {
		return llm.Invalid("", "the request body is not a whole JSON object")
	}
	body = append(append(append(body, `"input":[`...), items...), "]}"...)
	peek, err := k.r.Inbound.Peek(nil, body)
	if err != nil {
		return err
	}
	k.r.Raw, k.r.ModelAt = body, peek.ModelAt
	return nil
}

// keeping watches an answer of the responses dialect on its way to the client,
// and keeps it, or whose it is, before the client can see its end.
type keeping struct {
	http.ResponseWriter
	h      *Handler
	r      *llm.Request
	asked  askedFor
	input  []byte // its own items
	whole  bool   // keep all of it
	socket *shelf // of the WebSocket that it is for, or nil

	maker string
	split splitter
	done  bool
}

// watch puts itself between an answer and the client.
func (k *keeping) watch(w http.ResponseWriter, resp *llm.Response) http.ResponseWriter {
	k.ResponseWriter = w
	if resp.Copied {
		k.maker, _, _ = strings.Cut(resp.Target, "/")
	}
	k.done = k.maker == "" && !k.whole
	return k
}

// Unwrap is for http.ResponseController.
func (k *keeping) Unwrap() http.ResponseWriter { return k.ResponseWriter }

// Write looks at a piece of the answer and sends it on. A whole answer is one
// piece.
func (k *keeping) Write(p []byte) (int, error) {
	switch {
	case k.done:
	case k.r.Stream:
		k.split.feed(p, k.frame)
	default:
		k.keep(p)
	}
	return k.ResponseWriter.Write(p)
}

var (
	wordResponse = []byte(`"response"`)
	wordObject   = []byte(`"object"`)
)

// frame looks at one event of a stream.
func (k *keeping) frame(data []byte) {
	if k.done || !bytes.Contains(data, wordResponse) || !bytes.Contains(data, wordObject) {
		return
	}
	var kind string
	var object []byte
	_ = llm.Fields(data, func(key, v []byte, _ int) bool { // what is no event is passed over
		switch string(key) {
		case "type":
			kind = unquoted(v)
		case "response":
			object = v
		}
		return true
	})
	switch kind {
	case "response.created":
		if !k.whole {
			k.keep(object)
		}
	case "response.completed", "response.incomplete":
		k.keep(object)
	}
}

// keep puts an answer on the shelf.
func (k *keeping) keep(object []byte) {
	e := &kept{tool: k.r.Tool, maker: k.maker, stored: k.asked.store, prev: k.asked.prev}
	var status string
	_ = llm.Fields(object, func(key, v []byte, _ int) bool { // what is no answer has no id
		switch string(key) {
		case "id":
			e.id = unquoted(v)
		case "status":
			status = unquoted(v)
		case "output":
			e.output = v
		}
		return true
	})
	if e.id == "" {
		return
	}
	k.done = true
	if k.whole && (status == "completed" || status == "incomplete") {
		e.whole, e.input, e.items = true, bytes.Clone(k.input), itemIDs(e.output)
		e.output, e.object = replayable(e.output), bytes.Clone(object)
	} else {
		e.output = nil
	}
	if k.socket != nil {
		k.socket.put(e)
		if own := *e; k.maker != "" || k.asked.store {
			if !k.asked.store || !k.h.keeps() {
				own.whole, own.input, own.output, own.object, own.items = false, nil, nil, nil, nil
			}
			k.h.kept.put(&own)
		}
		return
	}
	k.h.kept.put(e)
}

// splitter cuts what is written of an event stream into the data of its
// events. Events of several data lines do not occur in this dialect.
type splitter struct {
	line []byte // the beginning of a line whose end has not been written yet
}

func (s *splitter) feed(p []byte, see func(data []byte)) {
	for len(p) > 0 {
		n := bytes.IndexByte(p, '\n')
		if n < 0 {
			s.line = append(s.line, p...)
			return
		}
		line := p[:n]
		if len(s.line) > 0 {
			s.line = append(s.line, line...)
			line = s.line
		}
		if data, ok := bytes.CutPrefix(line, []byte("data:")); ok {
			see(bytes.TrimSpace(data))
		}
		s.line, p = s.line[:0], p[n+1:]
	}
}
