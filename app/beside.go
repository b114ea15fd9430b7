package app

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"keytray/store/keys"
)

// holdings are what the running Keytray can call with, as it tells a command
// that runs beside it: no secret, only what lists show. It may have been given
// keys that the command was not, and those are the ones that sign.
type holdings struct {
	Keys   []Key
	Usable []string // providers
}

// holdings answers a command.
func (a *App) holdings() holdings {
	h := holdings{Keys: a.CachedKeys()}
	for id := range a.table.Load().usable {
		h.Usable = append(h.Usable, id)
	}
	return h
}

// lookBeside lets a command see what the running Keytray has. Where none runs,
// the command sees its own.
func (a *App) lookBeside(ctx context.Context) {
	if a.opt.Serve {
		return
	}
	var h holdings
	b, err := askRunning(ctx, a.runningFile(), "holdings")
	if err == nil {
		err = json.Unmarshal(b, &h)
	}
	if err != nil {
		if a.beside.Swap(nil) != nil {
			a.rebuild()
		}
		return
	}
	a.beside.Store(&h)
	a.rebuild()
}

// with are the keys of the running Keytray, and after them those that only
// this command has, of which none is in use.
func (h *holdings) with(own []Key) []Key {
	out := slices.Clone(h.Keys)
	for i, k := range out {
		if !slices.ContainsFunc(own, k.same) {
			out[i].Where = elsewhere(k, "the running Keytray")
		}
	}
	for _, k := range own {
		if !slices.ContainsFunc(h.Keys, k.same) {
			k.InUse = false
			k.Where = elsewhere(k, "this terminal alone")
			out = append(out, k)
		}
	}
	slices.SortStableFunc(out, func(k, l Key) int { return cmp.Compare(k.Provider, l.Provider) })
	return out
}

// same tells whether two lists show the same key.
func (k Key) same(l Key) bool {
	return k.Provider == l.Provider && k.Source == l.Source && k.Label == l.Label && k.Hint == l.Hint
}

// elsewhere says whose a key is; there is one keychain.
func elsewhere(k Key, whose string) string {
	if k.Stored {
		return k.Where
	}
	return k.Where + " of " + whose
}

// heldBeside tells whether a test of a key is for the running Keytray: of the
// one in use, since that one uses it, or of one that only it has.
func (a *App) heldBeside(provider, label string) bool {
	h := a.beside.Load()
	if h == nil {
		return false
	}
	own := show(a.ring.Cached(provider))
	return slices.ContainsFunc(h.Keys, func(k Key) bool {
		return k.Provider == provider && (label == "" && k.InUse || label == k.Label && !slices.ContainsFunc(own, k.same))
	})
}

// tested is the running Keytray's answer to a command that wants a key tested.
type tested struct {
	Test  KeyTest
	Error string
}

func (a *App) testBeside(ctx context.Context, provider, label string) (KeyTest, error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	var t tested
	b, err := askRunning(ctx, a.runningFile(), "test?"+url.Values{"provider": {provider}, "label": {label}}.Encode())
	if err == nil {
		err = json.Unmarshal(b, &t)
	}
	if err == nil && t.Error != "" {
		err = errors.New(t.Error)
	}
	if k := &t.Test.Checked; !slices.ContainsFunc(show(a.ring.Cached(provider)), k.same) {
		k.Where = elsewhere(*k, "the running Keytray")
	}
	return t.Test, err
}

// testFor is the other end of testBeside.
func (a *App) testFor(r *http.Request) tested {
	var t tested
	var err error
	if t.Test, err = a.TestKey(r.Context(), r.URL.Query().Get("provider"), r.URL.Query().Get("label")); err != nil {
		t.Error = strings.TrimSpace(err.Error())
		if p := keys.AsProblem(err); p != nil {
			t.Error += "; " + p.Remedy
		}
	}
	return t
}
