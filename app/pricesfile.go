package app

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"keytray/proxy/catalog"
	"keytray/store/config"
)

// pricesFile is what is kept of newer lists, beside the ledger.
type pricesFile struct {
	// Checked is when a list was last read.
	Checked time.Time `json:"checked"`
	// Waiting counts the changes that were found then and not taken.
	Waiting int         `json:"waiting,omitempty"`
	Prices  []keptPrice `json:"prices"`
}

// keptPrice is a price that the user has accepted.
type keptPrice struct {
	Provider string            `json:"provider"`
	Model    string            `json:"model"`
	From     time.Time         `json:"from"`
	Source   string            `json:"source"`
	Rates    map[string]string `json:"usd_per_million"`
	Over     int64             `json:"over,omitempty"`
	Long     map[string]string `json:"usd_per_million_over,omitempty"`
}

func (a *App) pricesPath() string { return filepath.Join(a.paths.DataFolder, "prices.json") }

// loadPrices takes up prices.json. A broken one changes nothing, and Status
// says so.
func (a *App) loadPrices() {
	f, err := a.readPrices()
	var newer *catalog.Catalog
	if err == nil && len(f.Prices) > 0 {
		var own []catalog.Own
		for _, p := range f.Prices {
			own = append(own, catalog.Own{
				Provider: p.Provider, Model: p.Model, Rates: p.Rates, Over: p.Over, Long: p.Long, From: p.From, Source: p.Source,
			})
		}
		if newer, err = a.base.Newer(own); err != nil {
			err = fmt.Errorf("%s: %w", a.pricesPath(), err)
		}
	}
	a.lists.Lock()
	defer a.lists.Unlock()
	a.lists.newer, a.lists.err, a.lists.waiting = newer, err, f.Waiting
}

func (a *App) readPrices() (f pricesFile, err error) {
	b, err := os.ReadFile(a.pricesPath())
	if errors.Is(err, fs.ErrNotExist) {
		return f, nil
	}
	if err != nil {
		return f, fmt.Errorf("%s cannot be read: %w", a.pricesPath(), err)
	}
	if err := json.Unmarshal(b, &f); err != nil {
		return pricesFile{}, fmt.Errorf("%s cannot be read: %w", a.pricesPath(), err)
	}
	for _, p := range f.Prices {
		if p.From.IsZero() {
			return pricesFile{}, fmt.Errorf("%s cannot be read: the price of %s/%s has no date", a.pricesPath(), p.Provider, p.Model)
		}
	}
	return f, nil
}

// writePrices puts a new file in the place of the old one, whole or not at all.
func (a *App) writePrices(f pricesFile) error {
	b, err := json.MarshalIndent(f, "", "  ")
	if err != nil {
		return err
	}
	file, err := os.CreateTemp(a.paths.DataFolder, ".prices.json.new-*")
	if err != nil {
		return fmt.Errorf("keep the prices: %w", err)
	}
	_, err = file.Write(append(b, '\n'))
	err = errors.Join(err, file.Sync(), file.Close())
	if err == nil {
		err = config.Rename(file.Name(), a.pricesPath())
	}
	if err != nil {
		return errors.Join(fmt.Errorf("keep the prices: %w", err), os.Remove(file.Name()))
	}
	return nil
}

// listed is the catalog before the user's settings: as built in, with the newer
// prices that were accepted.
func (a *App) listed() *catalog.Catalog {
	a.lists.Lock()
	defer a.lists.Unlock()
	if a.lists.newer != nil {
		return a.lists.newer
	}
	return a.base
}

// priceProblems says what is wrong with prices.json, and what waits.
func (a *App) priceProblems() []Problem {
	a.lists.Lock()
	defer a.lists.Unlock()
	switch {
	case a.lists.err != nil:
		return []Problem{{About: "prices", Message: a.lists.err.Error() + "; the built-in prices are used", Remedy: "remove it, and look up prices with keytray prices update", Grave: true}}
	case a.lists.waiting > 0:
		return []Problem{{About: "prices", Message: counted(a.lists.waiting, "price") + " differ at models.dev, and the old ones are used", Remedy: "look at them with keytray prices update"}}
	}
	return nil
}
