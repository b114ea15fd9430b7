package app

import (
	"errors"
	"fmt"

	"keytray/store/config"
	"keytray/store/ledger"
)

// State is how Keytray stands, as the tray's icon shows it.
type State string

// The states. Attention wins over the others.
const (
	On        State = "on"
	Paused    State = "paused"
	Offline   State = "offline"
	Attention State = "attention"
)

// Problem is something that a person should know or do.
type Problem struct {
	About   string // listen, config, keychain, ledger, tokens, prices
	Message string // what happened, to what
	Remedy  string // what to do next; may be empty
	// Grave problems turn the tray's icon to Attention. A missing keychain on
	// a machine that uses environment variables is not one.
	Grave bool
}

// Status is how Keytray stands.
type Status struct {
	State    State
	Address  string // host:port, "" while nothing listens
	Active   string // the switch: auto, offline, a provider, a route
	Paused   bool
	Problems []Problem
	// Strangers are calls with an unknown token since the start.
	Strangers Strangers
}

// BaseURL is what tools are pointed at, "" while nothing listens.
func (s Status) BaseURL() string {
	if s.Address == "" {
		return ""
	}
	return "http://" + loopback(s.Address)
}

// Status says how Keytray stands. It never waits.
func (a *App) Status() Status {
	addr, listenErr := a.Addr()
	s := Status{State: On, Address: addr, Active: a.config.Current().Active, Paused: a.paused.Load(), Strangers: a.strange.now()}
	switch {
	case s.Paused:
		s.State = Paused
	case s.Active == config.ActiveOffline:
		s.State = Offline
	}
	s.Problems = a.problems(listenErr)
	for _, p := range s.Problems {
		if p.Grave {
			s.State = Attention
		}
	}
	return s
}

func (a *App) problems(listenErr error) []Problem {
	var out []Problem
	if listenErr != nil {
		out = append(out, Problem{About: "listen", Message: listenErr.Error(), Grave: true})
	}
	for _, p := range a.config.Problems() {
		out = append(out, Problem{About: "config", Message: a.mistake(p), Remedy: p.Hint, Grave: true})
	}
	out = append(out, a.table.Load().waiting...)
	if p := a.ring.Health(); p != nil {
		out = append(out, Problem{About: "keychain", Message: p.Message, Remedy: p.Remedy, Grave: len(a.ring.CachedAll()) == 0})
	}
	for _, n := range a.ring.Notes() {
		out = append(out, Problem{About: "keychain", Message: n.Provider + ", " + n.Label + ": " + n.Message, Remedy: n.Remedy})
	}
	if p := a.tokens.Health(); p != nil {
		out = append(out, Problem{About: "tokens", Message: p.Message, Remedy: p.Remedy, Grave: true})
	}
	out = append(out, a.priceProblems()...)
	a.ledgerMu.Lock()
	l := a.ledger
	a.ledgerMu.Unlock()
	if l == nil {
		return out
	}
	if h := l.Health(); !h.OK() {
		out = append(out, Problem{About: "ledger", Message: h.Problem, Remedy: h.Remedy, Grave: true})
	}
	for _, n := range l.Notices() {
		out = append(out, Problem{About: "ledger", Message: n.Text, Grave: n.Kind == ledger.NoticeDamaged})
	}
	return out
}

// mistake says what is wrong with config.yaml, where, and which settings hold
// meanwhile.
func (a *App) mistake(p config.Problem) string {
	said := "config.yaml"
	if p.Line > 0 {
		said = fmt.Sprintf("config.yaml, line %d, column %d", p.Line, p.Column)
	}
	if p.Path != "" {
		said += ": " + p.Path
	}
	return said + ": " + p.Message + "; " + a.meanwhile()
}

// meanwhile says which settings hold while the file is not what they are from.
func (a *App) meanwhile() string {
	switch {
	case a.config.Safe():
		return "Keytray is offline until that is corrected, since it knows no settings from before"
	case a.config.Bare():
		return "Keytray runs on its built-in settings"
	}
	return "the settings from before stay in use"
}

// errNoListen begins the error of a call to this Keytray while nothing listens.
var errNoListen = errors.New("nothing listens")
