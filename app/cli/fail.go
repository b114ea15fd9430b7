package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode"

	"github.com/spf13/cobra"

	"keytray/app"
)

// The exit codes.
const (
	done       = 0
	failed     = 1
	wrongUsage = 2
)

// usageError is about how a command was called.
type usageError struct {
	cmd *cobra.Command
	err error
}

func (u *usageError) Error() string { return u.err.Error() }
func (u *usageError) Unwrap() error { return u.err }

func usage(cmd *cobra.Command, err error) error { return &usageError{cmd, err} }

func usagef(cmd *cobra.Command, format string, args ...any) error {
	return usage(cmd, fmt.Errorf(format, args...))
}

// codeError ends the program with a code and, since all is said, no message.
type codeError int

func (c codeError) Error() string { return fmt.Sprintf("exit code %d", int(c)) }

// fail prints what went wrong and gives the exit code.
func (f *face) fail(cmd *cobra.Command, err error) int {
	if err == nil {
		return done
	}
	var code codeError
	if errors.As(err, &code) {
		return int(code)
	}
	said := tidy(err.Error())
	var u *usageError
	if errors.As(err, &u) {
		if u.cmd != nil {
			cmd = u.cmd
		}
		fmt.Fprintf(f.env.Stderr, "keytray: %s (see `%s --help`)\n", said, cmd.CommandPath())
		return wrongUsage
	}
	if errors.Is(err, context.Canceled) {
		said = "stopped"
	}
	fmt.Fprintln(f.env.Stderr, "keytray: "+advice(said, app.Remedy(err)))
	return failed
}

// advice is what happened and what to do next.
func advice(said, remedy string) string {
	if said = tidy(said); remedy != "" && !strings.Contains(said, remedy) {
		said = strings.TrimRight(said, ".;") + "; " + lowerFirst(remedy)
	}
	return said
}

// tidy makes a message safe for a terminal: what a provider says may be in it.
func tidy(s string) string {
	s = strings.Map(func(r rune) rune {
		if r != '\n' && unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.TrimSpace(s))
	return strings.ReplaceAll(s, "\n", "\n  ")
}

// lowerFirst begins a sentence as its second half, unless its first word is a
// name such as KEYTRAY_HOME.
func lowerFirst(s string) string {
	r := []rune(s)
	if len(r) > 1 && unicode.IsUpper(r[0]) && !unicode.IsUpper(r[1]) && !strings.HasPrefix(s, "Keytray") && !strings.HasPrefix(s, "Ollama") {
		r[0] = unicode.ToLower(r[0])
	}
	return string(r)
}

// commandOnly refuses a word that is no command, and names near ones.
func (f *face) commandOnly(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	cmd.SuggestionsMinimumDistance = 2
	said := "there is no command " + quote(args[0])
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		said += "; did you mean " + strings.Join(near, " or ") + "?"
	}
	return usage(cmd, errors.New(said))
}

// quote repeats a word of the command line, unless it might be a secret that
// was pasted into the wrong place.
func quote(s string) string {
	if len(s) > 24 || strings.HasPrefix(s, "sk-") || strings.HasPrefix(s, "AIza") || strings.HasPrefix(s, "gsk_") {
		return "of that name"
	}
	return fmt.Sprintf("%q", s)
}

// exactly wants n arguments, which names names.
func exactly(n int, names string) cobra.PositionalArgs {
	return between(n, n, names)
}

func between(least, most int, names string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) < least:
			return usagef(cmd, "`%s` needs %s", cmd.CommandPath(), names)
		case len(args) > most && most == 0:
			return usagef(cmd, "`%s` takes no argument", cmd.CommandPath())
		case len(args) > most:
			return usagef(cmd, "`%s` takes no more than %s", cmd.CommandPath(), names)
		}
		return nil
	}
}
