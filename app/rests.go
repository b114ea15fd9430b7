package app

import (
	"time"

	"keytray/proxy/route"
)

// Rest is a key, a model or a provider that failed of late and is left alone
// for a while: others are called first until then.
type Rest = route.Resting

// Rests lists who is left alone now. It never waits.
func (a *App) Rests() []Rest { return a.health.Resting(time.Now()) }
