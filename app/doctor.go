package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"
)

// Check is one line of a check-up.
type Check struct {
	Name   string
	OK     bool
	Said   string
	Remedy string // what to do, when it is not OK
	Minor  bool   // Keytray works without it
}

// Doctor looks at everything that Keytray stands on. It changes nothing and
// calls no provider but Ollama on this computer.
func (a *App) Doctor(ctx context.Context) []Check {
	out := []Check{{Name: "Keytray", OK: true, Said: fmt.Sprintf("%s on %s/%s", Version, runtime.GOOS, runtime.GOARCH)}}
	out = append(out, a.checkFolder(), a.checkRunning(ctx))
	keychain := a.checkKeychain(ctx) // first: whose keys wait is known when they are read
	out = append(out, a.checkConfigFile()...)
	out = append(out, keychain...)
	out = append(out, a.checkLedger(), a.checkOllama(ctx), a.checkDisplay())
	out = append(out, a.checkNames()...)
	if p := a.tokens.Health(); p != nil {
		out = append(out, Check{Name: "Tokens", Said: p.Message, Remedy: p.Remedy})
	} else {
		out = append(out, Check{Name: "Tokens", OK: true, Said: counted(len(a.tokens.List()), "tool") + " with a token"})
	}
	if s, err := a.RunningStrangers(ctx); err == nil && s.Count > 0 {
		out = append(out, Check{
			Name: "Strangers", Minor: true,
			Said:   fmt.Sprintf("%s with an unknown token since Keytray started, the last one on %s", counted(int(s.Count), "call"), s.Last.Format("Jan 2, 15:04:05")),
			Remedy: "a tool may have an old token: `keytray token TOOL` prints the one that is accepted",
		})
	}
	return append(out, a.checkEnvironment()...)
}

func (a *App) checkFolder() Check {
	c := Check{Name: "Folder", OK: true, Said: a.paths.DataFolder}
	if a.paths.ConfigFolder != a.paths.DataFolder {
		c.Said = a.paths.ConfigFolder + " and " + a.paths.DataFolder
	}
	return c
}

func (a *App) checkRunning(ctx context.Context) Check {
	c := Check{Name: "Front door", Minor: true}
	addr, err := a.RunningAddress(ctx)
	if err != nil {
		c.Said, c.Remedy = "Keytray is not running", "start it with `keytray`, or `keytray serve` where there is no display"
		at := loopback(a.config.Current().Listen)
		switch {
		case errors.As(err, new(impostor)):
			c.Said, c.Remedy, _ = strings.Cut(err.Error(), ": ")
		case taken(ctx, at):
			c.Said, c.Remedy = "another program answers at "+at, "stop it, or choose another port under listen in config.yaml; tools that call that address send it their tokens and prompts"
		}
		return c
	}
	c.OK, c.Said = true, "http://"+addr
	return c
}

func (a *App) checkConfigFile() []Check {
	problems := a.config.Problems()
	var out []Check
	for _, p := range a.table.Load().waiting {
		out = append(out, Check{Name: "Settings", Said: p.Message, Remedy: p.Remedy})
	}
	if len(problems)+len(out) == 0 {
		return []Check{{Name: "Settings", OK: true, Said: a.paths.Config}}
	}
	remedy := "correct the file; "
	if a.config.Bare() { // there is none
		remedy = ""
	}
	for _, p := range problems {
		out = append(out, Check{Name: "Settings", Said: p.Error(), Remedy: remedy + a.meanwhile()})
	}
	return out
}

func (a *App) checkKeychain(ctx context.Context) []Check {
	all, err := a.Keys(ctx)
	var out []Check
	signs := slices.ContainsFunc(all, func(k Key) bool { return k.InUse })
	if p := a.ring.Health(); p != nil {
		out = append(out, Check{Name: "Keychain", Said: p.Message, Remedy: p.Remedy, Minor: signs})
	} else if err != nil {
		out = append(out, Check{Name: "Keychain", Said: err.Error(), Minor: signs})
	} else {
		out = append(out, Check{Name: "Keychain", OK: true, Said: "answers"})
	}
	for _, n := range a.ring.Notes() {
		out = append(out, Check{Name: "Key", Said: n.Provider + ", " + n.Label + ": " + n.Message, Remedy: n.Remedy, Minor: true})
	}
	for _, p := range a.catalog.Load().Providers() {
		if len(p.Settings) > 0 && p.Unusable != "" && (len(a.ring.Cached(p.ID)) > 0 || a.ambient(p)) {
			out = append(out, Check{Name: p.Name, Said: why(p), Minor: true})
		}
	}
	said := "none yet; demo/echo and Ollama work without"
	if len(all) > 0 {
		var list []string
		for _, k := range all {
			if k.InUse {
				list = append(list, k.Provider+" "+k.Where)
			}
		}
		said = cmp.Or(strings.Join(list, ", "), "none that signs calls; `keytray keys` says what they are for")
	}
	return append(out, Check{Name: "Keys", OK: true, Said: said})
}

func (a *App) checkLedger() Check {
	l, err := a.book()
	switch {
	case errors.Is(err, os.ErrNotExist):
		return Check{Name: "Ledger", OK: true, Said: "none yet; it begins with the first call"}
	case err != nil:
		return Check{Name: "Ledger", Said: err.Error()}
	}
	if h := l.Health(); !h.OK() {
		return Check{Name: "Ledger", Said: h.Problem, Remedy: h.Remedy}
	}
	return Check{Name: "Ledger", OK: true, Said: a.paths.Ledger}
}

func (a *App) checkOllama(ctx context.Context) Check {
	c := Check{Name: "Ollama", Minor: true}
	models, err := a.ollama.list(ctx)
	if err != nil {
		c.Said, c.Remedy = err.Error(), "it is needed only for models on this computer"
		return c
	}
	c.OK, c.Said = true, counted(len(models), "model")
	return c
}

// counted is "1 model" or "2 models".
func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

func (a *App) checkDisplay() Check {
	c := Check{Name: "Display", OK: true, Minor: true, Said: "there is one"}
	if !HasDisplay(runtime.GOOS, a.getenv) {
		c.OK, c.Said, c.Remedy = false, "none", "use `keytray serve` and the command line"
	}
	return c
}

// checkEnvironment warns of variables that lead calls astray.
func (a *App) checkEnvironment() []Check {
	for _, v := range []string{"HTTP_PROXY", "http_proxy"} {
		if a.getenv(v) != "" && !strings.Contains(a.getenv("NO_PROXY")+a.getenv("no_proxy"), "127.0.0.1") {
			return []Check{{
				Name: "Environment", Minor: true, Said: v + " is set, so some tools send calls for 127.0.0.1 to that proxy",
				Remedy: "set NO_PROXY=127.0.0.1,localhost for them",
			}}
		}
	}
	return nil
}

// HasDisplay tells whether a window can be opened.
func HasDisplay(goos string, getenv func(string) string) bool {
	if goos == "windows" || goos == "darwin" {
		return true
	}
	return getenv("DISPLAY") != "" || getenv("WAYLAND_DISPLAY") != ""
}

// taken tells whether a program listens at an address.
func taken(ctx context.Context, addr string) bool {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	c, err := (&net.Dialer{}).DialContext(ctx, "tcp", addr)
	if err != nil {
		return false
	}
	_ = c.Close() // nothing was said on it
	return true
}
