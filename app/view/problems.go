package view

import (
	"slices"
	"strings"

	"keytray/app"
)

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
	case l.Title == problemTitle("listen"):
		return "No tool can call Keytray"
	case strings.HasSuffix(l.Title, "s"):
		return l.Title + " need attention"
	default:
		return l.Title + " needs attention"
	}
}

// Text is the message, and on a line of its own what to do.
func (l ProblemLine) Text() string {
	return strings.TrimSpace(sentence(l.Message) + "\n" + sentence(l.Remedy))
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

// Troubles says what is wrong as a title and a text, "" if nothing is: the
// first grave problem, and how many more there are. failed is why the ledger
// could not be read, which is one of them.
func Troubles(s app.Status, failed error) (title, text string) {
	grave := slices.DeleteFunc(Problems(s), func(l ProblemLine) bool { return !l.Grave })
	more := len(grave) - 1
	if failed != nil && !slices.ContainsFunc(grave, func(l ProblemLine) bool { return l.Title == problemTitle("ledger") }) {
		more++
	}
	switch {
	case len(grave) > 0:
		title, text = grave[0].Heading(), grave[0].Text()
	case failed != nil:
		title, text = LedgerTrouble(s, failed)
	}
	if more > 0 {
		text += "\nSettings shows " + Plural(int64(more), "more problem") + "."
	}
	return title, text
}

// LedgerTrouble says that the ledger could not be read, why, and what to do.
func LedgerTrouble(s app.Status, err error) (title, text string) {
	remedy := "Try again. If that does not help, restart Keytray: it sets a damaged ledger aside and begins a new one."
	for _, p := range s.Problems {
		if p.About == "ledger" && p.Remedy != "" {
			remedy = p.Remedy
		}
	}
	return "The ledger cannot be read", ProblemLine{Message: err.Error(), Remedy: remedy}.Text()
}

// sentence begins a text with a capital, unless it begins with a file's name,
// and ends it with a stop.
func sentence(s string) string {
	if s == "" {
		return ""
	}
	if first, _, _ := strings.Cut(s, " "); !strings.Contains(first, ".") {
		s = capitalized(s)
	}
	if !strings.ContainsAny(s[len(s)-1:], ".!?") {
		s += "."
	}
	return s
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
	case "prices":
		return "Prices"
	default:
		return capitalized(about)
	}
}
