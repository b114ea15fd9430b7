package view

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"keytray/app"
)

// Tone says how a status should look; the words say the same.
type Tone int

// The tones.
const (
	Plain Tone = iota
	Good
	Bad
	Busy
)

// Call is one attempt as a row of a table.
type Call struct {
	ID                                 int64
	Request                            string
	Time, Tool, Model                  string // Model: "used <- asked" where they differ
	In, Out, Cached, Cost, First, Took string
	Status                             string // "ok", "429 rate limited", "stopped"
	Tone                               Tone
	kind, search                       string
}

// NewCall makes a row of the table. now tells today from other days.
func NewCall(r app.Row, now time.Time) Call {
	t := r.Time.In(now.Location())
	c := Call{
		ID: r.ID, Request: r.RequestID, Time: t.Format("15:04:05"), Tool: cmp.Or(r.Tool, "unknown"),
		Model: usedFor(r), Cost: Cost(r), kind: string(r.Status),
	}
	if t.Before(app.Day(now)) {
		c.Time = t.Format("2 Jan 15:04")
	}
	if r.Status != "running" {
		c.In, c.Out = Tokens(TokensIn(r.Usage)), Tokens(TokensOut(r.Usage))
		c.Took = Took(r.Duration)
		if n := TokensCached(r.Usage); n > 0 {
			c.Cached = Tokens(n)
		}
	}
	c.First = Took(r.FirstByte)
	c.Status, c.Tone = status(r)
	c.search = strings.ToLower(strings.Join([]string{c.Tool, r.Asked, r.Provider, r.Model, r.Key, r.Route, r.Error, c.Status, r.RequestID}, " "))
	return c
}

// usedFor names the model that was used before the one that was asked for: what
// is too long for a column is cut at its end. The provider is left out where the
// models differ; the details have it.
func usedFor(r app.Row) string {
	used := r.Model
	if r.Provider != "" {
		used = r.Provider + "/" + r.Model
	}
	switch {
	case r.Model == "":
		return cmp.Or(r.Asked, r.Provider)
	case r.Asked == "" || r.Asked == used || r.Asked == r.Model:
		return used
	case strings.HasSuffix(r.Asked, "/"+r.Model): // only the providers differ
		return used + " <- " + r.Asked
	default:
		return r.Model + " <- " + r.Asked
	}
}

func status(r app.Row) (string, Tone) {
	switch string(r.Status) {
	case "running":
		return "running", Busy
	case "ok":
		return "ok", Good
	case "aborted":
		return "stopped", Plain
	case "cut":
		return "cut off", Bad
	case "interrupted":
		return "interrupted", Bad
	case "error":
		if strings.HasPrefix(r.Error, "budget: ") {
			return "over budget", Bad
		}
		if r.HTTPStatus >= 400 {
			return fmt.Sprintf("error %d", r.HTTPStatus), Bad
		}
		return "error", Bad
	default:
		return string(r.Status), Plain
	}
}

// Statuses are the choices of the status filter.
func Statuses() []string { return []string{"All", "Running", "OK", "Failed", "Stopped"} }

// FilterCalls keeps the calls that have all words of text somewhere, and the
// status.
func FilterCalls(calls []Call, text, status string) []Call {
	words := strings.Fields(strings.ToLower(text))
	var out []Call
	for _, c := range calls {
		if c.has(words) && c.stands(status) {
			out = append(out, c)
		}
	}
	return out
}

func (c Call) has(words []string) bool {
	for _, w := range words {
		if !strings.Contains(c.search, w) {
			return false
		}
	}
	return true
}

func (c Call) stands(status string) bool {
	switch status {
	case "Running":
		return c.kind == "running"
	case "OK":
		return c.kind == "ok"
	case "Failed":
		return c.kind == "error" || c.kind == "cut" || c.kind == "interrupted"
	case "Stopped":
		return c.kind == "aborted"
	default:
		return true
	}
}

// Fact is a line of a detail: what, and its value.
type Fact struct{ Name, Value string }

// Details is a request in full: what was asked, and each attempt.
type Details struct {
	Title    string
	Facts    []Fact
	Attempts []Attempt
}

// Attempt is one call of one model within a request.
type Attempt struct {
	Title string // "Attempt 1: openai/gpt-6-luna"
	Tone  Tone
	Error string
	Facts []Fact
}

