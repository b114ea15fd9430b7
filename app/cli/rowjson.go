package cli

import (
	"slices"
	"time"

	"keytray/app"
	"keytray/app/view"
)

// spendJSON is a sum in --json. It has the labels that were asked for.
type spendJSON struct {
	Day       *string        `json:"day,omitempty"`
	Tool      *string        `json:"tool,omitempty"`
	Provider  *string        `json:"provider,omitempty"`
	Model     *string        `json:"model,omitempty"`
	Key       *string        `json:"key,omitempty"`
	Route     *string        `json:"route,omitempty"`
	Role      *string        `json:"role,omitempty"`
	Calls     int64          `json:"calls"`
	Errors    int64          `json:"errors"`
	Unpriced  int64          `json:"unpriced"`
	Estimated int64          `json:"estimated"`
	AtLeast   int64          `json:"at_least"`
	Usage     view.UsageJSON `json:"usage"`
	Cost      *string        `json:"cost_usd"` // of the calls with a price; null if none has one
	Saved     *string        `json:"saved_usd,omitempty"`
}

func sumJSON(s app.Sum, by []app.By) spendJSON {
	x := spendJSON{
		Calls: s.Calls, Errors: s.Errors, Unpriced: s.Unpriced, Estimated: s.Estimated, AtLeast: s.AtLeast,
		Usage: view.UsageJSON(s.Usage),
	}
	if s.Unpriced == 0 || s.Unpriced < s.Calls {
		cost := view.Decimal(s.CostPico)
		x.Cost = &cost
	}
	if s.SavedPico != 0 {
		saved := view.Decimal(s.SavedPico)
		x.Saved = &saved
	}
	day, role := s.Day.Format(time.DateOnly), view.RoleName(s.Role)
	for _, label := range []struct {
		by   app.By
		to   **string
		text *string
	}{
		{"day", &x.Day, &day},
		{"tool", &x.Tool, &s.Tool},
		{"provider", &x.Provider, &s.Provider},
		{"model", &x.Model, &s.Model},
		{"key", &x.Key, &s.Key},
		{"route", &x.Route, &s.Route},
		{"role", &x.Role, &role},
	} {
		if slices.Contains(by, label.by) {
			*label.to = label.text
		}
	}
	return x
}
