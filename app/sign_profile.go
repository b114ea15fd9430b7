package app

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/credentials/processcreds"
	"github.com/aws/aws-sdk-go-v2/credentials/ssocreds"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sso"
	"github.com/aws/aws-sdk-go-v2/service/ssooidc"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"keytray/proxy/catalog"
	"keytray/store/keys"
)

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
	pair, err := s.fromProfile(ctx)
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
func (s *awsSource) fromProfile(ctx context.Context) (aws.Credentials, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, name := s.provider, s.profileName()
	if s.profile == nil {
		keyFile, settings := s.app.awsFiles()
		shared, err := awsconfig.LoadSharedConfigProfile(ctx, name, func(o *awsconfig.LoadSharedConfigOptions) {
			o.CredentialsFiles, o.ConfigFiles = []string{keyFile}, []string{settings}
		})
		if err == nil {
			s.profile, err = s.provide(&shared)
		}
		if err != nil {
			return aws.Credentials{}, unsigned(p, "the AWS profile %s cannot be read: %s", name, clip(err.Error()))
		}
	}
	k, err := s.profile.Retrieve(ctx)
	switch {
	case err != nil && ctx.Err() != nil:
		return k, ctx.Err()
	case err != nil:
		s.profile = nil                                                      // its files may be mended by the next call
		if ran := (*processcreds.ProviderError)(nil); errors.As(err, &ran) { // quotes what was printed: maybe a key
			return k, unsigned(p, "the AWS profile %s gives no key: its credential_process failed, or printed none in AWS's form; run that program by hand, or store a key with `keytray keys add %s`", name, p.ID)
		}
		return k, unsigned(p, "the AWS profile %s gives no key (%s): sign in again with `aws sso login --profile %s`, or store a key with `keytray keys add %s`", name, clip(err.Error()), name, p.ID)
	}
	return k, nil
}

// provide is what gives and renews a profile's key.
func (s *awsSource) provide(c *awsconfig.SharedConfig) (aws.CredentialsProvider, error) {
	region, client := s.provider.Values["region"], s.app.client()
	switch {
	case c.RoleARN != "" && c.Source != nil:
		base, err := s.provide(c.Source)
		if err != nil {
			return nil, err
		}
		api := sts.New(sts.Options{Region: region, HTTPClient: client, Credentials: base})
		return aws.NewCredentialsCache(stscreds.NewAssumeRoleProvider(api, c.RoleARN, func(o *stscreds.AssumeRoleOptions) {
			o.RoleSessionName = c.RoleSessionName
			if c.ExternalID != "" {
				o.ExternalID = &c.ExternalID
			}
		})), nil
	case c.Credentials.HasKeys():
		return credentials.StaticCredentialsProvider{Value: c.Credentials}, nil
	case c.SSOSession != nil:
		at := c.SSOSession.SSORegion
		file, err := ssocreds.StandardCachedTokenFilepath(c.SSOSession.Name)
		if err != nil {
			return nil, err
		}
		token := ssocreds.NewSSOTokenProvider(ssooidc.New(ssooidc.Options{Region: at, HTTPClient: client}), file)
		api := sso.New(sso.Options{Region: at, HTTPClient: client})
		return aws.NewCredentialsCache(ssocreds.New(api, c.SSOAccountID, c.SSORoleName, c.SSOSession.SSOStartURL, func(o *ssocreds.Options) {
			o.SSOTokenProvider = token
		})), nil
	case c.SSOAccountID != "":
		api := sso.New(sso.Options{Region: c.SSORegion, HTTPClient: client})
		return aws.NewCredentialsCache(ssocreds.New(api, c.SSOAccountID, c.SSORoleName, c.SSOStartURL)), nil
	case c.CredentialProcess != "":
		return aws.NewCredentialsCache(processcreds.NewProvider(c.CredentialProcess)), nil
	}
	return nil, errors.New("it holds neither a key, nor a role, nor a way to sign in that Keytray knows")
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
