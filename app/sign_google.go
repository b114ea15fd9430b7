package app

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/google"

	"keytray/proxy/catalog"
	"keytray/proxy/upstream"
	"keytray/store/keys"
)

// googleFile is what a credentials file of Google's holds: of a service
// account, or of a user who has signed in with gcloud.
type googleFile struct {
	Type         string `json:"type"`
	ProjectID    string `json:"project_id,omitempty"`
	ClientEmail  string `json:"client_email,omitempty"`
	PrivateKeyID string `json:"private_key_id,omitempty"`
	PrivateKey   string `json:"private_key,omitempty"`
	ClientID     string `json:"client_id,omitempty"`
	ClientSecret string `json:"client_secret,omitempty"`
	RefreshToken string `json:"refresh_token,omitempty"`
	QuotaProject string `json:"quota_project_id,omitempty"`
}

func readGoogle(b []byte) (googleFile, error) {
	var f googleFile
	if json.Unmarshal(b, &f) != nil {
		return f, errors.New("it is not the JSON file of a Google key")
	}
	switch {
	case f.Type == "service_account" && f.PrivateKey != "" && f.ClientEmail != "":
	case f.Type == "authorized_user" && f.RefreshToken != "" && f.ClientID != "":
	case f.Type == "":
		return f, errors.New("it is not the JSON file of a Google key: it says no type")
	default:
		return f, fmt.Errorf("a Google key of type %q cannot be used, or lacks a part: make a key of a service account", clip(f.Type))
	}
	return f, nil
}

// packGoogle makes one word of a credentials file, with what signing needs.
func packGoogle(secret string) (string, error) {
	f, err := readGoogle([]byte(secret))
	if err != nil {
		return "", err
	}
	if f.Type == "service_account" {
		f.ClientID = ""
	}
	b, err := json.Marshal(f)
	if err != nil {
		return "", err
	}
	return strings.ReplaceAll(string(b), " ", `\u0020`), nil
}

// parts are what must be shown nowhere.
func (f googleFile) parts() []string {
	out := []string{f.ClientSecret, f.RefreshToken}
	for line := range strings.SplitSeq(f.PrivateKey, "\n") {
		if line != "" && !strings.HasPrefix(line, "-----") {
			out = append(out, line)
		}
	}
	return out
}

// googleTokens keeps access tokens until shortly before they expire. Its zero
// value works.
type googleTokens struct {
	mu   sync.Mutex
	held map[[32]byte]*googleToken
}

// googleToken is one key's access token. turn is held while it is renewed.
type googleToken struct {
	turn  chan struct{}
	token *oauth2.Token
}

func (g *googleTokens) of(key [32]byte) *googleToken {
	g.mu.Lock()
	defer g.mu.Unlock()
	t := g.held[key]
	if t == nil {
		t = &googleToken{turn: make(chan struct{}, 1)}
		if g.held == nil {
			g.held = map[[32]byte]*googleToken{}
		}
		g.held[key] = t
	}
	return t
}

// renewBefore is how long before its end a token is renewed.
const renewBefore = time.Minute

// get is an access token for the key in file, renewed with the caller's
// patience: who waits for another's renewal may give up.
func (g *googleTokens) get(ctx context.Context, p catalog.Provider, file []byte, client *http.Client) (string, googleFile, error) {
	f, err := readGoogle(file)
	if err != nil {
		return "", f, err
	}
	t := g.of(sha256.Sum256(append([]byte(p.Auth.TokenURL+"\x00"), file...)))
	select {
	case t.turn <- struct{}{}:
		defer func() { <-t.turn }()
	case <-ctx.Done():
		return "", f, ctx.Err()
	}
	if t.token != nil && time.Until(t.token.Expiry) > renewBefore {
		return t.token.AccessToken, f, nil
	}
	fresh, err := f.exchange(context.WithValue(ctx, oauth2.HTTPClient, client), p, file)
	if err != nil {
		return "", f, err
	}
	t.token = fresh
	return fresh.AccessToken, f, nil
}

// exchange asks Google for an access token. The token's address is the
// provider's, whatever the file says.
func (f googleFile) exchange(ctx context.Context, p catalog.Provider, file []byte) (*oauth2.Token, error) {
	if f.Type == "service_account" {
		conf, err := google.JWTConfigFromJSON(file, p.Auth.Scope)
		if err != nil {
			return nil, errors.New("the service account's key cannot be read: make a new one")
		}
		conf.TokenURL = p.Auth.TokenURL
		return conf.TokenSource(ctx).Token()
	}
	conf := oauth2.Config{
		ClientID: f.ClientID, ClientSecret: f.ClientSecret, Scopes: []string{p.Auth.Scope},
		Endpoint: oauth2.Endpoint{TokenURL: p.Auth.TokenURL, AuthStyle: oauth2.AuthStyleInParams},
	}
	return conf.TokenSource(ctx, &oauth2.Token{RefreshToken: f.RefreshToken}).Token()
}

