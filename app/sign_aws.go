package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"

	"keytray/proxy/catalog"
	"keytray/proxy/upstream"
	"keytray/store/keys"
)

// awsPair is an AWS key as one word: ACCESS:SECRET or ACCESS:SECRET:SESSION.
// A Bedrock API key never has that form.
var awsPair = regexp.MustCompile(`^([A-Z0-9]{16,128}):([A-Za-z0-9/+=]{16,})(?::(\S+))?$`)

// awsKey reads a stored AWS key; ok is false for a bearer key.
func awsKey(secret string) (k aws.Credentials, ok bool) {
	m := awsPair.FindStringSubmatch(secret)
	if m == nil {
		return k, false
	}
	return aws.Credentials{AccessKeyID: m[1], SecretAccessKey: m[2], SessionToken: m[3]}, true
}

// packAWS makes one word of the JSON forms that AWS shows a key in.
func packAWS(secret string) (string, error) {
	var j map[string]json.RawMessage
	if err := json.Unmarshal([]byte(secret), &j); err != nil {
		return "", fmt.Errorf("the key begins like JSON and is none: paste it whole, or as ACCESS:SECRET")
	}
	if inner, ok := j["Credentials"]; ok { // of `aws sts`
		if err := json.Unmarshal(inner, &j); err != nil {
			return "", fmt.Errorf("the key's Credentials are no JSON object")
		}
	}
	field := func(names ...string) string {
		for _, n := range names {
			for k, v := range j {
				var s string
				if strings.EqualFold(strings.ReplaceAll(k, "_", ""), n) && json.Unmarshal(v, &s) == nil && s != "" {
					return s
				}
			}
		}
		return ""
	}
	access, key := field("AccessKeyId", "awsAccessKeyId"), field("SecretAccessKey", "awsSecretAccessKey")
	if access == "" || key == "" {
		return "", fmt.Errorf("the key's JSON has no AccessKeyId and SecretAccessKey")
	}
	out := access + ":" + key
	if session := field("SessionToken", "awsSessionToken"); session != "" {
		out += ":" + session
	}
	return out, nil
}

// awsSigner signs calls as AWS asks (Signature Version 4), or puts a bearer
// key into their header. The first of these signs: --key, the profile that
// config.yaml names, the provider's variable and the keychain, AWS's own
// variables, and the default profile if config.yaml names the provider.
func (a *App) awsSigner(p catalog.Provider) upstream.Sign {
	s := &awsSource{app: a, provider: p}
	return func(ctx context.Context, r *http.Request) (upstream.Signature, error) {
		k, label, err := s.find(ctx)
		if err != nil {
			return upstream.Signature{}, err
		}
		return k.sign(ctx, p, r, label)
	}
}

// awsCredential is what signs: a pair, or a bearer key.
type awsCredential struct {
	pair   aws.Credentials
	bearer keys.Secret
}

func awsCredentialOf(s keys.Secret) awsCredential {
	if pair, ok := awsKey(s.Reveal()); ok {
		return awsCredential{pair: pair}
	}
	return awsCredential{bearer: s}
}

// sign completes a request's header.
func (k awsCredential) sign(ctx context.Context, p catalog.Provider, r *http.Request, label string) (upstream.Signature, error) {
	for name := range r.Header {
		if strings.HasPrefix(name, "Anthropic-") { // Bedrock takes them in the body
			r.Header.Del(name)
		}
	}
	if r.Header.Get("Accept") == "text/event-stream" {
		r.Header.Set("Accept", "application/vnd.amazon.eventstream")
	}
	if !k.bearer.IsZero() {
		r.Header.Set(p.Auth.Header, strings.ReplaceAll(p.Auth.Format, "{key}", k.bearer.Reveal()))
		return upstream.Signature{Label: label, Hide: hider(k.bearer)}, nil
	}
	hide := hideParts(k.pair.SecretAccessKey, k.pair.SessionToken, k.pair.AccessKeyID)
	sum := sha256.New()
	if r.GetBody != nil {
		body, err := r.GetBody()
		if err != nil {
			return upstream.Signature{}, err
		}
		_, err = io.Copy(sum, body)
		_ = body.Close() // it is in memory
		if err != nil {
			return upstream.Signature{}, err
		}
	}
	err := v4.NewSigner().SignHTTP(ctx, k.pair, r, hex.EncodeToString(sum.Sum(nil)), p.Auth.Service, p.Values["region"], time.Now())
	if err != nil {
		return upstream.Signature{}, unsigned(p, "the call cannot be signed: %s", hide([]byte(err.Error())))
	}
	return upstream.Signature{Label: label, Hide: hide}, nil
}

// hideParts masks every part of a key.
func hideParts(parts ...string) func([]byte) []byte {
	var all []func([]byte) []byte
	for _, part := range parts {
		if s, err := keys.NewSecret(part); err == nil {
			all = append(all, hider(s))
		}
	}
	return func(b []byte) []byte {
		for _, hide := range all {
			b = hide(b)
		}
		return b
	}
}

