package view

import (
	"net"
	"strings"

	"keytray/app"
)

// Action is what an item of the tray's menu does.
type Action string

// The actions. Use and Copy take the item's Arg.
const (
	ActNone   Action = ""
	ActShow   Action = "show"
	ActSpend  Action = "spend"
	ActUse    Action = "use"
	ActCopy   Action = "copy"
	ActPause  Action = "pause"
	ActResume Action = "resume"
	ActQuit   Action = "quit"
)

// TrayState is all that the tray depends on. Two equal states make equal trays.
type TrayState struct {
	Status  app.Status
	Choices []app.Choice
	Today   app.Sum
	Known   bool // Today could be read
	Limits  []app.Limit
}

// Tray is what the tray shows.
type Tray struct {
	Icon    app.State
	Title   string // today's cost, for panels that write beside the icon
	Tooltip string
	Items   []Item
}

// Item is a row of the tray's menu. One with Items opens a submenu, and one
// without a label is a line between rows.
type Item struct {
	Label    string
	Act      Action
	Arg      string
	Checked  bool
	Disabled bool
	Items    []Item
}

// trayWidth bounds a row, in characters: names that users choose can be long.
const trayWidth = 60

// NewTray makes the tray from what it depends on.
func NewTray(s TrayState) Tray {
	today := todayOf(s)
	if !s.Known {
		today = "Today unknown"
	}
	t := Tray{Icon: s.Status.State, Title: Spent(s.Today)}
	if !s.Known {
		t.Title = ""
	}
	head := Head(s.Status)
	t.Tooltip = head + "\n" + today
	t.Items = []Item{{Label: head, Disabled: true}}
	if line := attention(s.Status); line != "" {
		t.Items = append(t.Items, Item{Label: line, Act: ActShow})
		t.Tooltip += "\n" + line
	}
	t.Items = append(t.Items, Item{Label: Clip(today, trayWidth), Act: ActSpend})
	if line := usedUp(s.Limits); line != "" {
		t.Items = append(t.Items, Item{Label: line, Act: ActSpend})
		t.Tooltip += "\n" + line
	}
	t.Items = append(t.Items, Item{})
	t.Items = append(t.Items, answering(s), copying(s.Status))
	if s.Status.Paused {
		t.Items = append(t.Items, Item{Label: "Resume", Act: ActResume})
	} else {
		t.Items = append(t.Items, Item{Label: "Pause", Act: ActPause})
	}
	t.Items = append(t.Items, Item{}, Item{Label: "Open Keytray", Act: ActShow}, Item{Label: "Quit", Act: ActQuit})
	return t
}

// todayOf is today's sum, "of" the day's limit if there is one for all tools.
func todayOf(s TrayState) string {
	text := Sentence("Today", s.Today)
	for _, l := range s.Limits {
		if l.Scope.Of == "" && !l.Month {
			cost := Money(s.Today.CostPico)
			text = strings.Replace(text, cost, cost+" of "+Money(l.Most), 1)
		}
	}
	return text
}

// usedUp says which limits are used up; one of 0 is meant to be.
func usedUp(limits []app.Limit) string {
	var names []string
	for _, l := range limits {
		if l.Most > 0 && l.Spent >= l.Most {
			names = append(names, l.Scope.String())
		}
	}
	switch len(names) {
	case 0:
		return ""
	case 1:
		return Clip("Budget used up: "+names[0], trayWidth)
	default:
		return Count(int64(len(names))) + " budgets used up"
	}
}

// Word says in a word or two how Keytray stands, problems aside.
func Word(s app.Status) string {
	switch {
	case s.Address == "":
		return "not listening"
	case s.Paused:
		return "paused"
	case s.Active == "offline":
		return "offline"
	default:
		return "on"
	}
}

// Standing is Word with the provider or route that answers everything, if one
// does.
func Standing(s TrayState) string {
	word := Word(s.Status)
	for _, c := range s.Choices {
		if c.Active && (c.Kind == "provider" || c.Kind == "route") && s.Status.Address != "" {
			return word + " · " + c.Title
		}
	}
	return word
}

// Head is the first row of the tray: "Keytray: on · 127.0.0.1:5397".
func Head(s app.Status) string {
	if s.Address == "" {
		return "Keytray: " + Word(s)
	}
	return "Keytray: " + Word(s) + " · " + s.Address
}

// Port is the port of the address in use, "" while nothing listens.
func Port(s app.Status) string {
	_, port, err := net.SplitHostPort(s.Address)
	if err != nil {
		return ""
	}
	return port
}

func attention(s app.Status) string {
	var grave []app.Problem
	for _, p := range s.Problems {
		if p.Grave {
			grave = append(grave, p)
		}
	}
	switch len(grave) {
	case 0:
		return ""
	case 1:
		return Clip("Needs attention: "+grave[0].Message, trayWidth)
	default:
		return "Needs attention: " + Count(int64(len(grave))) + " problems"
	}
}

// Choice is the title of the switch's position: "Automatic", a provider, a
// route, "Offline".
func Choice(choices []app.Choice, active string) string {
	for _, c := range choices {
		if c.Active {
			return choiceTitle(c)
		}
	}
	return active
}

func choiceTitle(c app.Choice) string {
	if c.Kind == "offline" {
		return "Offline"
	}
	return c.Title
}

func answering(s TrayState) Item {
	it := Item{Label: "Answering: " + Clip(Choice(s.Choices, s.Status.Active), 40)}
	kind := ""
	for _, c := range s.Choices {
		if kind != "" && c.Kind != kind {
			it.Items = append(it.Items, Item{})
		}
		kind = c.Kind
		it.Items = append(it.Items, Item{Label: Clip(c.Title, trayWidth), Act: ActUse, Arg: c.ID, Checked: c.Active})
	}
	return it
}

func copying(s app.Status) Item {
	it := Item{Label: "Copy base URL", Disabled: s.Address == ""}
	for _, e := range Endpoints(s.BaseURL()) {
		it.Items = append(it.Items, Item{Label: e.Name + "  " + e.URL, Act: ActCopy, Arg: e.URL})
	}
	return it
}

// Endpoint is a base URL as one kind of tool wants it.
type Endpoint struct{ Name, URL string }

// Endpoints are the base URLs to give to tools; none while nothing listens.
func Endpoints(base string) []Endpoint {
	if base == "" {
		return nil
	}
	base = strings.TrimSuffix(base, "/")
	return []Endpoint{{"OpenAI", base + "/v1"}, {"Anthropic", base}, {"Gemini", base}, {"Ollama", base}}
}
