package view

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"keytray/app"
)

// RouteForm is a route as a person fills it in. What is wrong with it is for
// app.CheckRoute to say.
type RouteForm struct {
	Name     string
	Strategy string
	Targets  []FormTarget
	Options  map[string]string // by the names of config.yaml, as typed
}

// FormTarget is one target of a form: a model, a route, or a strategy in YAML.
type FormTarget struct{ Text, Weight string }

// FormOption is a setting of a strategy.
type FormOption struct{ Name, Title, Hint string }

// FormOptions are the settings that a strategy has.
func FormOptions(strategy string) []FormOption {
	by := FormOption{"by", "Model that judges", "the first of them"}
	if strategy == "blend" {
		by.Title = "Model that writes"
	}
	var out []FormOption
	names := app.RouteTarget{Strategy: app.RouteStrategy(strategy)}.Strategy.Options()
	for _, o := range []FormOption{
		by,
		{"after", "The next waits for", "2s"},
		{"bar", "Quality wanted, 0 to 1", "0.5"},
		{"sample", "Part of the calls judged", "none, such as 5%"},
		{"budget", "USD a day for judging", "0.10"},
		{"keep", "Answers are kept for", "1h"},
		{"size", "Megabytes of answers", "64"},
		{"only", "Only these providers", "all, such as openai, groq"},
		{"ignore", "Never these providers", "none"},
		{"prefer", "These providers first", "none"},
		{"max_price", "USD a million tokens at most", "no limit"},
	} {
		if slices.Contains(names, o.Name) {
			out = append(out, o)
		}
	}
	return out
}

// Weighs tells whether a strategy's targets have weights.
func Weighs(strategy string) bool { return strategy == "balance" || strategy == "split" }

// NewRouteForm fills a form with a route.
func NewRouteForm(name string, t app.RouteTarget) RouteForm {
	f := RouteForm{Name: name, Strategy: string(t.Strategy), Options: map[string]string{}}
	if t.Strategy == "" {
		f.Targets = []FormTarget{{Text: t.Model}}
		return f
	}
	for i, o := range t.Of {
		ft := FormTarget{Text: o.String()}
		if o.Strategy == "" {
			ft.Text = o.Model
		}
		if i < len(t.Weights) && t.Weights[i] != 1 {
			ft.Weight = strconv.Itoa(t.Weights[i])
		}
		f.Targets = append(f.Targets, ft)
	}
	set := func(name, text string) {
		if text != "" {
			f.Options[name] = text
		}
	}
	number := func(x *float64) string {
		if x == nil {
			return ""
		}
		return strconv.FormatFloat(*x, 'f', -1, 64)
	}
	set("by", t.By)
	if t.After != nil {
		set("after", t.After.String())
	}
	set("bar", number(t.Bar))
	set("sample", number(t.Sample))
	set("budget", PlainUSD(t.Budget))
	if t.Keep != 0 {
		set("keep", shortSpan(t.Keep))
	}
	if t.Size != 0 {
		set("size", strconv.FormatInt(t.Size>>20, 10))
	}
	set("only", strings.Join(t.Only, ", "))
	set("ignore", strings.Join(t.Ignore, ", "))
	set("prefer", strings.Join(t.Prefer, ", "))
	set("max_price", PlainUSD(t.MaxPrice))
	return f
}

func shortSpan(d time.Duration) string {
	s := strings.TrimSuffix(d.String(), "0s")
	if h, whole := strings.CutSuffix(s, "h0m"); whole {
		return h + "h"
	}
	if s == "" || !strings.HasSuffix(d.String(), "m0s") {
		return d.String()
	}
	return s
}

// YAML is the form's target as config.yaml takes it, right or wrong.
func (f RouteForm) YAML() string {
	var targets []FormTarget
	weighed := false
	for _, t := range f.Targets {
		t.Text, t.Weight = strings.TrimSpace(t.Text), strings.TrimSpace(t.Weight)
		if t.Text == "" {
			continue
		}
		weighed = weighed || Weighs(f.Strategy) && t.Weight != "" && t.Weight != "1"
		targets = append(targets, t)
	}
	if f.Strategy == "" {
		if len(targets) == 0 {
			return ""
		}
		return targetText(targets[0].Text)
	}
	parts := make([]string, len(targets))
	for i, t := range targets {
		parts[i] = targetText(t.Text)
		if weighed {
			parts[i] = t.weighed()
		}
	}
	list := "[" + strings.Join(parts, ", ") + "]"
	switch {
	case f.Strategy == "cache" && len(parts) == 1:
		list = parts[0]
	}
	text := "{" + f.Strategy + ": " + list
	for _, o := range FormOptions(f.Strategy) {
		v := strings.TrimSpace(f.Options[o.Name])
		switch {
		case v == "":
		case o.Name == "only" || o.Name == "ignore" || o.Name == "prefer":
			text += ", " + o.Name + ": [" + strings.Join(ParseModels(v), ", ") + "]"
		default:
			text += ", " + o.Name + ": " + word(v)
		}
	}
	return text + "}"
}

// targetText is a target within brackets: a strategy as it is, a name quoted if
// it has to be.
func targetText(s string) string {
	if strings.HasPrefix(s, "{") {
		return s
	}
	return app.RouteTarget{Model: s}.String()
}

// weighed is a target in a list of targets with weights.
func (t FormTarget) weighed() string {
	text := targetText(t.Text)
	strategy, isStrategy := strings.CutSuffix(t.Text, "}")
	switch {
	case t.Weight == "" || t.Weight == "1":
		return text
	case isStrategy && strings.HasPrefix(t.Text, "{"):
		return strategy + ", weight: " + word(t.Weight) + "}"
	case strings.Contains(text, ":") && !strings.HasPrefix(text, `"`): // as a name it would end there
		text = strconv.Quote(text)
	}
	return "{" + text + ": " + word(t.Weight) + "}"
}

// word is a value on one line, quoted if YAML would read something else.
func word(s string) string {
	if !strings.ContainsAny(s, ",[]{}#&*!|>'\"%@`?\n\t") && !strings.Contains(s, ": ") && !strings.HasSuffix(s, ":") && !strings.HasPrefix(s, "-") {
		return s
	}
	b, err := json.Marshal(s)
	if err != nil {
		return s
	}
	return string(b)
}

// Mistake is what is wrong with a route, for the form.
func Mistake(err error) string {
	if err == nil {
		return ""
	}
	return capitalized(strings.ReplaceAll(err.Error(), "\n", "; "))
}
