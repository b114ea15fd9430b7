package profile

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/credentials/ssocreds"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sso"
	"github.com/aws/aws-sdk-go-v2/service/ssooidc"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// asked is a request as AWS sees it.
type asked struct {
	method, host, path string
	query              url.Values
	body               string // a form or an object, in order
	kind, token        string
	signer             string // who signed, for what
}

// someAWS answers in AWS's place, and keeps what it is asked.
type someAWS struct {
	calls  []asked
	status []int // of the first answers; 0 or none is 200
}

const (
	roleAnswer = `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult>
  <AssumedRoleUser><AssumedRoleId>AROA:s</AssumedRoleId><Arn>arn:aws:sts::1:assumed-role/r/s</Arn></AssumedRoleUser>
  <Credentials><AccessKeyId>ASIA1</AccessKeyId><SecretAccessKey>role/secret+</SecretAccessKey><SessionToken>role/token==</SessionToken><Expiration>2099-01-02T03:04:05Z</Expiration></Credentials>
</AssumeRoleResult></AssumeRoleResponse>`
	roleRefusal  = `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>you may not</Message></Error></ErrorResponse>`
	signOnAnswer = `{"roleCredentials":{"accessKeyId":"ASIA2","secretAccessKey":"sso/secret+","sessionToken":"sso/token==","expiration":4070908800000}}`
	tokenAnswer  = `{"accessToken":"access-2","expiresIn":3600,"refreshToken":"refresh-2","tokenType":"Bearer"}`
)

func (a *someAWS) RoundTrip(r *http.Request) (*http.Response, error) {
	b := []byte{}
	if r.Body != nil {
		var err error
		if b, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
	}
	c := asked{method: r.Method, host: r.URL.Host, path: r.URL.Path, query: r.URL.Query(), kind: r.Header.Get("Content-Type"), token: r.Header.Get("X-Amz-Sso_bearer_token")}
	var object map[string]string
	if json.Unmarshal(b, &object) == nil {
		for _, k := range slices.Sorted(maps.Keys(object)) {
			c.body += k + "=" + object[k] + " "
		}
	} else if form, err := url.ParseQuery(string(b)); err == nil {
		c.body = form.Encode()
	}
	c.signer, _, _ = strings.Cut(r.Header.Get("Authorization"), ", ")
	if at := strings.LastIndex(c.signer, "/20"); at >= 0 { // the day changes
		c.signer = c.signer[:at] + c.signer[at+9:]
	}
	if t := r.Header.Get("X-Amz-Security-Token"); t != "" {
		c.signer += " with " + t
	}
	a.calls = append(a.calls, c)
	status, answer := 200, map[string]string{"sts": roleAnswer, "por": signOnAnswer, "oid": tokenAnswer}[r.URL.Host[:3]]
	if n := len(a.calls); n <= len(a.status) && a.status[n-1] != 0 {
		if status = a.status[n-1]; r.URL.Host[:3] == "sts" {
			answer = roleRefusal
		} else {
			answer = `{"message":"you may not"}`
		}
	}
	return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(answer)), Request: r}, nil
}

func (a *someAWS) client() *http.Client { return &http.Client{Transport: a} }

