package config

import (
	"slices"
	"strings"
)

// wrapped is the name under which a target is read that stands alone.
const wrapped = "route"

// ParseTarget reads a target as it would stand behind a route's name: a model, or a strategy such as
// {fallback: [a/b, c/d]}, in YAML. It returns Problems, whose lines and columns are those of text. Whether the
// models and providers exist is for [Options.Check] to say.
func ParseTarget(text string) (Target, error) {
	var raw strings.Builder
	raw.WriteString(wrapped + ":\n")
	for line := range strings.Lines(text) {
		raw.WriteString("  " + line)
	}
	src, problems := newSource("", []byte(raw.String()))
	var root *node
	if problems == nil {
		root, problems = src.parse()
	}
	var t Target
	if problems == nil {
		r := &reader{}
		n := root.get(wrapped)
		if len(root.entries) != 1 || n == nil {
			r.add(root, "is more than one target", routeHint)
		} else {
			t = r.target(n)
		}
		problems = r.sorted()
	}
	if len(problems) == 0 {
		return t, nil
	}
	for i := range problems {
		p := &problems[i]
		p.Path = strings.TrimPrefix(strings.TrimPrefix(p.Path, wrapped), ".")
		if p.Line > 1 {
			p.Line, p.Column = p.Line-1, max(1, p.Column-2)
		}
	}
	return Target{}, problems
}

// String is the target as ParseTarget reads it, on one line.
func (t Target) String() string { return targetNode(t).String() }

// Options are the names of the settings that may stand beside a strategy, sorted.
func (s Strategy) Options() []string {
	var all []string
	for name, o := range options() {
		for _, of := range o.of {
			if of == s {
				all = append(all, name)
			}
		}
	}
	slices.Sort(all)
	return all
}
