package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"strings"
	"time"

	"keytray/proxy/catalog"
	"keytray/proxy/llm"
	"keytray/proxy/upstream"
	"keytray/store/keys"
)

// Key is what may be shown of a key.
type Key struct {
	Provider string // id
	Label    string
	Hint     string // ••••3f9a
	Source   string // flag, environment, keychain
	Where    string // "in the login keyring", "from OPENAI_API_KEY", "from --key"
	InUse    bool   // it signs: the first in the order flag, environment, keychain
	Stored   bool   // it is Keytray's to rename, replace and remove
	Admin    bool   // it reads the provider's cost report, and signs no call
}

// Provider is what may be shown of a provider.
type Provider struct {
	ID       string
	Name     string
	Dialect  string
	BaseURL  string
	Env      []string // environment variables its keys are read from
	KeysURL  string   // where a person gets a key
	KeyForm  string   // what a key is, where it is not one word of the provider's
	Built    bool     // Keytray can call it; see Why
	Why      string   // why not
	Local    bool     // runs on this computer and costs nothing
	NeedsKey bool
	Off      bool // turned off by the user
	Own      bool // added by the user
}

// Keys lists all keys, the one that signs first for each provider. A command
// lists those of the running Keytray with them. The keys are good even when the
// error is not nil; it is then what is wrong with the keychain, a *keys.Problem
// in its chain.
func (a *App) Keys(ctx context.Context) ([]Key, error) {
	_, err := a.ring.All(ctx)
	a.lookBeside(ctx)
	return a.CachedKeys(), err
}

// CachedKeys is Keys from memory: it never waits.
func (a *App) CachedKeys() []Key {
	own := show(a.ring.CachedAll())
	if h := a.beside.Load(); h != nil {
		return h.with(own)
	}
	return own
}

func show(all []keys.Key) []Key {
	out := make([]Key, 0, len(all))
	for i, k := range all {
		out = append(out, Key{
			Provider: k.Provider, Label: k.Label, Hint: k.Secret.Hint(), Source: string(k.Source), Where: k.Where,
			InUse: !k.Admin() && (i == 0 || all[i-1].Provider != k.Provider), Stored: k.Source == keys.FromKeychain, Admin: k.Admin(),
		})
	}
	return out
}

// Providers lists all of the catalog and the user's own.
func (a *App) Providers() []Provider {
	cat, c := a.catalog.Load(), a.config.Current()
	var out []Provider
	for _, p := range cat.Providers() {
		x := Provider{
			ID: p.ID, Name: p.Name, Dialect: p.Dialect, BaseURL: a.baseURL(p), Env: p.Env, KeysURL: p.KeysURL, KeyForm: p.KeyForm,
			Why: why(p), Off: off(c, p.ID), Own: p.Custom, Local: p.Local && isLoopback(a.baseURL(p)),
			NeedsKey: needsKey(p),
		}
		x.Built = x.Why == ""
		out = append(out, x)
	}
	return out
}

// MayStore tells, before anybody types a key, what keeps the keychain from
// storing one; nil if nothing does.
func (a *App) MayStore(ctx context.Context) error {
	_, err := a.ring.All(ctx)
	if p := keys.AsProblem(err); p != nil && p.Kind == keys.Damaged {
		return nil // the next change mends the list
	}
	return err
}

// AddKey stores a new key in the keychain; label "" is "default".
func (a *App) AddKey(ctx context.Context, provider, label, secret string) error {
	p, ok := a.catalog.Load().Provider(provider)
	if !ok {
		return a.noProvider(provider)
	}
	if p.Auth.Header == "" {
		return fmt.Errorf("%s needs no key: it runs on this computer", p.Name)
	}
	s, err := a.newSecret(p.ID, label, secret)
	if err != nil {
		return err
	}
	// Who adds a key to a provider means it for where that provider is now. An
	// admin key goes to the provider's own host alone.
	if !isAdmin(label) {
		if err := a.trust().add(p.ID, hostOf(a.baseURL(p))); err != nil {
			return err
		}
	}
	if err := a.ring.Add(ctx, p.ID, label, s); err != nil {
		return err
	}
	return a.keysChanged(ctx)
}

// newSecret is a key as it is stored: one word, whatever form it came in.
func (a *App) newSecret(provider, label, secret string) (keys.Secret, error) {
	p, _ := a.catalog.Load().Provider(provider)
	if err := checkAdmin(p, label, secret); err != nil {
		return keys.Secret{}, err
	}
	secret, err := pack(p, secret)
	if err != nil {
		return keys.Secret{}, err
	}
	return keys.NewSecret(secret)
}

// ReplaceKey gives a stored key a new secret.
func (a *App) ReplaceKey(ctx context.Context, provider, label, secret string) error {
	s, err := a.newSecret(provider, label, secret)
	if err != nil {
		return err
	}
	if err := a.ring.Replace(ctx, provider, label, s); err != nil {
		return err
	}
	return a.keysChanged(ctx)
}

// RenameKey gives a stored key another label.
func (a *App) RenameKey(ctx context.Context, provider, label, to string) error {
	if isAdmin(label) != isAdmin(to) {
		return fmt.Errorf("the label %q tells what a key is for: remove the key and add it anew under the other label", keys.AdminLabel)
	}
	if err := a.ring.Rename(ctx, provider, label, to); err != nil {
		return err
	}
	return a.keysChanged(ctx)
}

