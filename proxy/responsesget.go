package proxy

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/gorilla/mux"

	"keytray/proxy/dialect/verbatim"
	"keytray/proxy/llm"
)

// Passer is a Table that can hand a call on to one provider as it is.
type Passer interface {
	// Pass finds who answers r, whose Method, Path and Query say what is
	// asked of that provider.
	Pass(provider string, r *llm.Request) (llm.Target, error)
}

// keptRoutes adds the endpoints of answers that were made before.
func (h *Handler) keptRoutes(in llm.Inbound) {
	h.router.Handle("/responses", h.guard(in, h.socketOf(in))).Methods(http.MethodGet)
	h.router.Handle("/responses/{id}", h.guard(in, h.keptOf(in, h.getKept))).Methods(http.MethodGet)
	h.router.Handle("/responses/{id}", h.guard(in, h.keptOf(in, h.deleteKept))).Methods(http.MethodDelete)
	h.router.Handle("/responses/{id}/input_items", h.guard(in, h.keptOf(in, h.keptItems))).Methods(http.MethodGet)
	h.router.Handle("/responses/{id}/cancel", h.guard(in, h.keptOf(in, h.cancelKept))).Methods(http.MethodPost)
}

// keptOf answers for a kept answer with here, and hands calls for others on to
// who made them. here may answer nothing, to have the call handed on as well.
func (h *Handler) keptOf(in llm.Inbound, here func(r *http.Request, k *kept) ([]byte, error)) http.Handler {
	return h.safely(in, func(w http.ResponseWriter, hr *http.Request, request string) {
		id := mux.Vars(hr)["id"]
		k := h.kept.get(who(hr).tool, id)
		if k != nil && k.whole {
			b, err := here(hr, k)
			if err != nil {
				h.fail(w, in, err)
				return
			}
			if b != nil {
				w.Header().Set("Content-Type", "application/json")
				_, _ = w.Write(b) // the client may be gone
				return
			}
		}
		if k == nil || k.maker == "" {
			h.fail(w, in, h.noSuch(id))
			return
		}
		h.passOn(w, hr, in, k.maker, request)
	})
}

func (h *Handler) noSuch(id string) error {
	e := &llm.Error{Kind: llm.NotFound, Param: "id", Message: "Response with id '" + clipped(id) + "' not found."}
	if !h.keeps() {
		e.Message += " Keytray keeps answers, in memory, only with keep_responses: true in config.yaml."
	}
	return e
}

// passOn hands a call on to the provider that made an answer.
func (h *Handler) passOn(w http.ResponseWriter, hr *http.Request, in llm.Inbound, provider, id string) {
	c := who(hr)
	body, err := readBody(hr, h.MaxBody)
	if err != nil {
		h.fail(w, in, err)
		return
	}
	r := &llm.Request{
		ID: id, Start: time.Now(), Tool: c.tool, LocalOnly: c.localOnly, Inbound: in, Raw: body, Header: hr.Header,
		Method: hr.Method, Path: hr.URL.Path, Query: hr.URL.RawQuery,
		Peek: llm.Peek{Stream: hr.URL.Query().Get("stream") == "true"},
	}
	p, ok := h.Table().(Passer)
	if !ok {
		h.fail(w, in, &llm.Error{Kind: llm.NotFound, Message: "this answer is kept by " + provider + ", which Keytray cannot ask for it: ask there"})
		return
	}
	target, err := p.Pass(provider, r)
	if err != nil {
		h.fail(w, in, err)
		return
	}
	resp, err := target.Do(hr.Context(), r)
	if err != nil {
		h.fail(w, in, err)
		return
	}
	h.handOver(w, verbatim.Dialect{}, resp)
}

func (h *Handler) getKept(r *http.Request, k *kept) ([]byte, error) {
	if r.URL.Query().Get("stream") == "true" {
		return nil, llm.Invalid("stream", "stream: a kept answer can be fetched whole only; leave stream out")
	}
	return k.object, nil
}

// deleteKept deletes an answer here, and where it was made.
func (h *Handler) deleteKept(_ *http.Request, k *kept) ([]byte, error) {
	if k.maker != "" && k.stored {
		bare := &kept{tool: k.tool, id: k.id, maker: k.maker, stored: true}
		h.kept.put(bare)
		return nil, nil
	}
	h.kept.remove(k.tool, k.id)
	return fmt.Appendf(nil, `{"id":%q,"object":"response","deleted":true}`, k.id), nil
}

func (h *Handler) cancelKept(_ *http.Request, k *kept) ([]byte, error) {
	return nil, &llm.Error{Kind: llm.BadRequest, Param: "id", Message: "the answer is complete: only one that is being made in the background can be cancelled"}
}

// keptItems lists the input of an answer, what it continued included.
func (h *Handler) keptItems(r *http.Request, k *kept) ([]byte, error) {
	q := r.URL.Query()
	limit := 20
	if s := q.Get("limit"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 || n > 100 {
			return nil, llm.Invalid("limit", "limit must be a number from 1 to 100")
		}
		limit = n
	}
	before, ok := h.kept.chain(k.tool, k.prev)
	if !ok { // the rest is gone
		before = nil
	}
	items, ids := withIDs(k.id, joinItems(before, k.input))
	switch q.Get("order") {
	case "", "desc":
		slices.Reverse(items)
		slices.Reverse(ids)
	case "asc":
	default:
		return nil, llm.Invalid("order", "order must be asc or desc")
	}
	if after := q.Get("after"); after != "" {
		i := slices.Index(ids, after)
		if i < 0 {
			return nil, llm.Invalid("after", "after: no item has this id")
		}
		items, ids = items[i+1:], ids[i+1:]
	}
	more := len(items) > limit
	items, ids = items[:min(limit, len(items))], ids[:min(limit, len(ids))]
	b := append([]byte(`{"object":"list","data":[`), bytes.Join(items, []byte(","))...)
	first, last := "null", "null"
	if len(ids) > 0 {
		first, last = strconv.Quote(ids[0]), strconv.Quote(ids[len(ids)-1])
	}
	return fmt.Appendf(b, `],"first_id":%s,"last_id":%s,"has_more":%t}`, first, last, more), nil
}

// withIDs gives items ids where clients left them out.
func withIDs(of string, joined []byte) (items [][]byte, ids []string) {
	array := append(append([]byte{'['}, joined...), ']')
	_ = llm.Elements(array, func(v []byte, _ int) bool { // they were an array before
		id := ""
		_ = llm.Fields(v, func(key, v []byte, _ int) bool {
			if string(key) == "id" {
				id = unquoted(v)
			}
			return id == ""
		})
		if id == "" && len(v) > 2 && v[0] == '{' {
			id = fmt.Sprintf("item_%d_%s", len(items), of)
			v = append(fmt.Appendf(nil, `{"id":%q,`, id), bytes.TrimSpace(v[1:])...)
		}
		items, ids = append(items, v), append(ids, id)
		return true
	})
	return items, ids
}