// googleSigner puts an access token into a request's header. The first of
// these gives it: --key, the keychain, GOOGLE_APPLICATION_CREDENTIALS, and
// gcloud's own file if config.yaml names the provider.
func (a *App) googleSigner(p catalog.Provider) upstream.Sign {
	return func(ctx context.Context, r *http.Request) (upstream.Signature, error) {
		all := a.ring.Cached(p.ID)
		if len(all) == 0 {
			var err error // at the very start the keychain may not have been read yet
			if all, err = a.ring.Keys(ctx, p.ID); len(all) == 0 && !a.ambient(p) {
				return upstream.Signature{}, noKey(p, err)
			}
		}
		if len(all) > 0 {
			return a.signGoogle(ctx, p, r, all[0].Secret.Reveal(), all[0].Label)
		}
		label, name := "GOOGLE_APPLICATION_CREDENTIALS", a.getenv("GOOGLE_APPLICATION_CREDENTIALS")
		if name == "" {
			label, name = "gcloud", a.gcloudFile()
		}
		file, err := os.ReadFile(name)
		if err != nil {
			return upstream.Signature{}, unsigned(p, "the file of Google's key (%s) cannot be read: %v", label, errors.Unwrap(err))
		}
		return a.signGoogle(ctx, p, r, string(file), label)
	}
}

// signGoogle signs with a key: a credentials file's text, or an access token.
func (a *App) signGoogle(ctx context.Context, p catalog.Provider, r *http.Request, key, label string) (upstream.Signature, error) {
	token, f := key, googleFile{}
	if strings.HasPrefix(strings.TrimSpace(key), "{") {
		var err error
		if token, f, err = a.google.get(ctx, p, []byte(key), a.client()); err != nil {
			return upstream.Signature{Label: label}, a.noToken(ctx, p, err)
		}
	}
	header, format := p.Auth.For(token)
	r.Header.Set(header, strings.ReplaceAll(format, "{key}", token))
	if f.QuotaProject != "" {
		r.Header.Set("X-Goog-User-Project", f.QuotaProject)
	}
	return upstream.Signature{Label: label, Hide: hideParts(append(f.parts(), token)...)}, nil
}

// noToken says why there is no access token, in no word of the request's.
func (a *App) noToken(ctx context.Context, p catalog.Provider, err error) error {
	var refused *oauth2.RetrieveError
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &refused):
		var said struct {
			Error       string `json:"error"`
			Description string `json:"error_description"`
		}
		_ = json.Unmarshal(refused.Body, &said) // else the status says it
		why := strings.Trim(said.Error+": "+said.Description, ": ")
		if why == "" && refused.Response != nil {
			why = refused.Response.Status
		}
		return unsigned(p, "Google gives no access token for this key (%s): make a new key, or sign in again with `gcloud auth application-default login`", clip(why))
	}
	var known interface{ Timeout() bool }
	if errors.As(err, &known) { // *url.Error and the like: the network's
		return upstream.Explain(ctx, p.ID, p.Auth.TokenURL, err)
	}
	return unsigned(p, "%s", clip(err.Error()))
}

// gcloudFile is where gcloud keeps what `gcloud auth application-default
// login` made.
func (a *App) gcloudFile() string {
	const name = "application_default_credentials.json"
	if dir := a.getenv("CLOUDSDK_CONFIG"); dir != "" {
		return filepath.Join(dir, name)
	}
	if dir := a.getenv("APPDATA"); dir != "" {
		return filepath.Join(dir, "gcloud", name)
	}
	if home := a.homeFolder(); home != "" {
		return filepath.Join(home, ".config", "gcloud", name)
	}
	return ""
}

// pack makes one word of a key that people have as JSON, and refuses what is
// no key of the provider. All other keys stay as they are.
func pack(p catalog.Provider, secret string) (string, error) {
	if !strings.HasPrefix(strings.TrimSpace(secret), "{") {
		return secret, nil
	}
	switch p.Auth.Scheme {
	case "aws":
		return packAWS(secret)
	case "google":
		return packGoogle(secret)
	}
	return secret, nil
}

// signWith signs a request with one key, in the provider's way.
func (a *App) signWith(ctx context.Context, p catalog.Provider, s keys.Secret, label string, r *http.Request) (upstream.Signature, error) {
	switch p.Auth.Scheme {
	case "aws":
		return awsCredentialOf(s).sign(ctx, p, r, label)
	case "google":
		return a.signGoogle(ctx, p, r, s.Reveal(), label)
	}
	header, format := p.Auth.For(s.Reveal())
	r.Header.Set(header, strings.ReplaceAll(format, "{key}", s.Reveal()))
	return upstream.Signature{Label: label, Hide: hider(s)}, nil
}
