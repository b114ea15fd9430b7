package view

import (
	"slices"
	"strconv"

	"keytray/app"
)

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
		{"normal", "Soon", "A finished call is kept if Keytray is killed; a power cut may lose the last seconds. A change holds from the next start."},
		{"full", "At once", "A finished call survives a power cut too, and waits for the disk, mostly a fraction of a millisecond. A change holds from the next start."},
	}
}

// KeepDays are the choices of how long single calls are kept, with the one in
// use.
func KeepDays(now int) []Option {
	out := []Option{{"0", "For good", "Every call stays in Requests."}}
	days := []int{365, 90, 30, 7}
	if now > 0 && !slices.Contains(days, now) {
		days = append(days, now)
		slices.SortFunc(days, func(a, b int) int { return b - a })
	}
	for _, d := range days {
		out = append(out, Option{strconv.Itoa(d), Plural(int64(d), "day"), "Older calls leave Requests. Spend keeps their sums."})
	}
	return out
}

// Shorter tells whether keeping calls for to days loses some that are kept for
// from days; 0 is for good.
func Shorter(from, to int) bool { return to > 0 && (from == 0 || to < from) }

// LedgerDetail are the choices of what the row of a call holds.
func LedgerDetail() []Option {
	return []Option{
		{"full", "All but content", "Model, key, times, tokens, cost and error. What was asked and answered is never written down."},
		{"counts", "Counts alone", "New calls are kept without models' names, errors and what was lost in translation."},
	}
}

// PriceUpdates are the choices of when newer prices are looked up.
func PriceUpdates() []Option {
	return []Option{
		{"asked", "When I ask", "Keytray has a list of its own, and asks nobody for newer prices by itself."},
		{"weekly", "Each week", "Keytray asks models.dev each week, and tells you what differs. No price changes until you agree."},
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

// ListenText says who can call the address that Keytray listens on.
func ListenText(beyond bool) string {
	if beyond {
		return "Other machines may call this address too: config.yaml permits it. Tools have to be told when it changes."
	}
	return "Only programs on this computer can call this address. Tools have to be told when it changes."
}

// Keyboard says what keys do, as the system calls them.
func Keyboard(goos string) string {
	hold := "Ctrl"
	if goos == "darwin" {
		hold = "Cmd"
	}
	return hold + "+1 to " + hold + "+8 show a screen. Tab goes on, Enter presses, Escape closes. " +
		hold + "+C copies what a screen is about: the address, the table, the problems. " + hold + "+W closes the window, " + hold + "+Q quits Keytray."
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
