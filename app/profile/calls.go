package profile

import (
	"context"
	"crypto/sha1" // names files, as AWS's tools do
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// assumed is a role that a key may take (AssumeRole of AWS's STS, version
// 2011-06-15).
type assumed struct {
	role   role
	base   aws.CredentialsProvider
	region string
	client *http.Client
}

// Retrieve takes the role.
func (a *assumed) Retrieve(ctx context.Context) (aws.Credentials, error) {
	key, err := a.base.Retrieve(ctx)
	if err != nil {
		return aws.Credentials{}, err
	}
	session := a.role.session
	if session == "" {
		session = fmt.Sprintf("keytray-%d", time.Now().UnixNano())
	}
	form := url.Values{
		"Action": {"AssumeRole"}, "Version": {"2011-06-15"}, "DurationSeconds": {"900"},
		"RoleArn": {a.role.arn}, "RoleSessionName": {session},
	}
	if a.role.external != "" {
		form.Set("ExternalId", a.role.external)
	}
	body := form.Encode()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://sts."+a.region+".amazonaws.com/", strings.NewReader(body))
	if err != nil {
		return aws.Credentials{}, err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	sum := sha256.Sum256([]byte(body))
	if err := v4.NewSigner().SignHTTP(ctx, key, r, hex.EncodeToString(sum[:]), "sts", a.region, time.Now()); err != nil {
		return aws.Credentials{}, err
	}
	var out struct {
		Key struct {
			AccessKeyID     string    `xml:"AccessKeyId"`
			SecretAccessKey string    `xml:"SecretAccessKey"`
			SessionToken    string    `xml:"SessionToken"`
			Expiration      time.Time `xml:"Expiration"`
		} `xml:"AssumeRoleResult>Credentials"`
	}
	if err := call(a.client, r, func(b []byte) error { return xml.Unmarshal(b, &out) }); err != nil {
		return aws.Credentials{}, fmt.Errorf("take the role %s: %w", a.role.arn, err)
	}
	k := out.Key
	return lasting(aws.Credentials{AccessKeyID: k.AccessKeyID, SecretAccessKey: k.SecretAccessKey, SessionToken: k.SessionToken}, k.Expiration)
}

// signedOn is an account's role that single sign-on leads to.
type signedOn struct {
	signOn
	folder string // of the tokens
	client *http.Client
}

// Retrieve gets a key of the role (GetRoleCredentials of AWS's single sign-on
// portal) with the token that signing in has left.
func (s *signedOn) Retrieve(ctx context.Context) (aws.Credentials, error) {
	token, err := s.token(ctx)
	if err != nil {
		return aws.Credentials{}, err
	}
	query := url.Values{"account_id": {s.account}, "role_name": {s.role}}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://portal.sso."+s.region+".amazonaws.com/federation/credentials?"+query.Encode(), nil)
	if err != nil {
		return aws.Credentials{}, err
	}
	r.Header.Set("X-Amz-Sso_bearer_token", token)
	var out struct {
		Key struct {
			AccessKeyID     string `json:"accessKeyId"`
			SecretAccessKey string `json:"secretAccessKey"`
			SessionToken    string `json:"sessionToken"`
			Expiration      int64  `json:"expiration"` // milliseconds since 1970
		} `json:"roleCredentials"`
	}
	if err := call(s.client, r, func(b []byte) error { return json.Unmarshal(b, &out) }); err != nil {
		return aws.Credentials{}, fmt.Errorf("sign on to account %s: %w", s.account, err)
	}
	k := out.Key
	return lasting(aws.Credentials{AccessKeyID: k.AccessKeyID, SecretAccessKey: k.SecretAccessKey, SessionToken: k.SessionToken}, time.UnixMilli(k.Expiration))
}

// token is the one that signing in has left in a file, renewed if it is too old
// and the profile has a session.
func (s *signedOn) token(ctx context.Context) (string, error) {
	name := s.session
	if name == "" {
		name = s.start
	}
	sum := sha1.Sum([]byte(name))
	file := filepath.Join(s.folder, hex.EncodeToString(sum[:])+".json")
	b, err := os.ReadFile(file)
	if err != nil {
		return "", errors.New("nobody has signed in yet")
	}
	all := map[string]json.RawMessage{} // what is not known stays in the file
	var t struct {
		AccessToken  string    `json:"accessToken"`
		ExpiresAt    time.Time `json:"expiresAt"`
		ClientID     string    `json:"clientId"`
		ClientSecret string    `json:"clientSecret"`
		RefreshToken string    `json:"refreshToken"`
	}
	if json.Unmarshal(b, &all) != nil || json.Unmarshal(b, &t) != nil || t.AccessToken == "" {
		return "", fmt.Errorf("%s holds no token of single sign-on", file)
	}
	if time.Now().Before(t.ExpiresAt) {
		return t.AccessToken, nil
	}
	if s.session == "" || t.ClientID == "" || t.ClientSecret == "" || t.RefreshToken == "" {
		return "", errors.New("the sign-in has ended")
	}
	renewal, err := json.Marshal(map[string]string{
		"grantType": "refresh_token", "clientId": t.ClientID, "clientSecret": t.ClientSecret, "refreshToken": t.RefreshToken,
	})
	if err != nil {
		return "", err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://oidc."+s.region+".amazonaws.com/token", strings.NewReader(string(renewal)))
	if err != nil {
		return "", err
	}
	r.Header.Set("Content-Type", "application/json")
	var out struct {
		AccessToken  string `json:"accessToken"`
		ExpiresIn    int64  `json:"expiresIn"` // seconds
		RefreshToken string `json:"refreshToken"`
	}
	if err := call(s.client, r, func(b []byte) error { return json.Unmarshal(b, &out) }); err != nil {
		return "", fmt.Errorf("renew the sign-in: %w", err)
	}
	if out.AccessToken == "" {
		return "", errors.New("renew the sign-in: the answer holds no token")
	}
	if out.RefreshToken == "" {
		out.RefreshToken = t.RefreshToken
	}
	until := time.Now().Add(time.Duration(out.ExpiresIn) * time.Second).UTC().Format(time.RFC3339)
	for name, v := range map[string]string{"accessToken": out.AccessToken, "expiresAt": until, "refreshToken": out.RefreshToken} {
		if all[name], err = json.Marshal(v); err != nil {
			return "", err
		}
	}
	return out.AccessToken, replace(file, all)
}

// replace writes a file anew, at once, for those who could read it before.
func replace(file string, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	info, err := os.Stat(file)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(file), ".keytray-*")
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	err = errors.Join(err, f.Chmod(info.Mode().Perm()), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), file)
	}
	if err != nil {
		_ = os.Remove(f.Name()) // the first error is the one to tell
	}
	return err
}

