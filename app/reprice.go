package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"keytray/proxy/catalog"
	"keytray/proxy/dialect/verbatim"
	"keytray/proxy/llm"
	"keytray/store/ledger"
)

// Repriced is what pricing the calls of one model anew comes to.
type Repriced struct {
	Provider, Model string
	Calls           int64 // whose cost changes
	Unpriced        int64 // of those, that had no cost
	Was, Becomes    int64 // pico-USD
}

// Reprice prices the calls of a range anew, each at its own time, with the
// prices known today. Unless write is set it only says what would change. Kept
// as they are: what a provider stated, batches, calls that several models or a
// place had a part in, and what has no price today either. Where another Keytray
// runs, which writes the ledger, that one does it. Budgets follow.
func (a *App) Reprice(ctx context.Context, f RowFilter, write bool) ([]Repriced, error) {
	if write && !a.opt.Serve {
		if all, err := a.repriceThere(ctx, f); !errors.Is(err, fs.ErrNotExist) {
			return all, err
		}
	}
	sums := map[[2]string]*Repriced{}
	cat := a.catalog.Load()
	anew := func(r Row) (Row, bool) {
		now, ok := reprice(cat, r)
		if !ok {
			return r, false
		}
		k := [2]string{r.Provider, r.Model}
		s := sums[k]
		if s == nil {
			s = &Repriced{Provider: r.Provider, Model: r.Model}
			sums[k] = s
		}
		s.Calls++
		if r.CostPico == nil {
			s.Unpriced++
		} else {
			s.Was += *r.CostPico
		}
		s.Becomes += *now.CostPico
		if write {
			a.purses.reprice(r, *now.CostPico)
		}
		return now, true
	}
	var err error
	if write {
		err = a.writing(ctx, func(l *ledger.Ledger) error {
			_, err := l.Reprice(ctx, f, anew)
			return err
		})
		if err != nil {
			a.purses.forget() // not all that was meant has been written
		}
	} else {
		err = a.EachRequest(ctx, f, func(r Row) error { anew(r); return nil })
	}
	var out []Repriced
	for _, s := range sums {
		out = append(out, *s)
	}
	slices.SortFunc(out, func(x, y Repriced) int {
		return strings.Compare(x.Provider+"/"+x.Model, y.Provider+"/"+y.Model)
	})
	return out, err
}

// writing calls f with a ledger that can be written.
func (a *App) writing(ctx context.Context, f func(*ledger.Ledger) error) error {
	if a.opt.Serve {
		return f(a.ledger)
	}
	l, err := ledger.Open(ctx, a.paths.Ledger, ledger.Options{})
	if errors.Is(err, ledger.ErrInUse) {
		return fmt.Errorf("%w (%s), and it writes the ledger: quit it first, in its tray menu or with Ctrl-C at `keytray serve`", ErrRunning, a.paths.DataFolder)
	}
	if err != nil {
		return err
	}
	return errors.Join(f(l), l.Close())
}

// reprice is a row with the cost that today's lists give it; ok is false where
// it stays as it is.
func reprice(cat *catalog.Catalog, r Row) (_ Row, ok bool) {
	if r.Status == ledger.StatusRunning || r.CostKind == ledger.CostStated || r.Role == ledger.RoleKept || r.Provider == demoProvider || r.Inbound == string(verbatim.Batches) ||
		r.Usage == (Usage{}) {
		return r, false
	}
	var used struct {
		Tier  string
		Place string
		Also  json.RawMessage
	}
	if r.Price != "" && json.Unmarshal([]byte(r.Price), &used) != nil || used.Place != "" || used.Also != nil || used.Tier == "batch" {
		return r, false
	}
	u := llmUsage(r.Usage)
	at := catalog.Context{At: r.Time, Tier: used.Tier}
	c := cat.Cost(r.Provider, r.Model, u, at)
	if c.Kind == catalog.Unpriced || r.CostPico != nil && int64(c.Pico) == *r.CostPico {
		return r, false
	}
	counted := r.Status == ledger.StatusOK && (r.Price != "" || c.Pico == 0)
	if c.Kind == catalog.Exact && !counted {
		c.Kind = catalog.Estimated // its tokens were estimated, or nobody knows the service tier
	}
	r.CostPico, r.ComputedPico, r.CostKind, r.Price = pico(c.Pico), pico(c.Computed), ledger.CostKind(c.Kind), string(c.Price)
	if saved, ok := cat.Saved(r.Provider, r.Model, u, at); ok && r.SavedPico == nil {
		r.SavedPico = pico(max(saved, 0))
	}
	return r, true
}

// llmUsage is the reverse of rowUsage.
func llmUsage(u Usage) llm.Usage {
	return llm.Usage{
		Input: u.Input, CacheRead: u.CacheRead, CacheWrite5m: u.CacheWrite5m, CacheWrite1h: u.CacheWrite1h,
		Output: u.Output, Reasoning: u.Reasoning,
		AudioInput: u.AudioInput, AudioCacheRead: u.AudioCacheRead, AudioOutput: u.AudioOutput,
		ImageInput: u.ImageInput, ImageCacheRead: u.ImageCacheRead, ImageOutput: u.ImageOutput,
		Searches: u.Searches, Images: u.Images, Characters: u.Characters, AudioMS: u.AudioMS, Known: true,
	}
}
