package view

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"keytray/app"
)

// RouteCard is a route as the Routes screen shows it.
type RouteCard struct {
	Name   string
	YAML   string
	Active bool
	Trial  bool // it can be ended: its models' answers are judged
	Tree   []Branch
	Paces  []PaceLine
	Doubts []string // sentences
}

// Branch is a line of a route's tree in words.
type Branch struct {
	Depth int
	Text  string
}

// PaceLine is how a model does of late.
type PaceLine struct {
	Name, First, Speed, State string
	Why                       string // nobody serves it; else ""
	Tone                      Tone
}

// FitLine is how well a model did at a task, by the verdicts of judges.
type FitLine struct{ Task, Model, Score, Calls string }

// NewFit are the verdicts as lines, by task and then the best first.
func NewFit(all []app.Fit) []FitLine {
	out := make([]FitLine, len(all))
	for i, f := range all {
		out[i] = FitLine{f.Task, f.Model, fmt.Sprintf("%.0f%%", 100*f.Score), Count(f.Calls)}
	}
	return out
}

// NewRoutes makes the cards.
func NewRoutes(routes []app.Route, now time.Time) []RouteCard {
	out := make([]RouteCard, len(routes))
	for i, r := range routes {
		c := RouteCard{Name: r.Name, YAML: r.YAML, Active: r.Active, Tree: RouteTree(r.Target), Trial: r.Target.Strategy == "split" && r.Target.Sample != nil}
		for _, p := range r.Paces {
			c.Paces = append(c.Paces, paceLine(p, now))
		}
		c.Doubts = Sentences(slices.DeleteFunc(slices.Clone(r.Doubts), func(said string) bool { // what stands by its model already
			return slices.ContainsFunc(r.Paces, func(p app.Pace) bool { return p.Why == said })
		}))
		out[i] = c
	}
	return out
}

// Sentences are remarks, each as a sentence of its own.
func Sentences(remarks []string) []string {
	out := make([]string, len(remarks))
	for i, s := range remarks {
		out[i] = capitalized(PlainText(s))
		if !strings.HasSuffix(s, "?") {
			out[i] += "."
		}
	}
	return out
}

func paceLine(p app.Pace, now time.Time) PaceLine {
	l := PaceLine{Name: p.Name, First: "-", Speed: "-", State: "ready"}
	if p.Provider != "" && p.Provider+"/"+p.Model != p.Name {
		l.Name = p.Name + " at " + p.Provider
	}
	if p.First > 0 {
		l.First = Took(p.First)
	}
	if p.PerSecond > 0 {
		l.Speed = fmt.Sprintf("%.0f/s", p.PerSecond)
	}
	switch {
	case p.Provider == "":
		l.State, l.Why, l.Tone = "not served", p.Name+": "+p.Why, Bad
	case p.Resting.After(now):
		l.State, l.Tone = "resting until "+p.Resting.In(now.Location()).Format("15:04:05"), Busy
	}
	return l
}

// RouteTree is a target as a tree of sentences.
func RouteTree(t app.RouteTarget) []Branch {
	var out []Branch
	branch(&out, t, 0, "")
	return out
}

func branch(out *[]Branch, t app.RouteTarget, depth int, mark string) {
	if t.Strategy == "" {
		*out = append(*out, Branch{depth, mark + t.Model})
		return
	}
	*out = append(*out, Branch{depth, mark + Says(t)})
	total := 0
	for _, w := range t.Weights {
		total += w
	}
	for i, o := range t.Of {
		mark := ""
		switch string(t.Strategy) {
		case "fallback", "race":
			mark = strconv.Itoa(i+1) + ". "
		case "balance", "split":
			if len(t.Weights) == len(t.Of) {
				mark = fmt.Sprintf("%.0f%% ", 100*float64(t.Weights[i])/float64(total))
			}
		}
		branch(out, o, depth+1, mark)
	}
}

// Says is a strategy with its settings as a sentence.
func Says(t app.RouteTarget) string {
	text := StrategyOf(string(t.Strategy)).Text
	var more []string
	add := func(yes bool, format string, args ...any) {
		if yes {
			more = append(more, fmt.Sprintf(format, args...))
		}
	}
	verb := map[string]string{"blend": "written by", "judge": "judged by", "split": "judged by"}[string(t.Strategy)]
	add(t.By != "", "%s %s", verb, t.By)
	if t.After != nil {
		add(true, "the next after %s", Took(*t.After))
	}
	if t.Bar != nil {
		add(true, "the bar is %g", *t.Bar)
	}
	if t.Sample != nil {
		add(true, "%g%% of the calls are judged", *t.Sample*100)
	}
	if t.Budget != nil {
		add(true, "judging costs no more than %s a day", Money(*t.Budget))
	}
	add(t.Keep != 0, "kept for %s", Took(t.Keep))
	add(t.Size != 0, "up to %d MB", t.Size>>20)
	add(len(t.Only) > 0, "only %s", strings.Join(t.Only, ", "))
	add(len(t.Ignore) > 0, "never %s", strings.Join(t.Ignore, ", "))
	add(len(t.Prefer) > 0, "%s first", strings.Join(t.Prefer, ", "))
	if t.MaxPrice != nil {
		add(true, "no more than %s a million tokens", Money(*t.MaxPrice))
	}
	if len(more) > 0 {
		text += " (" + strings.Join(more, "; ") + ")"
	}
	return text
}

// Strategies are the choices of a route's strategy; the first is none.
func Strategies() []Option {
	return []Option{
		{"", "One model", "Another name for one model."},
		{"fallback", "Fallback", "Ask the first, and the next one when it fails"},
		{"balance", "Balance", "Share the calls out"},
		{"cheapest", "Cheapest", "Ask whoever is cheapest for this call"},
		{"fastest", "Fastest", "Ask whoever was fastest of late"},
		{"smart", "Smart", "Ask the smallest that is good enough"},
		{"race", "Race", "Ask several, and take the first answer"},
		{"blend", "Blend", "Ask all, and make one answer of theirs"},
		{"judge", "Judge", "Ask all, and take the best answer"},
		{"compare", "Compare", "Ask all, and give all their answers"},
		{"split", "Split", "Try one against another"},
		{"cache", "Cache", "Give the same answer to the same request"},
	}
}

// StrategyOf finds a strategy by its id.
func StrategyOf(id string) Option { return Chosen(Strategies(), id) }

// RouteTable is routes as text.
func RouteTable(routes []app.Route) *Table {
	t := &Table{Columns: []Column{{Title: ""}, {Title: "ROUTE", Flexible: true}, {Title: "WHAT IT SAYS", Flexible: true}}}
	for _, r := range routes {
		mark := ""
		if r.Active {
			mark = "*"
		}
		t.Rows = append(t.Rows, []string{mark, r.Name, r.YAML})
	}
	return t
}
