package app

import (
	"context"
	"errors"
	"slices"
	"sort"
	"strings"

	"keytray/store/keys"
)

// direct keeps calls of this computer from a proxy, beside those that the user
// keeps from it. Programs read one spelling or the other, so both say the same.
func (a *App) direct() []string {
	var hosts []string
	for _, list := range []string{a.getenv("NO_PROXY"), a.getenv("no_proxy"), "127.0.0.1,localhost"} {
		for _, h := range strings.Split(list, ",") {
			if h = strings.TrimSpace(h); h != "" && !slices.Contains(hosts, h) {
				hosts = append(hosts, h)
			}
		}
	}
	all := strings.Join(hosts, ",")
	return []string{"NO_PROXY=" + all, "no_proxy=" + all}
}

// Launch is how to start a program so that it talks to Keytray.
type Launch struct {
	Program string
	Args    []string // before the user's
	Env     []string // in addition to the program's own
}

// Launch gives the program and the environment for a tool, with a token of the
// tool's own. A tool that is not known is started as a program of that name,
// with what the official SDKs read.
func (a *App) Launch(ctx context.Context, tool, base string) (Launch, error) {
	name := strings.ToLower(tool)
	for _, s := range []string{".exe", ".cmd"} {
		name = strings.TrimSuffix(name, s)
	}
	t, err := a.Token(ctx, name)
	if err != nil {
		if t.Text, err = a.lend(name, err); err != nil {
			return Launch{}, err
		}
	}
	l := Launch{Program: tool, Env: append(shared(base, t.Text), a.direct()...)}
	if known, ok := launchers[name]; ok {
		l.Program = known.program
		if known.env != nil {
			l.Env = append(l.Env, known.env(base, t.Text)...)
		}
		if known.args != nil {
			l.Args = known.args(base)
		}
		if known.models != nil {
			l.Env = append(l.Env, known.models(base, a.Models(ctx))...)
		}
	}
	return l, nil
}

// lend gives a tool whose token cannot be shown, as where there is no keychain,
// one that is good while the Keytray runs that runs now. Else a tool could be
// started once only. If none can be lent, the error is the one given.
func (a *App) lend(tool string, cannot error) (string, error) {
	if keys.AsProblem(cannot) == nil {
		return "", cannot
	}
	r, err := readRunning(a.runningFile())
	if err != nil {
		return "", cannot
	}
	s, err := a.tokens.Lend(tool, r.Secret)
	if err != nil {
		return "", cannot
	}
	return s.Reveal(), nil
}

// lentTo is the other end of lend.
func (a *App) lentTo(token string) (string, bool) {
	if !strings.HasPrefix(token, keys.LentPrefix) {
		return "", false
	}
	a.changes.mu.Lock()
	secret := a.controlSecret
	a.changes.mu.Unlock()
	return a.tokens.CheckLent(token, secret)
}

// Launchable names the programs that Launch knows well.
func Launchable() []string {
	var out []string
	for name := range launchers {
		out = append(out, name)
	}
	sort.Strings(out)
	return out
}

// RunningAddress is where the Keytray of this folder listens, which has proved
// that it is the one, or an error that says what to do.
func (a *App) RunningAddress(ctx context.Context) (string, error) {
	if addr, _ := a.Addr(); addr != "" {
		return loopback(addr), nil
	}
	r, err := readRunning(a.runningFile())
	if err == nil {
		_, err = r.ask(ctx, "here")
	}
	if errors.As(err, new(impostor)) {
		return "", err
	}
	if err != nil {
		return "", errors.New("no Keytray is running: start it with `keytray`, or `keytray serve` where there is no display")
	}
	return r.Address, nil
}
