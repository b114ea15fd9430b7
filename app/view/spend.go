package view

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"keytray/app"
)

// Bar is one day of a chart. Parts are USD, one for each series.
type Bar struct {
	Label   string
	Parts   []float64
	Unknown int
	Empty   bool   // no call was made
	Read    string // the day in words
}

// Spend is what the Spend screen shows.
type Spend struct {
	Total  string   // "$12.40 + 2 unpriced"
	Note   string   // what the total is made of
	Series []string // names of the bars' parts, from the bottom up
	Bars   []Bar
	Rows   []SpendRow // the most expensive first
	Empty  bool       // no call in the whole range
	Saved  bool       // a row has saved something
}

// SpendRow is a row of the table.
type SpendRow struct {
	Name, Cost, Share, Calls, In, Cached, Out, Errors string
	Saved                                             string // "" for nothing
	Unpriced                                          bool   // a part of the cost is unknown
}

// topSeries bounds the parts of a bar; the rest is one part more.
const topSeries = 5

// Groups are what Spend may be grouped by, with their titles.
func Groups() [][2]string {
	return [][2]string{{"provider", "Provider"}, {"model", "Model"}, {"tool", "Tool"}, {"key", "Key"}, {"route", "Route"}, {"role", "Role"}}
}

// Ranges are the days that Spend may cover, with their titles.
func Ranges() []Range {
	return []Range{{1, "Today"}, {7, "7 days"}, {30, "30 days"}, {90, "90 days"}}
}

// Range is a number of days that end today.
type Range struct {
	Days  int
	Title string
}

// FirstDay is the first instant of the day that begins a range of days ending
// with now's.
func FirstDay(now time.Time, days int) time.Time {
	y, m, d := now.Date()
	return app.Day(time.Date(y, m, d-days+1, 12, 0, 0, 0, now.Location()))
}

// SpendQuery asks for what NewSpend needs.
func SpendQuery(now time.Time, days int, group string) app.SpendQuery {
	by := []app.By{"day", app.By(group)}
	if group == "model" || group == "key" {
		by = append(by, "provider") // a model's name, or a key's label, is not one provider's alone
	}
	return app.SpendQuery{From: FirstDay(now, days), By: by, Location: now.Location()}
}

// NewSpend makes the screen from sums by day and group. names gives a
// provider's name for its id.
func NewSpend(sums []app.Sum, now time.Time, days int, group string, names map[string]string) Spend {
	byName := map[string]*app.Sum{}
	var total app.Sum
	for _, s := range sums {
		name := groupName(s, group, names)
		if byName[name] == nil {
			byName[name] = &app.Sum{}
		}
		add(byName[name], s)
		add(&total, s)
	}
	order := make([]string, 0, len(byName))
	for name := range byName {
		order = append(order, name)
	}
	slices.SortFunc(order, func(a, b string) int {
		x, y := byName[a], byName[b]
		return cmp.Or(cmp.Compare(y.CostPico, x.CostPico), cmp.Compare(y.Calls, x.Calls), strings.Compare(a, b))
	})
	v := Spend{Total: Spent(total), Empty: total.Calls == 0}
	v.Note = Plural(total.Calls, "call") + " · " + Tokens(TokensIn(total.Usage)) + " tokens in, " + Tokens(TokensOut(total.Usage)) + " out"
	if total.SavedPico > 0 {
		v.Saved = true
		v.Note += " · " + Money(total.SavedPico) + " saved by caches and routes"
	}
	series := map[string]int{}
	for i, name := range order {
		if i < topSeries {
			series[name] = i
			v.Series = append(v.Series, name)
			continue
		}
		series[name] = topSeries
	}
	if len(order) > topSeries {
		v.Series = append(v.Series, Plural(int64(len(order)-topSeries), "other"))
	}
	v.Bars = bars(sums, now, days, len(v.Series), func(s app.Sum) int { return series[groupName(s, group, names)] })
	for _, name := range order {
		v.Rows = append(v.Rows, spendRow(name, *byName[name], total))
	}
	return v
}

