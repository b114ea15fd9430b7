package keys

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
)

// Source says where a key was found.
type Source string

// The sources, in the order in which they are asked.
const (
	FromFlag        Source = "flag"
	FromEnvironment Source = "environment"
	FromKeychain    Source = "keychain"
)

// DefaultLabel is the label of a key that was added without one.
const DefaultLabel = "default"

// AdminLabel is the label of a key in the keychain that reads its provider's cost report. It never signs a
// model's call: Keys and Cached leave it out, Admin gives it.
const AdminLabel = "admin"

const maxLabel = 64 // bytes

// Key is one secret that can sign a provider's calls.
type Key struct {
	// Provider is the provider's ID, such as "openai".
	Provider string
	// Label tells the keys of one provider apart. A key from a flag is labelled "flag", one from the environment by its
	// variable's name.
	Label string
	// Source is where the key was found.
	Source Source
	// EnvVar is the environment variable that holds the key, if Source is FromEnvironment.
	EnvVar string
	// Secret is the key itself.
	Secret Secret
	// Where is the source as a part of a sentence: "in the login keyring", "from OPENAI_API_KEY", "from --key".
	Where string
}

// Admin tells whether the key is for its provider's cost report alone.
func (k Key) Admin() bool { return k.Source == FromKeychain && strings.EqualFold(k.Label, AdminLabel) }

// CleanLabel takes white space off both ends of a label, turns "" into DefaultLabel, and checks the rest: letters and digits of any
// script, spaces and . _ - @ + and at most 64 bytes.
func CleanLabel(label string) (string, error) {
	label = strings.TrimSpace(label)
	if label == "" {
		return DefaultLabel, nil
	}
	if len(label) > maxLabel {
		return "", fmt.Errorf("the label %q is %d bytes long: use at most %d", label[:16]+"…", len(label), maxLabel)
	}
	for _, r := range label {
		if r == unicode.ReplacementChar || !(unicode.IsLetter(r) || unicode.IsMark(r) || unicode.IsDigit(r) || strings.ContainsRune(" ._-@+", r)) {
			return "", fmt.Errorf("the label %q holds %q: use letters, digits, spaces and . _ - @ +", label, r)
		}
	}
	return label, nil
}

// checkProvider keeps a provider's ID fit to be the first half of an account name in the keychain.
func checkProvider(id string) error {
	switch id {
	case "":
		return errors.New("the provider's name is missing")
	case indexAccount, tokenAccount:
		return fmt.Errorf("%q cannot be a provider's name: Keytray uses it itself in the keychain; choose another", id)
	}
	if len(id) > maxLabel {
		return fmt.Errorf("the provider's name is %d bytes long: use at most %d", len(id), maxLabel)
	}
	for _, r := range id {
		if !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-' || r == '_' || r == '.') {
			return fmt.Errorf("the provider's name %q holds %q: use a to z, 0 to 9 and . _ -", id, r)
		}
	}
	return nil
}

// name is a key's account in the keychain.
type name struct{ provider, label string }

func (n name) account() string { return n.provider + "/" + n.label }

// same treats labels that differ in case alone as one, because Windows does.
func (n name) same(other name) bool {
	return n.provider == other.provider && strings.EqualFold(n.label, other.label)
}

func parseName(account string) (name, error) {
	provider, label, ok := strings.Cut(account, "/")
	if !ok {
		return name{}, fmt.Errorf("%q is not of the form provider/label", account)
	}
	if err := checkProvider(provider); err != nil {
		return name{}, err
	}
	clean, err := CleanLabel(label)
	if err != nil {
		return name{}, err
	}
	if clean != label {
		return name{}, fmt.Errorf("%q is not of the form provider/label", account)
	}
	return name{provider, label}, nil
}

// makeName checks both halves of a name that a person gave.
func makeName(provider, label string) (name, error) {
	if err := checkProvider(provider); err != nil {
		return name{}, err
	}
	label, err := CleanLabel(label)
	if err != nil {
		return name{}, err
	}
	return name{provider, label}, nil
}