// NewDetails makes the details of a request from its attempts, in any order.
func NewDetails(rows []app.Row, now time.Time) Details {
	if len(rows) == 0 {
		return Details{Title: "This request is not in the ledger any more"}
	}
	rows = slices.SortedFunc(slices.Values(rows), func(a, b app.Row) int { return cmp.Or(cmp.Compare(a.Attempt, b.Attempt), cmp.Compare(a.ID, b.ID)) })
	first := rows[0]
	var lost []string
	for _, r := range rows {
		for _, l := range r.Lost {
			if !slices.Contains(lost, l) {
				lost = append(lost, l)
			}
		}
	}
	d := Details{Title: cmp.Or(first.Asked, first.Model)}
	d.Facts = facts(
		"Request", first.RequestID,
		"Started", first.Time.In(now.Location()).Format("Mon 2 Jan 2006, 15:04:05"),
		"Tool", cmp.Or(first.Tool, "unknown"),
		"Dialect", first.Inbound+streamed(first.Streamed),
		"Route", first.Route,
		"Lost in translation", strings.Join(lost, ", "),
	)
	for _, r := range rows {
		d.Attempts = append(d.Attempts, newAttempt(r, now))
	}
	return d
}

func newAttempt(r app.Row, now time.Time) Attempt {
	word, tone := status(r)
	a := Attempt{Title: fmt.Sprintf("Attempt %d: %s/%s", r.Attempt, r.Provider, r.Model), Tone: tone, Error: r.Error}
	u := r.Usage
	a.Facts = facts(
		"Status", word,
		"Key", r.Key,
		"Cost", Cost(r),
		"Cost before", formerly(r, now.Location()),
		"Reason", r.Reason,
		"First token", Took(r.FirstByte),
		"Took", Took(r.Duration),
		"Tokens in", some(u.Input),
		"Read from cache", some(u.CacheRead),
		"Written to cache", some(u.CacheWrite5m+u.CacheWrite1h),
		"Tokens out", some(u.Output),
		"of them reasoning", some(u.Reasoning),
		"Audio and images", some(u.AudioInput+u.AudioCacheRead+u.AudioOutput+u.ImageInput+u.ImageCacheRead+u.ImageOutput),
		"Searches", some(u.Searches),
		"Pictures made", some(u.Images),
		"Characters spoken", some(u.Characters),
		"Sound heard", heard(u.AudioMS),
	)
	return a
}

// formerly is what a call was said to cost before it was priced anew, and until
// when: "$0.0020 until 21 Nov 15:04".
func formerly(r app.Row, zone *time.Location) string {
	var out []string
	for _, f := range r.Was {
		out = append(out, formerCost(f)+" until "+f.At.In(zone).Format("2 Jan 15:04"))
	}
	return strings.Join(out, ", ")
}

func formerCost(f app.Former) string {
	return Cost(app.Row{CostPico: f.CostPico, CostKind: f.CostKind})
}

// facts pairs names and values, and leaves out what is empty.
func facts(pairs ...string) []Fact {
	var out []Fact
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			out = append(out, Fact{pairs[i], pairs[i+1]})
		}
	}
	return out
}

func some(n int64) string {
	if n == 0 {
		return ""
	}
	return Count(n)
}

// heard is a length of sound.
func heard(ms int64) string {
	if ms == 0 {
		return ""
	}
	return Took(time.Duration(ms) * time.Millisecond)
}

func streamed(yes bool) string {
	if yes {
		return ", streamed"
	}
	return ""
}

// Text is the details as plain text, to copy.
func (d Details) Text() string {
	var b strings.Builder
	b.WriteString(d.Title + "\n")
	for _, f := range d.Facts {
		b.WriteString(f.Name + ": " + f.Value + "\n")
	}
	for _, a := range d.Attempts {
		b.WriteString("\n" + a.Title + "\n")
		for _, f := range a.Facts {
			b.WriteString(f.Name + ": " + f.Value + "\n")
		}
		if a.Error != "" {
			b.WriteString("Error: " + a.Error + "\n")
		}
	}
	return b.String()
}

// ShortCost shortens what Cost writes, for a narrow column: "~$0.04" is an
// estimate and "≥$0.04" the least.
func ShortCost(cost string) string {
	cost = strings.TrimSuffix(cost, " estimated")
	if least, ok := strings.CutPrefix(cost, "at least "); ok {
		return "≥" + least
	}
	return cost
}