func spendRow(name string, s, total app.Sum) SpendRow {
	r := SpendRow{
		Name: name, Cost: Spent(s), Calls: Count(s.Calls), Unpriced: s.Unpriced > 0,
		In: Tokens(TokensIn(s.Usage)), Cached: Tokens(TokensCached(s.Usage)), Out: Tokens(TokensOut(s.Usage)), Errors: Count(s.Errors),
	}
	if s.SavedPico > 0 {
		r.Saved = Money(s.SavedPico)
	}
	if total.CostPico > 0 {
		r.Share = Count(int64(float64(s.CostPico)/float64(total.CostPico)*100+0.5)) + " %"
	}
	return r
}

// groupName is what a group is called; ids that tell nothing get a word.
func groupName(s app.Sum, group string, names map[string]string) string {
	provider := cmp.Or(names[s.Provider], s.Provider, "no provider")
	switch group {
	case "provider":
		return provider
	case "model":
		return cmp.Or(s.Model, "no model") + " · " + provider
	case "key":
		if s.Key == "" {
			return "no key · " + provider
		}
		return s.Key + " · " + provider
	case "route":
		return cmp.Or(s.Route, "no route")
	case "role":
		return RoleName(s.Role)
	default:
		return cmp.Or(s.Tool, "unknown tool")
	}
}

// bars makes one bar of each day from sums by day; part says which series a sum
// belongs to.
func bars(sums []app.Sum, now time.Time, days, series int, part func(app.Sum) int) []Bar {
	type key struct{ y, d int }
	at := func(t time.Time) key {
		t = t.In(now.Location())
		return key{t.Year(), t.YearDay()}
	}
	out := make([]Bar, days)
	totals := make([]app.Sum, days)
	index := map[key]int{}
	for i := range out {
		day := FirstDay(now, days-i)
		index[at(day)] = i
		out[i] = Bar{Label: day.Format("2 Jan"), Parts: make([]float64, series), Empty: true}
	}
	for _, s := range sums {
		i, ok := index[at(s.Day)]
		if !ok {
			continue
		}
		add(&totals[i], s)
		out[i].Parts[part(s)] += float64(s.CostPico) / picoPerUSD
		out[i].Unknown += int(s.Unpriced)
		out[i].Empty = false
	}
	for i := range out {
		day := FirstDay(now, days-i).Format("Mon 2 Jan")
		if i == days-1 {
			day = "Today"
		}
		out[i].Read = day + ": no calls"
		if !out[i].Empty {
			out[i].Read = Sentence(day+":", totals[i]) + " · " + Plural(totals[i].Calls, "call")
		}
	}
	return out
}

// add sums sums; the labels stay as they are.
func add(to *app.Sum, s app.Sum) {
	to.Calls += s.Calls
	to.Errors += s.Errors
	to.Unpriced += s.Unpriced
	to.Estimated += s.Estimated
	to.AtLeast += s.AtLeast
	to.CostPico += s.CostPico
	to.SavedPico += s.SavedPico
	u, v := &to.Usage, s.Usage
	u.Input += v.Input
	u.CacheRead += v.CacheRead
	u.CacheWrite5m += v.CacheWrite5m
	u.CacheWrite1h += v.CacheWrite1h
	u.Output += v.Output
	u.Reasoning += v.Reasoning
	u.AudioInput += v.AudioInput
	u.AudioCacheRead += v.AudioCacheRead
	u.AudioOutput += v.AudioOutput
	u.ImageInput += v.ImageInput
	u.ImageCacheRead += v.ImageCacheRead
	u.ImageOutput += v.ImageOutput
	u.Searches += v.Searches
	u.Images += v.Images
	u.Characters += v.Characters
	u.AudioMS += v.AudioMS
}
