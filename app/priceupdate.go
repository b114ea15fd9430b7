package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"keytray/proxy/catalog"
	"keytray/proxy/upstream"
	"keytray/store/config"
)

// lists are the newer prices in use.
type lists struct {
	sync.Mutex
	newer   *catalog.Catalog // nil: as built in
	err     error            // why prices.json is not used
	waiting int
}

// PriceChange is a price that another list gives otherwise, in USD per million
// tokens; Old is "" where none is known.
type PriceChange struct {
	Provider, Model, Kind string
	Over                  int64 // it is that of prompts longer than that
	Old, New              string
}

// PriceOffer is what a newer list would change.
type PriceOffer struct {
	Source  string // models.dev, or the file's or server's name
	Models  int    // of ours that the list knows
	Changes []PriceChange
	// Refused are a thousand times or a thousandth of what is known, or 0 where
	// something was paid: mistakes of the list.
	Refused []PriceChange

	prices []keptPrice
}

// OfferPrices reads models.dev's list, or the same from a file or another
// address, and says what it would change for providers that can be called. It
// changes nothing.
func (a *App) OfferPrices(ctx context.Context, from string) (PriceOffer, error) {
	_, _ = a.ring.All(ctx) // what is wrong with the keychain is told by Status
	a.rebuild()
	b, source, err := a.readList(ctx, cmp.Or(from, a.pricesFrom, modelsDev))
	if err != nil {
		return PriceOffer{}, err
	}
	list, err := priceList(b)
	if err != nil {
		return PriceOffer{}, fmt.Errorf("%s: %w", source, err)
	}
	o := PriceOffer{Source: source}
	now := time.Now().UTC().Truncate(time.Second)
	base, usable := a.listed(), a.table.Load().usable
	for _, p := range base.Providers() {
		theirs := list[cmp.Or(listNames[p.ID], p.ID)]
		if !usable[p.ID] || theirs == nil || p.Local {
			continue
		}
		for _, m := range base.Models(p.ID) {
			if price, ok := theirs[m.ID]; ok {
				o.Models++
				o.compare(base, p.ID, m.ID, price, now)
			}
		}
	}
	return o, nil
}

// compare adds what a list would change of one model.
func (o *PriceOffer) compare(base *catalog.Catalog, provider, model string, theirs listPrice, now time.Time) {
	ours, _ := base.Listed(provider, model, now)
	if ours.Hours {
		return // no list tells prices by the hour
	}
	kept := keptPrice{Provider: provider, Model: model, From: now, Source: o.Source, Rates: map[string]string{}, Long: map[string]string{}}
	look := func(kind string, over int64, old, now string, absurd bool, into map[string]string) {
		c := PriceChange{Provider: provider, Model: model, Kind: kind, Over: over, Old: old, New: now}
		switch {
		case old == "" && sameUSD(now, "0"), old != "" && sameUSD(old, now):
		case absurd, old != "" && sameUSD(now, "0"):
			o.Refused = append(o.Refused, c)
		default:
			o.Changes = append(o.Changes, c)
			into[kind] = now
		}
	}
	for _, kind := range config.PriceKinds() {
		if usd, told := theirs.rates[kind]; told {
			_, absurd := base.Absurd(provider, model, kind, usd, now)
			look(kind, 0, ours.Rates[kind], usd, absurd, kept.Rates)
		}
		if usd, told := theirs.long[kind]; told && ours.Over == theirs.over && ours.Long[kind] != "" {
			look(kind, ours.Over, ours.Long[kind], usd, catalog.Apart(ours.Long[kind], usd), kept.Long)
			kept.Over = ours.Over
		}
	}
	if len(kept.Rates)+len(kept.Long) > 0 {
		o.prices = append(o.prices, kept)
	}
}

// AcceptPrices uses an offer from now on.
func (a *App) AcceptPrices(ctx context.Context, o PriceOffer) error {
	f, err := a.readPrices()
	if err != nil {
		f = pricesFile{} // it was not used, and Status has said so
	}
	f.Checked, f.Waiting = time.Now().UTC().Truncate(time.Second), 0
	f.Prices = append(f.Prices, o.prices...)
	if err := a.writePrices(f); err != nil {
		return err
	}
	a.takePrices()
	a.tellOther(ctx, "prices")
	return nil
}

