package profile

import (
	"os"
	"path/filepath"
	"testing"

	awsconfig "github.com/aws/aws-sdk-go-v2/config"
)

// lay writes the two files into a folder.
func lay(t *testing.T, config, keys string) Files {
	t.Helper()
	f := Files{Home: t.TempDir()}
	f.Config, f.Credentials = filepath.Join(f.Home, "config"), filepath.Join(f.Home, "credentials")
	for file, text := range map[string]string{f.Config: config, f.Credentials: keys} {
		if text == "" {
			continue
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return f
}

// likeAWS is AWS's own reading in our words.
func likeAWS(c *awsconfig.SharedConfig, tokens string) *Profile {
	p := &Profile{
		role: role{c.RoleARN, c.ExternalID, c.RoleSessionName}, program: c.CredentialProcess, tokens: tokens,
		sso: signOn{c.SSOAccountID, c.SSORoleName, c.SSOSessionName, c.SSORegion, c.SSOStartURL},
	}
	p.pair.AccessKeyID, p.pair.SecretAccessKey, p.pair.SessionToken = c.Credentials.AccessKeyID, c.Credentials.SecretAccessKey, c.Credentials.SessionToken
	if c.SSOSession != nil {
		p.sso.region, p.sso.start = c.SSOSession.SSORegion, c.SSOSession.SSOStartURL
	}
	if c.Source != nil {
		p.source = likeAWS(c.Source, tokens)
	}
	return p
}

func same(a, b *Profile) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.pair == b.pair && a.role == b.role && a.sso == b.sso && a.program == b.program && a.tokens == b.tokens && same(a.source, b.source)
}

const pairOf = "aws_access_key_id = AKIA1\naws_secret_access_key = s1\n"

// files are pairs of config and credentials, and the profile that is asked for.
var files = map[string][3]string{
	"key":                     {"", "[default]\n" + pairOf, "default"},
	"key in config":           {"[default]\n" + pairOf + "aws_session_token = t\n", "", "default"},
	"key of a profile":        {"[profile work]\nregion = x\n", "[work]\n" + pairOf, "work"},
	"no heading's kind":       {"[work]\n" + pairOf, "", "work"},
	"a kind in credentials":   {"", "[profile work]\n" + pairOf, "work"},
	"nobody":                  {"[profile work]\n", "", "other"},
	"no files":                {"", "", "default"},
	"both have a key":         {"[default]\n" + pairOf + "aws_session_token = t\n", "[default]\naws_access_key_id=AKIA2\naws_secret_access_key=s2\n", "default"},
	"half a key":              {"", "[default]\naws_access_key_id = AKIA1\n", "default"},
	"half a key in each":      {"[default]\naws_access_key_id = AKIA1\n", "[default]\naws_secret_access_key = s1\n", "default"},
	"half a key, then whole":  {"[default]\naws_access_key_id = AKIA0\n", "[default]\n" + pairOf, "default"},
	"default twice":           {"[profile default]\nrole_arn = b\nsource_profile = k\n[default]\nrole_arn = a\nsource_profile = k\n", "[k]\n" + pairOf, "default"},
	"comments, colons, case":  {"# one\n; two\n[ profile \t work ] # three\nAWS_Access_Key_ID: AKIA1 # four\naws_secret_access_key = s#1;2 ; five\n", "", "work"},
	"quotes":                  {"[default]\naws_access_key_id = \"AKIA1\"\naws_secret_access_key = 's1'\n", "", "default"},
	"Windows' ends of lines":  {"[profile work]\r\n" + "aws_access_key_id = AKIA1\r\naws_secret_access_key = s1\r\n", "", "work"},
	"indented":                {"[default]\n  aws_access_key_id = AKIA1 # c\n\taws_secret_access_key = s1\n", "", "default"},
	"below a name":            {"[default]\ns3 =\n  aws_access_key_id = AKIA0\n  aws_secret_access_key = s0\n" + pairOf, "", "default"},
	"a value of two lines":    {"[default]\ncredential_process = one\n  two\n", "", "default"},
	"before the first":        {pairOf + "[default]\nregion = x\n", "", "default"},
	"no line of any kind":     {"[default]\nnothing\n" + pairOf, "", "default"},
	"twice in a file":         {"[profile a]\naws_access_key_id = AKIA1\n[profile b]\n[profile a]\naws_secret_access_key = s1\n", "", "a"},
	"role":                    {"[profile a]\nrole_arn = arn:r\nsource_profile = b\nexternal_id = e\nrole_session_name = n\n", "[b]\n" + pairOf, "a"},
	"role of a role":          {"[profile a]\nrole_arn = arn:a\nsource_profile = b\n[profile b]\nrole_arn = arn:b\nsource_profile = c\n", "[c]\n" + pairOf, "a"},
	"role of itself":          {"[profile a]\nrole_arn = arn:a\nsource_profile = a\n" + pairOf, "", "a"},
	"role of itself, no key":  {"[profile a]\nrole_arn = arn:a\nsource_profile = a\n", "", "a"},
	"roles in a circle":       {"[profile a]\nrole_arn = arn:a\nsource_profile = b\n[profile b]\nrole_arn = arn:b\nsource_profile = a\n", "", "a"},
	"roles in a circle, key":  {"[profile a]\nrole_arn = arn:a\nsource_profile = b\n[profile b]\nrole_arn = arn:b\nsource_profile = a\n" + pairOf, "", "a"},
	"role of nobody":          {"[profile a]\nrole_arn = arn:a\nsource_profile = b\n", "", "a"},
	"role of an empty one":    {"[profile a]\nrole_arn = arn:a\nsource_profile = b\n[profile b]\nregion = x\n", "", "a"},
	"role of a program":       {"[profile a]\nrole_arn = arn:a\nsource_profile = b\n[profile b]\ncredential_process = run me\n", "", "a"},
	"source without a role":   {"[profile a]\nsource_profile = b\n", "[b]\n" + pairOf, "a"},
	"role and a key":          {"[profile a]\nrole_arn = arn:a\nsource_profile = b\n" + pairOf, "[b]\naws_access_key_id=AKIA2\naws_secret_access_key=s2\n", "a"},
	"role of the environment": {"[profile a]\nrole_arn = arn:a\ncredential_source = Environment\n", "", "a"},
	"two ways":                {"[profile a]\nrole_arn = arn:a\nsource_profile = b\ncredential_process = x\n", "[b]\n" + pairOf, "a"},
	"web identity":            {"[profile a]\nweb_identity_token_file = f\n", "", "a"},
	"program":                 {"[profile a]\ncredential_process = \"/opt/my tool\" --now\n", "", "a"},
	"sign-on":                 {"[profile a]\nsso_session = s\nsso_account_id = 1\nsso_role_name = r\n[sso-session s]\nsso_region = eu-west-1\nsso_start_url = https://x/start\n", "", "a"},
	"sign-on, no session":     {"[profile a]\nsso_session = s\nsso_account_id = 1\nsso_role_name = r\n", "", "a"},
	"sign-on as before":       {"[profile a]\nsso_account_id = 1\nsso_role_name = r\nsso_region = eu-west-1\nsso_start_url = https://x/start # c\n", "", "a"},
	"role of a sign-on":       {"[profile a]\nrole_arn = arn:a\nsource_profile = b\n[profile b]\nsso_session = s\nsso_account_id = 1\nsso_role_name = r\n[sso-session s]\nsso_region = x\n", "", "a"},
}

// AWS's own library reads the same.
func TestReadIsAsAWSReads(t *testing.T) {
	for name, c := range files {
		t.Run(name, func(t *testing.T) {
			f := lay(t, c[0], c[1])
			want, wantErr := awsconfig.LoadSharedConfigProfile(t.Context(), c[2], func(o *awsconfig.LoadSharedConfigOptions) {
				o.ConfigFiles, o.CredentialsFiles = []string{f.Config}, []string{f.Credentials}
			})
			got, err := Read(f, c[2])
			if (err == nil) != (wantErr == nil) {
				t.Fatalf("%v; AWS says %v", err, wantErr)
			}
			if err != nil {
				return
			}
			if w := likeAWS(&want, filepath.Join(f.Home, ".aws", "sso", "cache")); !same(got, w) {
				t.Errorf("%+v\nwant %+v", got, w)
			}
		})
	}
}

func FuzzRead(f *testing.F) {
	for _, c := range files {
		f.Add(c[0], c[1])
	}
	f.Fuzz(func(t *testing.T, config, keys string) {
		at := lay(t, config, keys)
		for _, name := range []string{"default", "a", "work"} {
			want, wantErr := awsconfig.LoadSharedConfigProfile(t.Context(), name, func(o *awsconfig.LoadSharedConfigOptions) {
				o.ConfigFiles, o.CredentialsFiles = []string{at.Config}, []string{at.Credentials}
			})
			got, err := Read(at, name)
			if wantErr != nil {
				continue // AWS checks more of what Keytray does not use
			}
			if err != nil || !same(got, likeAWS(&want, filepath.Join(at.Home, ".aws", "sso", "cache"))) {
				t.Errorf("%s: %+v, %v\nwant %+v", name, got, err, want)
			}
		}
	})
}
