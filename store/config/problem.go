package config

import (
	"fmt"
	"strings"
)

// Problem is one thing wrong with config.yaml, in words for the person who edits it. It never quotes what might
// be a secret.
type Problem struct {
	// File is the path of the file.
	File string
	// Line and Column count from 1, columns in characters; 0 when the problem has no place in the file.
	Line, Column int
	// Path is the setting: names joined by dots, places in a list as [0]. Empty for the file as a whole.
	Path string
	// Message says what is wrong, lower case.
	Message string
	// Hint says what to do; may be empty.
	Hint string
}

// Error puts the place, the setting, the message and the hint on one line.
func (p Problem) Error() string {
	var b strings.Builder
	if p.File != "" {
		b.WriteString(p.File)
		if p.Line > 0 {
			fmt.Fprintf(&b, ":%d:%d", p.Line, p.Column)
		}
		b.WriteString(": ")
	}
	if p.Path != "" {
		b.WriteString(p.Path + ": ")
	}
	b.WriteString(p.Message)
	if p.Hint != "" {
		b.WriteString("; " + p.Hint)
	}
	return b.String()
}

// Problems are all that is wrong with one config.yaml, in the order of the file. As an error it is never empty,
// and errors.As finds the first [Problem] in it.
type Problems []Problem

// Error has one line for each problem.
func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i, one := range p {
		lines[i] = one.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap returns each problem as an error.
func (p Problems) Unwrap() []error {
	all := make([]error, len(p))
	for i, one := range p {
		all[i] = one
	}
	return all
}

// mostProblems is where a list of mistakes stops being of help.
const mostProblems = 20