// signedIn leaves a token as `aws sso login` does.
func signedIn(t *testing.T, home, name string, until time.Time, more string) string {
	t.Helper()
	t.Setenv("HOME", home)
	file, err := ssocreds.StandardCachedTokenFilepath(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	text := `{"accessToken":"access-1","expiresAt":"` + until.UTC().Format(time.RFC3339) + `","startUrl":"https://x/start"` + more + `}`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

const renewable = `,"clientId":"c","clientSecret":"cs","refreshToken":"refresh-1","registrationExpiresAt":"2099-01-01T00:00:00Z"`

// Keytray asks what AWS's own library asks, and understands the answer as it does.
func TestCallsAreAsAWSCalls(t *testing.T) {
	const session = "[profile a]\nsso_session = s\nsso_account_id = 1\nsso_role_name = my role\n[sso-session s]\nsso_region = eu-north-1\nsso_start_url = https://x/start\n"
	hence, ago := time.Now().Add(time.Hour), time.Now().Add(-time.Hour)
	for name, c := range map[string]struct {
		config string
		token  string // of whom
		until  time.Time
		more   string
		aws    func(client *http.Client, file string) aws.CredentialsProvider
	}{
		"role": {
			config: "[profile a]\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = b\nexternal_id = e=&\nrole_session_name = n\n[profile b]\n" + pairOf + "aws_session_token = t\n",
			aws: func(client *http.Client, _ string) aws.CredentialsProvider {
				base := credentials.NewStaticCredentialsProvider("AKIA1", "s1", "t")
				return stscreds.NewAssumeRoleProvider(sts.New(sts.Options{Region: "eu-west-1", HTTPClient: client, Credentials: base}), "arn:aws:iam::1:role/r", func(o *stscreds.AssumeRoleOptions) {
					o.RoleSessionName, o.ExternalID = "n", aws.String("e=&")
				})
			},
		},
		"sign-on": {
			config: session, token: "s", until: hence,
			aws: func(client *http.Client, file string) aws.CredentialsProvider {
				return ssocreds.New(sso.New(sso.Options{Region: "eu-north-1", HTTPClient: client}), "1", "my role", "https://x/start", func(o *ssocreds.Options) {
					o.SSOTokenProvider = ssocreds.NewSSOTokenProvider(ssooidc.New(ssooidc.Options{Region: "eu-north-1", HTTPClient: client}), file)
				})
			},
		},
		"sign-on renewed": {
			config: session, token: "s", until: ago, more: renewable,
			aws: func(client *http.Client, file string) aws.CredentialsProvider {
				return ssocreds.New(sso.New(sso.Options{Region: "eu-north-1", HTTPClient: client}), "1", "my role", "https://x/start", func(o *ssocreds.Options) {
					o.SSOTokenProvider = ssocreds.NewSSOTokenProvider(ssooidc.New(ssooidc.Options{Region: "eu-north-1", HTTPClient: client}), file)
				})
			},
		},
		"sign-on as before": {
			config: "[profile a]\nsso_account_id = 1\nsso_role_name = my role\nsso_region = eu-north-1\nsso_start_url = https://x/start\n", token: "https://x/start", until: hence,
			aws: func(client *http.Client, _ string) aws.CredentialsProvider {
				return ssocreds.New(sso.New(sso.Options{Region: "eu-north-1", HTTPClient: client}), "1", "my role", "https://x/start")
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := lay(t, c.config, "")
			file := ""
			lay := func() {
				if c.token != "" {
					file = signedIn(t, f.Home, c.token, c.until, c.more)
				}
			}
			lay()
			var theirs, ours someAWS
			want, err := c.aws(theirs.client(), file).Retrieve(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			left := readToken(t, file)
			lay()
			p, err := Read(f, "a")
			if err != nil {
				t.Fatal(err)
			}
			keys, err := p.Keys("eu-west-1", ours.client())
			if err != nil {
				t.Fatal(err)
			}
			got, err := keys.Retrieve(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if got.AccessKeyID != want.AccessKeyID || got.SecretAccessKey != want.SecretAccessKey || got.SessionToken != want.SessionToken || !got.Expires.Equal(want.Expires) || !got.CanExpire || got.SessionToken == "" {
				t.Errorf("%+v\nwant %+v", got, want)
			}
			if len(ours.calls) != len(theirs.calls) {
				t.Fatalf("%d calls, want %d", len(ours.calls), len(theirs.calls))
			}
			for i := range ours.calls {
				if a, b := ours.calls[i], theirs.calls[i]; a.method != b.method || a.host != b.host || a.path != b.path || a.query.Encode() != b.query.Encode() || a.body != b.body || a.kind != b.kind || a.token != b.token || a.signer != b.signer {
					t.Errorf("asked %+v\nAWS's %+v", a, b)
				}
			}
			if now := readToken(t, file); !maps.Equal(now, left) {
				t.Errorf("the token's file holds %v\nAWS leaves %v", now, left)
			}
			// A key that still holds is not asked for again.
			before := len(ours.calls)
			if again, err := keys.Retrieve(t.Context()); err != nil || again.AccessKeyID != got.AccessKeyID || len(ours.calls) != before {
				t.Errorf("%v, %d calls more", err, len(ours.calls)-before)
			}
		})
	}
}

// readToken is what a token's file holds, but for the second that it expires at.
func readToken(t *testing.T, file string) map[string]string {
	t.Helper()
	if file == "" {
		return nil
	}
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]string
	if err := json.Unmarshal(b, &m); err != nil {
		t.Fatal(err)
	}
	until, err := time.Parse(time.RFC3339, m["expiresAt"])
	if err != nil {
		t.Fatal(err)
	}
	m["expiresAt"] = until.Round(time.Hour).String()
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("its mode is %v, %v", info.Mode(), err)
	}
	return m
}

func TestWhatGoesWrong(t *testing.T) {
	const (
		roles  = "[profile a]\nrole_arn = arn:r\nsource_profile = b\n[profile b]\n" + pairOf
		signOn = "[profile a]\nsso_session = s\nsso_account_id = 1\nsso_role_name = r\n[sso-session s]\nsso_region = x\n"
		before = "[profile a]\nsso_account_id = 1\nsso_role_name = r\nsso_region = x\nsso_start_url = s\n"
	)
	hence, ago := time.Now().Add(time.Hour), time.Now().Add(-time.Hour)
	for name, c := range map[string]struct {
		config, more string
		until        time.Time
		status       []int
		calls        int
		want         string // of the error; "" is none
	}{
		"a role refused":            {roles, "", hence, []int{403}, 1, "take the role arn:r: you may not (status 403)"},
		"AWS fails once":            {roles, "", hence, []int{500}, 2, ""},
		"AWS fails":                 {roles, "", hence, []int{503, 503}, 2, "you may not (status 503)"},
		"an account refused":        {signOn, "", hence, []int{401}, 1, "sign on to account 1: you may not (status 401)"},
		"never signed in":           {signOn, "", time.Time{}, nil, 0, "nobody has signed in yet"},
		"the sign-in has ended":     {signOn, "", ago, nil, 0, "the sign-in has ended"},
		"it cannot be renewed":      {signOn, renewable, ago, []int{400}, 1, "renew the sign-in: you may not (status 400)"},
		"without a session":         {before, renewable, ago, nil, 0, "the sign-in has ended"},
		"no way that Keytray knows": {"[profile a]\nrole_arn = arn:r\ncredential_source = Environment\n", "", hence, nil, 0, "it holds neither"},
	} {
		t.Run(name, func(t *testing.T) {
			f := lay(t, c.config, "")
			if !c.until.IsZero() {
				signedIn(t, f.Home, "s", c.until, c.more)
			}
			p, err := Read(f, "a")
			if err != nil {
				t.Fatal(err)
			}
			cloud := &someAWS{status: c.status}
			keys, err := p.Keys("eu-west-1", cloud.client())
			if err == nil {
				_, err = keys.Retrieve(t.Context())
			}
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("%v, want %q", err, c.want)
			}
			if len(cloud.calls) != c.calls {
				t.Errorf("%d calls, want %d", len(cloud.calls), c.calls)
			}
			if err != nil && bytes.ContainsAny([]byte(err.Error()), "\n") || err != nil && strings.Contains(err.Error(), "s1") {
				t.Errorf("%q", err)
			}
		})
	}
}

func TestProgram(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the program of this test is a shell's")
	}
	for prints, want := range map[string]string{
		`{"Version":1,"AccessKeyId":"AKIA9","SecretAccessKey":"s9"}`: "",
		`{"Version":1,"AccessKeyId":"AKIA9","SecretAccessKey":s9}`:   "not the JSON of a key",
		`{"Version":1,"AccessKeyId":"AKIA9","SecretAccessKey":9}`:    "not the JSON of a key",
		`{"Version":1,"AccessKeyId":"AKIA9"}`:                        "SecretAccessKey",
	} {
		p, err := Read(lay(t, "[profile a]\ncredential_process = echo '"+prints+"'\n", ""), "a")
		if err != nil {
			t.Fatal(err)
		}
		keys, err := p.Keys("eu-west-1", nil)
		if err != nil {
			t.Fatal(err)
		}
		k, err := keys.Retrieve(t.Context())
		switch {
		case want == "" && (err != nil || k.AccessKeyID != "AKIA9" || k.SecretAccessKey != "s9"):
			t.Errorf("%s, %v", k.AccessKeyID, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "AKIA9")):
			t.Errorf("%s: %v", prints, err)
		}
	}
}
