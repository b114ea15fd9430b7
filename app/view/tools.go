package view

import (
	"strings"
	"time"

	"keytray/app"
)

// ToolCard is a tool as the Tools screen shows it.
type ToolCard struct {
	Name   string
	Token  string // "last used 1 min ago · made 3 Nov", "no token yet"
	Spent  string // "Today $0.04 · this month $1.20"; "" where it is not known
	Models string // "May ask for everything"
	Static bool   // its token is KEYTRAY_TOKEN, which is not Keytray's to change
	Has    bool   // it has a token
	May    []string
	Limits []BudgetLine
	Doubts []string // about names in May, as sentences
}

// ToolsState is what the cards depend on.
type ToolsState struct {
	Now    time.Time
	Tools  []app.Tool
	Known  bool // what they spent
	Limits []app.Limit
}

// NewTools makes the cards.
func NewTools(s ToolsState) []ToolCard {
	out := make([]ToolCard, len(s.Tools))
	for i, t := range s.Tools {
		c := ToolCard{Name: t.Name, Static: t.Static, Has: t.Token, May: t.Models, Models: "May ask for " + Allowed(t.Models), Doubts: Sentences(t.Doubts)}
		switch {
		case !t.Token:
			c.Token = "no token yet"
		case t.LastUsed.IsZero():
			c.Token = "never used"
		default:
			c.Token = "last used " + Ago(s.Now, t.LastUsed)
		}
		switch {
		case t.Static:
			c.Token += " · its token is KEYTRAY_TOKEN, from the environment"
		case t.Token:
			c.Token += " · made " + Ago(s.Now, t.Created)
		}
		if s.Known {
			c.Spent = "Today " + Spent(t.Today) + " · this month " + Spent(t.Month)
			for _, l := range s.Limits {
				if l.Scope == (app.Scope{Of: "tool", Name: t.Name}) {
					c.Limits = append(c.Limits, budgetLine(l, s.Now))
				}
			}
		}
		out[i] = c
	}
	return out
}

// Allowed says what a tool may ask for: "everything", or a list.
func Allowed(models []string) string {
	if len(models) == 0 {
		return "everything"
	}
	words := make([]string, len(models))
	for i, m := range models {
		words[i] = m
		if p, all := strings.CutSuffix(m, "/"); all {
			words[i] = "all of " + p
		}
	}
	if len(words) == 1 {
		return words[0]
	}
	return strings.Join(words[:len(words)-1], ", ") + " and " + words[len(words)-1]
}

// ParseModels reads what a tool may ask for, one on a line or between commas.
func ParseModels(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == '\n' || r == ',' || r == ' ' || r == '\t' || r == '\r' })
}

// ToolTable is the tools as text; known tells whether it is known what they
// spent.
func ToolTable(tools []app.Tool, known bool, now time.Time) *Table {
	t := &Table{Columns: []Column{
		{Title: "TOOL", Flexible: true},
		{Title: "MADE"},
		{Title: "LAST USED"},
		{Title: "TODAY", Right: true},
		{Title: "THIS MONTH", Right: true},
		{Title: "MAY ASK FOR", Flexible: true},
	}}
	for _, x := range tools {
		made, today, month := Ago(now, x.Created), Spent(x.Today), Spent(x.Month)
		switch {
		case x.Static:
			made = "from KEYTRAY_TOKEN"
		case !x.Token:
			made = "no token"
		}
		if !known {
			today, month = "-", "-"
		}
		t.Rows = append(t.Rows, []string{x.Name, made, Ago(now, x.LastUsed), today, month, Allowed(x.Models)})
	}
	return t
}

// StrangersText says how many calls came with an unknown token; "" for none.
func StrangersText(s app.Strangers, now time.Time) string {
	if s.Count == 0 {
		return ""
	}
	return Plural(s.Count, "call") + " came with an unknown token since Keytray started, the last one " + Ago(now, s.Last) +
		". They were refused. A tool may have an old token: show its token here, or with keytray token TOOL, and give it to the tool."
}

// TokensKept says where tokens are kept, and whether they can be shown again.
func TokensKept(s app.Status) string {
	if p, bad := KeychainProblem(s); bad {
		return "The keychain cannot be used now (" + p.Message + "): Keytray keeps only a hash of a new token, so it is shown once, when it is made."
	}
	return "Tokens are kept in the system's keychain, so that they can be shown again; tokens.json has only their hashes. A token opens this Keytray and nothing else."
}