// takePrices takes up prices.json as it is now.
func (a *App) takePrices() {
	a.loadPrices()
	a.learn(a.config.Current())
	a.changed()
}

// mostList is far above what a list of prices comes to.
const mostList = 64 << 20

// readList reads a list from an address or a file, and names where it is from.
func (a *App) readList(ctx context.Context, from string) (_ []byte, source string, err error) {
	u, err := url.Parse(from)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" {
		f, err := os.Open(from)
		if err != nil {
			return nil, "", fmt.Errorf("read the list of prices: %w", err)
		}
		defer f.Close()
		b, err := whole(f)
		if err != nil {
			return nil, "", fmt.Errorf("read the list of prices in %s: %w", from, err)
		}
		return b, from, nil
	}
	if u.Scheme == "http" && !upstream.LoopbackHost(u.Hostname()) {
		return nil, "", fmt.Errorf("%s would be read over a connection that anyone on the way can change: use https", u.Host)
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, from, nil)
	if err != nil {
		return nil, "", fmt.Errorf("read the list of prices: %w", err)
	}
	req.Header.Set("User-Agent", "keytray/"+Version)
	resp, err := a.network.Visit(req)
	if err != nil {
		return nil, "", fmt.Errorf("read the list of prices: %w", upstream.Explain(ctx, "", from, err))
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, "", fmt.Errorf("%s answered %s in place of a list of prices: try again later, or name a file with --from", u.Host, resp.Status)
	}
	b, err := whole(resp.Body)
	if err != nil {
		return nil, "", fmt.Errorf("read the list of prices at %s: %w", u.Host, err)
	}
	return b, u.Hostname(), nil
}

func whole(r io.Reader) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, mostList+1))
	if err == nil && len(b) > mostList {
		err = errors.New("it is too long for a list of prices")
	}
	return b, err
}

const week = 7 * 24 * time.Hour

// watchPrices looks for new prices each week, if the settings want it. It uses
// none of them: the user is shown them first.
func (a *App) watchPrices() {
	t := time.NewTicker(time.Hour)
	defer t.Stop()
	for {
		if err := a.weekly(a.ctx, time.Now()); err != nil {
			a.log.Warn("the prices could not be looked up", "err", err)
		}
		select {
		case <-t.C:
		case <-a.ctx.Done():
			return
		}
	}
}

// weekly looks for new prices if it is time to, and notes how many there are.
func (a *App) weekly(ctx context.Context, now time.Time) error {
	a.looking.Lock()
	defer a.looking.Unlock()
	f, err := a.readPrices()
	if err != nil || a.config.Current().PriceUpdate != config.UpdateWeekly || a.network.Offline() || now.Sub(f.Checked) < week {
		return nil
	}
	o, err := a.OfferPrices(ctx, "")
	if err != nil {
		return err
	}
	f.Checked, f.Waiting = now.UTC().Truncate(time.Second), len(o.Changes)
	if err := a.writePrices(f); err != nil {
		return err
	}
	a.takePrices()
	return nil
}

// UsedPrice is the price of a model that can be asked for.
type UsedPrice struct {
	ID     string // provider/name
	Rates  map[string]string
	Over   int64
	Long   map[string]string
	Hours  bool
	Source string
	AsOf   string // the day that the source was read on, or the price was set
}

// UsedPrices are the prices that calls are counted with now.
func (a *App) UsedPrices(ctx context.Context) []UsedPrice {
	var out []UsedPrice
	now, cat := time.Now(), a.catalog.Load()
	for _, m := range a.Models(ctx) {
		if p, ok := cat.Listed(m.Provider, m.Name, now); ok && !m.Route {
			u := UsedPrice{m.ID, p.Rates, p.Over, p.Long, p.Hours, p.Source, p.AsOf}
			out = append(out, u)
		}
	}
	slices.SortFunc(out, func(a, b UsedPrice) int { return strings.Compare(a.ID, b.ID) })
	return out
}