// lasting is a key that holds until a time.
func lasting(k aws.Credentials, until time.Time) (aws.Credentials, error) {
	if !k.HasKeys() {
		return k, errors.New("the answer holds no key")
	}
	k.CanExpire, k.Expires = true, until
	return k, nil
}

// mostAnswer bounds an answer, in bytes.
const mostAnswer = 1 << 20

// call sends a request, once more if AWS fails on it, and reads the answer.
func call(client *http.Client, r *http.Request, read func([]byte) error) error {
	for again := true; ; again = false {
		if !again && r.GetBody != nil {
			body, err := r.GetBody()
			if err != nil {
				return err
			}
			r.Body = body
		}
		resp, err := client.Do(r)
		if err != nil {
			return err
		}
		b, err := io.ReadAll(io.LimitReader(resp.Body, mostAnswer))
		_ = resp.Body.Close() // all that is wanted of it was read
		switch {
		case err == nil && resp.StatusCode == http.StatusOK:
			return read(b)
		case again && (err != nil || resp.StatusCode >= 500):
		case err != nil:
			return err
		default:
			return refused(resp.StatusCode, b)
		}
	}
}

// refused is what AWS says of a refusal, in the form of either API.
func refused(status int, b []byte) error {
	var j struct {
		Message     string `json:"message"`
		Error       string `json:"error"`
		Description string `json:"error_description"`
	}
	var x struct {
		Message string `xml:"Error>Message"`
	}
	said := ""
	if json.Unmarshal(b, &j) == nil {
		for _, s := range []string{j.Message, j.Description, j.Error} {
			if said == "" {
				said = s
			}
		}
	} else if xml.Unmarshal(b, &x) == nil {
		said = x.Message
	}
	if said == "" {
		return fmt.Errorf("status %d", status)
	}
	return fmt.Errorf("%s (status %d)", said, status)
}
