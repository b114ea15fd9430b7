package app

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

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

// hideParts masks every part of a key that is long enough to tell.
func hideParts(parts ...string) func([]byte) []byte {
	const shortest = 16
	return func(b []byte) []byte {
		for _, part := range parts {
			if len(part) >= shortest {
				b = bytes.ReplaceAll(b, []byte(part), []byte("••••"))
			}
		}
		return b
	}
}
