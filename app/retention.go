package app

import (
	"context"
	"time"

	"keytray/store/config"
)

// retain takes up how much of a call the ledger keeps.
func (a *App) retain(c *config.Config) {
	if a.opt.Serve {
		a.ledger.CountsOnly(c.Ledger.Detail == config.DetailCounts)
	}
}

// watchRetention drops rows that are older than the settings keep them.
func (a *App) watchRetention() {
	t := time.NewTicker(time.Hour)
	defer t.Stop()
	for {
		a.dropOld(a.ctx, time.Now())
		select {
		case <-t.C:
		case <-a.ctx.Done():
			return
		}
	}
}

// dropOld drops the rows of days before those that are kept; today is the first
// of them.
func (a *App) dropOld(ctx context.Context, now time.Time) {
	days := a.config.Current().Ledger.KeepDays
	if days == 0 {
		return
	}
	y, m, d := now.Date()
	n, err := a.ledger.Drop(ctx, Day(time.Date(y, m, d-days+1, 12, 0, 0, 0, now.Location())))
	if n > 0 {
		a.log.Info("old calls were dropped, and their sums kept", "calls", n)
	}
	if err != nil && ctx.Err() == nil {
		a.log.Warn("old calls could not be dropped; Keytray tries again", "err", err)
	}
}