// awsSource finds what signs.
type awsSource struct {
	app      *App
	provider catalog.Provider

	mu      sync.Mutex
	profile aws.CredentialsProvider // once it was read; it renews what expires
}

func (s *awsSource) find(ctx context.Context) (awsCredential, string, error) {
	a, p := s.app, s.provider
	profile := p.Values["profile"]
	all := a.ring.Cached(p.ID)
	if len(all) == 0 && profile == "" {
		var err error // at the very start the keychain may not have been read yet
		if all, err = a.ring.Keys(ctx, p.ID); len(all) == 0 && err != nil && !a.ambient(p) {
			return awsCredential{}, "", noKey(p, err)
		}
	}
	if len(all) > 0 && (profile == "" || all[0].Source == keys.FromFlag) {
		return awsCredentialOf(all[0].Secret), all[0].Label, nil
	}
	if k := (aws.Credentials{
		AccessKeyID: a.getenv("AWS_ACCESS_KEY_ID"), SecretAccessKey: a.getenv("AWS_SECRET_ACCESS_KEY"), SessionToken: a.getenv("AWS_SESSION_TOKEN"),
	}); profile == "" && k.HasKeys() {
		return awsCredential{pair: k}, "AWS_ACCESS_KEY_ID", nil
	}
	if !a.ambient(p) {
		return awsCredential{}, "", noKey(p, nil)
	}
	pair, err := s.fromProfile(ctx, profile)
	return awsCredential{pair: pair}, "profile " + s.profileName(), err
}

// profileName is the profile that is meant.
func (s *awsSource) profileName() string {
	for _, name := range []string{s.provider.Values["profile"], s.app.getenv("AWS_PROFILE")} {
		if name != "" {
			return name
		}
	}
	return "default"
}

// fromProfile reads a profile of the AWS tools' files. Single sign-on and
// roles are renewed over Keytray's own network, so the egress guard holds; the
// metadata service of EC2 is not asked.
func (s *awsSource) fromProfile(ctx context.Context, _ string) (aws.Credentials, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, name := s.provider, s.profileName()
	if s.profile == nil {
		credentials, settings := s.app.awsFiles()
		cfg, err := awsconfig.LoadDefaultConfig(ctx,
			awsconfig.WithSharedConfigProfile(name),
			awsconfig.WithSharedCredentialsFiles([]string{credentials}),
			awsconfig.WithSharedConfigFiles([]string{settings}),
			awsconfig.WithRegion(p.Values["region"]),
			awsconfig.WithHTTPClient(s.app.client()),
			awsconfig.WithEC2IMDSClientEnableState(imds.ClientDisabled),
		)
		if err != nil {
			return aws.Credentials{}, unsigned(p, "the AWS profile %s cannot be read: %s", name, clip(err.Error()))
		}
		s.profile = cfg.Credentials
	}
	k, err := s.profile.Retrieve(ctx)
	switch {
	case err != nil && ctx.Err() != nil:
		return k, ctx.Err()
	case err != nil:
		s.profile = nil // its files may be mended by the next call
		return k, unsigned(p, "the AWS profile %s gives no key (%s): sign in again with `aws sso login --profile %s`, or store a key with `keytray keys add %s`", name, clip(err.Error()), name, p.ID)
	}
	return k, nil
}

// awsFiles are where the AWS tools keep keys and profiles.
func (a *App) awsFiles() (credentials, settings string) {
	pick := func(env, name string) string {
		if file := a.getenv(env); file != "" {
			return file
		}
		return filepath.Join(a.homeFolder(), ".aws", name)
	}
	return pick("AWS_SHARED_CREDENTIALS_FILE", "credentials"), pick("AWS_CONFIG_FILE", "config")
}

// homeFolder is the user's, as the environment tells; "" is unknown.
func (a *App) homeFolder() string {
	for _, name := range []string{"HOME", "USERPROFILE"} {
		if h := a.getenv(name); h != "" {
			return h
		}
	}
	return ""
}

// client sends the calls that signing in makes over the one network of the
// process, and follows no redirect.
func (a *App) client() *http.Client {
	return &http.Client{
		Transport:     a.network,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// ambient tells whether a provider can be signed into without a key of
// Keytray's: by variables of its maker's tools, or, where config.yaml names the
// provider, by their files.
func (a *App) ambient(p catalog.Provider) bool {
	_, named := a.config.Current().Provider(p.ID)
	exists := func(file string) bool {
		_, err := os.Stat(file)
		return file != "" && err == nil
	}
	switch p.Auth.Scheme {
	case "aws":
		credentials, settings := a.awsFiles()
		return a.getenv("AWS_ACCESS_KEY_ID") != "" && a.getenv("AWS_SECRET_ACCESS_KEY") != "" || named && (exists(credentials) || exists(settings))
	case "google":
		return a.getenv("GOOGLE_APPLICATION_CREDENTIALS") != "" || named && exists(a.gcloudFile())
	}
	return false
}