// RemoveKey takes a key out of the keychain.
func (a *App) RemoveKey(ctx context.Context, provider, label string) error {
	if err := a.ring.Remove(ctx, provider, label); err != nil {
		return err
	}
	return a.keysChanged(ctx)
}

// keysChanged lets a Keytray that runs beside this command know.
func (a *App) keysChanged(ctx context.Context) error {
	if a.opt.Serve {
		return nil
	}
	if err := a.tell(ctx, "keys"); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("the key is stored, but the running Keytray could not be told: %w", err)
	}
	return nil
}

// KeyTest is what a provider said to a key.
type KeyTest struct {
	OK      bool
	Said    string // in words: "accepted; 57 models", "401: Incorrect API key provided"
	Models  int    // listed, if it lists them
	Took    time.Duration
	Checked Key
}

// TestKey makes the cheapest authenticated call there is, a model list. label
// "" is the key in use. Its error is about what kept it from asking; a refusal
// by the provider is a KeyTest.
func (a *App) TestKey(ctx context.Context, provider, label string) (KeyTest, error) {
	p, ok := a.catalog.Load().Provider(provider)
	if !ok {
		return KeyTest{}, a.noProvider(provider)
	}
	if isAdmin(label) {
		return a.testAdmin(ctx, p)
	}
	all, err := a.ring.Keys(ctx, p.ID)
	if a.lookBeside(ctx); a.heldBeside(p.ID, label) {
		return a.testBeside(ctx, p.ID, label)
	}
	for i, k := range all {
		if label == "" || k.Label == label {
			if host := a.untrusted(p); host != "" {
				return KeyTest{}, a.notThere(p, host)
			}
			shown := show(all[i : i+1])[0]
			shown.InUse = i == 0
			t, err := a.TestSecret(ctx, p.ID, k.Secret.Reveal())
			t.Checked = shown
			return t, err
		}
	}
	if err != nil {
		return KeyTest{}, err
	}
	if label == "" {
		return KeyTest{}, fmt.Errorf("there is no key for %s: add one with `keytray keys add %s`", p.Name, p.ID)
	}
	return KeyTest{}, fmt.Errorf("%s has no key labelled %q; `keytray keys list` shows which there are", p.Name, label)
}

// TestSecret is TestKey for a key that is not stored yet.
func (a *App) TestSecret(ctx context.Context, provider, secret string) (KeyTest, error) {
	p, ok := a.catalog.Load().Provider(provider)
	if !ok {
		return KeyTest{}, a.noProvider(provider)
	}
	out := outbound(p.Dialect)
	if out == nil || p.Unusable != "" {
		return KeyTest{}, fmt.Errorf("%s cannot be asked: %s", p.Name, why(p))
	}
	at := p.Test
	if at == "" && p.List != nil {
		at = p.List.At
	}
	if at == "" {
		return KeyTest{}, fmt.Errorf("%s has no call that costs nothing, so the key cannot be tested; send it a request", p.Name)
	}
	if !strings.Contains(at, "://") {
		at = a.baseURL(p) + at
	}
	s, err := a.newSecret(p.ID, "", secret)
	if err != nil {
		return KeyTest{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, at, nil)
	if err != nil {
		return KeyTest{}, err
	}
	for k, v := range headers(p, a.config.Current()) {
		req.Header[k] = v
	}
	req.Header.Set("User-Agent", "Keytray")
	start := time.Now()
	signed, err := a.signWith(ctx, p, s, "", req)
	if err != nil {
		return KeyTest{}, err
	}
	resp, err := a.network.RoundTrip(req)
	if err != nil {
		return KeyTest{}, fmt.Errorf("%s cannot be asked: %s", p.Name, upstream.Explain(ctx, p.ID, a.baseURL(p), err).Message)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 8<<20))
	if err != nil {
		return KeyTest{}, fmt.Errorf("the answer of %s broke off: %w", p.Name, err)
	}
	body = signed.Hide(body)
	t := KeyTest{Took: time.Since(start)}
	if resp.StatusCode == http.StatusOK {
		t.OK, t.Models = true, count(body)
		t.Said = "accepted"
		if t.Models > 0 {
			t.Said = fmt.Sprintf("accepted; it lists %d models", t.Models)
		}
		return t, nil
	}
	e := out.DecodeError(resp.StatusCode, resp.Header, body)
	t.Said = fmt.Sprintf("%d: %s", resp.StatusCode, e.Message)
	if e.Kind == llm.RateLimited {
		// It knew the key, or it would have said so.
		t.Said += " (the key may be good: try again later)"
	}
	return t, nil
}

// count is how many models a list of any provider's shape holds.
func count(body []byte) int {
	var list struct {
		Data   []json.RawMessage `json:"data"`
		Models []json.RawMessage `json:"models"`
	}
	if json.Unmarshal(body, &list) == nil && len(list.Data)+len(list.Models) > 0 {
		return len(list.Data) + len(list.Models)
	}
	var bare []json.RawMessage
	if json.Unmarshal(body, &bare) == nil {
		return len(bare)
	}
	return 0
}

// envVars names the environment variables of every provider.
func envVars(cat *catalog.Catalog) map[string][]string {
	m := map[string][]string{}
	for _, p := range cat.Providers() {
		if p.Auth.Header != "" {
			m[p.ID] = p.Env
		}
	}
	return m
}
