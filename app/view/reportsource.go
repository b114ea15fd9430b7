package view

import (
	"time"

	"keytray/app"
)

// ReportSource is a provider whose charges can be compared, for choosing.
type ReportSource struct {
	app.Reporter
	Note string // what has to be done first, or how else
}

// ReportSources are the providers with a report of their own, then all others,
// of which a CSV can be read.
func ReportSources(reporters []app.Reporter, providers []app.Provider) []ReportSource {
	var out []ReportSource
	seen := map[string]bool{}
	for _, r := range reporters {
		x := ReportSource{Reporter: r}
		if !r.HasKey {
			x.Note = "To fetch its report, Keytray needs an " + r.KeyName + ", which is not the key that signs calls. Without one, open a CSV that " + r.Name + "'s console exports."
		}
		seen[r.ID] = true
		out = append(out, x)
	}
	for _, p := range providers {
		if seen[p.ID] || p.Local {
			continue
		}
		out = append(out, ReportSource{
			Reporter: app.Reporter{ID: p.ID, Name: p.Name},
			Note:     "Keytray can fetch no cost report of " + p.Name + ". Open a CSV that its console exports: any file will do that has columns for the day, the model and the amount in USD.",
		})
	}
	return out
}

// ReportDays are the last days in UTC, today included; to is not.
func ReportDays(now time.Time, days int) (from, to time.Time) {
	y, m, d := now.UTC().Date()
	to = time.Date(y, m, d+1, 0, 0, 0, 0, time.UTC)
	return to.AddDate(0, 0, -max(days, 1)), to
}
