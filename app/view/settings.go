package view

import "keytray/app"

// Option is a choice of a setting, with what it means.
type Option struct{ ID, Title, Text string }

// WithoutToken are the choices of what callers without a token may use.
func WithoutToken() []Option {
	return []Option{
		{"refuse", "Nothing", "Every tool needs a token of its own."},
		{"local", "Local models", "Tools that can send no token may use models on this computer, never one of your keys."},
		{"any", "Everything", "Any program on this computer may spend with your keys."},
	}
}

// LedgerSync are the choices of what a finished row survives.
func LedgerSync() []Option {
	return []Option{
		{"normal", "Normal", "A finished call stays in the ledger if Keytray is killed. A power cut may lose the last seconds."},
		{"full", "Full", "It survives a power cut too; each call waits for the disk, a fraction of a millisecond on most."},
	}
}

// Themes are the choices of light and dark.
func Themes() []Option {
	return []Option{{"system", "Like the system", ""}, {"light", "Light", ""}, {"dark", "Dark", ""}}
}

// Titles are the titles of options.
func Titles(options []Option) []string {
	out := make([]string, len(options))
	for i, o := range options {
		out[i] = o.Title
	}
	return out
}

// Chosen finds an option by its id or title; the first if there is none.
func Chosen(options []Option, by string) Option {
	for _, o := range options {
		if o.ID == by || o.Title == by {
			return o
		}
	}
	return options[0]
}

// Place is a file or folder of Keytray's.
type Place struct{ Name, Path, Folder, Text string }

// Places say where Keytray keeps what.
func Places(p app.Paths) []Place {
	return []Place{
		{"Settings", p.Config, p.ConfigFolder, "Plain text, yours to edit; changes hold at once."},
		{"Ledger", p.Ledger, p.DataFolder, "Every call and its cost. No prompt, no answer, no key is in it."},
	}
}

// ProblemLine is a problem in words.
type ProblemLine struct {
	Title, Message, Remedy string
	Grave                  bool
}

// Heading is the title over the problem: "Settings need attention" where it is
// grave.
func (l ProblemLine) Heading() string {
	switch {
	case !l.Grave:
		return l.Title
	case l.Title == "Settings" || l.Title == "Tokens":
		return l.Title + " need attention"
	default:
		return l.Title + " needs attention"
	}
}

// Problems lists problems, the grave ones first.
func Problems(s app.Status) []ProblemLine {
	var grave, other []ProblemLine
	for _, p := range s.Problems {
		l := ProblemLine{problemTitle(p.About), p.Message, p.Remedy, p.Grave}
		if p.Grave {
			grave = append(grave, l)
		} else {
			other = append(other, l)
		}
	}
	return append(grave, other...)
}

// KeychainProblem is the problem of the keychain as a whole, if there is one.
func KeychainProblem(s app.Status) (ProblemLine, bool) {
	for _, p := range s.Problems {
		if p.About == "keychain" {
			return ProblemLine{problemTitle(p.About), p.Message, p.Remedy, p.Grave}, true
		}
	}
	return ProblemLine{}, false
}

func problemTitle(about string) string {
	switch about {
	case "listen":
		return "Listening"
	case "config":
		return "Settings"
	case "keychain":
		return "Keychain"
	case "tokens":
		return "Tokens"
	case "ledger":
		return "Ledger"
	default:
		return about
	}
}
