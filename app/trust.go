package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"keytray/proxy/catalog"
	"keytray/proxy/llm"
	"keytray/proxy/upstream"
	"keytray/store/config"
)

// trust knows to which hosts the user has agreed that a provider's keys go. A
// changed base_url must not carry a key off to another host: the built-in host
// and this computer need no word of the user's, all others do.
type trust struct {
	file string
}

func (t trust) read() (map[string][]string, error) {
	hosts := map[string][]string{}
	b, err := os.ReadFile(t.file)
	if errors.Is(err, fs.ErrNotExist) {
		return hosts, nil
	}
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(b, &hosts); err != nil {
		return nil, fmt.Errorf("%s cannot be read: %w; remove it and confirm the hosts again", t.file, err)
	}
	return hosts, nil
}

func (t trust) add(provider, host string) error {
	hosts, err := t.read()
	if err != nil {
		return err
	}
	if slices.Contains(hosts[provider], host) {
		return nil
	}
	hosts[provider] = append(hosts[provider], host)
	b, err := json.MarshalIndent(hosts, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(t.file+".new", append(b, '\n'), 0o600); err != nil {
		return fmt.Errorf("remember %s: %w", host, err)
	}
	if err := config.Rename(t.file+".new", t.file); err != nil {
		return fmt.Errorf("remember %s: %w", host, err)
	}
	return nil
}

func (a *App) trust() trust { return trust{filepath.Join(a.paths.DataFolder, "trusted.json")} }

// untrusted is the host that a provider's keys may not go to yet, or "".
func (a *App) untrusted(p catalog.Provider) string {
	base := a.baseURL(p)
	host := hostOf(base)
	if own, builtIn := a.base.Provider(p.ID); builtIn &&
		slices.ContainsFunc(own.BuiltIn(p).Addresses(), func(at string) bool { return hostOf(at) == host }) {
		return ""
	}
	if u, err := url.Parse(base); err == nil && upstream.LoopbackHost(u.Hostname()) {
		return ""
	}
	if p.Custom && !a.keptKey(p.ID) {
		return "" // its key_env stands beside its base_url: they were set together
	}
	hosts, err := a.trust().read()
	if err != nil {
		a.log.Error("trusted hosts", "err", err)
		return host
	}
	if slices.Contains(hosts[p.ID], host) {
		return ""
	}
	return host
}

// keptKey tells whether a provider has a key in the keychain.
func (a *App) keptKey(id string) bool {
	return slices.ContainsFunc(show(a.ring.Cached(id)), func(k Key) bool { return k.Stored })
}

// Trust lets a provider's keys go to the host of its base_url as it is now,
// and returns that host.
func (a *App) Trust(provider string) (host string, err error) {
	p, ok := a.catalog.Load().Provider(provider)
	if !ok {
		return "", a.noProvider(provider)
	}
	host = hostOf(a.baseURL(p))
	if err := a.trust().add(p.ID, host); err != nil {
		return host, err
	}
	a.rebuild()
	a.changed()
	return host, a.keysChanged(context.Background())
}

// notThere refuses to send a provider's key to a host that nobody confirmed.
func (a *App) notThere(p catalog.Provider, host string) error {
	return &llm.Error{
		Kind: llm.Forbidden, Code: "untrusted_host",
		Message: fmt.Sprintf("base_url of %s points to %s, and its key is not sent there before you say so: `keytray keys trust %s`", p.ID, host, p.ID),
	}
}

// waiting is the problem of a provider whose keys wait for a word.
func waiting(id, host string) Problem {
	return Problem{
		About: "config", Grave: true,
		Message: fmt.Sprintf("base_url of %s points to %s, and its keys are not sent there yet", id, host),
		Remedy:  fmt.Sprintf("If that is meant, confirm it with `keytray keys trust %s`; else correct base_url in config.yaml.", id),
	}
}

// hostOf is where a base URL leads. A host without encryption is another one:
// anybody on the way can read a key that is sent there.
func hostOf(base string) string {
	u, err := url.Parse(base)
	if err != nil {
		return base
	}
	host := strings.ToLower(u.Host)
	if u.Scheme == "https" {
		return host
	}
	return strings.ToLower(u.Scheme) + "://" + host
}
