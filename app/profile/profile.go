// Package profile finds the keys of a profile of AWS's command line tools: in
// their two files, by a role of another profile's key, by single sign-on, or
// from a program that the profile names.
//
// [Read] reads the files; what [Profile.Keys] gives renews what expires. AWS's
// own library does all this too, but its parts for it are a tenth of the
// program, in memory and on disk, for three small calls.
package profile

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/credentials/processcreds"
)

// Files are where the AWS tools keep what they know. One that is missing is as
// good as empty.
type Files struct {
	Credentials string // keys, by profile
	Config      string // profiles, and their ways to a key
	Home        string // the user's folder, below which are the tokens of single sign-on
}

// Profile is what the files say of one profile.
type Profile struct {
	pair    aws.Credentials
	role    role
	source  *Profile // whose key takes the role
	sso     signOn
	program string
	tokens  string // the folder of single sign-on's tokens
}

// role is what a key may become.
type role struct{ arn, external, session string }

// signOn is an account that is reached by single sign-on.
type signOn struct {
	account, role string
	session       string // its name; "" is a profile from before there were any
	region, start string
}

// Read reads a profile.
func Read(f Files, name string) (*Profile, error) {
	all := sections{}
	all.add(f.Config, true)
	all.add(f.Credentials, false)
	p, err := all.profile(name, map[string]bool{})
	if err != nil {
		return nil, err
	}
	for at := p; at != nil; at = at.source {
		at.tokens = filepath.Join(f.Home, ".aws", "sso", "cache")
	}
	return p, nil
}

// profile is a profile with those that it leads to; seen are those that have
// led here.
func (all sections) profile(name string, seen map[string]bool) (*Profile, error) {
	s, ok := all[name]
	if !ok {
		return nil, fmt.Errorf("there is no profile %s", name)
	}
	if s[partial] != "" {
		return nil, fmt.Errorf("profile %s has one half of a key", name)
	}
	p := &Profile{
		pair:    aws.Credentials{AccessKeyID: s["aws_access_key_id"], SecretAccessKey: s["aws_secret_access_key"], SessionToken: s["aws_session_token"]},
		role:    role{s["role_arn"], s["external_id"], s["role_session_name"]},
		sso:     signOn{s["sso_account_id"], s["sso_role_name"], s["sso_session"], s["sso_region"], s["sso_start_url"]},
		program: s["credential_process"],
	}
	if !p.pair.HasKeys() {
		p.pair = aws.Credentials{}
	}
	source := s["source_profile"]
	switch {
	case seen[name]: // its own source: the second time its key alone counts
		p.role, source = role{}, ""
	case p.role.arn == "" && (source != "" || s["credential_source"] != "" || s["web_identity_token_file"] != ""):
		return nil, fmt.Errorf("profile %s has no role_arn", name)
	}
	if len(seen) > 0 && p.pair.HasKeys() {
		return p, nil
	}
	seen[name] = true
	ways := 0
	for _, way := range []string{source, s["credential_source"], p.program, s["web_identity_token_file"]} {
		if way != "" {
			ways++
		}
	}
	if ways > 1 {
		return nil, fmt.Errorf("profile %s names more than one way to a key", name)
	}
	if source != "" {
		p.pair, p.program, p.sso = aws.Credentials{}, "", signOn{session: p.sso.session}
		var err error
		if p.source, err = all.profile(source, seen); err != nil {
			return nil, fmt.Errorf("the source of profile %s: %w", name, err)
		}
		if !p.source.leads() {
			return nil, fmt.Errorf("the source of profile %s, %s, has no way to a key", name, source)
		}
	}
	if p.sso.session != "" {
		session, ok := all["sso-session "+p.sso.session]
		if !ok {
			return nil, fmt.Errorf("there is no sso-session %s", p.sso.session)
		}
		p.sso.region, p.sso.start = session["sso_region"], session["sso_start_url"]
	}
	return p, nil
}

// leads tells whether a profile has a way to a key.
func (p *Profile) leads() bool {
	return p.source != nil || p.pair.HasKeys() || p.program != "" || p.sso != signOn{}
}

// Keys gives the profile's key and renews it. Calls to take a role go to a
// region; client makes all calls.
func (p *Profile) Keys(region string, client *http.Client) (aws.CredentialsProvider, error) {
	switch {
	case p.role.arn != "" && p.source != nil:
		base, err := p.source.Keys(region, client)
		if err != nil {
			return nil, err
		}
		return aws.NewCredentialsCache(&assumed{p.role, base, region, client}), nil
	case p.pair.HasKeys():
		return credentials.StaticCredentialsProvider{Value: p.pair}, nil
	case p.sso.session != "" || p.sso.account != "":
		return aws.NewCredentialsCache(&signedOn{p.sso, p.tokens, client}), nil
	case p.program != "":
		return aws.NewCredentialsCache(program{processcreds.NewProvider(p.program)}), nil
	}
	return nil, errors.New("it holds neither a key, nor a role, nor a way to sign in that Keytray knows")
}

// program is one that prints a key.
type program struct{ aws.CredentialsProvider }

// Retrieve runs it. What it prints may be a key that is only badly formed, so
// no error quotes it.
func (p program) Retrieve(ctx context.Context) (aws.Credentials, error) {
	k, err := p.CredentialsProvider.Retrieve(ctx)
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	if errors.As(err, &syntax) || errors.As(err, &kind) {
		err = errors.New("what its credential_process prints is not the JSON of a key")
	}
	return k, err
}
